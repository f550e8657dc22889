/* SPDX-License-Identifier: ISC */
/* Starting a server: everything laid out beforehand, a clone in the same memory, a bounded wait. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/account.h"
#include "base/addr.h"
#include "config/service.h"
#include "serve/spawn_failure.h"

struct spawner;
struct spawn;

/*
 * What all servers have in common: the daemon's environment and limits as they
 * were when it started, which servers inherit unless their stanza says
 * otherwise (D39), and the stack of the child. @environment is copied; variables
 * that speak to the daemon alone (NOTIFY_SOCKET, LISTEN_FDS, WATCHDOG_USEC …)
 * are left out. @nofile is the limit to give to servers.
 * With USHERD_SPAWN=fork in the daemon's environment servers are started by
 * plain fork(2), for debuggers and checkers that cannot follow clone(2).
 * Returns 0 or -ENOMEM.
 */
int spawner_new(char *const *environment, const struct rlimit *nofile, struct spawner **ret);
void spawner_free(struct spawner *spawner);

/*
 * Has @wait called with @arg to ask whether somebody else waits for the daemon, where a child takes its time: then it is
 * waited for less long. Without this nobody ever does.
 */
void spawner_set_others(struct spawner *spawner, bool (*wait)(void *arg), void *arg);

/*
 * Notes which signals the daemon handles or ignores now; each child sets them back, at the cost of a system call
 * for each. A handler would run in the child, in our memory: usherd has none (serve/signals.h), sanitizers have.
 */
void spawner_note_signals(struct spawner *spawner);

/* Whether the spawner can give servers another identity than the daemon's. */
bool spawner_has_privilege(const struct spawner *spawner);

/*
 * Whether servers of @service can have their identity. Returns 0, or -EPERM when the
 * daemon is not root and the stanza wants one that is neither the daemon's nor
 * root's (a server of root's runs with less then, which is safe; another user's does not).
 */
int spawn_check(const struct spawner *spawner, const struct service *service);

/*
 * Lays out what starting a server of @service (referenced), with which spawn_check() has
 * found nothing wrong, needs. @spawner must outlive it. Returns 0; -ENOMEM; or -EINVAL,
 * which the log explains, where the label of its servers cannot be had.
 */
int spawn_new(struct spawner *spawner, const struct service *service, struct spawn **ret);
void spawn_free(struct spawn *spawn);

/*
 * Starts a server with @fd as descriptors 0, 1 and 2 and nothing else, in a
 * session of its own, with the identity, limits, environment and signals that
 * the stanza says (compat.md 7.3 to 7.5 with D22, D38, D39, D41), REMOTE_HOST and
 * REMOTE_PORT after @peer. Returns the child's pid, to be reaped; or -errno when
 * there is no child. Usually that is when the program is executed or could not
 * be: then @ret_failure says why (exit status 127, or 126 where its
 * surroundings could not be made). A child that takes its time, as its user may
 * stop it and its program may stand on a file system that does not answer, is
 * left to itself after a few milliseconds: no server may delay another one's
 * start. What became of it, spawn_reaped() says. @fd stays the caller's.
 */
pid_t spawn_run(struct spawn *spawn, int fd, const struct addr *peer,
		struct spawn_failure *ret_failure);

/* How many sets of arguments a gate has: see serve/gate_plan.h. */
#define SPAWN_GATE_ARGUMENTS 4

/*
 * Lays out what starting the program @path, a gate, for a connection of @service
 * needs: one of the sets of @arguments, which are taken over, the daemon's environment, the umask and
 * no_new_privs of the stanza, none of its limits and directories. It runs as the stanza says, or where
 * @account is given as that. @service is referenced; @spawner and @path must outlive it. Returns 0 or -ENOMEM.
 */
int spawn_new_gate(struct spawner *spawner, const struct service *service, const char *path,
		   struct strv arguments[static SPAWN_GATE_ARGUMENTS],
		   const struct account *account, struct spawn **ret);

/*
 * As spawn_run(), for a gate: it gets @fd as descriptor 0 (-1: what the daemon
 * has there), @answer_fd as 1, and nothing else. Both stay the caller's.
 */
pid_t spawn_run_gate(struct spawn *spawn, unsigned arguments, int fd, int answer_fd,
		     const struct addr *peer, struct spawn_failure *ret_failure);

/*
 * To be called with each reaped pid: whether it was such a child, and why it did
 * not become the server (error 0: it did). Costs nothing while there is none.
 */
bool spawn_reaped(struct spawner *spawner, pid_t pid, struct spawn_failure *ret_failure);
