/* SPDX-License-Identifier: ISC */
/* What starting a server or a gate needs, laid out once when its service is loaded. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "config/support.h"
#include "serve/spawn_private.h"

bool spawn_is_ours(const char *variable)
{
	return strncmp(variable, "REMOTE_HOST=", strlen("REMOTE_HOST=")) == 0 ||
	       strncmp(variable, "REMOTE_PORT=", strlen("REMOTE_PORT=")) == 0;
}

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

/* Sets a variable: the last one of a name counts, as with setenv(3). */
static int set_variable(struct strv *list, const char *variable)
{
	size_t length = name_length(variable) + 1;

	for (size_t i = 0; i < list->n; i++) {
		char *copy;

		if (strncmp(list->v[i], variable, length) != 0)
			continue;
		copy = strdup(variable);
		if (!copy)
			return -ENOMEM;
		free(list->v[i]);
		list->v[i] = copy;
		return 0;
	}
	return strv_add(list, variable);
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

static int lay_out_environment(struct spawn *spawn)
{
	const struct strv *inherited = &spawn->spawner->environment;
	int r = 0;

	for (size_t i = 0; i < inherited->n && r == 0; i++)
		if (passes(spawn->service, inherited->v[i]))
			r = strv_add(&spawn->environment, inherited->v[i]);
	/* Who the client is, is not for the stanza to say; both of a name would leave it to the server which one counts. */
	for (size_t i = 0; i < spawn->service->env->n && r == 0; i++)
		if (!spawn_is_ours(spawn->service->env->v[i]))
			r = set_variable(&spawn->environment, spawn->service->env->v[i]);
	return r;
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

int spawn_new(struct spawner *spawner, const struct service *service, struct spawn **ret)
{
	bool privileged = spawner->privileged;
	struct spawn *spawn;
	int r;

	if (!privileged && service->user && service->uid != 0 && service->uid != geteuid())
		return -EPERM;
	if (!privileged && service->group && service->gid != 0 && service->gid != getegid())
		return -EPERM;
	spawn = make_spawn(spawner, service);
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
	if (strv_copy(&spawn->environment, &spawner->environment) < 0) {
		spawn_free(spawn);
		return -ENOMEM;
	}
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
	strv_done(&spawn->environment);
	label_free(spawn->label);
	service_unref(spawn->service);
	free(spawn);
}
