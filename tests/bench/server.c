/* SPDX-License-Identifier: ISC */
/*
 * The smallest server there is: writes its arguments as one line and exits, so that a bench measures the host.
 * With -w MILLISECONDS before them it rests first.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char line[512];
	size_t used = 0;
	int first = 1;

	if (argc > 2 && strcmp(argv[1], "-w") == 0) {
		(void)poll(NULL, 0, atoi(argv[2]));
		first = 3;
	}
	for (int i = first; i < argc; i++) {
		size_t n = strlen(argv[i]);

		if (used + n + 2 > sizeof(line))
			break;
		if (i > first)
			line[used++] = ' ';
		memcpy(line + used, argv[i], n);
		used += n;
	}
	line[used++] = '\n';
	return write(1, line, used) == (ssize_t)used ? 0 : 1;
}
