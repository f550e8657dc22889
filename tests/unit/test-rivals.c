/* SPDX-License-Identifier: ISC */
/* Tests of which service stands in the way of another. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/rivals.h"
#include "load.h"

static void finds_who_listens_there(void **state)
{
	struct rivals rivals = { 0 };
	const struct service *a, *b, *c, *d;
	struct load load;

	(void)state;
	load_text(&load, STANZA_AT("a", "4001", "bind = 127.0.0.1\n") STANZA_AT("b", "4002", "")
				 STANZA_AT("c", "4003", "bind = /run/x\n")
					 STANZA_AT("d", "4004", "bind = 127.0.0.1 /run/y\n"));
	a = must_have(&load, "a");
	b = must_have(&load, "b");
	c = must_have(&load, "c");
	d = must_have(&load, "d");
	assert_null(rivals_at_place(&rivals, a));
	rivals_add(&rivals, a, false);
	rivals_add(&rivals, c, false);
	assert_ptr_equal(rivals_at_place(&rivals, a), a);
	assert_ptr_equal(rivals_at_place(&rivals, c), c);
	assert_null(rivals_at_place(&rivals, b));
	assert_null(rivals_at_place(&rivals, d));
	rivals_done(&rivals);
	assert_null(rivals_at_place(&rivals, a));
	load_done(&load);
}

#define PROGRAM(name, port, version)                                                            \
	"service " name "\n{\ntype = RPC UNLISTED\nrpc_number = 300000\nrpc_version = " version \
	"\nport = " port "\nsocket_type = stream\nprotocol = tcp\nwait = yes\nuser = root\n"    \
	"server = /bin/sh\n}\n"

static void finds_who_registers_the_program(void **state)
{
	struct rivals rivals = { 0 };
	const struct service *a, *b;
	struct load load, other;

	(void)state;
	load_text(&load, PROGRAM("a", "4001", "1-3") PROGRAM("b", "4002", "4-5"));
	load_text(&other, PROGRAM("c", "4003", "5"));
	a = must_have(&load, "a");
	b = must_have(&load, "b");
	assert_null(rivals_of_program(&rivals, a));
	rivals_add(&rivals, a, false);
	assert_null(rivals_of_program(&rivals, b));
	rivals_add(&rivals, b, false);
	assert_ptr_equal(rivals_of_program(&rivals, a), a);
	assert_ptr_equal(rivals_of_program(&rivals, must_have(&other, "c")), b);
	rivals_done(&rivals);
	load_done(&load);
	load_done(&other);
}

static void finds_names_and_ids_of_a_kind(void **state)
{
	struct rivals rivals = { 0 };
	struct load load, other;

	(void)state;
	load_text(&load, STANZA("Telnet", "id = one\n"));
	load_text(
		&other,
		STANZA_AT("x", "1", "id = ONE\n") STANZA_AT("telnet", "2", "id = two\n") STANZA_AT(
			"one", "3",
			"id = Telnet\n") "service telnet\n{\nid = u\ntype = UNLISTED\nsocket_type = dgram\nport = 4\n"
					 "wait = yes\nuser = root\nserver = /bin/sh\n}\n");
	rivals_add(&rivals, must_have(&load, "one"), true);
	assert_true(rivals_have_name(&rivals, must_have(&other, "ONE")));
	assert_true(rivals_have_name(&rivals, must_have(&other, "two")));
	/* Ids and names are not compared with each other, nor services of another kind. */
	assert_false(rivals_have_name(&rivals, must_have(&other, "Telnet")));
	assert_false(rivals_have_name(&rivals, must_have(&other, "u")));
	rivals_done(&rivals);
	rivals_add(&rivals, must_have(&load, "one"), false);
	assert_false(rivals_have_name(&rivals, must_have(&other, "ONE")));
	rivals_done(&rivals);
	load_done(&load);
	load_done(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_who_listens_there),
		cmocka_unit_test(finds_who_registers_the_program),
		cmocka_unit_test(finds_names_and_ids_of_a_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
