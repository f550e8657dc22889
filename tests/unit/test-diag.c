/* SPDX-License-Identifier: ISC */
/* Tests of the list of findings. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/diag.h"

static void keeps_findings_in_order_and_counts_them(void **state)
{
	struct diag diag = { 0 };

	(void)state;
	diag_add(&diag, SEVERITY_WARNING, "a.conf", 3, "echo", "first %d", 1);
	diag_add(&diag, SEVERITY_ERROR, "a.conf", 4, NULL, "second");
	diag_add(&diag, SEVERITY_NOTICE, NULL, 0, NULL, "third");
	diag_add(&diag, SEVERITY_ERROR, "b.conf", 0, "time", "fourth");
	assert_int_equal(diag.n, 4);
	assert_int_equal(diag.errors, 2);
	assert_int_equal(diag.warnings, 1);
	assert_false(diag.incomplete);
	assert_string_equal(diag.v[0].text, "first 1");
	assert_string_equal(diag.v[0].service, "echo");
	assert_string_equal(diag.v[3].file, "b.conf");
	assert_null(diag.v[1].service);
	assert_null(diag.v[2].file);
	diag_done(&diag);
	assert_int_equal(diag.n, 0);
	assert_int_equal(diag.errors, 0);
}

static void sorts_by_file_and_line(void **state)
{
	static const struct {
		const char *file;
		unsigned line;
		const char *text;
	} found[] = {
		{ NULL, 0, "i" },     { "b", 2, "f" },  { "b", 10, "g" }, { "a", 7, "c" },
		{ "a", 1, "a" },      { "b", 1, "e" },  { "a", 7, "d" },  { "a", 2, "b" },
		{ "b.conf", 1, "h" }, { NULL, 0, "j" },
	};
	struct diag diag = { 0 };

	(void)state;
	diag_sort(&diag);
	for (size_t i = 0; i < ARRAY_SIZE(found); i++)
		diag_add(&diag, SEVERITY_ERROR, found[i].file, found[i].line, NULL, "%s",
			 found[i].text);
	diag_sort(&diag);
	assert_int_equal(diag.n, ARRAY_SIZE(found));
	for (size_t i = 0; i < diag.n; i++)
		assert_int_equal(diag.v[i].text[0], 'a' + (int)i);
	diag_done(&diag);
}

static void the_texts_are_copies(void **state)
{
	char file[] = "x.conf", service[] = "echo";
	struct diag diag = { 0 };

	(void)state;
	diag_add(&diag, SEVERITY_ERROR, file, 1, service, "%s", file);
	file[0] = service[0] = '?';
	assert_string_equal(diag.v[0].file, "x.conf");
	assert_string_equal(diag.v[0].service, "echo");
	assert_string_equal(diag.v[0].text, "x.conf");
	diag_done(&diag);
}

static void holds_many_findings(void **state)
{
	struct diag diag = { 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		diag_add(&diag, SEVERITY_ERROR, "f", i, NULL, "%u", i);
	assert_int_equal(diag.n, 1000);
	assert_int_equal(diag.v[999].line, 999);
	assert_string_equal(diag.v[777].text, "777");
	diag_done(&diag);
}

static void severities_have_names(void **state)
{
	(void)state;
	assert_string_equal(severity_name(SEVERITY_ERROR), "error");
	assert_string_equal(severity_name(SEVERITY_WARNING), "warning");
	assert_string_equal(severity_name(SEVERITY_NOTICE), "notice");
}

static void formats_what_is_known(void **state)
{
	char file[] = "a.conf", text[] = "is wrong", out[100];
	struct finding f = { .severity = SEVERITY_ERROR, .file = file, .line = 12, .text = text };

	(void)state;
	assert_string_equal(finding_format(&f, out, sizeof(out)), "a.conf:12: error: is wrong");
	f.line = 0;
	assert_string_equal(finding_format(&f, out, sizeof(out)), "a.conf: error: is wrong");
	f.file = NULL;
	f.line = 12;
	f.severity = SEVERITY_NOTICE;
	assert_string_equal(finding_format(&f, out, sizeof(out)), "notice: is wrong");
}

static void text_of_files_cannot_reach_the_terminal_raw(void **state)
{
	char file[] = "a\n.conf", text[] = "\x1b[31m", out[100];
	struct finding f = { .severity = SEVERITY_WARNING, .file = file, .line = 1, .text = text };

	(void)state;
	assert_string_equal(finding_format(&f, out, sizeof(out)),
			    "a\\x0a.conf:1: warning: \\x1b[31m");
}

static void cuts_at_every_size_without_overrun(void **state)
{
	char file[] = "a\n.conf", text[] = "te\txt", whole[100];
	struct finding f = { .severity = SEVERITY_ERROR, .file = file, .line = 7, .text = text };

	(void)state;
	(void)finding_format(&f, whole, sizeof(whole));
	for (size_t size = 0; size <= strlen(whole) + 2; size++) {
		char *out = malloc(size + 1);

		assert_non_null(out);
		out[size] = '#';
		assert_ptr_equal(finding_format(&f, out, size), out);
		assert_int_equal(out[size], '#');
		if (size > 0)
			assert_true(strlen(out) < size);
		if (size > strlen(whole))
			assert_string_equal(out, whole);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_findings_in_order_and_counts_them),
		cmocka_unit_test(sorts_by_file_and_line),
		cmocka_unit_test(the_texts_are_copies),
		cmocka_unit_test(holds_many_findings),
		cmocka_unit_test(severities_have_names),
		cmocka_unit_test(formats_what_is_known),
		cmocka_unit_test(text_of_files_cannot_reach_the_terminal_raw),
		cmocka_unit_test(cuts_at_every_size_without_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
