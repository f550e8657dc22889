/* SPDX-License-Identifier: ISC */
/* Reads proc(5) for sockets that have a port. */
#include "config.h"

#include "rpc/ports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* The state of a TCP socket that listens, in proc(5). */
#define LISTENS 0x0A

int ports_of_address(const char *address)
{
	const char *low = strrchr(address, '.'), *high = low;
	long long bytes[2];
	char text[4];

	while (high && high > address && high[-1] != '.')
		high--;
	if (!high || high == address || low - high > 3)
		return -EINVAL;
	memcpy(text, high, (size_t)(low - high));
	text[low - high] = '\0';
	if (parse_number(text, 10, 0, 255, &bytes[0]) < 0 ||
	    parse_number(low + 1, 10, 0, 255, &bytes[1]) < 0)
		return -EINVAL;
	return (int)(bytes[0] << 8 | bytes[1]);
}

/* Returns 1 or 0, or -errno where the file cannot be read. */
static int has_port(const char *path, unsigned wanted, bool listening)
{
	CLEANUP_FCLOSE FILE *file = fopen(path, "re");
	char line[512];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		unsigned port, state;

		if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &port, &state) ==
			    2 &&
		    port == wanted && (!listening || state == LISTENS))
			return 1;
	}
	return ferror(file) ? -EIO : 0;
}

bool ports_are_used(const char *netid, const char *address)
{
	int port = ports_of_address(address), r = -EINVAL;
	bool tcp = strncmp(netid, "tcp", 3) == 0;

	if (port < 0 || (!tcp && strncmp(netid, "udp", 3) != 0))
		return true;
	r = has_port(tcp ? "/proc/self/net/tcp" : "/proc/self/net/udp", (unsigned)port, tcp);
	if (r == 0) {
		/* One socket may serve both families. No such file: no IPv6 on this machine. */
		r = has_port(tcp ? "/proc/self/net/tcp6" : "/proc/self/net/udp6", (unsigned)port,
			     tcp);
		if (r == -ENOENT)
			r = 0;
	}
	return r != 0;
}
