/* SPDX-License-Identifier: ISC */
/* Proves: what open doors want and what rpcbind is believed to have become the right orders, and no others. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "serve/rpc_table.h"

static struct service *new_service(const char *id, unsigned low, unsigned high)
{
	struct service *s = service_new();

	assert_non_null(s);
	s->id = intern_text(NULL, id);
	s->file = intern_text(NULL, "file");
	s->type = SERVICE_RPC | SERVICE_UNLISTED;
	s->rpc_number = 300000;
	s->rpc_min_version = low;
	s->rpc_max_version = high;
	return s;
}

static int bound_socket(int family, int type, bool v6only)
{
	struct sockaddr_storage any = { .ss_family = (sa_family_t)family };
	int fd = socket(family, type | SOCK_CLOEXEC, 0), on = v6only;

	if (fd < 0)
		skip();
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any,
		 family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)) < 0)
		skip();
	return fd;
}

static struct rpc_door *open_door(struct rpc_table *table, const struct service *service, int fd)
{
	struct rpc_door *door = NULL;

	assert_int_equal(rpc_door_open(table, service, fd, &door), 0);
	return door;
}

/* Gives the orders, has all of them end with @result, and returns them as text: "+1 tcp", "-1 tcp" or "=1 tcp" each. */
static char *run_orders(struct rpc_table *table, bool all, int result)
{
	static char text[512];
	CLEANUP_FREE struct rpc_order *orders = NULL;
	size_t n = 0, length = 0;

	assert_int_equal(rpc_table_orders(table, all, &orders, &n), 0);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const struct rpc_order *o = &orders[i];

		assert_int_equal(o->program, 300000);
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%c%u %s",
					   i ? "," : "",
					   !o->address[0]                    ? '-'
					   : strcmp(o->old, o->address) == 0 ? '='
									     : '+',
					   o->version, o->netid);
		orders[i].result = result;
	}
	(void)rpc_table_take(table, orders, n, -EIO);
	return text;
}

#define CHANGED RPC_RESULT_CHANGED
#define KEPT    RPC_RESULT_KEPT

static void registers_each_version_on_each_transport(void **state)
{
	struct rpc_table *table = rpc_table_new();
	struct service *s = new_service("a", 1, 2);
	int fd = bound_socket(AF_INET6, SOCK_STREAM, false);
	struct rpc_door *door = open_door(table, s, fd);

	(void)state;
	assert_string_equal(run_orders(table, false, CHANGED), "+1 tcp6,+2 tcp6,+1 tcp,+2 tcp");
	assert_string_equal(run_orders(table, false, CHANGED), "");
	assert_string_equal(run_orders(table, true, KEPT), "=1 tcp6,=2 tcp6,=1 tcp,=2 tcp");
	rpc_door_close(door);
	assert_string_equal(run_orders(table, false, CHANGED), "-1 tcp6,-2 tcp6,-1 tcp,-2 tcp");
	assert_true(rpc_table_is_empty(table));
	(void)close(fd);
	fd = bound_socket(AF_INET6, SOCK_DGRAM, true);
	door = open_door(table, s, fd);
	assert_string_equal(run_orders(table, false, CHANGED), "+1 udp6,+2 udp6");
	rpc_door_close(door);
	assert_string_equal(run_orders(table, false, CHANGED), "-1 udp6,-2 udp6");
	(void)close(fd);
	service_unref(s);
	rpc_table_free(table);
}

static void leaves_what_stays_alone(void **state)
{
	struct rpc_table *table = rpc_table_new();
	struct service *before = new_service("a", 1, 3), *after = new_service("b", 2, 4);
	int fd = bound_socket(AF_INET, SOCK_DGRAM, false);
	struct rpc_door *old = open_door(table, before, fd), *new;

	(void)state;
	(void)run_orders(table, false, CHANGED);
	/* As a reload does: the descriptor goes on under another service. */
	new = open_door(table, after, fd);
	rpc_door_close(old);
	assert_string_equal(run_orders(table, false, CHANGED), "-1 udp,+4 udp");
	/* Closed and opened again before anybody was told. */
	rpc_door_close(new);
	new = open_door(table, after, fd);
	assert_string_equal(run_orders(table, false, CHANGED), "");
	rpc_door_close(new);
	(void)run_orders(table, false, CHANGED);
	assert_true(rpc_table_is_empty(table));
	(void)close(fd);
	service_unref(before);
	service_unref(after);
	rpc_table_free(table);
}

