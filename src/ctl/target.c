/* SPDX-License-Identifier: ISC */
/* What a person writes to name a service to call, taken apart. */
#include "config.h"

#include "ctl/target.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "base/util.h"

static const struct {
	const char *prefix;
	sa_family_t family;
	int socktype;
} schemes[] = {
	{ "tcp:", AF_UNSPEC, SOCK_STREAM },     { "udp:", AF_UNSPEC, SOCK_DGRAM },
	{ "unix:", AF_UNIX, SOCK_STREAM },      { "unix-stream:", AF_UNIX, SOCK_STREAM },
	{ "unix-dgram:", AF_UNIX, SOCK_DGRAM }, { "unix-seqpacket:", AF_UNIX, SOCK_SEQPACKET },
};

static int parse_unix(const char *text, struct target *target, const char **why)
{
	const size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);

	if ((text[0] != '/' && text[0] != '@') || !text[1]) {
		*why = "write unix:/path or unix:@name";
		return -EINVAL;
	}
	if (strlen(text) >= room) {
		*why = "the name of a Unix socket has at most 107 bytes";
		return -EINVAL;
	}
	target->service = strdup(text);
	return target->service ? 0 : -ENOMEM;
}

/* @host_length bytes at @host, or none where @host is NULL. */
static int keep(struct target *target, const char *host, size_t host_length, const char *service,
		const char **why)
{
	if ((host && host_length == 0) || !*service) {
		*why = "write host:port, or host:name with the name of a service";
		return -EINVAL;
	}
	if (host) {
		target->host = strndup(host, host_length);
		if (!target->host)
			return -ENOMEM;
	}
	target->service = strdup(service);
	return target->service ? 0 : -ENOMEM;
}

static int parse_inet(const char *text, struct target *target, const char **why)
{
	const char *colon = strchr(text, ':'), *end;

	if (text[0] == '[') {
		end = strchr(text, ']');
		if (end && end[1] == ':')
			return keep(target, text + 1, (size_t)(end - text - 1), end + 2, why);
		*why = "write [address]:port";
		return -EINVAL;
	}
	if (!colon)
		return keep(target, NULL, 0, text, why);
	if (strchr(colon + 1, ':')) {
		*why = "write IPv6 addresses in brackets, as in [::1]:7";
		return -EINVAL;
	}
	return keep(target, text, (size_t)(colon - text), colon + 1, why);
}

int target_parse(const char *text, struct target *ret, const char **ret_why)
{
	struct target target = { .family = AF_UNSPEC };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t length = strlen(schemes[i].prefix);

		if (strncmp(text, schemes[i].prefix, length) == 0) {
			target.family = schemes[i].family;
			target.socktype = schemes[i].socktype;
			text += length;
			break;
		}
	}
	if (target.socktype == 0 && (text[0] == '/' || text[0] == '@')) {
		target.family = AF_UNIX;
		target.socktype = SOCK_STREAM;
	}
	r = target.family == AF_UNIX ? parse_unix(text, &target, ret_why)
				     : parse_inet(text, &target, ret_why);
	if (r < 0)
		target_done(&target);
	else
		*ret = target;
	return r;
}

void target_done(struct target *target)
{
	free(target->host);
	free(target->service);
	*target = (struct target){ .family = AF_UNSPEC };
}
