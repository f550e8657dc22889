/* SPDX-License-Identifier: ISC */
/* getaddrinfo(3) with a limit of time. */
#include "config.h"

#include "ctl/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

/* Shared by two threads; whoever is the last frees it. */
struct query {
	pthread_mutex_t mutex;
	pthread_cond_t answered;
	unsigned holders;
	bool done;
	int error;
	struct addrinfo hints;
	struct addrinfo *list;
	char *host;
	char *port;
};

static void let_go(struct query *query)
{
	unsigned holders;

	(void)pthread_mutex_lock(&query->mutex);
	holders = --query->holders;
	(void)pthread_mutex_unlock(&query->mutex);
	if (holders > 0)
		return;
	if (query->list)
		freeaddrinfo(query->list);
	(void)pthread_cond_destroy(&query->answered);
	(void)pthread_mutex_destroy(&query->mutex);
	free(query->host);
	free(query->port);
	free(query);
}

static int ask(const struct query *query, struct addrinfo **ret)
{
	int error = getaddrinfo(query->host, query->port, &query->hints, ret);

	if (error == EAI_SYSTEM)
		return errno ? errno : EIO;
	return error;
}

static void *run(void *arg)
{
	struct query *query = arg;
	struct addrinfo *list = NULL;
	int error = ask(query, &list);

	(void)pthread_mutex_lock(&query->mutex);
	query->error = error;
	query->list = error == 0 ? list : NULL;
	query->done = true;
	(void)pthread_cond_signal(&query->answered);
	(void)pthread_mutex_unlock(&query->mutex);
	let_go(query);
	return NULL;
}

static struct query *query_new(const char *host, const char *port, const struct addrinfo *hints)
{
	struct query *query = calloc(1, sizeof(*query));
	pthread_condattr_t attr;

	if (!query)
		return NULL;
	query->holders = 1;
	query->hints = *hints;
	query->host = strdup(host);
	query->port = strdup(port);
	(void)pthread_mutex_init(&query->mutex, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&query->answered, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (!query->host || !query->port) {
		let_go(query);
		return NULL;
	}
	return query;
}

/* Signals stay with the thread that can do something about them. */
static int start(struct query *query)
{
	sigset_t all, before;
	pthread_t thread;
	int error;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	query->holders++;
	error = pthread_create(&thread, NULL, run, query);
	if (error == 0)
		(void)pthread_detach(thread);
	else
		query->holders--;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

int resolve(const char *host, const char *port, int socktype, int flags, uint64_t deadline_usec,
	    struct addrinfo **ret)
{
	const struct addrinfo hints = { .ai_socktype = socktype,
					.ai_flags = flags | AI_NUMERICSERV };
	const struct timespec until = {
		.tv_sec = (time_t)(deadline_usec / USEC_PER_SEC),
		.tv_nsec = (long)(deadline_usec % USEC_PER_SEC) * 1000,
	};
	struct query *query = query_new(host, port, &hints);
	int error;

	if (!query)
		return ENOMEM;
	if (deadline_usec == 0) {
		error = ask(query, ret);
		let_go(query);
		return error;
	}
	error = start(query);
	(void)pthread_mutex_lock(&query->mutex);
	while (error == 0 && !query->done)
		error = pthread_cond_timedwait(&query->answered, &query->mutex, &until);
	if (query->done) {
		error = query->error;
		if (error == 0)
			*ret = TAKE_PTR(query->list);
	}
	(void)pthread_mutex_unlock(&query->mutex);
	let_go(query);
	return error;
}
