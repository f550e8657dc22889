/* SPDX-License-Identifier: ISC */
/* Texts and whole values as JSON, on standard output. */
#pragma once

#include <jansson.h>

/*
 * A new string, or null for NULL. Bytes that are not UTF-8 cannot stand in JSON,
 * so texts go the way that terminals get them.
 */
json_t *json_text(const char *text);

/* Prints @root, whose reference it takes, with an end of line. Returns 0, or -ENOMEM (also where @root is NULL). */
int json_print(json_t *root);
