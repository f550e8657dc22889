/* SPDX-License-Identifier: ISC */
/* Tests of how a running service finds its stanza among those that could not be used. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load.h"

static void add(struct broken *broken, const char *name, const char *id, const char *file,
		unsigned line)
{
	struct stanza *stanza = stanza_new(NULL, STANZA_SERVICE, name, file, line);

	assert_non_null(stanza);
	assert_int_equal(broken_add(broken, stanza, id), 0);
	stanza_free(stanza);
}

static bool has(const struct broken *broken, const char *name, const char *id, const char *file,
		unsigned line)
{
	const struct service service = { .name = name, .id = id, .file = file, .line = line };

	return broken_has(broken, &service);
}

static void finds_a_stanza_by_id_or_by_place_and_name(void **state)
{
	struct broken broken = { 0 };

	(void)state;
	assert_false(has(&broken, "a", "a", "/f", 1));
	add(&broken, "Telnet", "One", "/f", 7);
	add(&broken, "Telnet", "One", "/g", 8);
	assert_int_equal(broken.n, 2);
	assert_string_equal(broken.v[1].file, "/g");
	assert_true(has(&broken, "x", "oNE", "/h", 1));
	assert_true(has(&broken, "tELNET", "y", "/f", 7));
	assert_true(has(&broken, "telnet", "y", "/g", 8));
	assert_false(has(&broken, "telnet", "y", "/F", 7));
	assert_false(has(&broken, "telnet", "y", "/f", 8));
	assert_false(has(&broken, "telnets", "y", "/f", 7));
	/* A name is no id. */
	assert_false(has(&broken, "one", "telnet", "/h", 7));
	broken_done(&broken);
	assert_false(has(&broken, "x", "one", "/h", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_stanza_by_id_or_by_place_and_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
