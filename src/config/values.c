/* SPDX-License-Identifier: ISC */
/* The words that attributes take, as numbers: yes/no, sizes, limits, flags, facilities. */
#include "config.h"

#include "config/values.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <syslog.h>

#include "base/util.h"
#include "config/service.h"

struct named {
	const char *name;
	long value;
};

static const struct named socket_types[] = {
	{ "stream", SOCK_STREAM },
	{ "dgram", SOCK_DGRAM },
	{ "raw", SOCK_RAW },
	{ "seqpacket", SOCK_SEQPACKET },
};

static const struct named service_types[] = {
	{ "RPC", SERVICE_RPC },
	{ "INTERNAL", SERVICE_INTERNAL },
	{ "UNLISTED", SERVICE_UNLISTED },
	{ "TCPMUX", SERVICE_TCPMUX },
	{ "TCPMUXPLUS", SERVICE_TCPMUXPLUS },
};

static const struct named service_flags[] = {
	{ "REUSE", FLAG_REUSE },
	{ "INTERCEPT", FLAG_INTERCEPT },
	{ "NORETRY", FLAG_NORETRY },
	{ "IDONLY", FLAG_IDONLY },
	{ "NAMEINARGS", FLAG_NAMEINARGS },
	{ "NODELAY", FLAG_NODELAY },
	{ "KEEPALIVE", FLAG_KEEPALIVE },
	{ "NOLIBWRAP", FLAG_NOLIBWRAP },
	{ "SENSOR", FLAG_SENSOR },
	{ "IPv4", FLAG_IPV4 },
	{ "IPv6", FLAG_IPV6 },
	{ "LABELED", FLAG_LABELED },
};

static const struct named log_options[] = {
	{ "PID", LOG_OPT_PID },           { "HOST", LOG_OPT_HOST },
	{ "USERID", LOG_OPT_USERID },     { "EXIT", LOG_OPT_EXIT },
	{ "DURATION", LOG_OPT_DURATION }, { "TRAFFIC", LOG_OPT_TRAFFIC },
	{ "ATTEMPT", LOG_OPT_ATTEMPT },
};

static const struct named facilities[] = {
	{ "daemon", LOG_DAEMON }, { "auth", LOG_AUTH },     { "authpriv", LOG_AUTHPRIV },
	{ "user", LOG_USER },     { "mail", LOG_MAIL },     { "lpr", LOG_LPR },
	{ "news", LOG_NEWS },     { "uucp", LOG_UUCP },     { "ftp", LOG_FTP },
	{ "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
};

static const struct named levels[] = {
	{ "emerg", LOG_EMERG }, { "alert", LOG_ALERT },     { "crit", LOG_CRIT },
	{ "err", LOG_ERR },     { "warning", LOG_WARNING }, { "notice", LOG_NOTICE },
	{ "info", LOG_INFO },   { "debug", LOG_DEBUG },
};

static const struct named *find_name(const struct named *table, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(table[i].name, word) == 0)
			return &table[i];
	return NULL;
}

static const char *find_value(const struct named *table, size_t n, long value)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].value == value)
			return table[i].name;
	return NULL;
}

static int read_name(const struct named *table, size_t n, const char *word, long *ret,
		     const char **why, const char *sentence)
{
	const struct named *found = find_name(table, n, word);

	if (!found) {
		*why = sentence;
		return -EINVAL;
	}
	*ret = found->value;
	return 0;
}

static int read_number(const char *word, int base, long min, long max, long *ret, const char **why,
		       const char *sentence)
{
	long long value;
	int r = parse_number(word, base, min, max, &value);

	if (r < 0) {
		*why = sentence;
		return r;
	}
	*ret = (long)value;
	return 0;
}

int value_yes_no(const char *word, long *ret, const char **why)
{
	static const struct named words[] = { { "yes", 1 }, { "no", 0 } };

	return read_name(words, ARRAY_SIZE(words), word, ret, why, "write yes or no");
}

int value_wait(const char *word, long *ret, const char **why)
{
	static const struct named words[] = {
		{ "yes", 1 }, { "no", 0 }, { "wait", 1 }, { "nowait", 0 }
	};

	return read_name(words, ARRAY_SIZE(words), word, ret, why,
			 "write yes (one server gets the socket) or no (one server a connection)");
}

int value_overload(const char *word, long *ret, const char **why)
{
	static const struct named words[] = { { "refuse", 0 }, { "queue", 1 } };

	return read_name(words, ARRAY_SIZE(words), word, ret, why, "write refuse or queue");
}

int value_socket_type(const char *word, long *ret, const char **why)
{
	return read_name(socket_types, ARRAY_SIZE(socket_types), word, ret, why,
			 "write stream, dgram, raw or seqpacket");
}

int value_service_type(const char *word, long *ret, const char **why)
{
	return read_name(service_types, ARRAY_SIZE(service_types), word, ret, why,
			 "write RPC, INTERNAL, UNLISTED, TCPMUX or TCPMUXPLUS");
}

int value_flag(const char *word, long *ret, const char **why)
{
	return read_name(
		service_flags, ARRAY_SIZE(service_flags), word, ret, why,
		"write INTERCEPT, NORETRY, IDONLY, NAMEINARGS, NODELAY, KEEPALIVE, NOLIBWRAP, SENSOR, "
		"IPv4, IPv6, LABELED or REUSE");
}

