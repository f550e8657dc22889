/* SPDX-License-Identifier: ISC */
/* What waits at a door: connections to accept, a socket to lend, datagrams to forward or to throw away. */
#pragma once

struct place;

/* Serves what waits at @place, which is readable, but no more than one turn's worth. */
void ready_place(struct place *place);

/*
 * The same where datagrams come that the worker answers or passes on. While it
 * does not take any, its doors are shut: what has come stays where it is.
 */
void ready_place_for_worker(struct place *place);
