/* SPDX-License-Identifier: ISC */
/* The one decision about a connection: a pure function of service, counters, peer and time. */
#include "config.h"

#include "policy/admit.h"

#include "base/util.h"

const char *verdict_reason(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_ALLOW:
		return "allowed";
	case VERDICT_ADDRESS:
		return "address";
	case VERDICT_TIME:
		return "time";
	case VERDICT_FORK:
		return "fork";
	case VERDICT_SERVICE_LIMIT:
		return "service_limit";
	case VERDICT_PER_SOURCE_LIMIT:
		return "per_source_limit";
	case VERDICT_PROCESS_LIMIT:
		return "process_limit";
	case VERDICT_LIBWRAP:
		return "libwrap";
	case VERDICT_LOAD:
		return "load";
	case VERDICT_CPS:
		return "connections per second";
	case VERDICT_IDENT:
		return "ident";
	}
	return "unknown";
}

static struct decision refused(enum verdict verdict)
{
	return (struct decision){ .verdict = verdict };
}

/* A load that cannot be read refuses nobody, but a negative max_load refuses always. */
static bool too_loaded(double max_load, double load)
{
	return max_load < 0 || (max_load > 0 && load >= max_load);
}

static struct decision refused_by_address(enum access_verdict access)
{
	return (struct decision){
		.verdict = VERDICT_ADDRESS,
		.equal_match = access == ACCESS_DENY_EQUAL,
	};
}

/* Whether @running sessions leave no room for one more. */
static bool is_full(int limit, unsigned running)
{
	return limit != UNLIMITED && (limit < 0 || running >= (unsigned)limit);
}

struct addr admit_source(const struct service *service, const struct addr *peer)
{
	unsigned bits = peer->family == AF_INET    ? service->source_bits4
			: peer->family == AF_INET6 ? service->source_bits6
						   : 0;

	return bits && bits <= addr_bits(peer->family) ? prefix_of(peer, bits).base : *peer;
}

struct decision admit(const struct admit_request *request)
{
	const struct service *service = request->service;
	const struct addr *peer = request->peer;
	struct limits *limits = request->limits;
	bool has_address = peer->family == AF_INET || peer->family == AF_INET6;
	bool by_source = service->per_source != UNLIMITED && has_address;
	struct addr source = admit_source(service, peer);
	enum access_verdict access;
	int r;

	r = request->again ? 0
			   : limits_arrive(limits, service->cps_rate, service->cps_window_sec,
					   request->now_usec);
	if (r > 0)
		return (struct decision){
			.verdict = VERDICT_CPS,
			.until_usec = request->now_usec + service->cps_wait_sec * USEC_PER_SEC,
		};
	if (r < 0)
		return refused(VERDICT_FORK);
	if (too_loaded(service->max_load, request->load))
		return refused(VERDICT_LOAD);
	if (!access_time_allows(service->access_times, request->minute_of_day))
		return refused(VERDICT_TIME);
	if (service->flags & FLAG_SENSOR)
		return (struct decision){ .verdict = VERDICT_ADDRESS, .sensed = true };
	if (request->sensor && has_address && sensor_has(request->sensor, peer, request->now_usec))
		return refused(VERDICT_ADDRESS);
	access = access_check(service, peer);
	if (access == ACCESS_DENY || access == ACCESS_DENY_EQUAL)
		return refused_by_address(access);
	if (is_full(service->instances, limits->running))
		return refused(VERDICT_SERVICE_LIMIT);
	if (by_source && is_full(service->per_source, limits_running_from(limits, &source)))
		return refused(VERDICT_PER_SOURCE_LIMIT);
	if (request->process_limit > 0 && request->running_total >= request->process_limit)
		return refused(VERDICT_PROCESS_LIMIT);
	if (limits_take(limits, &source, by_source) < 0)
		return refused(VERDICT_FORK);
	return (struct decision){
		.verdict = VERDICT_ALLOW,
		.access = access,
		.source_was_taken = by_source,
	};
}
