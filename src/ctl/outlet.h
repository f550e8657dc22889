/* SPDX-License-Identifier: ISC */
/* What was received, on its way to standard output: as it is, or made fit for a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/expect.h"
#include "ctl/printable.h"

/* The most that is put in at a time; no datagram of a Unix socket is longer, by default. */
#define OUTLET_MAX 262144

struct outlet {
	int fd;                      /* not owned; may block */
	struct printable *printable; /* not owned; NULL = as it is */
	struct expect *expect;       /* not owned; NULL = nothing is */
	size_t most;                 /* that a write takes without waiting once it may begin */
	char *raw;                   /* OUTLET_MAX bytes, to receive in */
	char *shown;                 /* with printable: what becomes of them */
	const char *rest;            /* still to be written, in one of the two */
	size_t n_rest;
	bool ended;
	uint64_t received;
};

/* Returns 0 or -ENOMEM. outlet_done() frees. */
int outlet_init(struct outlet *outlet, int fd, struct printable *printable, struct expect *expect);
void outlet_done(struct outlet *outlet);

/* Whether all is written, so that more can be put in. */
bool outlet_empty(const struct outlet *outlet);

/* Takes the first @n bytes of outlet->raw. */
void outlet_put(struct outlet *outlet, size_t n);

/* Nothing more comes: puts in what printable has held back. Returns whether that is written, too. */
bool outlet_end(struct outlet *outlet);

/* Writes once, as much as does not block where poll(2) has seen the descriptor writable. Returns 0 or -errno. */
int outlet_write(struct outlet *outlet);

/* Whether the text that is waited for has come. */
bool outlet_found(const struct outlet *outlet);
