/* SPDX-License-Identifier: ISC */
/* How many of the daemon's descriptors one service may hold while it waits for somebody. */
#pragma once

/*
 * A sixteenth of those that the daemon may have, but at least 64 and at most
 * 1024: a target that does not answer, or clients that do not speak, leave
 * enough for all others.
 */
unsigned share_of_descriptors(void);