static void takes_another_port_over_the_old_one(void **state)
{
	struct rpc_table *table = rpc_table_new();
	struct service *s = new_service("a", 1, 1);
	int first = bound_socket(AF_INET, SOCK_STREAM, false),
	    second = bound_socket(AF_INET, SOCK_STREAM, false);
	struct rpc_door *door = open_door(table, s, first);
	struct rpc_order *orders;
	char was[RPC_ADDRESS_MAX];
	size_t n;

	(void)state;
	assert_int_equal(rpc_table_orders(table, false, &orders, &n), 0);
	memcpy(was, orders[0].address, sizeof(was));
	assert_string_equal(orders[0].old, "");
	orders[0].result = CHANGED;
	assert_int_equal(rpc_table_take(table, orders, n, -EIO), 0);
	free(orders);
	rpc_door_close(door);
	door = open_door(table, s, second);
	assert_int_equal(rpc_table_orders(table, false, &orders, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(orders[0].old, was);
	assert_string_not_equal(orders[0].address, was);
	/* While the helper was at it, the door has closed: what it has done is undone. */
	rpc_door_close(door);
	orders[0].result = CHANGED;
	memcpy(was, orders[0].address, sizeof(was));
	assert_int_equal(rpc_table_take(table, orders, n, -EIO), 0);
	free(orders);
	assert_int_equal(rpc_table_orders(table, false, &orders, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(orders[0].old, was);
	assert_string_equal(orders[0].address, "");
	/* And it came back while it was undone. */
	door = open_door(table, s, second);
	orders[0].result = CHANGED;
	assert_int_equal(rpc_table_take(table, orders, n, -EIO), 0);
	free(orders);
	assert_string_equal(run_orders(table, false, CHANGED), "+1 tcp");
	rpc_door_close(door);
	(void)run_orders(table, false, CHANGED);
	(void)close(first);
	(void)close(second);
	service_unref(s);
	rpc_table_free(table);
}

static void tries_what_has_failed_again(void **state)
{
	struct rpc_table *table = rpc_table_new();
	struct service *s = new_service("a", 1, 1);
	int fd = bound_socket(AF_INET, SOCK_STREAM, false);
	struct rpc_door *door = open_door(table, s, fd);

	(void)state;
	assert_string_equal(run_orders(table, false, -ECONNREFUSED), "+1 tcp");
	/* It may be there all the same, so that it is told what may be ours. */
	assert_string_equal(run_orders(table, false, RPC_RESULT_NONE), "=1 tcp");
	assert_string_equal(run_orders(table, false, CHANGED), "=1 tcp");
	assert_string_equal(run_orders(table, false, CHANGED), "");
	/* A look finds that it is lost, and that rpcbind has gone. */
	assert_string_equal(run_orders(table, true, CHANGED), "=1 tcp");
	assert_string_equal(run_orders(table, true, -ECONNREFUSED), "=1 tcp");
	assert_string_equal(run_orders(table, false, CHANGED), "=1 tcp");
	rpc_door_close(door);
	assert_string_equal(run_orders(table, false, -ETIMEDOUT), "-1 tcp");
	assert_false(rpc_table_is_empty(table));
	assert_string_equal(run_orders(table, false, KEPT), "-1 tcp");
	assert_true(rpc_table_is_empty(table));
	(void)close(fd);
	service_unref(s);
	rpc_table_free(table);
}

static void gives_it_to_the_first_of_two(void **state)
{
	struct rpc_table *table = rpc_table_new();
	struct service *a = new_service("a", 1, 1), *b = new_service("b", 1, 1);
	int first = bound_socket(AF_INET, SOCK_STREAM, false),
	    second = bound_socket(AF_INET, SOCK_STREAM, false);
	struct rpc_door *doors[2] = { open_door(table, a, first), open_door(table, b, second) };

	(void)state;
	assert_string_equal(run_orders(table, false, CHANGED), "+1 tcp");
	assert_string_equal(run_orders(table, false, CHANGED), "");
	rpc_door_close(doors[0]);
	assert_string_equal(run_orders(table, false, CHANGED), "+1 tcp");
	rpc_door_close(doors[1]);
	assert_string_equal(run_orders(table, false, CHANGED), "-1 tcp");
	(void)close(first);
	(void)close(second);
	service_unref(a);
	service_unref(b);
	rpc_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_each_version_on_each_transport),
		cmocka_unit_test(leaves_what_stays_alone),
		cmocka_unit_test(takes_another_port_over_the_old_one),
		cmocka_unit_test(tries_what_has_failed_again),
		cmocka_unit_test(gives_it_to_the_first_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
