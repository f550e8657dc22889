/* SPDX-License-Identifier: ISC */
/* Tests of sets of ids: letters count without regard to case, all else as it is. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/idset.h"

static void knows_ids_in_any_case(void **state)
{
	static const char *const ids[] = { "echo-stream", "Telnet", "telnet", "a@b", "[x" };
	const struct words *words = intern_words(NULL, ids, 5);
	struct idset set = { 0 };

	(void)state;
	assert_false(idset_has(&set, "telnet"));
	assert_int_equal(idset_add(&set, WORDS_NONE), 0);
	assert_false(idset_has(&set, ""));
	assert_int_equal(idset_add(&set, words), 0);
	assert_true(idset_has(&set, "ECHO-stream"));
	assert_true(idset_has(&set, "tELNET"));
	assert_true(idset_has(&set, "A@B"));
	/* Signs are no letters, also where they differ as those do. */
	assert_false(idset_has(&set, "a`b"));
	assert_false(idset_has(&set, "{x"));
	assert_true(idset_has(&set, "[X"));
	assert_false(idset_has(&set, "echo"));
	assert_false(idset_has(&set, "echo-streams"));
	idset_done(&set);
	assert_false(idset_has(&set, "telnet"));
	intern_unref(words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_ids_in_any_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
