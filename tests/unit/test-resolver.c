/* SPDX-License-Identifier: ISC */
/* Looks names up with look-ups that wait until they are told to go on. */
#include "config.h"

#include <event2/event.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "serve/resolver.h"

#define DEADLINE_USEC (20 * USEC_PER_SEC)

/* What the look-ups of all tests do; each test sets it before the first. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool hold;      /* they wait */
	int error;      /* they fail with it */
	unsigned begun; /* so many have been called */
	unsigned inside;
	unsigned most_inside;
	bool signals_blocked;
} script = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static int scripted(const char *host, const char *service, const struct addrinfo *hints,
		    struct addrinfo **ret)
{
	struct addrinfo numeric = *hints;
	sigset_t mask;
	int error;

	(void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
	(void)pthread_mutex_lock(&script.mutex);
	script.signals_blocked =
		sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGCHLD) == 1;
	script.begun++;
	if (++script.inside > script.most_inside)
		script.most_inside = script.inside;
	while (script.hold)
		(void)pthread_cond_wait(&script.changed, &script.mutex);
	script.inside--;
	error = script.error;
	(void)pthread_mutex_unlock(&script.mutex);
	numeric.ai_flags = AI_NUMERICHOST;
	return error ? error
		     : getaddrinfo(host[0] == 'n' ? "192.0.2.1" : host, service, &numeric, ret);
}

static void set_script(bool hold, int error)
{
	(void)pthread_mutex_lock(&script.mutex);
	script.hold = hold;
	script.error = error;
	(void)pthread_cond_broadcast(&script.changed);
	(void)pthread_mutex_unlock(&script.mutex);
}

static unsigned begun(void)
{
	unsigned n;

	(void)pthread_mutex_lock(&script.mutex);
	n = script.begun;
	(void)pthread_mutex_unlock(&script.mutex);
	return n;
}

static unsigned inside(void)
{
	unsigned n;

	(void)pthread_mutex_lock(&script.mutex);
	n = script.inside;
	(void)pthread_mutex_unlock(&script.mutex);
	return n;
}

struct fixture {
	struct event_base *base;
	struct resolver *resolver;
	unsigned answers;
	unsigned errors;
	size_t n;
	struct addr first;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	script.begun = 0;
	script.most_inside = 0;
	set_script(false, 0);
	*state = f;
	f->base = event_base_new();
	return resolver_new(f->base, scripted, &f->resolver);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	resolver_free(f->resolver);
	set_script(false, 0);
	event_base_free(f->base);
	free(f);
	return 0;
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
	struct fixture *f = arg;

	f->answers++;
	f->errors += answer->error != 0;
	f->n = answer->n;
	if (answer->n)
		f->first = answer->addrs[0];
}

