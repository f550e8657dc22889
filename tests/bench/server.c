/* SPDX-License-Identifier: ISC */
/*
 * The smallest server there is: writes its arguments as one line and exits, so that a bench measures the host.
 * With -w MILLISECONDS before them it rests first.
 */
#include <stdbool.h>
#include <time.h>

#include "bare.h"

static bool is_wait(const char *word)
{
	return word[0] == '-' && word[1] == 'w' && word[2] == '\0';
}

static void rest(const char *digits)
{
	long ms = 0;
	struct timespec pause;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		ms = ms * 10 + (*digits - '0');
	pause = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	(void)CALL(SYS_ppoll, NULL, 0, &pause, NULL, 0, 0);
}

int main(int argc, char **argv)
{
	char line[512];
	size_t used = 0;
	int first = 1;

	if (argc > 2 && is_wait(argv[1])) {
		rest(argv[2]);
		first = 3;
	}
	for (int i = first; i < argc; i++) {
		if (i > first && used < sizeof(line) - 1)
			line[used++] = ' ';
		for (const char *p = argv[i]; *p && used < sizeof(line) - 1; p++)
			line[used++] = *p;
	}
	line[used++] = '\n';
	return CALL(SYS_write, 1, line, used, 0, 0, 0) == (long)used ? 0 : 1;
}
