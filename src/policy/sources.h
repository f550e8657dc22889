/* SPDX-License-Identifier: ISC */
/* How many sessions run from each address. */
#pragma once

#include "base/addr.h"
#include "base/open_table.h"

/* All zero is an empty one: nothing runs, and no memory is held. */
struct sources {
	struct open_table counts;
};

/* One more runs from the address of @peer; ports and zones do not count. Returns 0 or -ENOMEM. */
int sources_take(struct sources *sources, const struct addr *peer);

/* One less; there was one. */
void sources_release(struct sources *sources, const struct addr *peer);

/* How many run from there. */
unsigned sources_running(const struct sources *sources, const struct addr *peer);

/* Frees; nothing is counted afterwards. */
void sources_done(struct sources *sources);
