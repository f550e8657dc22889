/* SPDX-License-Identifier: ISC */
/* Tests of the look-ups in the system's databases. */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/lookup.h"
#include "config/service.h"

static int set_up(void **state)
{
	*state = lookup_new();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	lookup_free(*state);
	return 0;
}

static void finds_users_by_name_and_number(void **state)
{
	struct passwd *nobody = getpwnam("nobody");
	gid_t gid = 99;
	uid_t uid = 99;

	assert_int_equal(lookup_user(*state, "root", &uid, &gid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(gid, 0);
	if (nobody) {
		char number[16];

		(void)snprintf(number, sizeof(number), "%u", (unsigned)nobody->pw_uid);
		assert_int_equal(lookup_user(*state, "nobody", &uid, &gid), 0);
		assert_int_equal(uid, nobody->pw_uid);
		assert_int_equal(lookup_user(*state, number, &uid, &gid), 0);
		assert_int_equal(gid, nobody->pw_gid);
	}
	/* A number without an entry is taken as it is, for the group as well, as xinetd does. */
	assert_int_equal(lookup_user(*state, "3000000001", &uid, &gid), 0);
	assert_int_equal(uid, 3000000001u);
	assert_int_equal(gid, 3000000001u);
}

static void finds_groups_by_name_and_number(void **state)
{
	gid_t gid = 99;

	assert_int_equal(lookup_group(*state, "root", &gid), 0);
	assert_int_equal(gid, 0);
	assert_int_equal(lookup_group(*state, "54321", &gid), 0);
	assert_int_equal(gid, 54321);
}

static void changes_nothing_where_there_is_no_entry(void **state)
{
	gid_t gid = 99;
	uid_t uid = 99;
	int number = 99;

	/* Asked twice: the second answer is a remembered one. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lookup_user(*state, "no-such-user", &uid, &gid), -ENOENT);
		assert_int_equal(lookup_group(*state, "no-such-group", &gid), -ENOENT);
		assert_int_equal(lookup_protocol(*state, "no-such", &number), -ENOENT);
		assert_int_equal(lookup_port(*state, "no-such", "tcp", &number), -ENOENT);
		assert_int_equal(lookup_rpc(*state, "no-such", &number), -ENOENT);
		/* -1 is no user; to setuid(2) it means "unchanged". */
		assert_int_equal(lookup_user(*state, "4294967295", &uid, &gid), -ENOENT);
		assert_int_equal(lookup_group(*state, "4294967295", &gid), -ENOENT);
		assert_int_equal(lookup_user(*state, "-1", &uid, &gid), -ENOENT);
	}
	assert_int_equal(uid, 99);
	assert_int_equal(gid, 99);
	assert_int_equal(number, 99);
}

static void knows_tcp_and_udp_without_a_database(void **state)
{
	int number = 0;

	assert_int_equal(lookup_protocol(*state, "tcp", &number), 0);
	assert_int_equal(number, 6);
	assert_int_equal(lookup_protocol(*state, "udp", &number), 0);
	assert_int_equal(number, 17);
}

static void finds_ports_by_protocol(void **state)
{
	int port = 0;

	if (!getservbyname("who", "udp") || !getservbyname("login", "tcp"))
		skip();
	/* One port, two names, by protocol; remembered apart. */
	assert_int_equal(lookup_port(*state, "who", "udp", &port), 0);
	assert_int_equal(port, 513);
	assert_int_equal(lookup_port(*state, "who", "tcp", &port), -ENOENT);
	assert_int_equal(lookup_port(*state, "login", "tcp", &port), 0);
	assert_int_equal(port, 513);
	assert_int_equal(lookup_port(*state, "login", "udp", &port), -ENOENT);
}

static void finds_rpc_programs(void **state)
{
	int number = 0;

	if (!getrpcbyname("portmapper"))
		skip();
	assert_int_equal(lookup_rpc(*state, "portmapper", &number), 0);
	assert_int_equal(number, 100000);
}

static void gives_the_groups_of_a_user(void **state)
{
	const struct group_list *list, *again;
	bool has = false;

	assert_int_equal(lookup_groups(*state, 0, 54321, &list), 0);
	for (size_t i = 0; i < list->n; i++)
		has |= list->v[i] == 54321;
	assert_true(has);
	/* Asked again, it is the same. */
	assert_int_equal(lookup_groups(*state, 0, 54321, &again), 0);
	assert_ptr_equal(again, list);
	intern_unref(again);
	assert_int_equal(lookup_groups(*state, 0, 54322, &again), 0);
	assert_ptr_not_equal(again, list);
	intern_unref(again);
	intern_unref(list);
	assert_int_equal(lookup_groups(*state, 3000000001u, 1, &list), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_users_by_name_and_number, set_up, tear_down),
		cmocka_unit_test_setup_teardown(finds_groups_by_name_and_number, set_up, tear_down),
		cmocka_unit_test_setup_teardown(changes_nothing_where_there_is_no_entry, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(knows_tcp_and_udp_without_a_database, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(finds_ports_by_protocol, set_up, tear_down),
		cmocka_unit_test_setup_teardown(finds_rpc_programs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(gives_the_groups_of_a_user, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
