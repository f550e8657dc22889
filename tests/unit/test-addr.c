/* SPDX-License-Identifier: ISC */
/* Tests of the address value. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/util.h"

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

static void assert_text(const struct addr *addr, const char *expected)
{
	char text[ADDR_TEXT_MAX];

	assert_string_equal(addr_format(addr, text), expected);
}

static void parses_and_writes_addresses(void **state)
{
	static const struct {
		const char *text, *written;
		sa_family_t family;
	} cases[] = {
		{ "0.0.0.0", "0.0.0.0", AF_INET },
		{ "192.0.2.255", "192.0.2.255", AF_INET },
		{ "::", "::", AF_INET6 },
		{ "2001:DB8:0:0::1", "2001:db8::1", AF_INET6 },
		{ "::ffff:192.0.2.1", "192.0.2.1", AF_INET },
		{ "::FFFF:c000:0201", "192.0.2.1", AF_INET },
		{ "::192.0.2.1", "::192.0.2.1", AF_INET6 },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AF_INET6 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct addr addr = address(cases[i].text);

		assert_int_equal(addr.family, cases[i].family);
		assert_int_equal(addr.port, 0);
		assert_int_equal(addr.scope, 0);
		assert_text(&addr, cases[i].written);
	}
}

static void refuses_what_is_no_full_address(void **state)
{
	static const char *const words[] = {
		"",
		"1",
		"127.1",
		"1.2.3",
		"1.2.3.4.5",
		"256.1.1.1",
		"010.0.0.1",
		"0x7f.0.0.1",
		"1.2.3.4 ",
		" ::1",
		"1.2.3.",
		":::",
		"1::2::3",
		"12345::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"localhost",
		"[::1]",
		"::1/128",
		"fe80::1%",
		"10.0.0.1%lo",
		"%lo",
		"fe80::1%no-such-if",
		"::g",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct addr addr;

		if (addr_parse(words[i], &addr) != -EINVAL)
			fail_msg("\"%s\" was accepted", words[i]);
	}
}

static void takes_zones_of_link_local_addresses_only(void **state)
{
	char text[ADDR_TEXT_MAX], zone[IF_NAMESIZE], word[ADDR_TEXT_MAX];
	struct addr addr;

	(void)state;
	/* Whatever the first interface is called here. */
	if (!if_indextoname(1, zone))
		skip();
	(void)snprintf(word, sizeof(word), "fe80::1%%%s", zone);
	addr = address(word);
	assert_int_equal(addr.scope, 1);
	assert_string_equal(addr_format(&addr, text), word);
	(void)snprintf(word, sizeof(word), "2001:db8::1%%%s", zone);
	assert_int_equal(addr_parse(word, &addr), -EINVAL);
	(void)snprintf(word, sizeof(word), "::ffff:10.0.0.1%%%s", zone);
	assert_int_equal(addr_parse(word, &addr), -EINVAL);
}

static void a_refused_text_leaves_the_value_alone(void **state)
{
	struct addr addr = address("10.0.0.1");

	(void)state;
	assert_int_equal(addr_parse("fe80::1%no-such-if", &addr), -EINVAL);
	assert_text(&addr, "10.0.0.1");
}

static void survives_the_way_through_a_sockaddr(void **state)
{
	static const char *const texts[] = { "192.0.2.1", "2001:db8::1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct addr addr = address(texts[i]), again;
		struct sockaddr_storage sa;
		socklen_t len;

		addr.port = 4711;
		len = addr_to_sockaddr(&addr, &sa);
		assert_int_equal(len, addr.family == AF_INET ? sizeof(struct sockaddr_in)
							     : sizeof(struct sockaddr_in6));
		addr_from_sockaddr(&again, (const struct sockaddr *)&sa, len);
		assert_true(addr_equal(&addr, &again));
		assert_int_equal(again.port, 4711);
	}
}

static void keeps_the_zone_of_a_sockaddr(void **state)
{
	struct addr addr = address("fe80::1"), again;
	struct sockaddr_storage sa;
	char text[ADDR_TEXT_MAX];
	socklen_t len;

	(void)state;
	addr.scope = 4000000000; /* no such interface: written as a number */
	len = addr_to_sockaddr(&addr, &sa);
	addr_from_sockaddr(&again, (const struct sockaddr *)&sa, len);
	assert_int_equal(again.scope, 4000000000);
	assert_string_equal(addr_format(&again, text), "fe80::1%4000000000");
}

static void a_mapped_client_is_an_ipv4_client(void **state)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
	struct addr addr, plain = address("192.0.2.1");

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr), 1);
	addr_from_sockaddr(&addr, (const struct sockaddr *)&in6, sizeof(in6));
	assert_true(addr_equal(&addr, &plain));
	assert_int_equal(addr.port, 80);
}

