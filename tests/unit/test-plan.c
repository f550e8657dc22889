/* SPDX-License-Identifier: ISC */
/* Tests of what a reload keeps, replaces, opens and ends. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load.h"
#include "serve/plan.h"

/* What runs, what is to run, and the plan between them. */
struct change {
	struct load old;
	struct load new;
	struct plan plan;
};

static void make(struct change *change)
{
	assert_int_equal(plan_make(change->old.conf->services, change->old.conf->n,
				   change->new.conf, &change->plan),
			 0);
}

/* Plans the way from one text to another; file names are made equal, as they are at a reload. */
static void plan_texts(struct change *change, const char *from, const char *to)
{
	load_text(&change->old, from);
	load_text(&change->new, from);
	load_put(&change->new, "main.conf", to);
	load_run(&change->new);
	/* What runs came from the same file. */
	load_done(&change->old);
	change->old = (struct load){ 0 };
	(void)strcpy(change->old.dir, change->new.dir);
	(void)strcpy(change->old.main, change->new.main);
	{
		FILE *out = fopen(change->old.main, "w");

		assert_non_null(out);
		(void)fputs(from, out);
		(void)fclose(out);
	}
	load_run(&change->old);
	assert_int_equal(change->new.status, 0);
	make(change);
}

static void change_done(struct change *change)
{
	plan_done(&change->plan);
	conf_free(change->old.conf);
	diag_done(&change->old.diag);
	load_done(&change->new);
}

/* The plan's service of this id. */
static const struct plan_service *planned(const struct change *change, const char *id)
{
	for (size_t i = 0; i < change->plan.n; i++)
		if (strcmp(change->plan.services[i].service->id, id) == 0)
			return &change->plan.services[i];
	fail_msg("%s is not planned", id);
	return NULL;
}

static const struct plan_endpoint *door(const struct change *change, const char *id, size_t i)
{
	return &change->plan.endpoints[planned(change, id)->first_endpoint + i];
}

static void keeps_what_stays(void **state)
{
	static const char text[] = STANZA("a", "") STANZA_AT("b", "4002", "bind = 127.0.0.1 ::1\n");
	struct change c;

	(void)state;
	plan_texts(&c, text, text);
	assert_int_equal(c.plan.n, 2);
	assert_int_equal(c.plan.n_dropped, 0);
	assert_int_equal(c.plan.n_endpoints, 3);
	assert_int_equal(planned(&c, "a")->old, 0);
	assert_int_equal(planned(&c, "b")->old, 1);
	assert_false(planned(&c, "a")->kept);
	assert_int_equal(door(&c, "a", 0)->old, 0);
	assert_int_equal(door(&c, "b", 1)->old, 1);
	assert_int_equal(door(&c, "b", 1)->old_endpoint, 1);
	change_done(&c);
}

static void replaces_a_changed_service_behind_its_open_door(void **state)
{
	struct change c;

	(void)state;
	plan_texts(&c, STANZA("a", ""), STANZA("a", "nice = 5\nonly_from = 10.0.0.1\n"));
	assert_int_equal(planned(&c, "a")->old, 0);
	assert_int_equal(planned(&c, "a")->service->nice, 5);
	assert_int_equal(door(&c, "a", 0)->old, 0);
	assert_int_equal(c.plan.n_dropped, 0);
	change_done(&c);
}

static void opens_what_is_new_and_ends_what_is_gone(void **state)
{
	struct change c;

	(void)state;
	plan_texts(&c, STANZA("a", "") STANZA_AT("b", "4002", ""),
		   STANZA("a", "disable = yes\n") STANZA_AT("c", "4003", ""));
	assert_int_equal(c.plan.n, 1);
	assert_int_equal(planned(&c, "c")->old, PLAN_NONE);
	assert_int_equal(door(&c, "c", 0)->old, PLAN_NONE);
	assert_int_equal(c.plan.n_dropped, 2);
	change_done(&c);
}

