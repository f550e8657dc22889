/* SPDX-License-Identifier: ISC */
/* The smallest datagram server: sends one datagram back to who sent it, and ends. */
#include <sys/socket.h>

#include "bare.h"

int main(void)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	char buffer[2048];
	long n = CALL(SYS_recvfrom, 0, buffer, sizeof(buffer), MSG_DONTWAIT, &from, &length);

	return n >= 0 && CALL(SYS_sendto, 0, buffer, n, 0, &from, length) == n ? 0 : 1;
}
