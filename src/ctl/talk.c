/* SPDX-License-Identifier: ISC */
/* An exchange with a person at a terminal, who edits lines while those of the service come in above. */
#include "config.h"

#include "ctl/talk.h"

#include <sys/socket.h>

#ifdef HAVE_LIBEDIT
#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

/* Longest unfinished line that serves as the prompt. */
#define PROMPT_MAX    256
#define HISTORY_LINES 500

struct talk {
	struct exchange *x;
	struct failure *failure;
	enum status status; /* not STATUS_CLEAN: it is over */
	bool closed;        /* the service has ended its side */
	EditLine *editor;
	History *history;
	char prompt[PROMPT_MAX + 1];
	size_t n_prompt;
	mbstate_t decoding;
};

static struct talk *talk_of(EditLine *editor)
{
	void *data = NULL;

	(void)el_get(editor, EL_CLIENTDATA, &data);
	return data;
}

static char *prompt(EditLine *editor)
{
	return talk_of(editor)->prompt;
}

static size_t columns_of(const wchar_t *text, size_t n)
{
	size_t columns = 0;

	for (size_t i = 0; i < n; i++) {
		int width = wcwidth(text[i]);

		/* What cannot be shown is shown as ^X or \U+XXXX. */
		columns += width >= 0 ? (size_t)width : 2;
	}
	return columns;
}

/* Clears what is being edited from the screen, with the cursor where it began. */
static void clear_line(const struct talk *t)
{
	const LineInfoW *line = el_wline(t->editor);
	wchar_t wide[PROMPT_MAX + 1];
	size_t n = mbstowcs(wide, t->prompt, PROMPT_MAX + 1), columns, rows = 0;
	struct winsize size;

	columns = n == (size_t)-1 ? 0 : columns_of(wide, n);
	columns += columns_of(line->buffer, (size_t)(line->cursor - line->buffer));
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		rows = columns / size.ws_col;
	if (rows > 0)
		(void)printf("\033[%zuA", rows);
	(void)fputs("\r\033[J", stdout);
}

/* Writes whole lines above the one that is being edited; what is behind them becomes its prompt. */
static void show(struct talk *t, const char *text, size_t n)
{
	const char *end = memrchr(text, '\n', n);
	size_t whole = end ? (size_t)(end - text) + 1 : 0;

	clear_line(t);
	if (whole > 0) {
		(void)fwrite(t->prompt, 1, t->n_prompt, stdout);
		(void)fwrite(text, 1, whole, stdout);
		t->n_prompt = 0;
	}
	while (n - whole > PROMPT_MAX - t->n_prompt) {
		size_t room = PROMPT_MAX - t->n_prompt;

		/* A line ends between characters. */
		while (whole + room < n && (text[whole + room] & 0xc0) == 0x80)
			room++;
		(void)fwrite(t->prompt, 1, t->n_prompt, stdout);
		(void)fwrite(text + whole, 1, room, stdout);
		whole += room;
		t->n_prompt = 0;
		if (n - whole <= PROMPT_MAX)
			(void)putchar('\n');
	}
	memcpy(t->prompt + t->n_prompt, text + whole, n - whole);
	t->n_prompt += n - whole;
	t->prompt[t->n_prompt] = '\0';
	(void)fflush(stdout);
	(void)el_set(t->editor, EL_REFRESH);
}

/* Nothing is edited any more; what the service has said stays, what was typed and not sent goes. */
static void leave_line(const struct talk *t)
{
	clear_line(t);
	if (t->n_prompt > 0)
		(void)printf("%s\n", t->prompt);
}

static void receive(struct talk *t)
{
	struct exchange *x = t->x;
	ssize_t n = recv(x->connection->fd, x->outlet->raw, OUTLET_MAX, 0);
	char where[ENDPOINT_TEXT_MAX];

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		t->status = failure_errno(t->failure, errno, "%s",
					  connection_format(x->connection, where));
		return;
	}
	if (n == 0 && x->connection->place->socktype != SOCK_DGRAM) {
		t->closed = true;
		return;
	}
	outlet_put(x->outlet, (size_t)n);
	x->received_messages++;
	show(t, x->outlet->rest, x->outlet->n_rest);
	x->outlet->n_rest = 0;
}

/* One byte of the keyboard. Returns 1 when it completes a character, 0 when it does not, -1 at the end. */
static int key(struct talk *t, wchar_t *ret)
{
	char byte;
	ssize_t n = read(STDIN_FILENO, &byte, 1);
	size_t used;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0)
		return -1;
	used = mbrtowc(ret, &byte, 1, &t->decoding);
	if (used == (size_t)-2)
		return 0;
	if (used != (size_t)-1)
		return 1;
	t->decoding = (mbstate_t){ 0 };
	return 0;
}

