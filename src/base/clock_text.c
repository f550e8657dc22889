/* SPDX-License-Identifier: ISC */
/* What the time of day is, as the services daytime and time say it. */
#include "config.h"

#include "base/clock_text.h"

#include <stdio.h>

/* Seconds from 1900 to 1970. */
#define EPOCH UINT32_C(2208988800)

size_t clock_text(time_t now, char out[static CLOCK_TEXT_MAX])
{
	static const char months[12][4] = { "JAN", "FEB", "MAR", "APR", "MAY", "JUN",
					    "JUL", "AUG", "SEP", "OCT", "NOV", "DEC" };
	struct tm tm;
	int n;

	if (!localtime_r(&now, &tm))
		return 0;
	n = snprintf(out, CLOCK_TEXT_MAX, "%02d %s %d %02d:%02d:%02d %.16s\r\n", tm.tm_mday,
		     months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
		     tm.tm_zone);
	return n > 0 && n < CLOCK_TEXT_MAX ? (size_t)n : 0;
}

void clock_seconds(time_t now, uint8_t out[static CLOCK_SECONDS])
{
	uint32_t seconds = (uint32_t)now + EPOCH;

	for (unsigned i = 0; i < CLOCK_SECONDS; i++)
		out[i] = (uint8_t)(seconds >> (24 - 8 * i));
}
