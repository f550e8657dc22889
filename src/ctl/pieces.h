/* SPDX-License-Identifier: ISC */
/* Texts that a conversion makes: printed one after the other, or saved as files. */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/util.h"

/* One text. Without a name it is a remark, which has its place only where all are printed. */
struct piece {
	char *name;
	char *text;
};

/* In their order. Zero-initialised it is empty and ready. */
struct pieces {
	struct piece *v;
	size_t n;
};

/* Appends a text; takes over @text, also where it fails. @name is copied and may be NULL. Returns 0 or -ENOMEM. */
int pieces_add(struct pieces *pieces, const char *name, char *text);

bool pieces_have(const struct pieces *pieces, const char *name);

/* Prints all with blank lines between; with @titles, each under a comment with its name. */
void pieces_print(const struct pieces *pieces, bool titles, FILE *out);

/*
 * Writes each named text as a file into @directory, which is made where there
 * is none. No file is ever overwritten: where one exists, nothing is written.
 * Returns 0, or -errno with the reason in @diag.
 */
int pieces_save(const struct pieces *pieces, const char *directory, struct diag *diag);

void pieces_done(struct pieces *pieces);
