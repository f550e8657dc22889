/* SPDX-License-Identifier: ISC */
/* Tests of the table of the services behind tcpmux. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "serve/mux_table.h"
#include "serve/state.h"

struct hosted {
	struct service service;
	struct service_run run;
};

static struct service_run *host(struct hosted *hosted, const char *name, unsigned type)
{
	memset(hosted, 0, sizeof(*hosted));
	hosted->service.name = (char *)(uintptr_t)name;
	hosted->service.type = (uint8_t)type;
	hosted->run.service = &hosted->service;
	return &hosted->run;
}

static void helps(const struct mux_table *table, const char *expected)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	mux_table_help(table, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, expected);
	free(text);
}

static void finds_services_behind_tcpmux_and_no_others(void **state)
{
	struct hosted a, b, c, d, e, f;
	struct service_run *runs[] = {
		host(&a, "Alpha", SERVICE_TCPMUX | SERVICE_UNLISTED),
		host(&b, "beta", SERVICE_TCPMUXPLUS | SERVICE_UNLISTED),
		host(&c, "gamma", SERVICE_UNLISTED),
		host(&d, "delta", SERVICE_INTERNAL),
		host(&e, "ALPHA", SERVICE_TCPMUX | SERVICE_UNLISTED),
		host(&f, "bl ank", SERVICE_TCPMUX | SERVICE_UNLISTED),
	};
	struct mux_table *table;

	(void)state;
	assert_int_equal(mux_table_new(runs, ARRAY_SIZE(runs), &table), 0);
	assert_ptr_equal(mux_table_find(table, "alpha"), &a.run);
	assert_ptr_equal(mux_table_find(table, "ALPHA"), &a.run);
	assert_ptr_equal(mux_table_find(table, "BetA"), &b.run);
	/* D47b: whoever has tcpmux does not have the rest with it. */
	assert_null(mux_table_find(table, "gamma"));
	assert_null(mux_table_find(table, "delta"));
	assert_null(mux_table_find(table, ""));
	assert_null(mux_table_find(table, "alph"));
	assert_null(mux_table_find(table, "alphaa"));
	assert_null(mux_table_find(table, "bl ank"));
	helps(table, "Alpha\r\nbeta\r\n");
	mux_table_free(table);
}

static void has_nothing_where_there_is_nothing(void **state)
{
	struct hosted a;
	struct service_run *runs[] = { host(&a, "a", SERVICE_UNLISTED) };
	struct mux_table *table;

	(void)state;
	assert_null(mux_table_find(NULL, "a"));
	helps(NULL, "");
	assert_int_equal(mux_table_new(runs, 1, &table), 0);
	assert_null(mux_table_find(table, "a"));
	helps(table, "");
	mux_table_free(table);
	mux_table_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_services_behind_tcpmux_and_no_others),
		cmocka_unit_test(has_nothing_where_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
