/* SPDX-License-Identifier: ISC */
/* The smallest datagram server: sends one datagram back to who sent it, and ends. */
#include <sys/socket.h>

int main(void)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	char buffer[2048];
	ssize_t n = recvfrom(0, buffer, sizeof(buffer), MSG_DONTWAIT, (struct sockaddr *)&from,
			     &length);

	return n >= 0 && sendto(0, buffer, (size_t)n, 0, (struct sockaddr *)&from, length) == n ? 0
												: 1;
}
