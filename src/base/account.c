/* SPDX-License-Identifier: ISC */
/* The account of what usherd does with least privilege: its worker, and its gates where nobody else's will do. */
#include "config.h"

#include "base/account.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"

/* The kernel's own number for "nobody", where there is no passwd(5). */
#define OVERFLOW_ID 65534

/* Whether @id exists in this user namespace, by its map in proc(5); true where there is no such file. */
static bool id_is_mapped(const char *map, unsigned long id)
{
	CLEANUP_FCLOSE FILE *f = fopen(map, "re");
	char line[128];

	if (!f)
		return true;
	while (fgets(line, sizeof(line), f)) {
		char *end;
		unsigned long first = strtoul(line, &end, 10);
		unsigned long count;

		(void)strtoul(end, &end, 10); /* the number outside */
		count = strtoul(end, NULL, 10);
		if (id >= first && id - first < count)
			return true;
	}
	return false;
}

int account_find(struct account *ret)
{
	const struct passwd *pw = getpwnam(WORKER_USER);

	if (!pw)
		pw = getpwnam("nobody");
	*ret = (struct account){ .uid = pw ? pw->pw_uid : OVERFLOW_ID,
				 .gid = pw ? pw->pw_gid : OVERFLOW_ID };
	if (ret->uid == 0 || ret->gid == 0)
		return -EPERM;
	ret->mapped = id_is_mapped("/proc/self/uid_map", ret->uid) &&
		      id_is_mapped("/proc/self/gid_map", ret->gid);
	return 0;
}
