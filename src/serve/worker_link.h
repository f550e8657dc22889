/* SPDX-License-Identifier: ISC */
/* The daemon's side of usherd-worker: starts it, hands it work, and says how each session ended. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/service.h"

struct event_base;
struct worker_link;

/* Streams that wait while the worker is not there or does not keep up; more are refused. */
#define WORKER_LINK_QUEUE 1024

/* Seconds without a death after which the next restart is immediate again, and the longest pause. */
#define WORKER_LINK_STEADY_SEC  60
#define WORKER_LINK_BACKOFF_MAX 30

/*
 * What the link tells its owner. Each session that the link took ends by exactly one call of done(), lost() or named(), unless the link is freed first.
 * The functions may call the link, but not free it.
 */
struct worker_link_ops {
	/* The session has ended; @error is 0 or a positive errno (ECANCELED: by worker_link_cancel()). */
	void (*done)(void *arg, uint64_t session, uint64_t in_bytes, uint64_t out_bytes, int error);

	/* The worker died with the session in its hands; @wait_status is that of waitpid(2). */
	void (*lost)(void *arg, uint64_t session, int wait_status);

	/*
	 * A session of BUILTIN_TCPMUX has ended, and the worker has closed the
	 * connection: @in_bytes of it were read, which held @name, sound as
	 * wire_name_is_sound() has it and valid during the call. The worker is
	 * not trusted: it may say any name for any such session that it had.
	 */
	void (*named)(void *arg, uint64_t session, uint64_t in_bytes, const char *name);

	/* The link has started the worker anew, or failed to and will try again: its pid or -errno. May be NULL. */
	void (*restarted)(void *arg, pid_t pid);

	/* After worker_link_has_room() has said no: there is room. May be NULL. */
	void (*room)(void *arg);
};

/*
 * Makes a link that will run the program @worker_path (copied) and watch its
 * end of the pair in @base. Nothing is started yet. Returns 0, or -ENOMEM.
 */
int worker_link_new(struct event_base *base, const char *worker_path,
		    const struct worker_link_ops *ops, void *arg, struct worker_link **ret);

/*
 * Closes the pair, upon which the worker ends, and every descriptor still
 * queued; no more calls are made. The owner still has to reap the worker.
 */
void worker_link_free(struct worker_link *link);

/*
 * Starts the worker, with its end of the pair as descriptor 0, /dev/null as 1
 * and our stderr as 2. To be called once; the link restarts it by itself after
 * 0, 1, 2, 4 … 30 seconds. Blocks until the program is executed, nothing more.
 * Returns its pid; or -errno, and then it tries again after the same pauses.
 */
pid_t worker_link_start(struct worker_link *link);

/* The pid of the worker, or 0 while none runs. */
pid_t worker_link_pid(const struct worker_link *link);

/*
 * Tells the link that a child was reaped. Returns false where @pid was not its
 * worker. Else the outcomes that the worker still reported are delivered, then
 * lost() for each session it had, and the restart is arranged.
 */
bool worker_link_exited(struct worker_link *link, pid_t pid, int wait_status);

/*
 * Takes over @fd, in every case, to be served as @builtin for @session, a
 * number that is not in use. It is sent on when WIRE_MAX_FDS have come
 * together, or by worker_link_flush(). @fd may be blocking. After @idle_sec
 * without a byte either way, or for BUILTIN_TCPMUX without the whole name, the
 * session ends (ETIMEDOUT); 0 stands for never.
 * Returns 0; -EAGAIN when the queue is full; -ENOMEM; -EEXIST; or
 * -EPROTONOSUPPORT when the worker has no such service. Then there is no session.
 */
int worker_link_stream(struct worker_link *link, uint64_t session, enum builtin builtin,
		       uint32_t idle_sec, int fd);

/*
 * The same for what passes between two connections, @client and @target, which
 * are both taken over and must be non-blocking. in_bytes are the client's.
 */
int worker_link_relay(struct worker_link *link, uint64_t session, uint32_t idle_sec, int client,
		      int target);

/*
 * The same for a @client that is sent what is in the memory file @text, and then
 * let go. Both are taken over; the client must be non-blocking.
 */
int worker_link_text(struct worker_link *link, uint64_t session, uint32_t idle_sec, int client,
		     int text);

/*
 * The same for the datagrams of one client, which worker_dgrams_relay() forwards:
 * they are passed on by @target, which is connected, and what comes back from there is
 * sent to the client by @socket, the service's own. Both are taken over.
 */
int worker_link_dgrams(struct worker_link *link, uint64_t session, uint32_t idle_sec, int socket,
		       int target);

/* Number of sessions that are queued and not sent yet. */
size_t worker_link_waiting(const struct worker_link *link);

/* Sends what is queued as far as the pair takes it; the rest follows by itself. To be called after a batch. */
void worker_link_flush(struct worker_link *link);

/*
 * Whether datagrams may be taken off their sockets now. Where no worker is there,
 * or it does not keep up, they had better stay, as those sockets hold what the
 * pair cannot; room() tells when that is over. What has been taken already is kept.
 */
bool worker_link_has_room(struct worker_link *link);

/*
 * Ends a session before its time. One that the worker has not got yet ends
 * (done() with ECANCELED) before this returns, the others soon. Unknown
 * sessions are ignored.
 */
void worker_link_cancel(struct worker_link *link, uint64_t session);

/* Number of sessions that have not ended, those queued included. */
size_t worker_link_sessions(const struct worker_link *link);