static void what_it_does_not_know_has_no_address(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_storage sa = { .ss_family = AF_APPLETALK };
	struct addr addr;

	(void)state;
	addr_from_sockaddr(&addr, (const struct sockaddr *)&un, sizeof(sa_family_t));
	assert_int_equal(addr.family, AF_UNIX);
	assert_text(&addr, "unix");
	assert_int_equal(addr_to_sockaddr(&addr, &sa), 0);
	addr_from_sockaddr(&addr, (const struct sockaddr *)&in6, sizeof(struct sockaddr_in));
	assert_int_equal(addr.family, AF_UNSPEC);
	sa.ss_family = AF_APPLETALK;
	addr_from_sockaddr(&addr, (const struct sockaddr *)&sa, sizeof(sa));
	assert_int_equal(addr.family, AF_UNSPEC);
	addr_from_sockaddr(&addr, (const struct sockaddr *)&sa, 0);
	assert_int_equal(addr.family, AF_UNSPEC);
	assert_text(&addr, "<no address>");
}

static void the_longest_text_fits(void **state)
{
	struct addr addr = { .family = AF_INET6, .scope = UINT32_MAX };
	char text[ADDR_TEXT_MAX];

	(void)state;
	memset(addr.bytes, 0xff, sizeof(addr.bytes));
	assert_string_equal(addr_format(&addr, text),
			    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295");
	assert_true(INET6_ADDRSTRLEN + IF_NAMESIZE <= ADDR_TEXT_MAX);
}

static void orders_by_family_then_bytes(void **state)
{
	static const char *const ordered[] = { "0.0.0.0", "1.2.3.4", "127.0.0.1", "128.0.0.0",
					       "::",      "::1",     "8000::" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ordered); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(ordered); k++) {
			struct addr a = address(ordered[i]), b = address(ordered[k]);
			int order = addr_compare(&a, &b);

			a.port = 7;
			assert_true(i < k ? order < 0 : i > k ? order > 0 : order == 0);
			assert_int_equal(addr_equal(&a, &b), i == k);
		}
	}
}

static void knows_loopback(void **state)
{
	static const char *const loopback[] = { "127.0.0.1", "127.255.255.255", "::1",
						"::ffff:127.0.0.1" };
	static const char *const others[] = { "126.255.255.255", "128.0.0.0", "::", "::2",
					      "7f00::1",         "100::1" };
	struct addr unix_peer = { .family = AF_UNIX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(loopback); i++) {
		struct addr addr = address(loopback[i]);

		assert_true(addr_is_loopback(&addr));
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct addr addr = address(others[i]);

		assert_false(addr_is_loopback(&addr));
	}
	assert_false(addr_is_loopback(&unix_peer));
}

static void a_prefix_keeps_just_its_bits(void **state)
{
	static const struct {
		const char *addr;
		unsigned bits;
		const char *base;
	} cases[] = {
		{ "255.255.255.255", 0, "0.0.0.0" },
		{ "255.255.255.255", 1, "128.0.0.0" },
		{ "255.255.255.255", 8, "255.0.0.0" },
		{ "255.255.255.255", 23, "255.255.254.0" },
		{ "255.255.255.255", 32, "255.255.255.255" },
		{ "ffff:ffff:ffff:ffff::1", 61, "ffff:ffff:ffff:fff8::" },
		{ "ffff::", 0, "::" },
		{ "::ffff", 127, "::fffe" },
		{ "::ffff", 128, "::ffff" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct addr addr = address(cases[i].addr);
		struct prefix prefix;

		addr.port = 99;
		prefix = prefix_of(&addr, cases[i].bits);
		assert_text(&prefix.base, cases[i].base);
		assert_int_equal(prefix.bits, cases[i].bits);
		assert_int_equal(prefix.base.port, 0);
		assert_true(prefix_contains(&prefix, &addr));
	}
}

static void a_prefix_ends_at_its_bits_and_its_family(void **state)
{
	struct addr base = address("10.1.128.0"), in = address("10.1.255.1"),
		    below = address("10.1.127.255"), other = address("::");
	struct prefix prefix = prefix_of(&base, 17), all = prefix_of(&base, 0);

	(void)state;
	assert_true(prefix_contains(&prefix, &in));
	assert_false(prefix_contains(&prefix, &below));
	assert_true(prefix_contains(&all, &below));
	assert_false(prefix_contains(&all, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_writes_addresses),
		cmocka_unit_test(refuses_what_is_no_full_address),
		cmocka_unit_test(takes_zones_of_link_local_addresses_only),
		cmocka_unit_test(a_refused_text_leaves_the_value_alone),
		cmocka_unit_test(survives_the_way_through_a_sockaddr),
		cmocka_unit_test(keeps_the_zone_of_a_sockaddr),
		cmocka_unit_test(a_mapped_client_is_an_ipv4_client),
		cmocka_unit_test(what_it_does_not_know_has_no_address),
		cmocka_unit_test(the_longest_text_fits),
		cmocka_unit_test(orders_by_family_then_bytes),
		cmocka_unit_test(knows_loopback),
		cmocka_unit_test(a_prefix_keeps_just_its_bits),
		cmocka_unit_test(a_prefix_ends_at_its_bits_and_its_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
