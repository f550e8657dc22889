/* SPDX-License-Identifier: ISC */
/* The service logs in use: one sink for all services that write to the same place. */
#include "config.h"

#include "serve/sinks.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <uthash.h>

#include "base/sink.h"
#include "base/util.h"
#include "base/writer.h"
#include "record/sink_file.h"
#include "record/sink_journal.h"
#include "record/sink_syslog.h"

struct shared {
	char *key;
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

int sinks_get(struct sinks *sinks, const struct service *service, struct sink **ret)
{
	const struct log_target *log = service->log;
	CLEANUP_FREE char *key = NULL;
	struct shared *shared;
	int r;

	*ret = NULL;
	if (log->kind == LOG_KIND_NONE)
		return 0;
	if (asprintf(&key, "%d:%d:%d:%llu:%llu:%s", (int)log->kind, log->facility, log->level,
		     (unsigned long long)log->soft_bytes, (unsigned long long)log->hard_bytes,
		     log->path ? log->path : "") < 0) {
		key = NULL;
		return -ENOMEM;
	}
	HASH_FIND_STR(sinks->by_key, key, shared);
	if (!shared) {
		shared = calloc(1, sizeof(*shared));
		if (!shared)
			return -ENOMEM;
		r = open_sink(sinks, service, &shared->sink);
		if (r < 0) {
			free(shared);
			return r;
		}
		shared->key = TAKE_PTR(key);
		HASH_ADD_KEYPTR(hh, sinks->by_key, shared->key, strlen(shared->key), shared);
		HASH_ADD_KEYPTR(by_sink, sinks->by_sink, &shared->sink, sizeof(struct sink *),
				shared);
	}
	shared->users++;
	*ret = shared->sink;
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
