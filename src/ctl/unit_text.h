/* SPDX-License-Identifier: ISC */
/* Texts as the unit files of systemd want them: quoted words, plain values, names of units. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Writes one word of a setting that is split into words (systemd.syntax(7)):
 * quoted where it must be, with % doubled, what is not printable ASCII as \xNN,
 * and with @variables (ExecStart=) $ doubled, too.
 */
void unit_word(FILE *out, const char *text, bool variables);

/*
 * Whether @text can stand as it is, but for %, in a setting that is not split
 * (ListenStream=, SocketUser=): such settings know neither quotes nor escapes.
 */
bool unit_takes_plain(const char *text);

/* Writes such a value: % is doubled. */
void unit_plain(FILE *out, const char *text);

/* Whether systemd takes @path as the program of ExecStart=: it refuses quotes, backslashes and control characters. */
bool unit_takes_program(const char *path);

/* Whether systemd takes @name and "NAME=value" for the environment; others it drops. */
bool unit_takes_variable(const char *name);
bool unit_takes_assignment(const char *text);

/* Longest name that unit_name() makes; systemd takes 255 with "@", ".service" and an instance. */
#define UNIT_NAME_MAX 160

/*
 * Writes @id as the name of a unit without its suffix (systemd.unit(5)): letters,
 * digits and :_.- stay, all else becomes \xNN, as does a dot in front.
 * Returns 0, or -EINVAL when the name is empty or would be longer than UNIT_NAME_MAX.
 */
int unit_name(const char *id, char out[static UNIT_NAME_MAX + 1]);
