/* SPDX-License-Identifier: ISC */
/* Datagrams for internal services whose senders nobody has to be asked about: decided about and handed on by the batch. */
#pragma once

struct place;

/* Takes one batch of what waits at @place, and has the worker answer what is admitted. */
void plain_dgrams_receive(struct place *place);
