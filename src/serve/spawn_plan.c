/* SPDX-License-Identifier: ISC */
/* What starting a server or a gate needs, laid out once, before the first one. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "config/support.h"
#include "serve/spawn_private.h"

bool spawn_is_ours(const char *variable)
{
	return strncmp(variable, REMOTE_HOST, strlen(REMOTE_HOST)) == 0 ||
	       strncmp(variable, REMOTE_PORT, strlen(REMOTE_PORT)) == 0;
}

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

static bool passes(const struct service *service, const char *variable)
{
	size_t length = name_length(variable);

	if (!service->passenv_given)
		return true;
	for (size_t i = 0; i < service->passenv->n; i++)
		if (strlen(service->passenv->v[i]) == length &&
		    strncmp(service->passenv->v[i], variable, length) == 0)
			return true;
	return false;
}

/* Sets a variable, which there is room for: the last one of a name counts, as with setenv(3). */
static void set_variable(struct spawn *spawn, char *variable)
{
	size_t length = name_length(variable) + 1;

	for (size_t i = 0; i < spawn->n_environment; i++)
		if (strncmp(spawn->own_environment[i], variable, length) == 0) {
			spawn->own_environment[i] = variable;
			return;
		}
	spawn->own_environment[spawn->n_environment++] = variable;
}

/* What the daemon was started with is all that most servers get, and is not copied for them. */
static void share_environment(struct spawn *spawn)
{
	spawn->environment = spawn->spawner->environment.v;
	spawn->n_environment = spawn->spawner->environment.n;
}

static int lay_out_environment(struct spawn *spawn)
{
	const struct strv *inherited = &spawn->spawner->environment;
	const struct service *service = spawn->service;

	if (!service->passenv_given && service->env->n == 0) {
		share_environment(spawn);
		return 0;
	}
	spawn->own_environment = calloc(inherited->n + service->env->n + 1, sizeof(char *));
	if (!spawn->own_environment)
		return -ENOMEM;
	for (size_t i = 0; i < inherited->n; i++)
		if (passes(service, inherited->v[i]))
			spawn->own_environment[spawn->n_environment++] = inherited->v[i];
	/* Who the client is, is not for the stanza to say; both of a name would leave it to the server which one counts. */
	for (size_t i = 0; i < service->env->n; i++)
		if (!spawn_is_ours(service->env->v[i]))
			set_variable(spawn, service->env->v[i]);
	spawn->environment = spawn->own_environment;
	return 0;
}

/* The daemon raises its own limit on descriptors; others get the one that it was started with. */
static void lay_out_own_limit(struct spawn *spawn)
{
	struct rlimit own;

	if (getrlimit(RLIMIT_NOFILE, &own) == 0 &&
	    (own.rlim_cur != spawn->spawner->nofile.rlim_cur ||
	     own.rlim_max != spawn->spawner->nofile.rlim_max))
		spawn->limits[spawn->plan.n_limits++] = (struct child_limit){
			.resource = RLIMIT_NOFILE,
			.value = spawn->spawner->nofile,
		};
}

static void lay_out_limits(struct spawn *spawn)
{
	static const int resources[SERVICE_RLIMITS] = {
		[SERVICE_RLIMIT_AS] = RLIMIT_AS,     [SERVICE_RLIMIT_CPU] = RLIMIT_CPU,
		[SERVICE_RLIMIT_DATA] = RLIMIT_DATA, [SERVICE_RLIMIT_FILES] = RLIMIT_NOFILE,
		[SERVICE_RLIMIT_RSS] = RLIMIT_RSS,   [SERVICE_RLIMIT_STACK] = RLIMIT_STACK,
	};

	for (size_t i = 0; i < SERVICE_RLIMITS; i++) {
		const struct rlimit_setting *setting = &spawn->service->rlimits[i];

		if (setting->given)
			spawn->limits[spawn->plan.n_limits++] = (struct child_limit){
				.resource = resources[i],
				.value = { .rlim_cur = setting->value, .rlim_max = setting->value },
			};
	}
	if (!spawn->service->rlimits[SERVICE_RLIMIT_FILES].given)
		lay_out_own_limit(spawn);
}

