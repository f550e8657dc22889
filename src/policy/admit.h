/* SPDX-License-Identifier: ISC */
/* The one decision about a connection: a pure function of service, counters, peer and time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "config/service.h"
#include "policy/access.h"
#include "policy/limit.h"
#include "policy/sensor.h"

/*
 * What became of a connection. admit() gives all but VERDICT_LIBWRAP and
 * VERDICT_IDENT, which the gate gives, as it does VERDICT_ADDRESS where names
 * decide; starting the server can fail with VERDICT_FORK too.
 */
enum verdict {
	VERDICT_ALLOW,
	VERDICT_ADDRESS,
	VERDICT_TIME,
	VERDICT_FORK,
	VERDICT_SERVICE_LIMIT,
	VERDICT_PER_SOURCE_LIMIT,
	VERDICT_PROCESS_LIMIT,
	VERDICT_LIBWRAP,
	VERDICT_LOAD,
	VERDICT_CPS,
	VERDICT_IDENT, /* nobody says who the client is (flags = IDONLY); xinetd has no FAIL line for it */
};

/* The word that xinetd's FAIL line has for it ("service_limit"); "allowed" for VERDICT_ALLOW. */
const char *verdict_reason(enum verdict verdict);

/*
 * Who asks for what, when, and what else the decision depends on. What costs a
 * system call is read only where it is needed: minute_of_day where the service
 * has access_times, load where its max_load is not 0.
 */
struct admit_request {
	const struct service *service;
	struct limits *limits;       /* of the service */
	const struct sensor *sensor; /* whom sensors have shut out; NULL: nobody */
	const struct addr *peer;
	bool again;             /* decided about before, and its counts given back: no arrival */
	uint64_t now_usec;      /* monotonic */
	unsigned minute_of_day; /* local time, 0 to 1439 */
	double load;            /* 1-minute average, negative when unknown */
	unsigned running_total; /* servers running, over all services */
	unsigned process_limit; /* xinetd(8) "-limit"; 0 = none, or no process is to be started */
};

struct decision {
	enum verdict verdict;
	uint64_t until_usec; /* VERDICT_CPS: deactivate the service until then; else 0 */
	bool equal_match;    /* VERDICT_ADDRESS: both lists match the peer */
	bool sensed; /* VERDICT_ADDRESS: the service is a sensor; the peer is to be shut out */
	enum access_verdict
		access;        /* VERDICT_ALLOW: allowed, or what the peer's name has yet to say */
	bool source_was_taken; /* VERDICT_ALLOW: what limits_release() must be told */
};

/*
 * The address by which sessions of @peer are counted: its first bits, as
 * per_source_mask says. What was taken must be released by the same address,
 * whatever the configuration says by then, so it is the session's to keep.
 */
struct addr admit_source(const struct service *service, const struct addr *peer);

/*
 * Decides in this order: cps, max_load, access_times, sensors, only_from and
 * no_access, instances, per_source, process limit. The first that refuses gives the
 * verdict. On VERDICT_ALLOW the counts are taken: the caller owes one
 * limits_release(limits, source, decision.source_was_taken). On any other verdict
 * nothing is owed. Every call counts as an arrival for cps, refused or not,
 * but for those that ask again.
 *
 * Unlike xinetd, addresses are decided before anything is counted or started
 * (D16). A source is counted only while per_source is set: when a reload sets
 * it, sessions that run by then are not held against their source. per_source
 * skips peers without an address (compat.md 8.2), Unix peers among them.
 * A service that is a sensor refuses everybody; any other one whom a sensor has
 * shut out. To write @sensor is the caller's: it knows whose address can be trusted.
 * VERDICT_FORK means that memory to count the connection was lacking.
 */
struct decision admit(const struct admit_request *request);