static void continues_a_service_that_moves_to_another_port(void **state)
{
	struct change c;

	(void)state;
	/* D57: its servers go on; only the door is another. */
	plan_texts(&c, STANZA_AT("a", "4001", ""), STANZA_AT("a", "4002", ""));
	assert_int_equal(planned(&c, "a")->old, 0);
	assert_int_equal(door(&c, "a", 0)->old, PLAN_NONE);
	assert_int_equal(c.plan.n_dropped, 0);
	change_done(&c);
}

static void opens_only_the_addresses_that_are_new(void **state)
{
	struct change c;

	(void)state;
	plan_texts(&c, STANZA("a", "bind = 127.0.0.1 127.0.0.2\n"),
		   STANZA("a", "bind = 127.0.0.3 127.0.0.2\n"));
	assert_int_equal(door(&c, "a", 0)->old, PLAN_NONE);
	assert_int_equal(door(&c, "a", 1)->old, 0);
	assert_int_equal(door(&c, "a", 1)->old_endpoint, 1);
	change_done(&c);
	/* D56: xinetd does not notice that an IPv6 address is gone. */
	plan_texts(&c, STANZA("a", "bind = ::1\n"), STANZA("a", ""));
	assert_int_equal(door(&c, "a", 0)->old, PLAN_NONE);
	change_done(&c);
}

static void hands_the_door_of_a_renamed_service_over(void **state)
{
	struct change c;

	(void)state;
	plan_texts(&c, STANZA("a", ""), STANZA("b", ""));
	assert_int_equal(planned(&c, "b")->old, PLAN_NONE);
	assert_int_equal(door(&c, "b", 0)->old, 0);
	assert_int_equal(c.plan.n_dropped, 1);
	assert_int_equal(c.plan.dropped[0], 0);
	change_done(&c);
	/* Two that swap their names, too. */
	plan_texts(&c, STANZA("a", "") STANZA_AT("b", "4002", ""),
		   STANZA("b", "") STANZA_AT("a", "4002", ""));
	assert_int_equal(planned(&c, "b")->old, 1);
	assert_int_equal(door(&c, "b", 0)->old, 0);
	assert_int_equal(door(&c, "a", 0)->old, 1);
	assert_int_equal(c.plan.n_dropped, 0);
	change_done(&c);
}

static void tells_services_of_one_id_apart_by_their_doors(void **state)
{
	struct change c;

	(void)state;
	plan_texts(&c,
		   STANZA_AT("a", "4001", "") STANZA_AT("a", "4002", "") STANZA_AT("a", "4003", ""),
		   STANZA_AT("a", "4003", "") STANZA_AT("a", "4001", ""));
	assert_int_equal(c.plan.n, 2);
	assert_int_equal(c.plan.services[0].old, 2);
	assert_int_equal(c.plan.services[1].old, 0);
	assert_int_equal(c.plan.n_dropped, 1);
	assert_int_equal(c.plan.dropped[0], 1);
	change_done(&c);
	/* One id for two protocols. */
	plan_texts(
		&c,
		"service a\n{\ntype = UNLISTED\nport = 4001\nsocket_type = dgram\nwait = yes\nuser = root\n"
		"server = /bin/sh\n}\n" STANZA("a", ""),
		STANZA("a", ""));
	assert_int_equal(c.plan.services[0].old, 1);
	assert_int_equal(c.plan.dropped[0], 0);
	change_done(&c);
}

static void finds_ids_in_any_case(void **state)
{
	struct change c;

	(void)state;
	plan_texts(&c, STANZA("a", ""), STANZA("A", ""));
	assert_int_equal(planned(&c, "A")->old, 0);
	change_done(&c);
}

static void keeps_what_is_broken_now_in_its_old_form(void **state)
{
	struct change c;

	(void)state;
	plan_texts(&c, STANZA("a", "nice = 3\n") STANZA_AT("b", "4002", ""),
		   STANZA("a", "nice = x\n") STANZA_AT("b", "4002", ""));
	assert_int_equal(c.plan.n, 2);
	assert_true(planned(&c, "a")->kept);
	assert_int_equal(planned(&c, "a")->service->nice, 3);
	assert_ptr_equal(planned(&c, "a")->service, c.old.conf->services[0]);
	assert_int_equal(planned(&c, "a")->old, 0);
	assert_int_equal(door(&c, "a", 0)->old, 0);
	assert_int_equal(c.plan.n_dropped, 0);
	change_done(&c);
	/* Also where the broken stanza has another id now. */
	plan_texts(&c, STANZA("a", "id = x\n"), STANZA("a", "id = y\nnice = z\n"));
	assert_true(planned(&c, "x")->kept);
	change_done(&c);
}

