/* SPDX-License-Identifier: ISC */
/* How much is done at one door before it is others' turn. */
#pragma once

/*
 * What one door gets before it is others' turn: many connections that cost little, such as those that are refused, or
 * as many as this time is enough for, which a single server that is started may exceed.
 */
#define DOOR_TURN      64
#define DOOR_TURN_USEC 200
