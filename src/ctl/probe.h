/* SPDX-License-Identifier: ISC */
/* usherctl call --all: which services of a configuration answer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ctl/ctl.h"

/*
 * Calls every endpoint of every service of @file (NULL: xinetd's) and @inetd_file
 * (NULL: none), several at a time, each for @timeout_usec (0: two seconds) at most,
 * and prints a table or JSON of what they do. A stream service is sent an end,
 * a datagram service an empty message. Returns STATUS_ERRORS when one could not be
 * reached, otherwise what ctl_status() says of the configuration.
 */
enum status probe_all(const char *file, const char *inetd_file, uint64_t timeout_usec, bool json);