static void keeps_services_whose_headings_are_lost_in_junk(void **state)
{
	static const char *const damaged[] = {
		"junk" STANZA("a", "") STANZA_AT("b", "4002", ""),
		"servce a\n{\n}\n" STANZA_AT("b", "4002", ""),
		STANZA_AT("b", "4002", "") "}\n",
		"service b\n{\ntype = UNL",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		struct change c;

		plan_texts(&c, STANZA("a", "") STANZA_AT("b", "4002", ""), damaged[i]);
		assert_true(planned(&c, "a")->kept);
		assert_int_equal(planned(&c, "b")->kept, i == 3);
		assert_int_equal(c.plan.n_dropped, 0);
		change_done(&c);
	}
}

static void keeps_services_of_broken_inetd_lines(void **state)
{
	struct load load;
	struct conf *old;
	struct plan plan;

	(void)state;
	load_inetd_text(
		&load, "",
		"8021 stream tcp nowait root /bin/sh\n8022 stream tcp nowait root /bin/sh\n");
	old = TAKE_PTR(load.conf);
	load_put(&load, "inetd.conf",
		 "8021 stream tcp later root /bin/sh\n8022 stream tcp nowait root /bin/sh\n");
	load_run(&load);
	assert_int_equal(load.conf->n, 1);
	assert_int_equal(plan_make(old->services, old->n, load.conf, &plan), 0);
	assert_int_equal(plan.n, 2);
	assert_true(plan.services[1].kept);
	assert_string_equal(plan.services[1].service->id, "8021");
	plan_done(&plan);
	conf_free(old);
	load_done(&load);
}

static void ends_a_broken_service_whose_door_another_has_taken(void **state)
{
	struct change c;

	(void)state;
	plan_texts(&c, STANZA("a", ""), STANZA("a", "nice = x\n") STANZA("b", ""));
	assert_int_equal(c.plan.n, 1);
	assert_int_equal(door(&c, "b", 0)->old, 0);
	assert_int_equal(c.plan.n_dropped, 1);
	change_done(&c);
}

static void keeps_the_services_of_files_that_cannot_be_read_now(void **state)
{
	struct load load;
	struct conf *old;
	struct plan plan;

	(void)state;
	load_init(&load);
	load_put(&load, "main.conf", "include f\nincludedir d\n" STANZA_AT("m", "4005", ""));
	load_put(&load, "f", STANZA("a", ""));
	load_put(&load, "d/", "");
	load_put(&load, "d/x", STANZA_AT("b", "4002", ""));
	load_run(&load);
	assert_int_equal(load.conf->n, 3);
	old = TAKE_PTR(load.conf);
	{
		char file[PATH_MAX], dir[PATH_MAX], away[PATH_MAX];

		(void)snprintf(file, sizeof(file), "%s/f", load.dir);
		(void)snprintf(dir, sizeof(dir), "%s/d", load.dir);
		(void)snprintf(away, sizeof(away), "%s/away", load.dir);
		assert_int_equal(unlink(file), 0);
		assert_int_equal(rename(dir, away), 0);
		load_put(&load, "main.conf", "include f\nincludedir d\n");
		load_run(&load);
		assert_int_equal(rename(away, dir), 0);
	}
	assert_int_equal(load.status, 0);
	assert_int_equal(plan_make(old->services, old->n, load.conf, &plan), 0);
	assert_int_equal(plan.n, 2);
	assert_true(plan.services[0].kept);
	assert_true(plan.services[1].kept);
	/* What the readable file no longer has, ends. */
	assert_int_equal(plan.n_dropped, 1);
	plan_done(&plan);
	conf_free(old);
	load_done(&load);
}

