/* SPDX-License-Identifier: ISC */
/* What an idle service takes, what is laid out for it when somebody comes, and what is refused before. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/util.h"
#include "serve/run.h"
#include "serve/spawn_private.h"
#include "service_fixture.h"

static struct server server;

static int make_server(void **state)
{
	static char *const environment[] = { (char *)(uintptr_t) "PATH=/bin",
					     (char *)(uintptr_t) "LANG=C",
					     (char *)(uintptr_t) "HOME=/", NULL };
	const struct rlimit files = { 1024, 4096 };

	(void)state;
	server.options.gate_path = "/gate";
	return account_find(&server.gate_account) < 0 ||
			       spawner_new(environment, &files, &server.spawner) < 0
		       ? -1
		       : 0;
}

static int free_server(void **state)
{
	(void)state;
	spawner_free(server.spawner);
	return 0;
}

static const struct words *words(const char *a, const char *b)
{
	return intern_words(NULL, (const char *const[]){ a, b }, b ? 2 : 1);
}

static void an_idle_service_is_small(void **state)
{
	(void)state;
	/* With what malloc(3) adds to each, and the pointer to it. */
	assert_true(sizeof(struct service_run) + sizeof(struct place) + 40 <= 320);
}

static void nothing_is_laid_out_before_it_is_needed(void **state)
{
	struct service *service = make_service("id", "/bin/true");
	struct starts starts;
	struct spawn *plan;

	(void)state;
	assert_int_equal(starts_new(&server, service, &starts), 0);
	assert_true(starts.wanted[START_SERVER]);
	assert_false(starts.wanted[START_GATE]);
	assert_false(starts.wanted[START_INQUIRER]);
	assert_null(starts.plans);
	plan = starts_plan(&starts, &server, service, START_SERVER);
	assert_non_null(plan);
	assert_ptr_equal(starts_plan(&starts, &server, service, START_SERVER), plan);
	starts_forget(&starts);
	assert_null(starts.plans);
	assert_true(starts.wanted[START_SERVER]);
	assert_non_null(starts_plan(&starts, &server, service, START_SERVER));
	starts_done(&starts);
	assert_false(starts.wanted[START_SERVER]);
	assert_int_equal(service->refs, 1);
	service_unref(service);
}

static void all_that_may_be_needed_is_known(void **state)
{
	struct service *service = make_service("id", "/bin/true");
	struct starts starts;

	(void)state;
	service->flags = FLAG_INTERCEPT;
	assert_int_equal(starts_new(&server, service, &starts), 0);
	assert_false(starts.wanted[START_SERVER]);
	starts_done(&starts);
	service->flags = FLAG_IDONLY;
	service->log_on_success = LOG_OPT_USERID;
	assert_int_equal(starts_new(&server, service, &starts), 0);
	assert_true(starts.wanted[START_GATE]);
	assert_null(starts.plans);
	assert_non_null(starts_plan(&starts, &server, service, START_GATE));
	starts_done(&starts);
	service_unref(service);
}

static void the_environment_is_shared_where_the_stanza_says_nothing(void **state)
{
	struct service *service = make_service("id", "/bin/true");
	struct spawn *spawn;

	(void)state;
	assert_int_equal(spawn_new(server.spawner, service, &spawn), 0);
	assert_ptr_equal(spawn->environment, server.spawner->environment.v);
	assert_int_equal(spawn->n_environment, 3);
	spawn_free(spawn);
	service->env = words("LANG=de", "MORE=yes");
	assert_int_equal(spawn_new(server.spawner, service, &spawn), 0);
	assert_int_equal(spawn->n_environment, 4);
	assert_string_equal(spawn->environment[0], "PATH=/bin");
	assert_string_equal(spawn->environment[1], "LANG=de");
	assert_string_equal(spawn->environment[2], "HOME=/");
	assert_string_equal(spawn->environment[3], "MORE=yes");
	spawn_free(spawn);
	service->passenv_given = true;
	service->passenv = words("HOME", NULL);
	assert_int_equal(spawn_new(server.spawner, service, &spawn), 0);
	assert_int_equal(spawn->n_environment, 3);
	assert_string_equal(spawn->environment[0], "HOME=/");
	assert_string_equal(spawn->environment[1], "LANG=de");
	spawn_free(spawn);
	service_unref(service);
	assert_string_equal(server.spawner->environment.v[1], "LANG=C");
}

static void an_identity_that_cannot_be_had_is_refused_at_load(void **state)
{
	struct service *service = make_service("id", "/bin/true");
	bool privileged = server.spawner->privileged;
	struct starts starts = { 0 };

	(void)state;
	service->user = intern_text(NULL, "somebody");
	service->uid = geteuid() + 1;
	server.spawner->privileged = false;
	assert_int_equal(starts_new(&server, service, &starts), -EPERM);
	server.spawner->privileged = true;
	assert_int_equal(starts_new(&server, service, &starts), 0);
	server.spawner->privileged = privileged;
	starts_done(&starts);
	service_unref(service);
}

static void want_of_memory_later_is_told(void **state)
{
#ifdef SANITIZED
	(void)state;
	skip();
#else
	struct service *service = make_service("id", "/bin/true");
	struct rlimit before, none = { 0 };
	struct starts starts;
	void *blocks = NULL;
	struct spawn *plan;

	(void)state;
	assert_int_equal(starts_new(&server, service, &starts), 0);
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
	/* What the heap has left is taken, large pieces first. */
	for (size_t bytes = 1 << 16; bytes >= 16; bytes /= 2)
		for (void **block; (block = malloc(bytes)); blocks = block)
			*block = blocks;
	plan = starts_plan(&starts, &server, service, START_SERVER);
	while (blocks) {
		void *next = *(void **)blocks;

		free(blocks);
		blocks = next;
	}
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_null(plan);
	/* And once there is some, it works. */
	assert_non_null(starts_plan(&starts, &server, service, START_SERVER));
	starts_done(&starts);
	service_unref(service);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_service_is_small),
		cmocka_unit_test(nothing_is_laid_out_before_it_is_needed),
		cmocka_unit_test(all_that_may_be_needed_is_known),
		cmocka_unit_test(the_environment_is_shared_where_the_stanza_says_nothing),
		cmocka_unit_test(an_identity_that_cannot_be_had_is_refused_at_load),
		cmocka_unit_test(want_of_memory_later_is_told),
	};

	return cmocka_run_group_tests(tests, make_server, free_server);
}
