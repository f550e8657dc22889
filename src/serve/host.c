/* SPDX-License-Identifier: ISC */
/* Hosts services: their runs, and with an intercepted one the run behind it. */
#include "config.h"

#include "serve/host.h"

#include "base/log.h"
#include "serve/intercept.h"
#include "serve/run.h"

int host_new(struct server *server, const struct service *service, struct service_run **ret)
{
	struct service_run *run;
	int r = run_new(server, service, &run);

	if (r < 0)
		return r;
	r = intercept_adopt(run, service);
	if (r < 0) {
		run_free(run);
		return r;
	}
	log_debug("added service %s", service->id);
	*ret = run;
	return 0;
}

int host_replace(struct service_run *run, const struct service *service)
{
	struct run_form form = { 0 };
	int r = run_form_new(run->server, service, &form);

	if (r == 0) {
		r = intercept_adopt(run, service);
		if (r < 0)
			run_form_discard(run->server, &form);
	}
	if (r < 0) {
		log_error("service %s goes on in its old form", run->service->id);
		return r;
	}
	run_adopt(run, service, &form);
	return 0;
}

int host_renew(struct service_run *run, const struct service *service, bool same)
{
	const struct service *before = service_ref(run->service);
	int r = 0;

	/* Of one that is the very same, all that there is to look after is in its places. */
	if (service != before && same)
		run_adopt_same(run, service);
	else if (service != before)
		r = host_replace(run, service);
	if (r == 0)
		run_renew_places(run, same);
	service_unref(before);
	return r;
}

void host_free(struct service_run *run)
{
	struct intercept *intercept;

	if (!run)
		return;
	intercept = run->intercept;
	run_free(run);
	intercept_free(intercept);
}

void host_free_if_over(struct service_run *run)
{
	if (run->ended && !run->held && TAILQ_EMPTY(&run->sessions))
		host_free(run);
}
