/* SPDX-License-Identifier: ISC */
/* What a client sends, cut into lines. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "chat_telnet.h"

/* Bytes of a line as they come, without its end. */
#define LINE_BYTES 1000

/* Something is told at least as often as this many bytes are taken. */
#define LINE_EVENT_BYTES 2000

/* A line that is not yet complete; zero is a good beginning. */
struct line {
	struct telnet telnet;
	bool after_cr;
	bool complete; /* text[] has been shown */
	bool too_long;
	size_t taken;  /* bytes since the last event */
	size_t length; /* of text[] */
	char text[LINE_BYTES];
};

enum line_event {
	LINE_NOTHING,  /* all is taken and the line is not complete */
	LINE_COMPLETE, /* a line is in text[] until more is fed */
	LINE_TOO_LONG, /* it is not kept; its end is looked for */
	LINE_GOES_ON,  /* LINE_EVENT_BYTES have been thrown away */
	LINE_LEAVE,    /* a Telnet command that ends a program */
};

/*
 * Takes bytes until there is something to tell; returns how many it took, and
 * *@ret_event. LF, CR LF and CR NUL (RFC 854) end a line. Who counts events
 * counts effort, whatever is sent.
 */
size_t line_feed(struct line *line, const char *bytes, size_t length, enum line_event *ret_event);

/* Nothing more comes. Returns whether an unfinished line is in text[]. */
bool line_finish(struct line *line);
