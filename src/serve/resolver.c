/* SPDX-License-Identifier: ISC */
/* Host names to addresses in threads of their own, since getaddrinfo(3) blocks; answers are kept for a moment. */
#include "config.h"

#include "serve/resolver.h"

#include <errno.h>
#include <event2/event.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>

#include "base/util.h"

/* A look-up, the thread's own until it is in the list of those done. */
struct job {
	char *host;
	struct board *board;
	resolver_lookup_fn *lookup;
	struct addr addrs[RESOLVER_ADDRS];
	size_t n;
	int error;
	TAILQ_ENTRY(job) entry;
};

/* Where threads put what they have found. It outlives the resolver as long as one of them runs. */
struct board {
	pthread_mutex_t mutex;
	TAILQ_HEAD(, job) done;
	int event_fd;
	unsigned users; /* threads, and the resolver */
	bool closed;
};

struct resolver_query {
	struct name *name;
	resolver_fn *fn;
	void *arg;
	TAILQ_ENTRY(resolver_query) entry;
};

/* What is known of a host. There are as many as the configurations have named. */
struct name {
	char *host;
	struct addr *addrs;
	size_t n;
	int error;
	uint64_t fresh_until_usec;
	bool asking; /* a thread has it, or it waits for one */
	TAILQ_HEAD(, resolver_query) queries;
	TAILQ_ENTRY(name) entry;   /* of names */
	TAILQ_ENTRY(name) waiting; /* for a thread */
};

struct resolver {
	resolver_lookup_fn *lookup;
	struct board *board;
	struct event *event;
	TAILQ_HEAD(, name) names;
	TAILQ_HEAD(, name) waiting;
	unsigned threads;
};

/* --- threads --- */

static void job_free(struct job *job)
{
	free(job->host);
	free(job);
}

/* Lets go of the board, which is locked. */
static void board_leave(struct board *board)
{
	struct job *job;
	bool last = --board->users == 0;

	(void)pthread_mutex_unlock(&board->mutex);
	if (!last)
		return;
	while ((job = TAILQ_FIRST(&board->done))) {
		TAILQ_REMOVE(&board->done, job, entry);
		job_free(job);
	}
	(void)pthread_mutex_destroy(&board->mutex);
	(void)close(board->event_fd);
	free(board);
}

static void *look_up(void *arg)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const uint64_t one = 1;
	struct job *job = arg;
	struct board *board = job->board;
	struct addrinfo *list = NULL;

	job->error = job->lookup(job->host, NULL, &hints, &list);
	if (job->error == 0) {
		for (struct addrinfo *entry = list; entry && job->n < RESOLVER_ADDRS;
		     entry = entry->ai_next) {
			struct addr *addr = &job->addrs[job->n];

			addr_from_sockaddr(addr, entry->ai_addr, entry->ai_addrlen);
			if (addr->family == AF_INET || addr->family == AF_INET6)
				job->n++;
		}
		freeaddrinfo(list);
		if (job->n == 0)
			job->error = EAI_NONAME;
	}
	(void)pthread_mutex_lock(&board->mutex);
	TAILQ_INSERT_TAIL(&board->done, job, entry);
	/* Its counter cannot overflow. */
	if (!board->closed)
		(void)!write(board->event_fd, &one, sizeof(one));
	board_leave(board);
	return NULL;
}

/* Starts a thread that no signal ever reaches. Returns 0 or -errno. */
static int start_thread(struct job *job)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int r = pthread_attr_init(&attr);

	if (r)
		return -r;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, &attr, look_up, job);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	return -r;
}

/* Has @name looked up. Returns 0 or -errno. */
static int start(struct resolver *resolver, const struct name *name)
{
	struct job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		return -ENOMEM;
	job->lookup = resolver->lookup;
	job->board = resolver->board;
	job->host = strdup(name->host);
	if (!job->host) {
		job_free(job);
		return -ENOMEM;
	}
	(void)pthread_mutex_lock(&job->board->mutex);
	job->board->users++;
	(void)pthread_mutex_unlock(&job->board->mutex);
	r = start_thread(job);
	if (r < 0) {
		(void)pthread_mutex_lock(&job->board->mutex);
		board_leave(job->board);
		job_free(job);
		return r;
	}
	resolver->threads++;
	return 0;
}

/* --- names --- */

static struct name *find_name(struct resolver *resolver, const char *host)
{
	struct name *name;

	TAILQ_FOREACH(name, &resolver->names, entry)
		if (strcmp(name->host, host) == 0)
			return name;
	name = calloc(1, sizeof(*name));
	if (!name)
		return NULL;
	name->host = strdup(host);
	if (!name->host) {
		free(name);
		return NULL;
	}
	TAILQ_INIT(&name->queries);
	TAILQ_INSERT_TAIL(&resolver->names, name, entry);
	return name;
}

