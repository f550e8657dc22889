/* SPDX-License-Identifier: ISC */
/* Tests of the grammar of xinetd.conf: words, operators, lines, braces, and how reading goes on after errors. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/reader.h"

/* What was read, as text: "[name@line op words…]" for stanzas, "include PATH" for includes. */
struct seen {
	char text[65536];
	size_t at;
	struct diag diag;
	int refuse; /* what the stanza op returns */
};

static void see(struct seen *seen, const char *format, ...) PRINTF_LIKE(2, 3);

static void see(struct seen *seen, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(seen->text + seen->at, sizeof(seen->text) - seen->at, format, ap);
	va_end(ap);
	seen->at += (size_t)n;
	if (seen->at > sizeof(seen->text) - 1)
		seen->at = sizeof(seen->text) - 1;
}

static int see_stanza(void *arg, struct stanza *stanza)
{
	static const char *const signs[] = { [OP_SET] = "=", [OP_ADD] = "+=", [OP_REMOVE] = "-=" };
	struct seen *seen = arg;

	see(seen, "%s@%u%s", stanza->kind == STANZA_DEFAULTS ? "defaults" : stanza->name,
	    stanza->line, stanza->malformed ? "!" : "");
	for (size_t i = 0; i < stanza->n; i++) {
		const struct attribute *a = &stanza->attributes[i];

		if (a->error) {
			assert_null(a->name);
			see(seen, "(?%u)", a->line);
			continue;
		}
		see(seen, "(%s %s", a->name, signs[a->op]);
		for (size_t w = 0; w < a->words->n; w++)
			see(seen, " %s", a->words->v[w]);
		see(seen, ")");
	}
	see(seen, ";");
	stanza_free(stanza);
	return seen->refuse;
}

static int see_include(void *arg, const char *path, bool directory, unsigned line)
{
	see(arg, "%s:%s@%u;", directory ? "dir" : "file", path, line);
	return 0;
}

static const struct reader_ops ops = { .stanza = see_stanza, .include = see_include };

/* Reads @length bytes of @text, which must give @expected with @errors errors. */
static void reads_bytes(const char *text, size_t length, const char *expected, size_t errors)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	char *exact = malloc(length ? length : 1);

	/* At the end of its own memory, so that a sanitizer sees a step too far. */
	assert_non_null(seen);
	assert_non_null(exact);
	memcpy(exact, text, length);
	/* It tells a text in which sections may be lost from one that is whole. */
	assert_int_equal(reader_parse(exact, length, "f", NULL, &ops, seen, &seen->diag),
			 errors ? 1 : 0);
	assert_string_equal(seen->text, expected);
	assert_int_equal(seen->diag.errors, errors);
	diag_done(&seen->diag);
	free(exact);
	free(seen);
}

static void reads(const char *text, const char *expected, size_t errors)
{
	reads_bytes(text, strlen(text), expected, errors);
}

/* Reads @text; some finding must hold "LINE: severity: " and @said. */
static void says(const char *text, const char *said)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	bool found = false;

	assert_non_null(seen);
	assert_true(reader_parse(text, strlen(text), "f", NULL, &ops, seen, &seen->diag) >= 0);
	for (size_t i = 0; i < seen->diag.n; i++) {
		char line[1024];

		found |= strstr(finding_format(&seen->diag.v[i], line, sizeof(line)), said) != NULL;
	}
	if (!found)
		fail_msg("not said of \"%s\": %s", text, said);
	diag_done(&seen->diag);
	free(seen);
}

static void reads_a_stanza_with_all_operators(void **state)
{
	(void)state;
	reads("service a\n{\n\tx = 1 2\n\ty += 3\n\tz -= 4\n\tw =\n}\n",
	      "a@1(x = 1 2)(y += 3)(z -= 4)(w =);", 0);
}

static void reads_sections_in_any_case_and_defaults_without_a_name(void **state)
{
	(void)state;
	reads("SERVICE a\n{\n}\nDefaults\n{\n}\nInclude f\nINCLUDEDIR d\n",
	      "a@1;defaults@4;file:f@7;dir:d@8;", 0);
}

static void needs_no_newline_at_the_end(void **state)
{
	(void)state;
	reads("service a\n{\nx = 1\n}", "a@1(x = 1);", 0);
	reads("include f", "file:f@1;", 0);
	reads("", "", 0);
}

static void skips_blank_lines_and_comments_everywhere(void **state)
{
	(void)state;
	reads("# c\n\n \t\n\v\f\nservice a\n# c\n\n{\n  # c\n\n x = 1\n}\n# end", "a@5(x = 1);", 0);
}

static void leaves_comments_behind_values_to_who_knows_the_attribute(void **state)
{
	(void)state;
	reads("service a\n{\nx = 1 # c\n}\n", "a@1(x = 1 # c);", 0);
}

static void takes_comments_behind_headers_and_braces(void **state)
{
	(void)state;
	reads("service a # c\n{ # c\n} # c\ndefaults # c\n{\n}\ninclude f # c\n",
	      "a@1;defaults@4;file:f@7;", 0);
}