int value_log_success(const char *word, long *ret, const char **why)
{
	/* All but the last, ATTEMPT. */
	return read_name(log_options, ARRAY_SIZE(log_options) - 1, word, ret, why,
			 "write PID, HOST, USERID, EXIT, DURATION or TRAFFIC");
}

int value_log_failure(const char *word, long *ret, const char **why)
{
	long bit = 0;

	if (read_name(log_options, ARRAY_SIZE(log_options), word, &bit, why, "") == 0 &&
	    (bit & (LOG_OPT_HOST | LOG_OPT_USERID | LOG_OPT_ATTEMPT))) {
		*ret = bit;
		return 0;
	}
	*why = "write HOST, USERID or ATTEMPT";
	return -EINVAL;
}

int value_count(const char *word, long *ret, const char **why)
{
	if (strcasecmp(word, "UNLIMITED") == 0) {
		*ret = UNLIMITED;
		return 0;
	}
	return read_number(word, 10, 0, INT_MAX, ret, why,
			   "write a number from 0 up, or UNLIMITED");
}

int value_number(const char *word, long *ret, const char **why)
{
	return read_number(word, 10, 0, INT_MAX, ret, why, "write a number from 0 up");
}

int value_positive(const char *word, long *ret, const char **why)
{
	return read_number(word, 10, 1, INT_MAX, ret, why, "write a number from 1 up");
}

int value_nice(const char *word, long *ret, const char **why)
{
	return read_number(word, 10, -39, 39, ret, why, "write a number from -39 to 39");
}

int value_umask(const char *word, long *ret, const char **why)
{
	return read_number(word, 8, 0, 0777, ret, why, "write an octal number from 0 to 777");
}

int value_minutes(const char *word, long *ret, const char **why)
{
	static const struct named words[] = { { "NEVER", 0 }, { "FOREVER", UNLIMITED } };
	const struct named *found = find_name(words, ARRAY_SIZE(words), word);

	if (found) {
		*ret = found->value;
		return 0;
	}
	return read_number(word, 10, 0, INT_MAX, ret, why,
			   "write FOREVER, NEVER or a number of minutes");
}

int value_size(const char *word, long *ret, const char **why)
{
	static const char sentence[] =
		"write a number of bytes, with k, m or g behind it for KiB, MiB, GiB";
	size_t digits = strspn(word, "0123456789");
	char number[24];
	long factor = 1;

	*why = sentence;
	if (digits == 0 || digits >= sizeof(number) || (word[digits] && word[digits + 1]))
		return -EINVAL;
	switch (word[digits]) {
	case '\0':
		break;
	case 'k':
	case 'K':
		factor = 1L << 10;
		break;
	case 'm':
	case 'M':
		factor = 1L << 20;
		break;
	case 'g':
	case 'G':
		factor = 1L << 30;
		break;
	default:
		return -EINVAL;
	}
	memcpy(number, word, digits);
	number[digits] = '\0';
	if (read_number(number, 10, 0, LONG_MAX / factor, ret, why, sentence) < 0)
		return -ERANGE;
	*ret *= factor;
	return 0;
}

int value_rlimit_size(const char *word, long *ret, const char **why)
{
	if (strcasecmp(word, "UNLIMITED") == 0) {
		*ret = UNLIMITED;
		return 0;
	}
	if (value_size(word, ret, why) == 0)
		return 0;
	*why = "write a number of bytes, with k, m or g behind it for KiB, MiB, GiB, or UNLIMITED";
	return -EINVAL;
}

int value_rlimit_files(const char *word, long *ret, const char **why)
{
	int r = value_rlimit_size(word, ret, why);

	if (r < 0)
		*why = "write a number of descriptors, or UNLIMITED";
	return r;
}

int value_rlimit_number(const char *word, long *ret, const char **why)
{
	return value_count(word, ret, why);
}

int value_facility(const char *word, long *ret, const char **why)
{
	return read_name(
		facilities, ARRAY_SIZE(facilities), word, ret, why,
		"write a syslog facility: daemon, auth, authpriv, user, mail, lpr, news, uucp, ftp or "
		"local0 to local7");
}

int value_level(const char *word, long *ret, const char **why)
{
	return read_name(
		levels, ARRAY_SIZE(levels), word, ret, why,
		"write a syslog level: emerg, alert, crit, err, warning, notice, info or debug");
}

const char *value_name_socket_type(int socktype)
{
	return find_value(socket_types, ARRAY_SIZE(socket_types), socktype);
}

const char *value_name_service_type(unsigned bit)
{
	return find_value(service_types, ARRAY_SIZE(service_types), bit);
}

const char *value_name_flag(unsigned bit)
{
	return find_value(service_flags, ARRAY_SIZE(service_flags), bit);
}

const char *value_name_log_option(unsigned bit)
{
	return find_value(log_options, ARRAY_SIZE(log_options), bit);
}

const char *value_name_facility(int facility)
{
	return find_value(facilities, ARRAY_SIZE(facilities), facility);
}

const char *value_name_level(int level)
{
	return find_value(levels, ARRAY_SIZE(levels), level);
}
