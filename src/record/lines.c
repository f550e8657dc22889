/* SPDX-License-Identifier: ISC */
/* The lines that tell of sessions: xinetd's START, EXIT, FAIL, TRAFFIC, USERID and NOID. */
#include "config.h"

#include "record/lines.h"

#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/util.h"
#include "record/session.h"

/* --- appending; printf(3) takes several times as long ------------------------- */

struct text {
	char *start;
	char *at;
	char *end; /* the place of the NUL at the latest */
};

static struct text text_begin(char *out)
{
	return (struct text){ .start = out, .at = out, .end = out + SESSION_LINE_MAX };
}

static size_t text_end(struct text *text)
{
	*text->at = '\0';
	return (size_t)(text->at - text->start);
}

static void put_bytes(struct text *text, const char *bytes, size_t n)
{
	if (n > (size_t)(text->end - text->at))
		n = (size_t)(text->end - text->at);
	memcpy(text->at, bytes, n);
	text->at += n;
}

#define PUT_LITERAL(text, literal) put_bytes((text), "" literal, sizeof(literal) - 1)

static void put_number(struct text *text, uint64_t value)
{
	char digits[DECIMAL_MAX];

	put_bytes(text, digits, (size_t)(put_decimal(digits, value) - digits));
}

static void put_word(struct text *text, const char *word)
{
	size_t n = 0;

	while (word[n] >= 0x20 && word[n] < 0x7f)
		n++;
	if (!word[n]) {
		put_bytes(text, word, n);
		return;
	}
	text->at += log_escape(text->at, (size_t)(text->end - text->at) + 1, word, strlen(word));
}

static void put_addr(struct text *text, const struct addr *addr)
{
	char numeric[ADDR_TEXT_MAX];

	(void)addr_format(addr, numeric);
	put_bytes(text, numeric, strlen(numeric));
}

static const char *const noid_words[IDENT_OUTCOMES] = {
	/* Whoever was to ask has not lived to tell. */
	[IDENT_NOT_ASKED] = "system error",
	[IDENT_ANSWERED] = "answered",
	[IDENT_NO_SERVER] = "no server",
	[IDENT_TIMEOUT] = "timeout",
	[IDENT_SYSTEM_ERROR] = "system error",
	[IDENT_RECEIVE_ERROR] = "error while receiving response",
	[IDENT_BAD_RESPONSE] = "bad response",
};

const char *lines_noid_word(enum ident_outcome outcome)
{
	return noid_words[outcome];
}

/* --- lines -------------------------------------------------------------------- */

size_t lines_start(const struct session *session, char out[static SESSION_LINE_MAX + 1])
{
	unsigned flags = session->service->log_on_success;
	struct text text = text_begin(out);

	if (!flags)
		return 0;
	PUT_LITERAL(&text, "START: ");
	put_word(&text, session->service->id);
	if (flags & LOG_OPT_PID) {
		PUT_LITERAL(&text, " pid=");
		put_number(&text, (uint64_t)session->pid);
	}
	if (flags & LOG_OPT_HOST) {
		PUT_LITERAL(&text, " from=");
		put_addr(&text, &session->peer);
	}
	return text_end(&text);
}

size_t lines_exit(const struct session *session, uint64_t end_usec,
		  char out[static SESSION_LINE_MAX + 1])
{
	unsigned flags = session->service->log_on_success;
	struct text text = text_begin(out);

	if (!(flags & (LOG_OPT_EXIT | LOG_OPT_DURATION)))
		return 0;
	PUT_LITERAL(&text, "EXIT: ");
	put_word(&text, session->service->id);
	if (flags & LOG_OPT_EXIT) {
		if (WIFSIGNALED(session->status)) {
			PUT_LITERAL(&text, " signal=");
			put_number(&text, (uint64_t)WTERMSIG(session->status));
		} else {
			PUT_LITERAL(&text, " status=");
			put_number(&text, (uint64_t)WEXITSTATUS(session->status));
		}
	}
	if (flags & LOG_OPT_PID) {
		PUT_LITERAL(&text, " pid=");
		put_number(&text, (uint64_t)session->pid);
	}
	if (flags & LOG_OPT_DURATION) {
		PUT_LITERAL(&text, " duration=");
		put_number(&text, (end_usec - session->start_usec) / USEC_PER_SEC);
		PUT_LITERAL(&text, "(sec)");
	}
	return text_end(&text);
}

size_t lines_fail(const struct service *service, const struct addr *peer, const char *reason,
		  char out[static SESSION_LINE_MAX + 1])
{
	struct text text = text_begin(out);

	if (!service->log_on_failure)
		return 0;
	PUT_LITERAL(&text, "FAIL: ");
	put_word(&text, service->id);
	PUT_LITERAL(&text, " ");
	put_word(&text, reason);
	if (service->log_on_failure & LOG_OPT_HOST) {
		PUT_LITERAL(&text, " from=");
		put_addr(&text, peer);
	}
	return text_end(&text);
}

size_t lines_traffic(const struct session *session, char out[static SESSION_LINE_MAX + 1])
{
	struct text text = text_begin(out);

	/* As long as there is no target nothing can have passed, and xinetd has no such line. */
	if (session->seeking || !(session->service->log_on_success & LOG_OPT_TRAFFIC))
		return 0;
	PUT_LITERAL(&text, "TRAFFIC: ");
	put_word(&text, session->service->id);
	PUT_LITERAL(&text, " in=");
	put_number(&text, session->in_bytes);
	PUT_LITERAL(&text, "(bytes) out=");
	put_number(&text, session->out_bytes);
	PUT_LITERAL(&text, "(bytes)");
	return text_end(&text);
}

size_t lines_userid(const struct service *service, const char *userid,
		    char out[static SESSION_LINE_MAX + 1])
{
	struct text text = text_begin(out);

	if (!((service->log_on_success | service->log_on_failure) & LOG_OPT_USERID))
		return 0;
	PUT_LITERAL(&text, "USERID: ");
	put_word(&text, service->id);
	PUT_LITERAL(&text, " ");
	put_word(&text, userid);
	return text_end(&text);
}

size_t lines_noid(const struct service *service, const struct addr *peer,
		  enum ident_outcome outcome, char out[static SESSION_LINE_MAX + 1])
{
	struct text text = text_begin(out);

	if (!(service->flags & FLAG_IDONLY))
		return 0;
	PUT_LITERAL(&text, "NOID: ");
	put_word(&text, service->id);
	PUT_LITERAL(&text, " ");
	put_addr(&text, peer);
	PUT_LITERAL(&text, " ");
	put_word(&text, lines_noid_word(outcome));
	return text_end(&text);
}
