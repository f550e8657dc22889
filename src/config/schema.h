/* SPDX-License-Identifier: ISC */
/* The attributes of a stanza: names, types, how often, what they take. Storage and setters are libconfuse's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/intern.h"
#include "base/util.h"
#include "config/reader.h"

/* clang-format off */
/*
 * One row an attribute: enumerator, name, type (a libconfuse option), reader of
 * one word, least and most words (ANY = no bound), properties.
 */
#define SCHEMA_ATTRIBUTES(X)                                                              \
	X(ACCESS_TIMES,    "access_times",    LIST,    NULL,                1, ANY, RESTRICTS | EXTENDS)               \
	X(BACKLOG,         "backlog",         NUMBER,  value_positive,      1, 1,   IN_DEFAULTS)             \
	X(BANNER,          "banner",          TEXT,    NULL,                1, 1,   IN_DEFAULTS)             \
	X(BANNER_FAIL,     "banner_fail",     TEXT,    NULL,                1, 1,   IN_DEFAULTS)             \
	X(BANNER_SUCCESS,  "banner_success",  TEXT,    NULL,                1, 1,   IN_DEFAULTS)             \
	X(BIND,            "bind",            LIST,    NULL,                1, ANY, IN_DEFAULTS | RESTRICTS) \
	X(CHROOT,          "chroot",          TEXT,    NULL,                1, 1,   RESTRICTS)               \
	X(CPS,             "cps",             NUMBERS, value_number,        2, 3,   IN_DEFAULTS | RESTRICTS) \
	X(DENY_TIME,       "deny_time",       NUMBER,  value_minutes,       1, 1,   RESTRICTS | EXTENDS)               \
	X(DIRECTORY,       "directory",       TEXT,    NULL,                1, 1,   0)                       \
	X(DISABLE,         "disable",         NUMBER,  value_yes_no,        1, 1,   REPEATS | RESTRICTS)     \
	X(DISABLED,        "disabled",        LIST,    NULL,                0, ANY, CUMULATES | ONLY_DEFAULTS | RESTRICTS) \
	X(ENABLED,         "enabled",         LIST,    NULL,                0, ANY, CUMULATES | ONLY_DEFAULTS | RESTRICTS) \
	X(ENV,             "env",             LIST,    NULL,                0, ANY, CUMULATES | LITERAL_HASH) \
	X(FLAGS,           "flags",           NUMBERS, value_flag,          1, ANY, RESTRICTS)               \
	X(GROUP,           "group",           TEXT,    NULL,                1, 1,   RESTRICTS)               \
	X(GROUPS,          "groups",          NUMBER,  value_yes_no,        1, 1,   IN_DEFAULTS)             \
	X(ID,              "id",              TEXT,    NULL,                1, 1,   0)                       \
	X(IDLE_TIMEOUT,    "idle_timeout",    NUMBER,  value_number,        1, 1,   IN_DEFAULTS | RESTRICTS) \
	X(INSTANCES,       "instances",       NUMBER,  value_count,         1, 1,   IN_DEFAULTS | RESTRICTS) \
	X(LIBWRAP,         "libwrap",         TEXT,    NULL,                1, 1,   RESTRICTS)               \
	X(LOG_ON_FAILURE,  "log_on_failure",  NUMBERS, value_log_failure,   0, ANY, CUMULATES | IN_DEFAULTS) \
	X(LOG_ON_SUCCESS,  "log_on_success",  NUMBERS, value_log_success,   0, ANY, CUMULATES | IN_DEFAULTS) \
	X(LOG_TYPE,        "log_type",        LIST,    NULL,                1, ANY, IN_DEFAULTS)             \
	X(MAX_LOAD,        "max_load",        FRACTION, NULL,               1, 1,   IN_DEFAULTS | RESTRICTS) \
	X(MDNS,            "mdns",            NUMBER,  value_yes_no,        1, 1,   IN_DEFAULTS)             \
	X(NICE,            "nice",            NUMBER,  value_nice,          1, 1,   EXTENDS)                       \
	X(NO_ACCESS,       "no_access",       LIST,    NULL,                0, ANY, CUMULATES | IN_DEFAULTS | RESTRICTS) \
	X(NO_ACCESS_FILE,  "no_access_file",  TEXT,    NULL,                1, 1,   IN_DEFAULTS | RESTRICTS) \
	X(NO_NEW_PRIVS,    "no_new_privs",    NUMBER,  value_yes_no,        1, 1,   IN_DEFAULTS | RESTRICTS) \
	X(ONLY_FROM,       "only_from",       LIST,    NULL,                0, ANY, CUMULATES | IN_DEFAULTS | RESTRICTS) \
	X(ONLY_FROM_FILE,  "only_from_file",  TEXT,    NULL,                1, 1,   IN_DEFAULTS | RESTRICTS) \
	X(OVERLOAD,        "overload",        NUMBER,  value_overload,      1, 1,   IN_DEFAULTS | RESTRICTS) \
	X(PASSENV,         "passenv",         LIST,    NULL,                0, ANY, CUMULATES | IN_DEFAULTS | RESTRICTS) \
	X(PER_SOURCE,      "per_source",      NUMBER,  value_count,         1, 1,   IN_DEFAULTS | RESTRICTS) \
	X(PER_SOURCE_MASK, "per_source_mask", NUMBERS, value_positive,      1, 2,   IN_DEFAULTS | RESTRICTS) \
	X(PORT,            "port",            TEXT,    NULL,                1, 1,   0)                       \
	X(PROGRAMNAME,     "programname",     TEXT,    NULL,                1, 1,   0)                       \
	X(PROTOCOL,        "protocol",        TEXT,    NULL,                1, 1,   0)                       \
	X(REDIRECT,        "redirect",        LIST,    NULL,                2, 2,   0)                       \
	X(RLIMIT_AS,       "rlimit_as",       NUMBER,  value_rlimit_size,   1, 1,   RESTRICTS | EXTENDS)               \
	X(RLIMIT_CPU,      "rlimit_cpu",      NUMBER,  value_rlimit_number, 1, 1,   RESTRICTS | EXTENDS)               \
	X(RLIMIT_DATA,     "rlimit_data",     NUMBER,  value_rlimit_size,   1, 1,   RESTRICTS | EXTENDS)               \
	X(RLIMIT_FILES,    "rlimit_files",    NUMBER,  value_rlimit_files,  1, 1,   RESTRICTS | EXTENDS)               \
	X(RLIMIT_RSS,      "rlimit_rss",      NUMBER,  value_rlimit_size,   1, 1,   RESTRICTS | EXTENDS)               \
	X(RLIMIT_STACK,    "rlimit_stack",    NUMBER,  value_rlimit_size,   1, 1,   RESTRICTS | EXTENDS)               \
	X(RPC_NUMBER,      "rpc_number",      NUMBER,  value_positive,      1, 1,   0)                       \
	X(RPC_VERSION,     "rpc_version",     TEXT,    NULL,                1, 1,   0)                       \
	X(SERVER,          "server",          TEXT,    NULL,                1, 1,   0)                       \
	X(SERVER_ARGS,     "server_args",     LIST,    NULL,                1, ANY, LITERAL_HASH)            \
	X(SESSION_TIMEOUT, "session_timeout", NUMBER,  value_number,        1, 1,   IN_DEFAULTS | RESTRICTS) \
	X(SOCKET_GROUP,    "socket_group",    TEXT,    NULL,                1, 1,   RESTRICTS)               \
	X(SOCKET_MODE,     "socket_mode",     NUMBER,  value_umask,         1, 1,   RESTRICTS)               \
	X(SOCKET_TYPE,     "socket_type",     NUMBER,  value_socket_type,   1, 1,   0)                       \
	X(SOCKET_USER,     "socket_user",     TEXT,    NULL,                1, 1,   RESTRICTS)               \
	X(TYPE,            "type",            NUMBERS, value_service_type,  1, ANY, 0)                       \
	X(UMASK,           "umask",           NUMBER,  value_umask,         1, 1,   IN_DEFAULTS | RESTRICTS)             \
	X(USER,            "user",            TEXT,    NULL,                1, 1,   RESTRICTS)               \
	X(V6ONLY,          "v6only",          NUMBER,  value_yes_no,        1, 1,   IN_DEFAULTS | RESTRICTS)             \
	X(WAIT,            "wait",            NUMBER,  value_wait,          1, 1,   0)
