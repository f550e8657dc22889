/* SPDX-License-Identifier: ISC */
/* An exchange with a person at a terminal, who edits lines while those of the service come in above. */
#pragma once

#include "ctl/exchange.h"

/*
 * As exchange_stream() and exchange_datagrams(), for standard input and output that are
 * terminals; the outlet of @x must have a printable. What the service has written without
 * an end of line is the prompt. The end of input (Ctrl-D) half-closes. Without an
 * editing library, the terminal's own editing has to do.
 */
enum status talk(struct exchange *x, struct failure *failure);
