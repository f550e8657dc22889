/* SPDX-License-Identifier: ISC */
/* The run behind an intercepted service: that of its server (xinetd.conf(5) "INTERCEPT"). */
#include "config.h"

#include "serve/intercept.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/log.h"
#include "serve/run.h"
#include "serve/run_doors.h"

struct intercept {
	struct service_run *inner;
};

/* A loopback address of the family in which the service itself listens, and any port. */
static struct endpoint private_endpoint(const struct service *service, bool ipv4)
{
	const struct endpoint *front = &service->endpoints[0];
	struct endpoint endpoint = {
		.socktype = front->socktype,
		.protocol = front->protocol,
		.optional = true,
	};

	(void)addr_parse(ipv4 || front->addr.family == AF_INET ? "127.0.0.1" : "::1",
			 &endpoint.addr);
	return endpoint;
}

/* Lets go of the inner run; whoever serves there goes on, and takes it along when it ends. */
static void release_inner(struct service_run *inner)
{
	for (size_t i = 0; i < inner->n_places; i++) {
		if (inner->places[i].holder)
			inner->places[i].holder->place = NULL;
		inner->places[i].holder = NULL;
		place_close(&inner->places[i], false);
	}
	run_disarm(inner);
	inner->ended = true;
	if (TAILQ_EMPTY(&inner->sessions))
		run_free(inner);
}

static int make_inner(struct server *server, const struct service *service, bool ipv4,
		      struct service_run **ret)
{
	struct endpoint endpoint = private_endpoint(service, ipv4);
	const struct service *behind = service_behind(service, &endpoint);
	struct service_run *inner;
	int r;

	if (!behind)
		return -ENOMEM;
	r = run_new(server, behind, &inner);
	service_unref(behind);
	if (r < 0)
		return r;
	inner->is_inner = true;
	r = place_open(&inner->places[0]);
	if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL) {
		run_free(inner);
		return ipv4 ? r : make_inner(server, service, true, ret);
	}
	/* Whatever else is wrong is tried again by timer. */
	*ret = inner;
	return 0;
}

/* Gives the inner run, whose place stays, the settings of @service. Returns as run_form_new(). */
static int replace_inner(struct service_run *inner, const struct service *service)
{
	const struct endpoint *now = inner->places[0].endpoint;
	const struct service *behind, *before;
	struct run_form form = { 0 };
	int r;

	behind = service_behind(service, now);
	if (!behind)
		return -ENOMEM;
	r = run_form_new(inner->server, behind, &form);
	if (r < 0) {
		log_error("service %s goes on in its old form", inner->service->id);
	} else {
		/* Its place refers to it until it is renewed. */
		before = service_ref(inner->service);
		run_adopt(inner, behind, &form);
		run_renew_places(inner, false);
		service_unref(before);
	}
	service_unref(behind);
	return r;
}

static bool place_fits(const struct service_run *inner, const struct service *service)
{
	const struct endpoint *now = inner->places[0].endpoint;
	bool ipv4 = now->addr.family == AF_INET;
	struct endpoint wanted = private_endpoint(service, ipv4);

	/* An IPv4 place behind an IPv6 service is there for want of IPv6. */
	return endpoint_equal(now, &wanted) &&
	       (ipv4 || service->endpoints[0].addr.family == AF_INET6);
}

int intercept_adopt(struct service_run *run, const struct service *service)
{
	struct intercept *intercept = run->intercept;
	struct service_run *inner;
	int r;

	if (!(service->flags & FLAG_INTERCEPT)) {
		intercept_free(TAKE_PTR(run->intercept));
		return 0;
	}
	if (service->n_endpoints == 0)
		return -EINVAL;
	if (intercept && place_fits(intercept->inner, service))
		return replace_inner(intercept->inner, service);
	if (!intercept) {
		intercept = calloc(1, sizeof(*intercept));
		if (!intercept)
			return -ENOMEM;
	}
	r = make_inner(run->server, service, false, &inner);
	if (r < 0) {
		if (!run->intercept)
			free(intercept);
		return r;
	}
	if (intercept->inner)
		release_inner(intercept->inner);
	intercept->inner = inner;
	run->intercept = intercept;
	return 0;
}

void intercept_free(struct intercept *intercept)
{
	if (!intercept)
		return;
	release_inner(intercept->inner);
	free(intercept);
}

struct service_run *intercept_inner(const struct service_run *run)
{
	return run->intercept ? run->intercept->inner : NULL;
}

bool intercept_needs_server(const struct service_run *run)
{
	return run->intercept && TAILQ_EMPTY(&run->intercept->inner->sessions);
}

int intercept_target(const struct service_run *run, struct addr *ret)
{
	const struct place *place = &run->intercept->inner->places[0];
	struct sockaddr_storage sa;
	socklen_t length = sizeof(sa);

	if (place->fd < 0)
		return -EAGAIN;
	if (getsockname(place->fd, (struct sockaddr *)&sa, &length) < 0)
		return -errno;
	addr_from_sockaddr(ret, (struct sockaddr *)&sa, length);
	return 0;
}
