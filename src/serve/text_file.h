/* SPDX-License-Identifier: ISC */
/* A text in a memory file that nobody can change, for the worker to send (worker_link_text()). */
#pragma once

#include <stdio.h>

/*
 * Has @write write the text. Returns the descriptor, sealed and close-on-exec, or
 * -errno. The worker, which is not trusted, may have it, and so may later clients.
 */
int text_file_make(void (*write)(const void *arg, FILE *out), const void *arg);
