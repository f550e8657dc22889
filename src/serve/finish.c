/* SPDX-License-Identifier: ISC */
/* The end of sessions that were served. */
#include "config.h"

#include "serve/finish.h"

#include "record/record.h"
#include "serve/admission.h"
#include "serve/state.h"

void finish_session(struct session *session, int wait_status)
{
	session->status = wait_status;
	record_exit(session->run->server->writer, session->sink, session, now_usec());
	admission_release(session);
}

void finish_by_number(struct session *session, int wait_status)
{
	(void)id_table_remove(&session->run->server->by_number, session->number);
	finish_session(session, wait_status);
}
