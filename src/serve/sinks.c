/* SPDX-License-Identifier: ISC */
/* The service logs in use: one sink for all services that write to the same place. */
#include "config.h"

#include "serve/sinks.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

/* Without memory a service is not hosted; the daemon goes on. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/sink.h"
#include "base/util.h"
#include "base/writer.h"
#include "record/sink_file.h"
#include "record/sink_journal.h"
#include "record/sink_syslog.h"

struct shared {
	char *key;
	struct log_target target; /* its path is part of the key */
	struct sink *sink;
	unsigned users;
	UT_hash_handle hh;
	UT_hash_handle by_sink;
};

struct sinks {
	struct writer *writer;
	char *ident;
	struct shared *by_key;
	struct shared *by_sink;
	struct shared *recent; /* what was asked for last: most services write to one log */
};

struct sinks *sinks_new(struct writer *writer, const char *ident)
{
	struct sinks *sinks = calloc(1, sizeof(*sinks));

	if (!sinks)
		return NULL;
	sinks->writer = writer;
	sinks->ident = strdup(ident);
	if (!sinks->ident) {
		free(sinks);
		return NULL;
	}
	return sinks;
}

static void shared_free(struct sinks *sinks, struct shared *shared)
{
	if (sinks->recent == shared)
		sinks->recent = NULL;
	HASH_DELETE(hh, sinks->by_key, shared);
	HASH_DELETE(by_sink, sinks->by_sink, shared);
	sink_unref(shared->sink);
	free(shared->key);
	free(shared);
}

void sinks_free(struct sinks *sinks)
{
	struct shared *shared, *next;

	if (!sinks)
		return;
	HASH_ITER(hh, sinks->by_key, shared, next)
	{
		shared_free(sinks, shared);
	}
	free(sinks->ident);
	free(sinks);
}

static int open_sink(struct sinks *sinks, const struct service *service, struct sink **ret)
{
	const struct log_target *log = service->log;
	const char *name = log->common ? "common" : service->id;

	if (log->kind == LOG_KIND_FILE)
		return sink_file_new(log->path, name, ENVELOPE_SERVICE, log->soft_bytes,
				     log->hard_bytes, ret);
	if (log->kind == LOG_KIND_JOURNAL)
		return sink_journal_new(JOURNAL_PATH, name, sinks->ident, ret);
	return sink_syslog_new(SYSLOG_PATH, name, sinks->ident, log->facility, log->level, ret);
}

/* Whether two logs are the same place, with the same bounds. */
static bool is_same(const struct log_target *a, const struct log_target *b)
{
	return a->kind == b->kind && a->facility == b->facility && a->level == b->level &&
	       a->soft_bytes == b->soft_bytes && a->hard_bytes == b->hard_bytes &&
	       str_equal(a->path, b->path);
}

static char *key_of(const struct log_target *log)
{
	char *key;

	if (asprintf(&key, "%d:%d:%d:%llu:%llu:%s", (int)log->kind, log->facility, log->level,
		     (unsigned long long)log->soft_bytes, (unsigned long long)log->hard_bytes,
		     log->path ? log->path : "") < 0)
		return NULL;
	return key;
}

/* Takes over @key. */
static int add(struct sinks *sinks, const struct service *service, char *key, struct shared **ret)
{
	struct shared *shared = calloc(1, sizeof(*shared));
	int r = shared ? open_sink(sinks, service, &shared->sink) : -ENOMEM;

	if (r < 0) {
		free(shared);
		free(key);
		return r;
	}
	shared->key = key;
	shared->target = *service->log;
	if (shared->target.path)
		shared->target.path = key + strlen(key) - strlen(shared->target.path);
	HASH_ADD_KEYPTR(hh, sinks->by_key, key, strlen(key), shared);
	if (shared->hh.tbl)
		HASH_ADD_KEYPTR(by_sink, sinks->by_sink, &shared->sink, sizeof(struct sink *),
				shared);
	if (!shared->hh.tbl || !shared->by_sink.tbl) {
		if (shared->hh.tbl)
			HASH_DELETE(hh, sinks->by_key, shared);
		sink_unref(shared->sink);
		free(key);
		free(shared);
		return -ENOMEM;
	}
	*ret = shared;
	return 0;
}

/* The shared log of the service, which is opened unless it is open. */
static int find(struct sinks *sinks, const struct service *service, struct shared **ret)
{
	char *key = key_of(service->log);

	if (!key)
		return -ENOMEM;
	HASH_FIND_STR(sinks->by_key, key, *ret);
	if (!*ret)
		return add(sinks, service, key, ret);
	free(key);
	return 0;
}

int sinks_get(struct sinks *sinks, const struct service *service, struct sink **ret)
{
	const struct log_target *log = service->log;

	*ret = NULL;
	if (log->kind == LOG_KIND_NONE)
		return 0;
	if (!sinks->recent || !is_same(&sinks->recent->target, log)) {
		struct shared *shared;
		int r = find(sinks, service, &shared);

		if (r < 0)
			return r;
		sinks->recent = shared;
	}
	sinks->recent->users++;
	*ret = sinks->recent->sink;
	return 0;
}

void sinks_put(struct sinks *sinks, struct sink *sink)
{
	struct shared *shared;

	if (!sink)
		return;
	HASH_FIND(by_sink, sinks->by_sink, &sink, sizeof(struct sink *), shared);
	if (shared && --shared->users == 0)
		shared_free(sinks, shared);
}

void sinks_reopen(struct sinks *sinks)
{
	for (struct shared *shared = sinks->by_key; shared; shared = shared->hh.next)
		writer_reopen(sinks->writer, shared->sink);
}
