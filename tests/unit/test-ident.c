/* SPDX-License-Identifier: ISC */
/* Asks ident servers of the test's own: those that answer, refuse, hang, trickle and say rubbish. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "gate/ident.h"

#define FAR_USEC (20 * USEC_PER_SEC)

static struct addr address(const char *text, uint16_t port)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	addr.port = port;
	return addr;
}

/* --- the answer ---------------------------------------------------------------- */

#define assert_text(reply, expected) assert_bytes_text(reply, sizeof(reply) - 1, expected)

static void assert_bytes_text(const char *reply, size_t length, const char *expected)
{
	/* On the heap, to its exact length: what reads further is found by the sanitizer. */
	char *copy = malloc(length ? length : 1), text[IDENT_TEXT_MAX + 1];

	assert_non_null(copy);
	memcpy(copy, reply, length);
	memset(text, 'x', sizeof(text));
	assert_int_equal(ident_parse(copy, length, 6191, 23, text),
			 expected ? IDENT_ANSWERED : IDENT_BAD_RESPONSE);
	assert_string_equal(text, expected ? expected : "");
	free(copy);
}

static void takes_what_is_behind_userid(void **unused)
{
	(void)unused;
	assert_text("6191 , 23 : USERID : UNIX :joe user\r\n", "UNIX :joe user");
	assert_text("6191,23:USERID:UNIX:joe\n", "UNIX:joe");
	assert_text(" \t6191\t,\t23\t:\tUSERID\t:\tOTHER,US-ASCII : x:y \r\nmore\n",
		    "OTHER,US-ASCII : x:y ");
	assert_text("006191, 0000000000023 : USERID : x\n", "x");
}

static void ports_must_be_those_that_were_asked_for(void **unused)
{
	(void)unused;
	assert_text("23 , 6191 : USERID : UNIX :joe\r\n", NULL);
	assert_text("6191 , 24 : USERID : UNIX :joe\r\n", NULL);
	assert_text("6191 : USERID : UNIX :joe\r\n", NULL);
	assert_text("-6191 , 23 : USERID : UNIX :joe\r\n", NULL);
	assert_text("71727 , 23 : USERID : UNIX :joe\r\n", NULL);
	assert_text("4294973487 , 23 : USERID : UNIX :joe\r\n", NULL);
	assert_text(" , : USERID : UNIX :joe\r\n", NULL);
	assert_text("0x182f , 23 : USERID : UNIX :joe\r\n", NULL);
}

static void anything_else_is_a_bad_response(void **unused)
{
	static const char *const bad[] = {
		"",
		"\n",
		"\r\n",
		"6191 , 23 : ERROR : NO-USER\r\n",
		"6191 , 23 : USERID : UNIX :joe", /* no end */
		"6191 , 23 : USERID : UNIX :joe\r",
		"6191 , 23 : USERID :\r\n",
		"6191 , 23 : USERID : \t \r\n",
		"6191 , 23 : USERID\r\n",
		"6191 , 23 : USERIDX : joe\r\n",
		"6191 , 23 : userid : UNIX :joe\r\n",
		"6191 , 23 :\r\n",
		"6191 , 23 USERID : joe\r\n",
		"6191 23 : USERID : joe\r\n",
		"6191 ,\n",
		"6191\n",
		"6191 , 23 : USERID : a\rb\r\n",
		"6191 , 23 : USERID : a\r\r\n",
		"HTTP/1.1 400 Bad Request\r\n\r\n",
		"\n6191 , 23 : USERID : UNIX :joe\r\n",
		"ERROR 6191 , 23 : USERID : UNIX :joe\r\n",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_bytes_text(bad[i], strlen(bad[i]), NULL);
	assert_text("6191 , 23 : USERID : UNIX :jo\0e\r\n", NULL);
	assert_text("\0", NULL);
	assert_text("6191\0 , 23 : USERID : UNIX :joe\r\n", NULL);
}

static void the_text_is_escaped_and_cut(void **unused)
{
	char reply[IDENT_REPLY_MAX], text[IDENT_TEXT_MAX + 1];
	const char *head = "6191 , 23 : USERID : ";
	size_t used = strlen(head);

	(void)unused;
	assert_text("6191 , 23 : USERID : UNIX : a\x07\x62\x1b[1m\\\xff\r\n",
		    "UNIX : a\\x07b\\x1b[1m\\\\xff");
	memset(reply, 'a', sizeof(reply));
	memcpy(reply, head, used);
	reply[sizeof(reply) - 1] = '\n';
	assert_int_equal(ident_parse(reply, sizeof(reply), 6191, 23, text), IDENT_ANSWERED);
	assert_int_equal(strlen(text), IDENT_TEXT_MAX);
	/* No half of an escape is left. */
	memset(reply + used, '\x01', sizeof(reply) - used - 1);
	assert_int_equal(ident_parse(reply, sizeof(reply), 6191, 23, text), IDENT_ANSWERED);
	assert_int_equal(strlen(text), IDENT_TEXT_MAX / 4 * 4);
	assert_string_equal(text + strlen(text) - 4, "\\x01");
	/* A line that does not end in time. */
	reply[sizeof(reply) - 1] = 'a';
	assert_int_equal(ident_parse(reply, sizeof(reply), 6191, 23, text), IDENT_BAD_RESPONSE);
}

/* --- the question ---------------------------------------------------------------- */

/* An ident server: a process that accepts once, reads the question, and does this with it. */
struct identd {
	const char *host;
	const char *answer; /* NULL: none, it hangs */
	size_t length;
	bool trickles; /* a byte every 20 ms, for ever */
	bool resets;
};

static int listener(const char *host, uint16_t *ret_port, int backlog)
{
	struct sockaddr_storage sa;
	struct addr addr = address(host, 0);
	socklen_t length = addr_to_sockaddr(&addr, &sa);
	int fd = socket(addr.family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, length) < 0) {
		print_message("no loopback address %s\n", host);
		skip();
	}
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &length), 0);
	addr_from_sockaddr(&addr, (struct sockaddr *)&sa, length);
	*ret_port = addr.port;
	return fd;
}

