/* SPDX-License-Identifier: ISC */
/* What waits at a door: connections to accept, a socket to lend, datagrams to forward or to throw away. */
#pragma once

struct place;

/*
 * What one door gets before it is others' turn: many connections that cost little, such as those that are refused, or
 * as many as this time is enough for, which a single server that is started may exceed.
 */
#define READY_TURN      64
#define READY_TURN_USEC 200

/* Serves what waits at @place, which is readable, but no more than one turn's worth. */
void ready_place(struct place *place);
