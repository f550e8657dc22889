/* SPDX-License-Identifier: ISC */
/* A daytime server (RFC 867): the smallest useful server. It writes one line to descriptor 1 and ends. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(void)
{
	/* Set by the super-server: the client's address as a number. */
	const char *client = getenv("REMOTE_HOST");
	time_t now = time(NULL);
	struct tm tm;
	char text[64];

	if (!localtime_r(&now, &tm) ||
	    strftime(text, sizeof(text), "%d %b %Y %H:%M:%S %Z", &tm) == 0)
		return 1;
	if (printf("%s for %s\r\n", text, client ? client : "nobody I know") < 0)
		return 1;
	/* The line is still in memory: that it reached the socket is known only now. */
	return fflush(stdout) == 0 ? 0 : 1;
}
