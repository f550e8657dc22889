/* SPDX-License-Identifier: ISC */
/* Datagrams for internal services whose senders have to be asked about one by one. */
#pragma once

struct place;

/*
 * Takes datagrams off the socket of @place and has them decided about: each is
 * held while its sender is asked about (serve/gate.h), then handed to the
 * worker, or thrown away.
 */
void asked_dgrams_receive(struct place *place);
