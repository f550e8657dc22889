/* SPDX-License-Identifier: ISC */
/* Internal services that say a line and read nothing: answered where they are accepted. */
#pragma once

#include <stdbool.h>

struct session;

/*
 * Whether the client of @session, whose connection is @fd, can be answered so: it is one of daytime or
 * time on TCP, and has sent nothing. Nothing is parsed then, or even read, and
 * nobody waited for: a fresh connection has room for a line. To hand it over costs as much
 * again as all the rest. One that has sent something is for the worker, which
 * sees to it that the answer outlives that.
 */
bool at_once_can(const struct session *session, int fd);

/* Answers, and records START and EXIT; the session is gone then. @fd stays the caller's, who closes it. */
void at_once_answer(struct session *session, int fd);
