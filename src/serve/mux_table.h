/* SPDX-License-Identifier: ISC */
/* The services that stand behind tcpmux, by name. */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct mux_table;
struct service_run;

/*
 * A table of those of the @n @runs whose type is TCPMUX or TCPMUXPLUS; no other
 * service can be found in it (D47b). Where several have one name, the first
 * counts. The runs must stay as long as the table. Returns 0 or -ENOMEM.
 */
int mux_table_new(struct service_run *const *runs, size_t n, struct mux_table **ret);

/* NULL is fine. */
void mux_table_free(struct mux_table *table);

/* The service of that name, in upper or lower case (RFC 1078), or NULL. NULL for a table is an empty one. */
struct service_run *mux_table_find(const struct mux_table *table, const char *name);

/* Writes what RFC 1078 has "help" answer: the names, one a line, in the order of the configuration. */
void mux_table_help(const struct mux_table *table, FILE *out);
