/* SPDX-License-Identifier: ISC */
/* What a client sends, cut into lines. */
#include "chat_line.h"

/* One byte of text. */
static enum line_event take_text(struct line *line, char byte)
{
	bool after_cr = line->after_cr;

	line->after_cr = byte == '\r';
	if (byte == '\n' || (byte == '\0' && after_cr)) {
		line->complete = !line->too_long;
		line->too_long = false;
		return line->complete ? LINE_COMPLETE : LINE_NOTHING;
	}
	/* A CR elsewhere is a control character, which nobody misses. */
	if (byte == '\r' || line->too_long)
		return LINE_NOTHING;
	if (line->length == LINE_BYTES) {
		line->too_long = true;
		line->length = 0;
		return LINE_TOO_LONG;
	}
	line->text[line->length++] = byte;
	return LINE_NOTHING;
}

static enum line_event take(struct line *line, char byte)
{
	enum line_event event = LINE_NOTHING;

	switch (telnet_feed(&line->telnet, (unsigned char)byte)) {
	case TELNET_END:
		return LINE_LEAVE;
	case TELNET_TEXT:
		event = take_text(line, byte);
		break;
	case TELNET_COMMAND:
		break;
	}
	if (event == LINE_NOTHING && ++line->taken >= LINE_EVENT_BYTES)
		event = LINE_GOES_ON;
	if (event != LINE_NOTHING)
		line->taken = 0;
	return event;
}

static void forget_shown(struct line *line)
{
	if (line->complete)
		line->length = 0;
	line->complete = false;
}

size_t line_feed(struct line *line, const char *bytes, size_t length, enum line_event *ret_event)
{
	enum line_event event = LINE_NOTHING;
	size_t taken = 0;

	forget_shown(line);
	while (event == LINE_NOTHING && taken < length)
		event = take(line, bytes[taken++]);
	*ret_event = event;
	return taken;
}

bool line_finish(struct line *line)
{
	forget_shown(line);
	return line->length > 0;
}
