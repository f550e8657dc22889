/* SPDX-License-Identifier: ISC */
/* Which files a load has seen, and whether what is missing afterwards may be the fault of those that it could not read. */
#include "config.h"

#include "config/seen.h"

#include <string.h>

enum verdict {
	NOT_SEEN,
	LOST,
	GONE,
};

static int by_bytes(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

void seen_seal(struct seen *seen)
{
	if (seen->whole.n)
		qsort(seen->whole.v, seen->whole.n, sizeof(char *), by_bytes);
	if (seen->unread.n)
		qsort(seen->unread.v, seen->unread.n, sizeof(char *), by_bytes);
}

static bool has(const struct strv *sorted, const char *path)
{
	return sorted->n && bsearch(&path, sorted->v, sorted->n, sizeof(char *), by_bytes);
}

bool seen_takes_name(const char *name)
{
	size_t length = strlen(name);

	return !strchr(name, '.') && (length == 0 || name[length - 1] != '~');
}

/* What the file itself tells, and the directory that it may have come from. */
static enum verdict judge(const struct seen *seen, const char *file)
{
	const char *slash = strrchr(file, '/');
	CLEANUP_FREE char *directory = slash ? strndup(file, (size_t)(slash - file) + 1) : NULL;

	if (has(&seen->unread, file))
		return LOST;
	if (has(&seen->whole, file))
		return GONE;
	/* Without memory for its name nothing is known of it. */
	if (!directory || !seen_takes_name(slash + 1))
		return NOT_SEEN;
	return has(&seen->unread, directory)  ? LOST
	       : has(&seen->whole, directory) ? GONE
					      : NOT_SEEN;
}

bool seen_lost(const struct seen *seen, const char *file, const struct words *via)
{
	enum verdict verdict = judge(seen, file);

	for (size_t i = 0; i < via->n && verdict == NOT_SEEN; i++)
		verdict = judge(seen, via->v[i]);
	return verdict == LOST;
}

void seen_done(struct seen *seen)
{
	strv_done(&seen->whole);
	strv_done(&seen->unread);
}
