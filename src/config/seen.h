/* SPDX-License-Identifier: ISC */
/* Which files a load has seen, and whether what is missing afterwards may be the fault of those that it could not read. */
#pragma once

#include <stdbool.h>

#include "base/intern.h"
#include "base/util.h"

/* Paths as they are opened; directories end in /. Starts zeroed. */
struct seen {
	struct strv whole;  /* read from end to end, or listed */
	struct strv unread; /* that could not be read, or hold junk */
};

/* To be called when all is read: sorts what seen_lost() looks for. */
void seen_seal(struct seen *seen);

/*
 * Whether a stanza that stood in @file, which the files @via include, innermost
 * first, may still be meant: the innermost of them that was seen
 * decides. One that was read whole and leads there no more, or a directory without the
 * file, says that it is gone; junk, or what could not be read, says nothing.
 */
bool seen_lost(const struct seen *seen, const char *file, const struct words *via);

/* Whether includedir takes a file of this name. */
bool seen_takes_name(const char *name);

void seen_done(struct seen *seen);
