/* SPDX-License-Identifier: ISC */
/* The daemon's own messages: levels, forms, errno texts, escaping, a limit for what repeats. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/util.h"

struct sink;
struct writer;

/* xinetd's levels, in its words; the lower, the graver. */
enum log_level {
	LOG_LEVEL_CRITICAL,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* The form of a message, as the sink completes it. */
enum log_style {
	LOG_STYLE_SYSLOG,   /* "text"; the level is the priority */
	LOG_STYLE_FILE,     /* "usherd[PID]: LEVEL: text"; the sink puts the time before */
	LOG_STYLE_TERMINAL, /* "LEVEL: text"; the same */
};

/* Longest line, as xinetd's. */
#define LOG_LINE_MAX 2048

/* Where messages go: what a writer and a sink are to the log, which does not know them (base/daemon_log.h). */
struct log_output {
	/* Queues a line of the priority of syslog(3); never waits. */
	void (*write)(const struct log_output *output, const struct timespec *wall, int priority,
		      const char *line, size_t len);
	/* After rotation. */
	void (*reopen)(const struct log_output *output);
	/* Nothing more comes. */
	void (*release)(const struct log_output *output);
	struct writer *writer;
	struct sink *sink;
};

/*
 * From here on messages up to @max go to @output, which is copied. May be called
 * again to change any of it. Before, and after log_close(), messages up to INFO
 * go straight to standard error as "usherd: text".
 */
void log_open(const struct log_output *output, enum log_style style, enum log_level max);

/* Has the log reopened, after rotation (SIGHUP). */
void log_reopen(void);

/* Call it right after writer_free(), with nothing logged in between by the caller's thread. */
void log_close(void);

/* "ERROR" … */
const char *log_level_name(enum log_level level);

/*
 * Logs a message, from any thread; errno is left as it was. The whole text is
 * escaped by log_escape() and cut at LOG_LINE_MAX. A "%m" prints as xinetd does
 * it: "Address already in use (errno = 98)".
 */
void log_write(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same where "%m" stands for @error, which is negative or positive. Returns -|@error|. */
int log_write_errno(enum log_level level, int error, const char *format, ...) PRINTF_LIKE(3, 4);

#define log_critical(...) log_write(LOG_LEVEL_CRITICAL, __VA_ARGS__)
#define log_error(...)    log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...)  log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)   log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)     log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)    log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#define log_critical_errno(r, ...) log_write_errno(LOG_LEVEL_CRITICAL, (r), __VA_ARGS__)
#define log_error_errno(r, ...)    log_write_errno(LOG_LEVEL_ERROR, (r), __VA_ARGS__)
#define log_warning_errno(r, ...)  log_write_errno(LOG_LEVEL_WARNING, (r), __VA_ARGS__)
#define log_notice_errno(r, ...)   log_write_errno(LOG_LEVEL_NOTICE, (r), __VA_ARGS__)
#define log_info_errno(r, ...)     log_write_errno(LOG_LEVEL_INFO, (r), __VA_ARGS__)
#define log_debug_errno(r, ...)    log_write_errno(LOG_LEVEL_DEBUG, (r), __VA_ARGS__)

/* Room for any text of log_errno_text(). */
#define LOG_ERRNO_MAX 96

/* Writes "text (errno = N)" for @error, negative or positive, into @out. Returns @out. */
const char *log_errno_text(int error, char out[static LOG_ERRNO_MAX]);

/*
 * Copies @len bytes of @text into @out (@size bytes, ended by NUL) with control
 * characters, those that change the direction of text, and what is not UTF-8 as
 * \xNN. A backslash stays, so that text may pass twice. What does not fit is cut
 * between characters. Returns the length without the NUL.
 */
size_t log_escape(char *out, size_t size, const char *text, size_t len);

/* How often messages of one kind may come. All zero stands for 10 in 5 seconds. One thread at a time. */
struct log_limit {
	uint32_t interval_usec;
	uint16_t burst;
	uint16_t passed;
	uint64_t begin_usec;
	uint32_t suppressed; /* UINT32_MAX: as many, or more */
	bool begun;
};

/*
 * Whether one more message may come at @now_usec. *@ret_suppressed is how many
 * were refused in the interval before, when this is the first of a new one; else 0.
 */
bool log_limit_allows(struct log_limit *limit, uint64_t now_usec, uint64_t *ret_suppressed);

/* Logs the message unless @limit refuses it; the first one of an interval that follows refusals tells their number. */
void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
	PRINTF_LIKE(3, 4);