static void takes_the_brace_on_the_line_of_the_header_with_a_notice(void **state)
{
	(void)state;
	reads("service a {\nx = 1\n}\ndefaults {\n}\n", "a@1(x = 1);defaults@4;", 0);
	says("service a {\n}\n", "f:1: notice: xinetd wants the { on a line of its own");
}

static void separates_words_by_space_and_tab_only(void **state)
{
	(void)state;
	reads("service a\n{\nx =\t1 \t 2\v3\f4 \"5 6\"\n}\n", "a@1(x = 1 2\v3\f4 \"5 6\");", 0);
}

static void takes_quotes_and_backslashes_literally(void **state)
{
	(void)state;
	reads("service a\n{\nx = \"a b\" \\ $c ${d}\ny = e\\\n}\n",
	      "a@1(x = \"a b\" \\ $c ${d})(y = e\\);", 0);
}

static void needs_no_space_behind_the_operator_but_one_before_it(void **state)
{
	(void)state;
	reads("service a\n{\nx =1 2\ny +=3\nz -=4\n}\n", "a@1(x = 1 2)(y += 3)(z -= 4);", 0);
	reads("service a\n{\nx=1\ny= 2\nz+= 3\n}\n", "a@1(?3)(?4)(?5);", 0);
}

static void marks_lines_that_are_no_attributes(void **state)
{
	(void)state;
	reads("service a\n{\nx\ny z\nw + 1\nv - 1\nok = 1\n}\n", "a@1(?3)(?4)(?5)(?6)(ok = 1);", 0);
	reads("service a\n{\ninclude f\nincludedir d\n}\n", "a@1(?3)(?4);", 0);
}

static void drops_the_carriage_returns_of_dos_files(void **state)
{
	(void)state;
	reads("service a\r\n{\r\n\tx = 1 2\r\n\ty =\r\n\r\n}\r\ninclude f\r\n",
	      "a@1(x = 1 2)(y =);file:f@7;", 0);
	reads("service a\r\n{\r\nx = 1\r2\r\n}", "a@1(x = 1\r2);", 0);
}

static void reads_lines_of_any_length_whole(void **state)
{
	static const size_t lengths[] = { 8191, 8192, 8193, 16383, 16384, 16385, 50000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		char *word = malloc(lengths[i] + 1), *text, *expected;

		assert_non_null(word);
		memset(word, 'w', lengths[i]);
		word[lengths[i]] = '\0';
		assert_true(asprintf(&text, "#%s\nservice a\n{\nx = %s\ny = 1\n}\n", word, word) >
			    0);
		assert_true(asprintf(&expected, "a@2(x = %s)(y = 1);", word) > 0);
		reads(text, expected, 0);
		free(word);
		free(text);
		free(expected);
	}
}

static void refuses_lines_with_nul_bytes(void **state)
{
	static const char inside[] = "service a\n{\nx = 1\0 2\ny = 1\n}\n";
	static const char outside[] = "\0service a\n{\n}\nservice b\n{\n}\n";
	static const char comment[] = "#\0\nservice b\n{\n}\n";
	static const char closing[] = "service a\n{\n}\0\nx = 1\n}\n";

	(void)state;
	reads_bytes(inside, sizeof(inside) - 1, "a@1(?3)(y = 1);", 0);
	reads_bytes(outside, sizeof(outside) - 1, "b@4;", 1);
	reads_bytes(comment, sizeof(comment) - 1, "b@2;", 1);
	reads_bytes(closing, sizeof(closing) - 1, "a@1(?3)(x = 1);", 0);
}

static void goes_on_at_the_next_section_after_junk(void **state)
{
	(void)state;
	/* D58: a stray word or brace costs nothing but itself. */
	reads("foo bar\nservice a\n{\nx = 1\n}\n}\nservice b\n{\n}\n", "a@2(x = 1);b@7;", 2);
	reads("}\ndefaults\n{\n}\n", "defaults@2;", 1);
	reads("junk\ninclude f\n", "file:f@2;", 1);
	/* One error for a run of junk, which says how long it was. */
	reads("x = 1\ny = 2\n}\nservice a\n{\n}\n", "a@4;", 1);
	says("x = 1\ny = 2\n}\n", "f:1: notice: skipped 3 lines");
	says("servce a\n", "f:1: error: \"servce\" is not expected here");
}

