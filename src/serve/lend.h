/* SPDX-License-Identifier: ISC */
/* Lends the socket itself to a server (xinetd.conf(5) "wait"), and throws away what is refused. */
#pragma once

struct place;

/* Something waits at the place, whose service has a server and wait = yes; what is refused before it, up to a turn's worth, goes. */
void lend_ready(struct place *place);