static void put_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

		if (n <= 0)
			_exit(3);
		bytes += n;
		length -= (size_t)n;
	}
}

/* Ends with status 0 when it was asked from @from, and as RFC 1413 says. */
static _Noreturn void serve(const struct identd *identd, int door, const struct addr *from)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	const struct linger linger = { .l_onoff = 1 };
	struct sockaddr_storage sa;
	socklen_t length = sizeof(sa);
	char question[64] = "";
	struct addr peer;
	size_t got = 0;
	int fd = accept(door, (struct sockaddr *)&sa, &length);

	if (fd < 0)
		_exit(1);
	addr_from_sockaddr(&peer, (struct sockaddr *)&sa, length);
	while (got < sizeof(question) - 1 && !strchr(question, '\n')) {
		ssize_t n = recv(fd, question + got, sizeof(question) - 1 - got, 0);

		if (n <= 0)
			_exit(2);
		got += (size_t)n;
	}
	if (identd->answer && !identd->trickles)
		put_all(fd, identd->answer, identd->length);
	while (identd->trickles) {
		put_all(fd, " ", 1);
		(void)nanosleep(&pause, NULL);
	}
	if (identd->resets)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	else if (!identd->answer)
		(void)recv(fd, question, 1, 0);
	if (strncmp(question, "6191,23\r\n", 9) != 0 && identd->answer)
		_exit(4);
	_exit(addr_equal(&peer, from) ? 0 : 5);
}

/* Asks @identd from @local within @usec; what the server thought of it is checked, too. */
static enum ident_outcome ask(const struct identd *identd, const char *local, uint64_t usec,
			      int expected_status, char text[static IDENT_TEXT_MAX + 1])
{
	struct addr here = address(local, 23), there = address(identd->host, 6191);
	enum ident_outcome outcome;
	uint16_t port;
	int door = listener(identd->host, &port, 1);
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		serve(identd, door, &here);
	(void)close(door);
	outcome = ident_ask(&here, &there, port, now_usec() + usec, text);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected_status);
	return outcome;
}

#define ANSWER(text) .answer = (text), .length = sizeof(text) - 1

static void asks_from_the_address_of_the_connection(void **unused)
{
	static const struct {
		const char *local, *peer;
	} pairs[] = { { "127.0.0.5", "127.0.0.7" },
		      { "127.0.0.1", "127.0.0.1" },
		      { "::1", "::1" } };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const struct identd identd = { .host = pairs[i].peer,
					       ANSWER("6191 , 23 : USERID : UNIX :joe user\r\n") };
		char text[IDENT_TEXT_MAX + 1];

		assert_int_equal(ask(&identd, pairs[i].local, FAR_USEC, 0, text), IDENT_ANSWERED);
		assert_string_equal(text, "UNIX :joe user");
	}
}