static void marks_stanzas_with_missing_braces(void **state)
{
	(void)state;
	/* No opening brace: what follows is still read as the stanza's. */
	reads("service a\nx = 1\n}\nservice b\n{\n}\n", "a@1!(x = 1);b@4;", 1);
	/* No closing brace: the next section is not swallowed. */
	reads("service a\n{\nx = 1\nservice b\n{\n}\n", "a@1!(x = 1);b@4;", 1);
	reads("service a\n{\ndefaults\n{\n}\n", "a@1!;defaults@3;", 1);
	/* The end of the file. */
	reads("service a\n{\nx = 1\n", "a@1!(x = 1);", 1);
	reads("service a\n", "a@1!;", 1);
	/* Brace lines with more on them. */
	reads("service a\n{ x = 1\n}\nservice b\n{\n} x\n", "a@1!;b@4!;", 2);
	says("service a\n{\nservice b\n{\n}\n", "f:3: error: missing } before this line");
	/* A whole stanza on one line costs none but itself, and is told what is wrong with it. */
	reads("service a { disable = yes }\nservice b\n{\n}\n", "a@1!;b@2;", 1);
	reads("service a { x = 1\ny = 2\n}\nservice b\n{\n}\n", "a@1!(y = 2);b@4;", 1);
	reads("defaults { instances = 1 }\nservice b\n{\n}\n", "defaults@1!;b@2;", 1);
	says("service a { x = 1 }\n",
	     "f:1: error: write each attribute, and the }, on a line of its own");
	says("service a\n{\n", "f:1: error: incomplete entry");
	says("service a\nx = 1\n}\n", "f:2: error: missing {");
}

static void tells_an_attribute_named_service_from_a_section(void **state)
{
	(void)state;
	reads("service a\n{\nservice = b\ndefaults = c\n}\n", "a@1(service = b)(defaults = c);", 0);
}

static void refuses_a_service_without_a_name(void **state)
{
	(void)state;
	reads("service\n{\nx = 1\n}\nservice b\n{\n}\n", "@1!(x = 1);b@5;", 1);
	reads("service {\n}\nservice # c\n{\n}\nservice b\n{\n}\n", "@1!;@3!;b@6;", 2);
}

static void ignores_further_words_behind_headers_with_a_warning(void **state)
{
	(void)state;
	reads("service a b\n{\n}\ninclude f g\nincludedir d e\ndefaults x\n{\n}\n",
	      "a@1;file:f@4;dir:d@5;defaults@6;", 0);
	says("service a b\n{\n}\n", "f:1: warning: words after \"service NAME\" are ignored: b");
	says("include f g\n", "f:1: warning: words after");
}

static void refuses_an_include_without_a_name(void **state)
{
	(void)state;
	reads("include\nincludedir # d\nservice a\n{\n}\n", "a@3;", 2);
	says("includedir\n", "f:1: error: includedir needs the name of a directory");
}

static int count_lines(void *arg, struct stanza *stanza)
{
	*(size_t *)arg = stanza->malformed ? stanza->n : 0;
	stanza_free(stanza);
	return 0;
}

static void ends_an_entry_of_more_lines_than_any_has(void **state)
{
	static const struct reader_ops counting = { .stanza = count_lines };
	struct diag diag = { 0 };
	size_t length = 0, n = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	assert_non_null(out);
	(void)fputs("service a\n{\n", out);
	for (int i = 0; i < 30000; i++)
		(void)fputs("x\n", out);
	(void)fputs("}\n", out);
	(void)fclose(out);
	assert_int_equal(reader_parse(text, length, "f", NULL, &counting, &n, &diag), 1);
	assert_int_equal(n, 10000);
	assert_int_equal(diag.errors, 1);
	diag_done(&diag);
	free(text);
}

static void passes_on_what_the_receiver_returns(void **state)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	const char text[] = "service a\n{\n}\nservice b\n{\n}\n";

	(void)state;
	assert_non_null(seen);
	seen->refuse = -ENOMEM;
	assert_int_equal(reader_parse(text, strlen(text), "f", NULL, &ops, seen, &seen->diag),
			 -ENOMEM);
	assert_string_equal(seen->text, "a@1;");
	diag_done(&seen->diag);
	free(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_stanza_with_all_operators),
		cmocka_unit_test(reads_sections_in_any_case_and_defaults_without_a_name),
		cmocka_unit_test(needs_no_newline_at_the_end),
		cmocka_unit_test(skips_blank_lines_and_comments_everywhere),
		cmocka_unit_test(leaves_comments_behind_values_to_who_knows_the_attribute),
		cmocka_unit_test(takes_comments_behind_headers_and_braces),
		cmocka_unit_test(takes_the_brace_on_the_line_of_the_header_with_a_notice),
		cmocka_unit_test(separates_words_by_space_and_tab_only),
		cmocka_unit_test(takes_quotes_and_backslashes_literally),
		cmocka_unit_test(needs_no_space_behind_the_operator_but_one_before_it),
		cmocka_unit_test(marks_lines_that_are_no_attributes),
		cmocka_unit_test(drops_the_carriage_returns_of_dos_files),
		cmocka_unit_test(reads_lines_of_any_length_whole),
		cmocka_unit_test(refuses_lines_with_nul_bytes),
		cmocka_unit_test(goes_on_at_the_next_section_after_junk),
		cmocka_unit_test(marks_stanzas_with_missing_braces),
		cmocka_unit_test(tells_an_attribute_named_service_from_a_section),
		cmocka_unit_test(refuses_a_service_without_a_name),
		cmocka_unit_test(ignores_further_words_behind_headers_with_a_warning),
		cmocka_unit_test(refuses_an_include_without_a_name),
		cmocka_unit_test(ends_an_entry_of_more_lines_than_any_has),
		cmocka_unit_test(passes_on_what_the_receiver_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
