/* SPDX-License-Identifier: ISC */
/* Tests of what many services cost: memory for each, and nothing for what they have in common. */
#include "config.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load.h"

#define SERVICES 2000

/* What a service may take of the heap, what malloc(3) adds included. Raise it only with a reason in the commit. */
#define BYTES_A_SERVICE 405
/* What a hundred addresses in defaults may add for all of them together. */
#define BYTES_OF_ADDRESSES (64 * 1024)

static void write_conf(struct load *load, size_t n, bool addresses)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	(void)fputs("defaults\n{\nlog_type = FILE /tmp/records\nlog_on_success = PID HOST EXIT\n"
		    "log_on_failure = HOST\ncps = 10000 1\ninstances = 1000\nper_source = 1000\n",
		    out);
	(void)fputs(addresses ? "only_from = 127.0.0.0/8" : "", out);
	for (int i = 0; addresses && i < 99; i++)
		(void)fprintf(out, " 10.%d.0.0/16", i);
	(void)fputs("\n}\n", out);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(out,
			      "service s%zu\n{\ntype = UNLISTED\nport = %zu\nsocket_type = stream\n"
			      "protocol = tcp\nwait = no\nuser = root\nflags = IPv4\numask = 027\n"
			      "rlimit_cpu = 60\nenv = BENCH=yes\nserver = /bin/sh\n"
			      "server_args = -c true\n}\n",
			      i, 20000 + i);
	(void)fclose(out);
	load_put(load, "main.conf", text);
	free(text);
}

/* Bytes of the heap that stay in use for a configuration. */
static size_t bytes_of(size_t n, bool addresses)
{
	struct mallinfo2 before, after;
	struct load load;

	load_init(&load);
	write_conf(&load, n, addresses);
	before = mallinfo2();
	load_run(&load);
	after = mallinfo2();
	assert_int_equal(load.status, 0);
	assert_int_equal(load.diag.n, 0);
	assert_int_equal(load.conf->n, n);
	load_done(&load);
	return after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
}

static void a_service_takes_little_memory(void **state)
{
	size_t few, many;

	(void)state;
#ifdef SANITIZED
	skip();
#endif
	/* Once before, for what libraries keep. */
	(void)bytes_of(1, false);
	few = bytes_of(1, false);
	many = bytes_of(1 + SERVICES, false);
	print_message("# %zu bytes a service\n", (many - few) / SERVICES);
	assert_in_range((many - few) / SERVICES, 1, BYTES_A_SERVICE);
}

static void what_is_inherited_costs_once(void **state)
{
	size_t plain, listed;

	(void)state;
#ifdef SANITIZED
	skip();
#endif
	plain = bytes_of(SERVICES, false);
	listed = bytes_of(SERVICES, true);
	print_message("# %zd bytes for a hundred addresses\n", (ssize_t)(listed - plain));
	assert_true(listed < plain + BYTES_OF_ADDRESSES);
}

#define TWO(lines_a, lines_b) STANZA_AT("a", "4001", lines_a) STANZA_AT("b", "4002", lines_b)

static void services_share_what_is_equal(void **state)
{
	const struct service *a, *b;
	struct load load;
	char text[4096];

	(void)state;
	load_init(&load);
	load_put(&load, "list", "192.0.2.1\n");
	load_put(&load, "banner", "hello\n");
	(void)snprintf(text, sizeof(text),
		       "defaults\n{\nonly_from = 10.0.0.0/8 .example.org\n"
		       "no_access_file = %s/list\nbanner = %s/banner\n"
		       "access_times = 8:00-12:00\nlog_type = FILE /x\n}\n" TWO(
			       "env = A=1\nserver_args = x\nrlimit_cpu = 5\n",
			       "env = A=1\nserver_args = x\nrlimit_cpu = 5\n"),
		       load.dir, load.dir);
	load_put(&load, "main.conf", text);
	load_run(&load);
	a = must_have(&load, "a");
	b = must_have(&load, "b");
	assert_ptr_equal(a->only_from, b->only_from);
	assert_ptr_equal(a->no_access, b->no_access);
	assert_ptr_equal(a->access_times, b->access_times);
	assert_ptr_equal(a->banners, b->banners);
	assert_ptr_equal(a->log, b->log);
	assert_ptr_equal(a->env, b->env);
	assert_ptr_equal(a->argv, b->argv);
	assert_ptr_equal(a->rlimits, b->rlimits);
	assert_ptr_equal(a->server, b->server);
	assert_ptr_equal(a->user, b->user);
	assert_ptr_equal(a->file, b->file);
	assert_ptr_equal(a->name, a->id);
	load_done(&load);
}

static void services_that_say_their_own_have_their_own(void **state)
{
	const struct service *a, *b;
	struct load load;

	(void)state;
	load_text(&load, "defaults\n{\nonly_from = 10.0.0.0/8\naccess_times = 8:00-12:00\n"
			 "log_type = FILE /x\n}\n" TWO(
				 "", "only_from += 192.0.2.1\naccess_times = 9:00-10:00\n"
				     "log_type = FILE /x\n"));
	a = must_have(&load, "a");
	b = must_have(&load, "b");
	assert_words(a->only_from->words, "10.0.0.0/8");
	assert_words(b->only_from->words, "10.0.0.0/8 192.0.2.1");
	assert_int_equal(a->access_times->v[0].start_min, 480);
	assert_int_equal(b->access_times->v[0].start_min, 540);
	/* The same place, but records go there for another reason. */
	assert_true(a->log->common);
	assert_false(b->log->common);
	load_done(&load);
}

/* A list that is wrong is told of for each service that has it, at its own line. */
static void each_service_hears_of_a_wrong_list(void **state)
{
	struct load load;

	(void)state;
	load_text(&load, TWO("only_from = 10.0.0.300\naccess_times = 8\n",
			     "only_from = 10.0.0.300\naccess_times = 8\n"));
	assert_said(&load, "main.conf:9: error: \"10.0.0.300\": ", 1);
	assert_said(&load, "main.conf:10: error: \"8\": ", 1);
	assert_said(&load, "main.conf:20: error: \"10.0.0.300\": ", 1);
	assert_said(&load, "main.conf:21: error: \"8\": ", 1);
	assert_true(load_broken(&load, "a"));
	assert_true(load_broken(&load, "b"));
	load_done(&load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_takes_little_memory),
		cmocka_unit_test(what_is_inherited_costs_once),
		cmocka_unit_test(services_share_what_is_equal),
		cmocka_unit_test(services_that_say_their_own_have_their_own),
		cmocka_unit_test(each_service_hears_of_a_wrong_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