/* Puts down what was found; an old answer is better than none where nobody could be asked. */
static void learn(struct name *name, const struct addr *addrs, size_t n, int error)
{
	bool keep = error && error != EAI_NONAME && error != EAI_NODATA && name->n > 0;
	struct addr *copy = NULL;

	if (n > 0) {
		copy = calloc(n, sizeof(*copy));
		if (copy)
			memcpy(copy, addrs, n * sizeof(*copy));
		else
			error = EAI_MEMORY;
	}
	if (!keep) {
		free(name->addrs);
		name->addrs = copy;
		name->n = copy ? n : 0;
		name->error = error;
	}
	name->asking = false;
	name->fresh_until_usec =
		now_usec() + (error ? RESOLVER_FAILED_SEC : RESOLVER_FRESH_SEC) * USEC_PER_SEC;
}

static void answer(struct name *name)
{
	const struct resolver_answer given = { name->addrs, name->n, name->error };
	struct resolver_query *query;

	while ((query = TAILQ_FIRST(&name->queries))) {
		TAILQ_REMOVE(&name->queries, query, entry);
		query->fn(query->arg, &given);
		free(query);
	}
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *resolver = arg;
	struct board *board = resolver->board;
	TAILQ_HEAD(, job) done = TAILQ_HEAD_INITIALIZER(done);
	struct name *name;
	struct job *job;
	uint64_t count;

	(void)what;
	(void)!read(fd, &count, sizeof(count));
	(void)pthread_mutex_lock(&board->mutex);
	TAILQ_CONCAT(&done, &board->done, entry);
	(void)pthread_mutex_unlock(&board->mutex);
	while ((job = TAILQ_FIRST(&done))) {
		TAILQ_REMOVE(&done, job, entry);
		resolver->threads--;
		name = find_name(resolver, job->host);
		if (name)
			learn(name, job->addrs, job->n, job->error);
		job_free(job);
	}
	while (resolver->threads < RESOLVER_THREADS && (name = TAILQ_FIRST(&resolver->waiting))) {
		TAILQ_REMOVE(&resolver->waiting, name, waiting);
		if (start(resolver, name) < 0)
			learn(name, NULL, 0, EAI_MEMORY);
	}
	TAILQ_FOREACH(name, &resolver->names, entry)
		if (!name->asking)
			answer(name);
}

/* --- for the owner --- */

int resolver_new(struct event_base *base, resolver_lookup_fn *lookup, struct resolver **ret)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	struct board *board = calloc(1, sizeof(*board));
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r = fd < 0 ? -errno : -ENOMEM;

	if (!resolver || !board || fd < 0 || pthread_mutex_init(&board->mutex, NULL) != 0)
		goto failed;
	resolver->event = event_new(base, fd, EV_READ | EV_PERSIST, on_done, resolver);
	if (!resolver->event || event_add(resolver->event, NULL) < 0) {
		(void)pthread_mutex_destroy(&board->mutex);
		goto failed;
	}
	TAILQ_INIT(&board->done);
	board->event_fd = fd;
	board->users = 1;
	TAILQ_INIT(&resolver->names);
	TAILQ_INIT(&resolver->waiting);
	resolver->lookup = lookup;
	resolver->board = board;
	*ret = resolver;
	return 0;

failed:
	if (resolver && resolver->event)
		event_free(resolver->event);
	cleanup_close(&fd);
	free(board);
	free(resolver);
	return r;
}

void resolver_free(struct resolver *resolver)
{
	struct resolver_query *query;
	struct name *name;

	if (!resolver)
		return;
	event_free(resolver->event);
	while ((name = TAILQ_FIRST(&resolver->names))) {
		TAILQ_REMOVE(&resolver->names, name, entry);
		while ((query = TAILQ_FIRST(&name->queries))) {
			TAILQ_REMOVE(&name->queries, query, entry);
			free(query);
		}
		free(name->addrs);
		free(name->host);
		free(name);
	}
	(void)pthread_mutex_lock(&resolver->board->mutex);
	resolver->board->closed = true;
	board_leave(resolver->board);
	free(resolver);
}

int resolver_ask(struct resolver *resolver, const char *host, resolver_fn *fn, void *arg,
		 struct resolver_query **ret)
{
	CLEANUP_FREE struct resolver_query *query = calloc(1, sizeof(*query));
	struct name *name = find_name(resolver, host);

	if (!query || !name)
		return -ENOMEM;
	if (name->asking) {
		/* It is answered with those before. */
	} else if (now_usec() < name->fresh_until_usec) {
		event_active(resolver->event, EV_READ, 0);
	} else if (resolver->threads >= RESOLVER_THREADS) {
		name->asking = true;
		TAILQ_INSERT_TAIL(&resolver->waiting, name, waiting);
	} else {
		int r = start(resolver, name);

		if (r < 0)
			return r;
		name->asking = true;
	}
	query->name = name;
	query->fn = fn;
	query->arg = arg;
	TAILQ_INSERT_TAIL(&name->queries, query, entry);
	*ret = TAKE_PTR(query);
	return 0;
}

void resolver_cancel(struct resolver_query *query)
{
	TAILQ_REMOVE(&query->name->queries, query, entry);
	free(query);
}