/* What servers and gates have in common. */
static struct spawn *make_spawn(struct spawner *spawner, const struct service *service)
{
	struct spawn *spawn = calloc(1, sizeof(*spawn));

	if (!spawn)
		return NULL;
	spawn->spawner = spawner;
	spawn->service = service_ref(service);
	spawn->plan = (struct child){
		.fd = -1,
		.answer_fd = -1,
		.own_table = spawner->share_files,
		.report_fd = -1,
		.signals = spawner->signals,
		.limits = spawn->limits,
		.umask = service->umask,
		.no_new_privs = service->no_new_privs,
		.change_group = spawner->privileged && (service->user || service->group),
		.change_user = spawner->privileged && service->user,
		.uid = service->uid,
		.gid = service->gid,
		.groups = service->group_list->v,
		.n_groups = service->group_list->n,
		.tid = 1,
	};
	return spawn;
}

static int lay_out_label(struct spawn *spawn)
{
	const struct service *service = spawn->service;
	int r;

	if (!(service->flags & FLAG_LABELED))
		return 0;
	/* As in xinetd: whoever asks for a label must not get a server without one. */
	if (!support_machine_has_selinux()) {
		spawn->plan.label_error = EOPNOTSUPP;
		return 0;
	}
	r = label_new(&label_kernel, service->chroot, service->server, &spawn->label);
	if (r < 0) {
		log_write_errno(
			LOG_LEVEL_ERROR, r,
			"service %s: no label can be made for its server %s: %m [file=%s] [line=%u]",
			service->id, service->server, service->file, service->line);
		return -EINVAL;
	}
	return 0;
}

int spawn_check(const struct spawner *spawner, const struct service *service)
{
	if (spawner->privileged)
		return 0;
	if (service->user && service->uid != 0 && service->uid != geteuid())
		return -EPERM;
	if (service->group && service->gid != 0 && service->gid != getegid())
		return -EPERM;
	return 0;
}

int spawn_new(struct spawner *spawner, const struct service *service, struct spawn **ret)
{
	struct spawn *spawn = make_spawn(spawner, service);
	int r;

	if (!spawn)
		return -ENOMEM;
	spawn->plan.chroot = service->chroot;
	spawn->plan.directory = service->directory;
	spawn->plan.change_nice = service->nice != 0;
	spawn->plan.nice = spawner->nice + service->nice;
	spawn->plan.path = service->server;
	spawn->plan.argv = service->argv->v;
	lay_out_limits(spawn);
	r = lay_out_environment(spawn);
	if (r == 0)
		r = lay_out_label(spawn);
	if (r < 0) {
		spawn_free(spawn);
		return r;
	}
	*ret = spawn;
	return 0;
}

int spawn_new_gate(struct spawner *spawner, const struct service *service, const char *path,
		   struct strv arguments[static SPAWN_GATE_ARGUMENTS],
		   const struct account *account, struct spawn **ret)
{
	struct spawn *spawn = make_spawn(spawner, service);

	if (!spawn)
		return -ENOMEM;
	for (size_t i = 0; i < SPAWN_GATE_ARGUMENTS; i++) {
		spawn->arguments[i] = arguments[i];
		arguments[i] = (struct strv){ 0 };
	}
	spawn->plan.path = path;
	if (account) {
		spawn->plan.change_group = spawn->plan.change_user =
			spawner->privileged && account->mapped;
		spawn->plan.uid = account->uid;
		spawn->plan.gid = account->gid;
		spawn->plan.n_groups = 0;
		/* Where nobody else is there to become, it at least gains nothing. */
		spawn->plan.no_new_privs = spawn->plan.no_new_privs || !account->mapped;
	}
	lay_out_own_limit(spawn);
	share_environment(spawn);
	*ret = spawn;
	return 0;
}

void spawn_free(struct spawn *spawn)
{
	if (!spawn)
		return;
	spawn->freed = true;
	if (spawn->overdue)
		return;
	for (size_t i = 0; i < SPAWN_GATE_ARGUMENTS; i++)
		strv_done(&spawn->arguments[i]);
	free(spawn->own_environment);
	label_free(spawn->label);
	service_unref(spawn->service);
	free(spawn);
}
