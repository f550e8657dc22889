/* SPDX-License-Identifier: ISC */
/* The daemon's own messages on their way to a sink. */
#pragma once

#include "base/log.h"

struct sink;
struct writer;

/*
 * From here on messages go to @sink by @writer, as log_open() has it (a reference is taken, and the
 * sink is marked as the daemon's: it should carry nothing else), until log_close().
 */
void daemon_log_open(struct writer *writer, struct sink *sink, enum log_style style,
		     enum log_level max);
