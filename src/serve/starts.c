/* SPDX-License-Identifier: ISC */
/* The processes that a service's clients may need: found when it is loaded, laid out when the first one is needed. */
#include "config.h"

#include "serve/starts.h"

#include <errno.h>

#include "base/log.h"
#include "serve/gate_plan.h"
#include "serve/spawn.h"
#include "serve/state.h"

/* Whether its servers can be what the stanza says, as far as that is about identity. */
static int check_identity(const struct server *server, const struct service *service)
{
	int r = spawn_check(server->spawner, service);

	if (r == -EPERM)
		log_error(
			"service %s wants user %s and group %s, but usherd may not change identities here; run "
			"it as root or as that user [file=%s] [line=%u]",
			service->id, service->user, service->group ? service->group : "of the user",
			service->file, service->line);
	if (r < 0)
		return r;
	if (service->user && service->uid == 0 && !spawner_has_privilege(server->spawner))
		log_warning(
			"service %s wants user %s; as usherd does not run as root, its servers run as "
			"usherd does",
			service->id, service->user);
	return 0;
}

static int lay_out(struct server *server, const struct service *service, enum start which,
		   struct spawn **ret)
{
	const char *path = server->options.gate_path;
	const struct account *account = &server->gate_account;

	switch (which) {
	case START_SERVER:
		return spawn_new(server->spawner, service, ret);
	case START_GATE:
		return gate_plan_new(server->spawner, service, path, account, ret);
	case START_INQUIRER:
		return gate_plan_new_inquirer(server->spawner, service, path, account, ret);
	case STARTS:
		break;
	}
	return -EINVAL;
}

/* Returns 0 with the plan there, or -errno. */
static int ensure(struct starts *starts, struct server *server, const struct service *service,
		  enum start which)
{
	if (!starts->plans)
		starts->plans = calloc(STARTS, sizeof(struct spawn *));
	if (!starts->plans)
		return -ENOMEM;
	return starts->plans[which] ? 0 : lay_out(server, service, which, &starts->plans[which]);
}

int starts_new(struct server *server, const struct service *service, struct starts *ret)
{
	struct starts starts = {
		.wanted = {
			[START_SERVER] = service->server && !(service->flags & FLAG_INTERCEPT),
			[START_INQUIRER] = gate_plan_inquires(service),
		},
	};
	int r = starts.wanted[START_SERVER] ? check_identity(server, service) : 0;

	if (r < 0)
		return r;
	r = gate_plan_check(service);
	if (r == -E2BIG)
		log_error(
			"service %s: only_from and no_access have more host names than can be checked; a domain "
			"(.example.org) stands for many [file=%s] [line=%u]",
			service->id, service->file, service->line);
	if (r < 0)
		return r;
	starts.wanted[START_GATE] = r > 0;
	/* Whether there is a label for its program shows only when one is made. */
	if (starts.wanted[START_SERVER] && (service->flags & FLAG_LABELED)) {
		r = ensure(&starts, server, service, START_SERVER);
		if (r < 0) {
			starts_done(&starts);
			return r;
		}
	}
	*ret = starts;
	return 0;
}

struct spawn *starts_plan(struct starts *starts, struct server *server,
			  const struct service *service, enum start which)
{
	return ensure(starts, server, service, which) < 0 ? NULL : starts->plans[which];
}

void starts_forget(struct starts *starts)
{
	for (size_t i = 0; starts->plans && i < STARTS; i++)
		spawn_free(starts->plans[i]);
	free(TAKE_PTR(starts->plans));
}

void starts_done(struct starts *starts)
{
	starts_forget(starts);
	*starts = (struct starts){ 0 };
}
