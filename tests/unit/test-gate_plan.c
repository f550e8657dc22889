/* SPDX-License-Identifier: ISC */
/* What has to be asked about whom, in which name, and how the gate is told. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "serve/gate_plan.h"
#include "serve/spawn_private.h"
#include "service_fixture.h"

#ifdef HAVE_LIBWRAP
#define WRAPPED true
#else
#define WRAPPED false
#endif

static const struct account nobody = { .uid = 65534, .gid = 65534, .mapped = true };
static const struct addr ipv4 = { .family = AF_INET }, unknown = { .family = AF_UNSPEC },
			 local = { .family = AF_UNIX };

static struct spawner *spawner;

static int make_spawner(void **state)
{
	static char *const environment[] = { (char *)(uintptr_t) "PATH=/bin",
					     (char *)(uintptr_t) "REMOTE_HOST=forged", NULL };
	const struct rlimit files = { 1024, 4096 };

	(void)state;
	return spawner_new(environment, &files, &spawner);
}

static int free_spawner(void **state)
{
	(void)state;
	spawner_free(spawner);
	return 0;
}

/* A service of somebody's, whose server is called something else. */
static struct service *make_owned_service(void)
{
	struct service *service = make_service("id", "/usr/sbin/in.server");

	service->user = intern_text(NULL, "somebody");
	service->uid = 1234;
	service->gid = 4321;
	intern_unref(service->argv);
	service->argv = intern_words(NULL, (const char *const[]){ "/x/called" }, 1);
	return service;
}

/* A list that is the service's. */
static struct addr_rules *give_list(const struct addr_rules **slot)
{
	struct addr_rules *rules = intern_alloc(sizeof(*rules));

	assert_non_null(rules);
	rules->given = true;
	*slot = rules;
	return rules;
}

static void give_names(const struct addr_rules **slot, const char *const *names)
{
	struct addr_rules *rules = give_list(slot);

	for (; *names; names++)
		assert_int_equal(strv_add(&rules->names, *names), 0);
}

static void the_name_for_libwrap(void **state)
{
	struct service *service = make_owned_service();

	(void)state;
	assert_string_equal(gate_plan_libwrap_name(service), "in.server");
	service->flags = FLAG_NAMEINARGS;
	assert_string_equal(gate_plan_libwrap_name(service), "called");
	intern_unref(service->argv);
	service->argv = intern_words(NULL, (const char *const[]){ "plain" }, 1);
	assert_string_equal(gate_plan_libwrap_name(service), "plain");
	intern_unref(service->server);
	service->server = NULL;
	assert_string_equal(gate_plan_libwrap_name(service), "name");
	service->libwrap = intern_text(NULL, "given");
	assert_string_equal(gate_plan_libwrap_name(service), "given");
	service_unref(service);
}

static void what_is_asked_about_whom(void **state)
{
	struct service *service = make_owned_service();
	const struct addr *peers[] = { &ipv4, &unknown, &local };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		service->wrapped = false;
		assert_int_equal(gate_plan_question(service, peers[i], ACCESS_ALLOW),
				 GATE_ASKS_NOTHING);
		assert_int_equal(gate_plan_question(service, peers[i], ACCESS_IF_LISTED),
				 GATE_ASKS_LISTED);
		assert_int_equal(gate_plan_question(service, peers[i], ACCESS_UNLESS_BARRED),
				 GATE_ASKS_BARRED);
		service->wrapped = true;
		assert_int_equal(gate_plan_question(service, peers[i], ACCESS_ALLOW),
				 WRAPPED && peers[i] != &local ? GATE_ASKS_RULES
							       : GATE_ASKS_NOTHING);
		assert_int_equal(gate_plan_question(service, peers[i], ACCESS_IF_LISTED),
				 GATE_ASKS_LISTED);
	}
	service_unref(service);
}