/* What the editor calls for the next character; the service is heard meanwhile. */
static int next_character(EditLine *editor, wchar_t *ret)
{
	struct talk *t = talk_of(editor);

	while (t->status == STATUS_CLEAN && !t->closed && !outlet_found(t->x->outlet)) {
		uint64_t until = t->x->deadline_usec, now = now_usec();
		struct pollfd fds[] = { { STDIN_FILENO, POLLIN, 0 },
					{ t->x->connection->fd, POLLIN, 0 } };
		int n = poll(fds, ARRAY_SIZE(fds),
			     !until        ? -1
			     : now < until ? (int)((until - now) / USEC_PER_MSEC) + 1
					   : 0);

		if (n == 0)
			t->status = exchange_too_late(t->x, t->failure);
		if (n <= 0)
			continue;
		if (fds[1].revents)
			receive(t);
		else if (fds[0].revents) {
			int r = key(t, ret);

			if (r != 0)
				return r > 0 ? 1 : 0;
		}
	}
	return 0;
}

static void send_line(struct talk *t, const char *line, size_t n)
{
	struct exchange *x = t->x;
	char where[ENDPOINT_TEXT_MAX];

	while (n > 0) {
		struct pollfd writable = { .fd = x->connection->fd, .events = POLLOUT };
		ssize_t sent = send(x->connection->fd, line, n, MSG_NOSIGNAL);

		if (sent >= 0) {
			line += sent;
			n -= (size_t)sent;
			x->sent_bytes += (uint64_t)sent;
		} else if (errno == EAGAIN) {
			(void)poll(&writable, 1, -1);
		} else if (errno != EINTR) {
			t->status = failure_errno(t->failure, errno, "%s",
						  connection_format(x->connection, where));
			return;
		}
	}
	x->sent_messages++;
}

static void edit(struct talk *t)
{
	HistEvent event;

	while (t->status == STATUS_CLEAN && !t->closed && !outlet_found(t->x->outlet)) {
		int n = 0;
		const char *line = el_gets(t->editor, &n);

		if (t->status != STATUS_CLEAN || t->closed || outlet_found(t->x->outlet))
			break;
		if (!line || n <= 0)
			return;
		/* The line that was the prompt has its end now. */
		t->prompt[t->n_prompt = 0] = '\0';
		if (n > 1)
			(void)history(t->history, &event, H_ENTER, line);
		send_line(t, line, (size_t)n);
	}
}

static bool set_up(struct talk *t)
{
	HistEvent event;

	t->editor = el_init("usherctl", stdin, stdout, stderr);
	t->history = history_init();
	return t->editor && t->history &&
	       history(t->history, &event, H_SETSIZE, HISTORY_LINES) >= 0 &&
	       el_set(t->editor, EL_CLIENTDATA, t) == 0 &&
	       el_set(t->editor, EL_PROMPT, prompt) == 0 &&
	       el_set(t->editor, EL_EDITOR, "emacs") == 0 && el_set(t->editor, EL_SIGNAL, 1) == 0 &&
	       el_set(t->editor, EL_HIST, history, t->history) == 0 &&
	       el_wset(t->editor, EL_GETCFN, next_character) == 0;
}

static void tear_down(struct talk *t)
{
	if (t->editor)
		el_end(t->editor);
	if (t->history)
		history_end(t->history);
}

/* Whether the person was heard to the end, so that only the service has something to say. */
static bool talk_with_editor(struct exchange *x, struct failure *failure, enum status *ret)
{
	struct talk t = { .x = x, .failure = failure };
	bool usable = set_up(&t);

	if (usable) {
		/* The person's own key bindings; without a file there are none. */
		(void)el_source(t.editor, NULL);
		edit(&t);
		if (t.closed || t.status != STATUS_CLEAN || outlet_found(x->outlet))
			leave_line(&t);
		(void)fflush(stdout);
	}
	tear_down(&t);
	if (t.closed)
		(void)fprintf(stderr, "usherctl: the service has ended the connection\n");
	*ret = t.status != STATUS_CLEAN ? t.status : exchange_verdict(x, failure);
	if (!usable)
		return false;
	x->feed->ended = true;
	return t.closed || t.status != STATUS_CLEAN || outlet_found(x->outlet);
}
#endif

enum status talk(struct exchange *x, struct failure *failure)
{
	bool datagrams = x->connection->place->socktype == SOCK_DGRAM;
#ifdef HAVE_LIBEDIT
	enum status status;

	if (talk_with_editor(x, failure, &status) || (datagrams && x->feed->ended))
		return status;
#endif
	return datagrams ? exchange_datagrams(x, failure) : exchange_stream(x, failure);
}
