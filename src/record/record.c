/* SPDX-License-Identifier: ISC */
/* Records: the lines of sessions, and their fields, on their way to the service's log. */
#include "config.h"

#include "record/record.h"

#include <time.h>

#include "base/line_queue.h"
#include "base/sink.h"
#include "base/writer.h"
#include "record/fields.h"
#include "record/lines.h"
#include "record/session.h"

/* What does not fit the queue is counted there. */
static void submit(struct writer *writer, struct sink *sink, const struct fields *line)
{
	struct timespec wall;

	if (!line->len)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	(void)writer_submit(writer, sink, &wall, LINE_PRIORITY_SINK, line->text, line->len);
}

void record_start(struct writer *writer, struct sink *sink, const struct session *session)
{
	struct fields line;

	if (!sink)
		return;
	line.len = lines_start(session, line.text);
	if (sink->wants_fields)
		fields_start(&line, session);
	submit(writer, sink, &line);
	if (session->userid)
		record_userid(writer, sink, session->service, session->userid);
}

void record_exit(struct writer *writer, struct sink *sink, const struct session *session,
		 uint64_t end_usec)
{
	struct fields line;

	if (!sink)
		return;
	line.len = lines_traffic(session, line.text);
	if (sink->wants_fields)
		fields_traffic(&line, session);
	submit(writer, sink, &line);
	line.len = lines_exit(session, end_usec, line.text);
	if (sink->wants_fields)
		fields_exit(&line, session, end_usec);
	submit(writer, sink, &line);
}

void record_fail(struct writer *writer, struct sink *sink, const struct service *service,
		 const struct addr *peer, const char *reason)
{
	struct fields line;

	if (!sink)
		return;
	line.len = lines_fail(service, peer, reason, line.text);
	if (sink->wants_fields)
		fields_refused(&line, "FAIL", service, peer, reason);
	submit(writer, sink, &line);
}

void record_userid(struct writer *writer, struct sink *sink, const struct service *service,
		   const char *text)
{
	struct fields line;

	if (!sink)
		return;
	line.len = lines_userid(service, text, line.text);
	if (sink->wants_fields)
		fields_userid(&line, service, text);
	submit(writer, sink, &line);
}

void record_noid(struct writer *writer, struct sink *sink, const struct service *service,
		 const struct addr *peer, enum ident_outcome outcome)
{
	struct fields line;

	if (!sink)
		return;
	line.len = lines_noid(service, peer, outcome, line.text);
	if (sink->wants_fields)
		fields_refused(&line, "NOID", service, peer, lines_noid_word(outcome));
	submit(writer, sink, &line);
}
