/* SPDX-License-Identifier: ISC */
/* What waits at a door: connections to accept, a socket to lend, datagrams to forward or to throw away. */
#pragma once

struct place;

/* Serves what waits at @place, which is readable, but no more than one turn's worth. */
void ready_place(struct place *place);