static void finds_what_goes_on_at_its_doors(void **state)
{
	static const char two[] = STANZA("a", "bind = 127.0.0.1 127.0.0.2\n");
	struct change c;

	(void)state;
	plan_texts(&c, STANZA("a", "") STANZA_AT("b", "4002", "nice = 1\n"),
		   STANZA("a", "") STANZA_AT("b", "4002", "nice = 2\n"));
	assert_true(planned(&c, "a")->in_place);
	assert_true(planned(&c, "a")->same);
	assert_ptr_equal(planned(&c, "a")->service, c.old.conf->services[0]);
	assert_true(planned(&c, "b")->in_place);
	assert_false(planned(&c, "b")->same);
	assert_ptr_equal(planned(&c, "b")->service, c.new.conf->services[1]);
	change_done(&c);
	/* Where the stanza stands does not matter, but in which order its addresses are. */
	plan_texts(&c, two, "\n\n" STANZA("a", "bind = 127.0.0.1 127.0.0.2\n"));
	assert_true(planned(&c, "a")->same);
	assert_int_equal(planned(&c, "a")->service->line, c.old.conf->services[0]->line + 2);
	change_done(&c);
	plan_texts(&c, two, STANZA("a", "bind = 127.0.0.2 127.0.0.1\n"));
	assert_false(planned(&c, "a")->in_place);
	change_done(&c);
	plan_texts(&c, two, STANZA("a", "bind = 127.0.0.1\n"));
	assert_false(planned(&c, "a")->in_place);
	change_done(&c);
	/* Renamed, moved, broken. */
	plan_texts(&c, STANZA("a", ""), STANZA("b", ""));
	assert_false(planned(&c, "b")->in_place);
	change_done(&c);
	plan_texts(&c, STANZA("a", ""), STANZA_AT("a", "4002", ""));
	assert_false(planned(&c, "a")->in_place);
	change_done(&c);
	plan_texts(&c, STANZA("a", ""), STANZA("a", "nice = x\n"));
	assert_false(planned(&c, "a")->in_place);
	change_done(&c);
}

static void an_intercepted_service_is_always_made_anew(void **state)
{
	static const char text[] =
		"service a\n{\ntype = UNLISTED\nport = 4001\nsocket_type = dgram\n"
		"wait = yes\nuser = root\nserver = /bin/sh\nflags = INTERCEPT\n}\n";
	struct change c;

	(void)state;
	plan_texts(&c, text, text);
	assert_true(planned(&c, "a")->in_place);
	assert_false(planned(&c, "a")->same);
	change_done(&c);
}

static void plans_from_and_to_nothing(void **state)
{
	struct change c;

	(void)state;
	plan_texts(&c, "", STANZA("a", ""));
	assert_int_equal(planned(&c, "a")->old, PLAN_NONE);
	change_done(&c);
	plan_texts(&c, STANZA("a", ""), "");
	assert_int_equal(c.plan.n, 0);
	assert_int_equal(c.plan.n_dropped, 1);
	change_done(&c);
	plan_texts(&c, "", "");
	change_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_stays),
		cmocka_unit_test(replaces_a_changed_service_behind_its_open_door),
		cmocka_unit_test(opens_what_is_new_and_ends_what_is_gone),
		cmocka_unit_test(continues_a_service_that_moves_to_another_port),
		cmocka_unit_test(opens_only_the_addresses_that_are_new),
		cmocka_unit_test(hands_the_door_of_a_renamed_service_over),
		cmocka_unit_test(tells_services_of_one_id_apart_by_their_doors),
		cmocka_unit_test(finds_ids_in_any_case),
		cmocka_unit_test(keeps_what_is_broken_now_in_its_old_form),
		cmocka_unit_test(keeps_services_whose_headings_are_lost_in_junk),
		cmocka_unit_test(keeps_services_of_broken_inetd_lines),
		cmocka_unit_test(ends_a_broken_service_whose_door_another_has_taken),
		cmocka_unit_test(keeps_the_services_of_files_that_cannot_be_read_now),
		cmocka_unit_test(finds_what_goes_on_at_its_doors),
		cmocka_unit_test(an_intercepted_service_is_always_made_anew),
		cmocka_unit_test(plans_from_and_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
