/* SPDX-License-Identifier: ISC */
/* Telnet's commands (RFC 854) taken out of what a client sends. */
#pragma once

/* In the middle of which command we are; zero is a good beginning. */
struct telnet {
	enum {
		TELNET_IN_TEXT,
		TELNET_AFTER_IAC,
		TELNET_IN_OPTION,
		TELNET_IN_SUBNEGOTIATION,
		TELNET_IN_SUBNEGOTIATION_AFTER_IAC,
	} state;
};

enum telnet_byte {
	TELNET_TEXT,    /* the byte is what somebody typed */
	TELNET_COMMAND, /* the byte is part of a command, which is ignored */
	TELNET_END,     /* the byte completes one with which people leave, as Ctrl-C does */
};

/*
 * Takes one byte. Nothing is ever answered: a client that asks for an option
 * and hears nothing goes on without it. 255, with which commands begin, occurs
 * in no UTF-8.
 */
enum telnet_byte telnet_feed(struct telnet *telnet, unsigned char byte);
