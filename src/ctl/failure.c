/* SPDX-License-Identifier: ISC */
/* Why something about names and connections did not work: which kind of failure, and in words. */
#include "config.h"

#include "ctl/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

const char *failure_words(int error)
{
	const char *words = strerrordesc_np(error);

	return words ? words : "unknown error";
}

enum status failure_kind(int error)
{
	switch (error) {
	case ETIMEDOUT:
		return STATUS_TIME;
	case ENETUNREACH:
	case ENETDOWN:
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case EADDRNOTAVAIL:
	case EADDRINUSE:
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
	case ESOCKTNOSUPPORT:
	case EPROTOTYPE: /* a Unix socket of another type */
	case EINVAL:
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	case ELOOP:
	case EACCES:
	case EPERM:
		return STATUS_ADDRESS;
	default:
		return STATUS_CONNECTION;
	}
}

enum status failure_set(struct failure *failure, enum status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(failure->text, sizeof(failure->text), format, args);
	va_end(args);
	failure->status = status;
	return status;
}

enum status failure_errno(struct failure *failure, int error, const char *format, ...)
{
	char what[sizeof(failure->text) - 64];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return failure_set(failure, failure_kind(error), "%s: %s", what, failure_words(error));
}

enum status failure_print(const struct failure *failure)
{
	(void)fprintf(stderr, "usherctl: %s\n", failure->text);
	return failure->status;
}