/* clang-format on */

enum attr {
#define X(symbol, ...) ATTR_##symbol,
	SCHEMA_ATTRIBUTES(X)
#undef X
	ATTR_COUNT
};

/*
 * What one stanza said so far. One object serves a whole load: schema_begin()
 * empties it for the next stanza. Everything it rejects goes to the diag with
 * file and line, and is remembered: schema_failed().
 */
struct schema;

/* What became of a line. */
enum schema_result {
	SCHEMA_TAKEN,   /* set, or ignored with a finding */
	SCHEMA_DISABLE, /* it was "disable = yes": the rest of the stanza does not count */
	SCHEMA_NOMEM,
};

/* A new one that reports to @diag and finds words in @pool, or NULL when memory ran out. */
struct schema *schema_new(struct diag *diag, struct intern_pool *pool);
void schema_free(struct schema *schema);

/*
 * Begins with @stanza, which must outlive its use here; findings name @label
 * (NULL for defaults). What the defaults stanzas before it said is its start
 * value, which its own lines replace or edit: all defaults must be fed first.
 */
void schema_begin(struct schema *schema, const struct stanza *stanza, const char *label);

/*
 * Applies one line of the stanza: aliases, operators, word counts, comments
 * behind values. An attribute that is not known is a warning; a value that
 * cannot be understood, and a name that looks like a misspelt restriction, is
 * an error (defect D4; no restriction is ever dropped).
 */
enum schema_result schema_set(struct schema *schema, const struct attribute *line);

/* Whether some line was rejected with an error. */
bool schema_failed(const struct schema *schema);

/* Whether the attribute has a value (an empty list is one), and whether the stanza itself gave it. */
bool schema_given(const struct schema *schema, enum attr attr);
bool schema_own(const struct schema *schema, enum attr attr);

/* Number of values, and value @i; NUMBER and NUMBERS, FRACTION, TEXT and LIST in turn. */
size_t schema_count(const struct schema *schema, enum attr attr);
long schema_number(const struct schema *schema, enum attr attr, size_t i);
double schema_fraction(const struct schema *schema, enum attr attr);
const char *schema_text(const struct schema *schema, enum attr attr, size_t i);

/* The first word as a value (base/intern.h) with one reference; NULL when memory ran out. */
const char *schema_text_value(struct schema *schema, enum attr attr);

/* The words of the value (base/intern.h), without a reference; WORDS_NONE where there is none. */
const struct words *schema_words(const struct schema *schema, enum attr attr);

/* Adds a finding at the line that gave @attr (or at the stanza's line); an error marks the stanza as failed. */
void schema_report(struct schema *schema, enum attr attr, enum severity severity,
		   const char *format, ...) PRINTF_LIKE(4, 5);

/* The words that the defaults stanzas gave to @attr, or NULL when none did. */
const struct words *schema_defaults(const struct schema *schema, enum attr attr);

/* The name of an attribute. */
const char *schema_name(enum attr attr);
