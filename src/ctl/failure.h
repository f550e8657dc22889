/* SPDX-License-Identifier: ISC */
/* Why something about names and connections did not work: which kind of failure, and in words. */
#pragma once

#include "base/util.h"
#include "ctl/ctl.h"

struct failure {
	enum status status;
	char text[512]; /* escaped */
};

/* Both fill @failure and return its status. Strings that others supplied are escaped by the caller. */
enum status failure_set(struct failure *failure, enum status status, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* The kind that @error (an errno of a socket) is of; its words stand behind the formatted text and a colon. */
enum status failure_errno(struct failure *failure, int error, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* STATUS_ADDRESS, STATUS_CONNECTION or STATUS_TIME: what an errno of a socket tells about the other end. */
enum status failure_kind(int error);

/* An errno in words; no lock, no shared buffer that another thread could write. */
const char *failure_words(int error);

/* Prints it to standard error. Returns its status. */
enum status failure_print(const struct failure *failure);