#define UNTIL(f, condition)                                                        \
	do {                                                                       \
		const struct timeval tick = { .tv_usec = 10000 };                  \
		uint64_t end_usec = now_usec() + DEADLINE_USEC;                    \
		while (!(condition)) {                                             \
			if (now_usec() > end_usec)                                 \
				fail_msg("in vain: %s", #condition);               \
			(void)event_base_loopexit((f)->base, &tick);               \
			(void)event_base_loop((f)->base, EVLOOP_NO_EXIT_ON_EMPTY); \
		}                                                                  \
	} while (0)

static struct resolver_query *ask(struct fixture *f, const char *host)
{
	struct resolver_query *query = NULL;

	assert_int_equal(resolver_ask(f->resolver, host, on_answer, f, &query), 0);
	assert_non_null(query);
	return query;
}

static void answers_from_the_loop_with_the_address(void **state)
{
	struct fixture *f = *state;
	char text[ADDR_TEXT_MAX];

	(void)ask(f, "2001:db8::1");
	assert_int_equal(f->answers, 0);
	UNTIL(f, f->answers == 1);
	assert_int_equal(f->errors, 0);
	assert_int_equal(f->n, 1);
	assert_string_equal(addr_format(&f->first, text), "2001:db8::1");
	assert_true(script.signals_blocked);
}

static void asks_once_for_all_and_keeps_the_answer(void **state)
{
	struct fixture *f = *state;

	set_script(true, 0);
	for (unsigned i = 0; i < 10; i++)
		(void)ask(f, "name");
	UNTIL(f, inside() == 1);
	assert_int_equal(f->answers, 0);
	set_script(false, 0);
	UNTIL(f, f->answers == 10);
	(void)ask(f, "name");
	assert_int_equal(f->answers, 10);
	UNTIL(f, f->answers == 11);
	assert_int_equal(begun(), 1);
	(void)ask(f, "next");
	UNTIL(f, f->answers == 12);
	assert_int_equal(begun(), 2);
}

static void says_why_there_is_no_answer(void **state)
{
	struct fixture *f = *state;

	set_script(false, EAI_NONAME);
	(void)ask(f, "name");
	UNTIL(f, f->answers == 1);
	assert_int_equal(f->errors, 1);
	assert_int_equal(f->n, 0);
	/* That is kept for a moment, too. */
	(void)ask(f, "name");
	UNTIL(f, f->answers == 2);
	assert_int_equal(begun(), 1);
}

static void a_slow_name_holds_up_nobody_else(void **state)
{
	struct fixture *f = *state;

	set_script(true, 0);
	(void)ask(f, "never");
	UNTIL(f, inside() == 1);
	/* Those inside go on waiting: nobody wakes them. */
	(void)pthread_mutex_lock(&script.mutex);
	script.hold = false;
	(void)pthread_mutex_unlock(&script.mutex);
	(void)ask(f, "192.0.2.7");
	UNTIL(f, f->answers == 1);
	assert_int_equal(f->first.bytes[3], 7);
	set_script(false, 0);
	UNTIL(f, f->answers == 2);
}

static void looks_up_a_bounded_number_at_a_time(void **state)
{
	struct fixture *f = *state;
	enum {
		NAMES = 5 * RESOLVER_THREADS
	};

	set_script(true, 0);
	for (unsigned i = 0; i < NAMES; i++) {
		char host[32];

		(void)snprintf(host, sizeof(host), "n%u", i);
		(void)ask(f, host);
	}
	UNTIL(f, inside() == RESOLVER_THREADS);
	set_script(false, 0);
	UNTIL(f, f->answers == NAMES);
	assert_int_equal(begun(), NAMES);
	assert_int_equal(script.most_inside, RESOLVER_THREADS);
}

static void forgets_a_query_that_is_taken_back(void **state)
{
	struct fixture *f = *state;
	struct resolver_query *query;

	set_script(true, 0);
	query = ask(f, "name");
	(void)ask(f, "name");
	UNTIL(f, inside() == 1);
	resolver_cancel(query);
	set_script(false, 0);
	UNTIL(f, f->answers == 1);
	(void)ask(f, "other");
	UNTIL(f, f->answers == 2);
}

static void ends_while_a_look_up_is_under_way(void **state)
{
	struct fixture *f = *state;

	set_script(true, 0);
	(void)ask(f, "name");
	(void)ask(f, "192.0.2.1");
	UNTIL(f, inside() == 2);
	resolver_free(f->resolver);
	f->resolver = NULL;
	set_script(false, 0);
	UNTIL(f, inside() == 0);
	assert_int_equal(f->answers, 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(answers_from_the_loop_with_the_address),
		T(asks_once_for_all_and_keeps_the_answer),
		T(says_why_there_is_no_answer),
		T(a_slow_name_holds_up_nobody_else),
		T(looks_up_a_bounded_number_at_a_time),
		T(forgets_a_query_that_is_taken_back),
		T(ends_while_a_look_up_is_under_way),
	};

	return cmocka_run_group_tests_name("resolver", tests, NULL, NULL);
}