static void says_why_there_is_no_answer(void **unused)
{
	char text[IDENT_TEXT_MAX + 1], huge[5000];
	struct addr here = address("127.0.0.1", 23), there = address("127.0.0.1", 6191);
	uint16_t port;
	int door = listener("127.0.0.1", &port, 1);
	struct identd identd = { .host = "127.0.0.1", ANSWER("") };

	(void)unused;
	(void)close(door);
	assert_int_equal(ident_ask(&here, &there, port, now_usec() + FAR_USEC, text),
			 IDENT_NO_SERVER);
	assert_string_equal(text, "");

	assert_int_equal(ask(&identd, "127.0.0.1", FAR_USEC, 0, text), IDENT_RECEIVE_ERROR);
	identd = (struct identd){ .host = "127.0.0.1", ANSWER("6191 , 23 : ERROR : NO-USER\r\n") };
	assert_int_equal(ask(&identd, "127.0.0.1", FAR_USEC, 0, text), IDENT_BAD_RESPONSE);
	identd = (struct identd){ .host = "127.0.0.1", ANSWER("6191 , 23 : USERID : UNIX :jo") };
	assert_int_equal(ask(&identd, "127.0.0.1", FAR_USEC, 0, text), IDENT_RECEIVE_ERROR);
	memset(huge, 'x', sizeof(huge));
	identd = (struct identd){ .host = "127.0.0.1", .answer = huge, .length = sizeof(huge) };
	assert_int_equal(ask(&identd, "127.0.0.1", FAR_USEC, 0, text), IDENT_RECEIVE_ERROR);
	assert_string_equal(text, "");
	/* A reset in place of an answer. */
	identd = (struct identd){ .host = "127.0.0.1", .resets = true, ANSWER("") };
	assert_int_equal(ask(&identd, "127.0.0.1", FAR_USEC, 0, text), IDENT_RECEIVE_ERROR);
}

static void waits_no_longer_than_the_deadline(void **unused)
{
	struct identd identd = { .host = "127.0.0.1" };
	char text[IDENT_TEXT_MAX + 1];
	uint64_t began = now_usec();

	(void)unused;
	assert_int_equal(ask(&identd, "127.0.0.1", USEC_PER_SEC / 5, 0, text), IDENT_TIMEOUT);
	assert_true(now_usec() - began >= USEC_PER_SEC / 5);
	/* Bytes now and then do not move it. */
	identd.trickles = true;
	assert_int_equal(ask(&identd, "127.0.0.1", USEC_PER_SEC / 5, 3, text), IDENT_TIMEOUT);
	assert_true(now_usec() - began < 15 * USEC_PER_SEC);
	assert_string_equal(text, "");
}

/* One whose queue is full: the connection is not made. */
static void does_not_wait_for_a_connection_for_ever(void **unused)
{
	struct addr here = address("127.0.0.1", 23), there = address("127.0.0.2", 6191);
	char text[IDENT_TEXT_MAX + 1];
	struct sockaddr_storage sa;
	struct addr server = there;
	uint16_t port;
	int door = listener("127.0.0.2", &port, 0), fillers[3];
	socklen_t length;

	(void)unused;
	server.port = port;
	length = addr_to_sockaddr(&server, &sa);
	for (size_t i = 0; i < ARRAY_SIZE(fillers); i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&sa, length);
	}
	assert_int_equal(ident_ask(&here, &there, port, now_usec() + USEC_PER_SEC / 5, text),
			 IDENT_TIMEOUT);
	/* A deadline that has passed is one, too. */
	assert_int_equal(ident_ask(&here, &there, port, 1, text), IDENT_TIMEOUT);
	for (size_t i = 0; i < ARRAY_SIZE(fillers); i++)
		(void)close(fillers[i]);
	(void)close(door);
}

static void needs_addresses_that_can_be_asked_from(void **unused)
{
	struct addr ipv4 = address("127.0.0.1", 23), ipv6 = address("::1", 23);
	struct addr elsewhere = address("192.0.2.1", 23), none = { .family = AF_UNIX };
	char text[IDENT_TEXT_MAX + 1];
	uint64_t deadline = now_usec() + FAR_USEC;

	(void)unused;
	assert_int_equal(ident_ask(&none, &none, 113, deadline, text), IDENT_SYSTEM_ERROR);
	assert_int_equal(ident_ask(&ipv4, &ipv6, 113, deadline, text), IDENT_SYSTEM_ERROR);
	assert_int_equal(ident_ask(&elsewhere, &ipv4, 113, deadline, text), IDENT_SYSTEM_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_behind_userid),
		cmocka_unit_test(ports_must_be_those_that_were_asked_for),
		cmocka_unit_test(anything_else_is_a_bad_response),
		cmocka_unit_test(the_text_is_escaped_and_cut),
		cmocka_unit_test(asks_from_the_address_of_the_connection),
		cmocka_unit_test(says_why_there_is_no_answer),
		cmocka_unit_test(waits_no_longer_than_the_deadline),
		cmocka_unit_test(does_not_wait_for_a_connection_for_ever),
		cmocka_unit_test(needs_addresses_that_can_be_asked_from),
	};

	return cmocka_run_group_tests_name("ident", tests, NULL, NULL);
}
