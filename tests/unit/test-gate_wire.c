/* SPDX-License-Identifier: ISC */
/* What the daemon believes of a gate's answer. */
#include "config.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/gate_wire.h"

static struct gate_answer answer(void)
{
	struct gate_answer answer = {
		.magic = GATE_MAGIC, .allowed = 1, .ident = IDENT_ANSWERED, .text = "UNIX :joe"
	};

	return answer;
}

static void a_whole_answer_is_sound(void **unused)
{
	struct gate_answer it = answer();

	(void)unused;
	assert_true(gate_answer_is_sound(&it, sizeof(it)));
	it.allowed = 0;
	it.check = GATE_CHECK_IDENT;
	it.ident = IDENT_BAD_RESPONSE;
	it.text[0] = '\0';
	assert_true(gate_answer_is_sound(&it, sizeof(it)));
	/* It comes through the pipe at once. */
	assert_true(sizeof(it) <= PIPE_BUF);
}

static void anything_else_is_not(void **unused)
{
	struct gate_answer it = answer();

	(void)unused;
	assert_false(gate_answer_is_sound(&it, 0));
	assert_false(gate_answer_is_sound(&it, -1));
	assert_false(gate_answer_is_sound(&it, sizeof(it) - 1));
	it.magic++;
	assert_false(gate_answer_is_sound(&it, sizeof(it)));
	it = answer();
	it.allowed = 2;
	assert_false(gate_answer_is_sound(&it, sizeof(it)));
	it = answer();
	it.ident = IDENT_OUTCOMES;
	assert_false(gate_answer_is_sound(&it, sizeof(it)));
	it.ident = UINT32_MAX;
	assert_false(gate_answer_is_sound(&it, sizeof(it)));
	it = answer();
	memset(it.text, 'x', sizeof(it.text));
	assert_false(gate_answer_is_sound(&it, sizeof(it)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_answer_is_sound),
		cmocka_unit_test(anything_else_is_not),
	};

	return cmocka_run_group_tests_name("gate_wire", tests, NULL, NULL);
}
