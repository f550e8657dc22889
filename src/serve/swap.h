/* SPDX-License-Identifier: ISC */
/* Makes a new configuration what runs: doors change hands in one step, all else a little at a time. */
#pragma once

#include <stddef.h>

#include "config/conf.h"
#include "serve/plan.h"

struct server;
struct swap;

/* How it went, in the words of xinetd's message. */
struct swap_counts {
	size_t fresh;   /* services that were not there before */
	size_t old;     /* that go on */
	size_t dropped; /* that have ended */
};

/*
 * Begins to carry out @plan, by which @server's runs become what the new configuration says.
 * Where there are many services that takes a while, and the loop goes on meanwhile:
 * whoever comes is served by the form that his service has at that moment. Doors
 * that go from one service to another do so in one step, so that none is ever shut; a
 * service that goes on at its own doors is renewed by itself.
 * @plan, and the configuration behind it, must stay until @done is called, which happens
 * once, from the loop. Returns 0, or -ENOMEM with nothing changed.
 */
int swap_begin(struct server *server, const struct plan *plan,
	       void (*done)(void *arg, const struct swap_counts *counts), void *arg,
	       struct swap **ret);

/* Frees it, before its time at the end of the daemon: what was to end ends, nothing is begun. NULL is fine. */
void swap_free(struct swap *swap);
