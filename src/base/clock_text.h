/* SPDX-License-Identifier: ISC */
/* What the time of day is, as the services daytime and time say it. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_TEXT_MAX 64

/*
 * Writes "20 NOV 2026 23:50:31 UTC" and CRLF, xinetd's form of RFC 867, whatever the
 * locale. Returns its length; 0 where @now has no such form.
 */
size_t clock_text(time_t now, char out[static CLOCK_TEXT_MAX]);

/* Writes the seconds since 1900, RFC 868; they wrap in 2036, as the protocol does. */
#define CLOCK_SECONDS 4
void clock_seconds(time_t now, uint8_t out[static CLOCK_SECONDS]);
