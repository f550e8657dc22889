/* SPDX-License-Identifier: ISC */
/* The daemon's own messages: levels, forms, errno texts, escaping, a limit for what repeats. */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* The one place with state at file scope: a message may come from anywhere. */
static struct {
	pthread_mutex_t lock;
	atomic_int max;
	struct log_output output; /* all NULL: standard error */
	enum log_style style;
	pid_t pid; /* of the process that has opened it, which never forks into another one that logs */
} state = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.max = LOG_LEVEL_INFO,
};

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_CRITICAL] = { "CRITICAL", LOG_CRIT },
	[LOG_LEVEL_ERROR] = { "ERROR", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "WARNING", LOG_WARNING },
	[LOG_LEVEL_NOTICE] = { "NOTICE", LOG_NOTICE },
	[LOG_LEVEL_INFO] = { "INFO", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "DEBUG", LOG_DEBUG },
};

void log_open(const struct log_output *output, enum log_style style, enum log_level max)
{
	struct log_output old;

	(void)pthread_mutex_lock(&state.lock);
	old = state.output;
	state.output = *output;
	state.style = style;
	state.pid = getpid();
	atomic_store(&state.max, (int)max);
	(void)pthread_mutex_unlock(&state.lock);
	if (old.release)
		old.release(&old);
}

void log_reopen(void)
{
	(void)pthread_mutex_lock(&state.lock);
	if (state.output.reopen)
		state.output.reopen(&state.output);
	(void)pthread_mutex_unlock(&state.lock);
}

void log_close(void)
{
	log_open(&(struct log_output){ 0 }, LOG_STYLE_SYSLOG, LOG_LEVEL_INFO);
}

const char *log_level_name(enum log_level level)
{
	return levels[level].name;
}

const char *log_errno_text(int error, char out[static LOG_ERRNO_MAX])
{
	int positive = error < 0 ? -error : error;
	const char *text = strerrordesc_np(positive);

	(void)snprintf(out, LOG_ERRNO_MAX, "%s (errno = %d)", text ? text : "Unknown error",
		       positive);
	return out;
}

/* Bytes of the UTF-8 character at @p (@left bytes remain), or 0 when it is none that may be shown. */
static size_t printable_bytes(const unsigned char *p, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	uint32_t c;

	if (n == 1)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (p[0] < 0xc2 || p[0] >= 0xf5 || n > left)
		return 0;
	c = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	/* C1 controls; then what breaks lines or turns their direction, and so can make one line look like another. */
	if (c < 0xa0 || c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff)
		return 0;
	return n;
}

size_t log_escape(char *out, size_t size, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = (const unsigned char *)text;
	size_t at = 0, n;

	if (!size)
		return 0;
	for (const unsigned char *end = p + len; p < end; p += n ? n : 1) {
		n = printable_bytes(p, (size_t)(end - p));
		if (at + (n ? n : 4) >= size)
			break;
		if (n) {
			memcpy(out + at, p, n);
			at += n;
		} else {
			out[at++] = '\\';
			out[at++] = 'x';
			out[at++] = hex[*p >> 4];
			out[at++] = hex[*p & 15];
		}
	}
	out[at] = '\0';
	return at;
}

/* Copies @format with each %m written out, so that the number follows the text wherever it stands. */
static void expand_errno(char *out, size_t size, const char *format, int error)
{
	char text[LOG_ERRNO_MAX];
	size_t at = 0;

	(void)log_errno_text(error, text);
	for (const char *p = format; *p && at + 3 < size; p++) {
		out[at++] = *p;
		if (*p != '%' || !p[1])
			continue;
		p++;
		if (*p != 'm') {
			out[at++] = *p;
			continue;
		}
		at--;
		for (const char *t = text; *t && at + 3 < size; t++) {
			if (*t == '%')
				out[at++] = '%';
			out[at++] = *t;
		}
	}
	out[at] = '\0';
}

static size_t format_text(char *out, size_t size, int error, const char *format, va_list ap)
	PRINTF_LIKE(4, 0);

static size_t format_text(char *out, size_t size, int error, const char *format, va_list ap)
{
	char expanded[LOG_LINE_MAX];
	int n;

	if (strstr(format, "%m")) {
		expand_errno(expanded, sizeof(expanded), format, error);
		format = expanded;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = vsnprintf(out, size, format, ap);
#pragma GCC diagnostic pop
	if (n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}

static void emit(enum log_level level, const char *text, size_t len)
{
	char line[LOG_LINE_MAX + 1];
	struct timespec wall;
	int prefix = 0;
	size_t n;

	(void)pthread_mutex_lock(&state.lock);
	if (!state.output.write)
		prefix = snprintf(line, sizeof(line), "usherd: ");
	else if (state.style == LOG_STYLE_FILE)
		prefix = snprintf(line, sizeof(line), "usherd[%ld]: %s: ", (long)state.pid,
				  levels[level].name);
	else if (state.style == LOG_STYLE_TERMINAL)
		prefix = snprintf(line, sizeof(line), "%s: ", levels[level].name);
	n = (size_t)prefix;
	n += log_escape(line + n, sizeof(line) - n, text, len);
	if (state.output.write) {
		(void)clock_gettime(CLOCK_REALTIME, &wall);
		state.output.write(&state.output, &wall, levels[level].priority, line, n);
	} else {
		ssize_t r;

		/* The newline takes the place of the NUL; there is nobody to tell of a failure. */
		line[n] = '\n';
		r = write(STDERR_FILENO, line, n + 1);
		(void)r;
	}
	(void)pthread_mutex_unlock(&state.lock);
}

static void log_writev(enum log_level level, int error, const char *format, va_list ap)
	PRINTF_LIKE(3, 0);

static void log_writev(enum log_level level, int error, const char *format, va_list ap)
{
	char text[LOG_LINE_MAX + 1];
	int saved = errno;

	if ((int)level <= atomic_load_explicit(&state.max, memory_order_relaxed))
		emit(level, text, format_text(text, sizeof(text), error, format, ap));
	errno = saved;
}

void log_write(enum log_level level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_writev(level, errno, format, ap);
	va_end(ap);
}

int log_write_errno(enum log_level level, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_writev(level, error, format, ap);
	va_end(ap);
	return error < 0 ? error : -error;
}

bool log_limit_allows(struct log_limit *limit, uint64_t now_usec, uint64_t *ret_suppressed)
{
	uint64_t interval = limit->interval_usec ? limit->interval_usec : 5 * USEC_PER_SEC;
	unsigned burst = limit->burst ? limit->burst : 10;

	*ret_suppressed = 0;
	if (!limit->begun || now_usec - limit->begin_usec >= interval) {
		*ret_suppressed = limit->suppressed;
		limit->begun = true;
		limit->begin_usec = now_usec;
		limit->passed = 0;
		limit->suppressed = 0;
	}
	if (limit->passed < burst) {
		limit->passed++;
		return true;
	}
	if (limit->suppressed < UINT32_MAX)
		limit->suppressed++;
	return false;
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	int error = errno;
	uint64_t suppressed;
	va_list ap;

	if ((int)level > atomic_load_explicit(&state.max, memory_order_relaxed))
		return;
	if (!log_limit_allows(limit, now_usec(), &suppressed))
		return;
	if (suppressed)
		log_write(level, "%llu messages suppressed", (unsigned long long)suppressed);
	va_start(ap, format);
	log_writev(level, error, format, ap);
	va_end(ap);
}
