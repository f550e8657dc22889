/* SPDX-License-Identifier: ISC */
/* Telnet's commands (RFC 854) taken out of what a client sends. */
#include "chat_telnet.h"

#include <arpa/telnet.h>

static enum telnet_byte after_iac(struct telnet *telnet, unsigned char byte)
{
	telnet->state = TELNET_IN_TEXT;
	switch (byte) {
	case IAC:
		/* Doubled it means itself. */
		return TELNET_TEXT;
	case WILL:
	case WONT:
	case DO:
	case DONT:
		telnet->state = TELNET_IN_OPTION;
		return TELNET_COMMAND;
	case SB:
		telnet->state = TELNET_IN_SUBNEGOTIATION;
		return TELNET_COMMAND;
	case IP:
	case ABORT:
	case SUSP:
	case xEOF:
		return TELNET_END;
	default:
		return TELNET_COMMAND;
	}
}

enum telnet_byte telnet_feed(struct telnet *telnet, unsigned char byte)
{
	switch (telnet->state) {
	case TELNET_IN_TEXT:
		if (byte != IAC)
			return TELNET_TEXT;
		telnet->state = TELNET_AFTER_IAC;
		break;
	case TELNET_AFTER_IAC:
		return after_iac(telnet, byte);
	case TELNET_IN_OPTION:
		telnet->state = TELNET_IN_TEXT;
		break;
	case TELNET_IN_SUBNEGOTIATION:
		if (byte == IAC)
			telnet->state = TELNET_IN_SUBNEGOTIATION_AFTER_IAC;
		break;
	case TELNET_IN_SUBNEGOTIATION_AFTER_IAC:
		telnet->state = byte == SE ? TELNET_IN_TEXT : TELNET_IN_SUBNEGOTIATION;
		break;
	}
	return TELNET_COMMAND;
}
