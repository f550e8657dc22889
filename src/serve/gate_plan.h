/* SPDX-License-Identifier: ISC */
/* What is to be asked about the connections of a service, and the command lines of usherd-gate for it. */
#pragma once

#include "base/account.h"
#include "config/service.h"
#include "policy/access.h"
#include "serve/spawn.h"

/* What a session has to be asked about before it may start; each has its set of arguments in the plan. */
enum gate_question {
	GATE_ASKS_NOTHING,
	GATE_ASKS_RULES,  /* tcp_wrappers, or who it is; its name does not matter */
	GATE_ASKS_LISTED, /* first whether only_from has its name, and no_access has not */
	GATE_ASKS_BARRED, /* first whether no_access has its name */
	GATE_QUESTIONS,
};

/*
 * Whether connections of @service may have to be asked about before they are
 * served. Returns 1, 0, or -E2BIG where the names of its lists are more than a
 * command line takes.
 */
int gate_plan_check(const struct service *service);

/* Whether it is to be found out who its refused clients are. */
bool gate_plan_inquires(const struct service *service);

/*
 * Lays out the gates of @service, or gives NULL where none of its connections
 * ever needs one. A gate runs as the stanza's user where commands of hosts.allow
 * are to run as that, else as @account. @spawner and @path must outlive it.
 * Returns 0; -ENOMEM; or -E2BIG as gate_plan_check().
 */
int gate_plan_new(struct spawner *spawner, const struct service *service, const char *path,
		  const struct account *account, struct spawn **ret);

/*
 * The same for clients that have been refused, of whom nothing is asked but who
 * they are (serve/inquiry.h): its arguments are those of GATE_ASKS_NOTHING.
 * Returns 0, with NULL where the service does not ask, or -ENOMEM.
 */
int gate_plan_new_inquirer(struct spawner *spawner, const struct service *service, const char *path,
			   const struct account *account, struct spawn **ret);

/*
 * What is to be asked about @peer, whom the numbers of the lists have given
 * @access. hosts.allow and hosts.deny speak of hosts: who comes by a Unix
 * socket is for the modes of its file to say.
 */
enum gate_question gate_plan_question(const struct service *service, const struct addr *peer,
				      enum access_verdict access);

/* Whether hosts.allow and hosts.deny are asked about the clients of @service. */
bool gate_plan_is_wrapped(const struct service *service);

/*
 * The name in which that is done: "libwrap" of the stanza; of what usherd serves
 * itself, the service's name; else the last part of what its server is called.
 */
const char *gate_plan_libwrap_name(const struct service *service);
