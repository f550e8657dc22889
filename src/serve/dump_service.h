/* SPDX-License-Identifier: ISC */
/* A service in the words of xinetd's state dump. */
#pragma once

#include <stdio.h>

#include "config/service.h"

/*
 * Writes what @service says in the lines, and the order, of xinetd's dump
 * (compat.md 4.2), two tabs deep; behind them, in the same manner, the
 * attributes that xinetd does not show or does not have. Values are those that hold, wherever
 * they come from. Nothing is looked up, and the environment that servers
 * inherit is left out, as it may hold secrets.
 */
void dump_service(const struct service *service, FILE *out);