static void has_arguments(const struct spawn *spawn, enum gate_question question,
			  const char *expected)
{
	const struct strv *list = &spawn->arguments[question];
	char text[1024] = "";

	for (size_t i = 0; i < list->n; i++) {
		(void)strcat(text, i ? " " : "");
		(void)strcat(text, list->v[i]);
	}
	assert_string_equal(text, expected);
}

static struct spawn *plan(const struct service *service)
{
	struct spawn *spawn;

	assert_int_equal(gate_plan_new(spawner, service, "/gate", &nobody, &spawn), 0);
	return spawn;
}

static void who_needs_no_gate_has_none(void **state)
{
	struct service *service = make_owned_service();

	(void)state;
	assert_null(plan(service));
	(void)give_list(&service->only_from);
	assert_null(plan(service));
	service_unref(service);
}

static void names_are_told_where_they_matter(void **state)
{
	static const char *const only[] = { "a.example", ".b.example", NULL };
	static const char *const no[] = { "-c.example", NULL };
	struct service *service = make_owned_service();
	struct spawn *spawn;

	(void)state;
	service->chroot = intern_text(NULL, "/nowhere");
	service->umask = 027;
	give_names(&service->only_from, only);
	give_names(&service->no_access, no);
	spawn = plan(service);
	has_arguments(spawn, GATE_ASKS_NOTHING, "");
	has_arguments(spawn, GATE_ASKS_RULES, "usherd-gate -s");
	has_arguments(spawn, GATE_ASKS_LISTED,
		      "usherd-gate -s -oa.example -o.b.example -n-c.example");
	has_arguments(spawn, GATE_ASKS_BARRED, "usherd-gate -s -n-c.example");
	assert_string_equal(spawn->plan.path, "/gate");
	assert_null(spawn->plan.chroot);
	assert_int_equal(spawn->plan.umask, 027);
	/* No command of the service's is run: nobody's identity will do. */
	assert_int_equal(spawn->plan.uid, 65534);
	assert_int_equal(spawn->plan.n_groups, 0);
	assert_int_equal(spawn->n_environment, 1);
	assert_string_equal(spawn->environment[0], "PATH=/bin");
	spawn_free(spawn);
	service_unref(service);
}

static void rules_are_asked_as_the_service(void **state)
{
	struct service *service = make_owned_service();
	struct spawn *spawn;

	(void)state;
	if (!WRAPPED)
		skip();
	service->wrapped = true;
	spawn = plan(service);
	has_arguments(spawn, GATE_ASKS_RULES, "usherd-gate -s -win.server");
	assert_int_equal(spawn->plan.uid, 1234);
	assert_int_equal(spawn->plan.gid, 4321);
	spawn_free(spawn);
	/* A socket that the server gets itself is not the gate's. */
	service->wait = true;
	spawn = plan(service);
	has_arguments(spawn, GATE_ASKS_RULES, "usherd-gate -win.server");
	spawn_free(spawn);
	service->wait = false;
	service->socktype = SOCK_DGRAM;
	intern_unref(service->server);
	service->server = NULL;
	spawn = plan(service);
	has_arguments(spawn, GATE_ASKS_RULES, "usherd-gate -wname");
	assert_int_equal(spawn->plan.uid, 65534);
	spawn_free(spawn);
	service_unref(service);
}

static void more_names_than_a_command_line_takes(void **state)
{
	struct service *service = make_owned_service();
	struct addr_rules *rules;
	struct spawn *spawn;

	(void)state;
	rules = give_list(&service->no_access);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(strv_addf(&rules->names, "host%d.example.org", i), 0);
	assert_int_equal(gate_plan_new(spawner, service, "/gate", &nobody, &spawn), -E2BIG);
	assert_null(spawn);
	service_unref(service);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_for_libwrap),
		cmocka_unit_test(what_is_asked_about_whom),
		cmocka_unit_test(who_needs_no_gate_has_none),
		cmocka_unit_test(names_are_told_where_they_matter),
		cmocka_unit_test(rules_are_asked_as_the_service),
		cmocka_unit_test(more_names_than_a_command_line_takes),
	};

	return cmocka_run_group_tests(tests, make_spawner, free_spawner);
}
