/* SPDX-License-Identifier: ISC */
/* The label of a server, with a policy of the test's own in place of the kernel's. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "serve/label.h"
#include "serve/spawn_private.h"
#include "service_fixture.h"

/*
 * A pipe stands in for the policy's file "create": what is asked comes back as
 * the answer, so the answer shows the question.
 */
struct fixture {
	char dir[32];
	char own[64];
	char program[64];
	struct label_places places;
	struct label *label;
};

static void put(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void make_directory(const char *dir, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int set_up(void **state)
{
	static const char label[] = "system_u:object_r:bin_t:s0";
	struct fixture *f = calloc(1, sizeof(*f));
	char path[64];

	assert_non_null(f);
	*state = f;
	(void)strcpy(f->dir, "/tmp/usherd-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	make_directory(f->dir, "class");
	make_directory(f->dir, "class/process");
	put(f->dir, "class/process/index", "2");
	put(f->dir, "own", "system_u:system_r:inetd_t:s0-s0:c0.c1023\n");
	put(f->dir, "program", "");
	(void)snprintf(path, sizeof(path), "%s/create", f->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)snprintf(f->own, sizeof(f->own), "%s/own", f->dir);
	(void)snprintf(f->program, sizeof(f->program), "%s/program", f->dir);
	f->places = (struct label_places){ .policy = f->dir, .own = f->own };
	/* Not on every file system, and not for everybody. */
	if (setxattr(f->program, "security.selinux", label, sizeof(label), 0) < 0) {
		print_message("no file can have a label here\n");
		return 0;
	}
	return label_new(&f->places, NULL, f->program, &f->label);
}

static int tear_down(void **state)
{
	static const char *const names[] = {
		"class/process/index", "class/process", "class", "own", "program", "create", ""
	};
	struct fixture *f = *state;
	char path[128];

	label_free(f->label);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		(void)remove(path);
	}
	free(f);
	return 0;
}

#define NEEDS_LABELS(f)    \
	if (!(f)->label) { \
		skip();    \
		return;    \
	}

static void takes_the_level_of_the_client_and_asks_the_policy(void **state)
{
	struct fixture *f = *state;
	char out[LABEL_MAX];

	NEEDS_LABELS(f)
	assert_int_equal(label_make(f->label, "user_u:user_r:user_t:s3:c1,c5", out), 0);
	assert_string_equal(out, "system_u:system_r:inetd_t:s3:c1,c5 system_u:object_r:bin_t:s0 2");
	assert_int_equal(label_make(f->label, "a:b:c:s0-s15:c0.c1023", out), 0);
	assert_string_equal(
		out, "system_u:system_r:inetd_t:s0-s15:c0.c1023 system_u:object_r:bin_t:s0 2");
}

static void no_level_means_no_label(void **state)
{
	static const char *const peers[] = { "", "unconfined", "a:b", "a:b:c", "a:b:c:", ":::" };
	struct fixture *f = *state;
	char out[LABEL_MAX], huge[LABEL_MAX + 10];

	NEEDS_LABELS(f)
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
		assert_int_equal(label_make(f->label, peers[i], out), -ENODATA);
	memset(huge, 'c', sizeof(huge));
	memcpy(huge, "a:b:c:s0:", 9);
	huge[LABEL_MAX - 2] = '\0';
	assert_int_equal(label_make(f->label, huge, out), -ENAMETOOLONG);
}

static void a_client_without_a_label_is_an_error(void **state)
{
	struct fixture *f = *state;
	char out[LABEL_MAX];
	int ends[2];

	NEEDS_LABELS(f)
	/* A pipe has none on any machine; a socket may have one where there is SELinux. */
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(label_for(f->label, ends[0], out), -ENOTSOCK);
	(void)close(ends[0]);
	(void)close(ends[1]);
	if (access("/sys/fs/selinux/create", F_OK) == 0)
		return;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_true(label_for(f->label, ends[0], out) < 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void what_is_missing_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct label_places places = f->places;
	struct label *label = NULL;
	char path[128], out[LABEL_MAX];

	NEEDS_LABELS(f)
	assert_int_equal(label_new(&places, NULL, "/nonexistent", &label), -ENOENT);
	assert_int_equal(label_new(&places, "/nonexistent", f->program, &label), -ENOENT);
	assert_int_equal(removexattr(f->program, "security.selinux"), 0);
	assert_int_equal(label_new(&places, NULL, f->program, &label), -ENODATA);
	places.own = "/nonexistent";
	assert_int_equal(label_new(&places, NULL, f->program, &label), -ENOENT);
	places = f->places;
	put(f->dir, "own", "");
	assert_int_equal(label_new(&places, NULL, f->program, &label), -ENODATA);
	places.policy = "/nonexistent";
	assert_int_equal(label_new(&places, NULL, f->program, &label), -ENOENT);
	assert_null(label);
	(void)snprintf(path, sizeof(path), "%s/create", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(label_make(f->label, "a:b:c:s0", out), -ENOENT);
}

static void a_root_of_its_own_is_where_the_program_is(void **state)
{
	struct fixture *f = *state;
	struct label *label = NULL;

	NEEDS_LABELS(f)
	assert_int_equal(label_new(&f->places, f->dir, "/program", &label), 0);
	label_free(label);
}

/* The exit status of a server that is started on @fd with what @set says, and why it was not. */
static int start_server(struct label *label, int fd, struct spawn_failure *ret)
{
	char *environment[] = { NULL };
	const struct rlimit nofile = { .rlim_cur = 1024, .rlim_max = 1024 };
	struct service *service = make_service("a", "/bin/true");
	const struct addr peer = { .family = AF_UNIX };
	struct spawner *spawner;
	struct spawn *spawn;
	int status;
	pid_t pid;

	assert_int_equal(spawner_new(environment, &nofile, &spawner), 0);
	spawner_note_signals(spawner);
	assert_int_equal(spawn_new(spawner, service, &spawn), 0);
	spawn->label = label;
	pid = spawn_run(spawn, fd, &peer, ret);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)spawn_reaped(spawner, pid, ret);
	assert_true(WIFEXITED(status));
	spawn->label = NULL;
	spawn_free(spawn);
	spawner_free(spawner);
	service_unref(service);
	return WEXITSTATUS(status);
}

static void no_server_runs_without_the_label_that_it_needs(void **state)
{
	struct fixture *f = *state;
	struct spawn_failure failure;
	int ends[2];

	NEEDS_LABELS(f)
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(start_server(NULL, ends[0], &failure), 0);
	assert_int_equal(failure.error, 0);
	assert_int_equal(start_server(f->label, ends[0], &failure), 126);
	assert_int_equal(failure.error, ENOTSOCK);
	assert_string_equal(failure.step, "label");
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* The kernel takes no such label, whether it has SELinux or not. */
static void no_server_runs_where_the_kernel_refuses_its_label(void **unused)
{
	static char *const argv[] = { NULL };
	struct child child = {
		.fd = -1,
		.answer_fd = -1,
		.umask = UNLIMITED,
		.label = "no label",
		.label_bytes = 8,
		.path = "/bin/true",
		.argv = argv,
		.envp = argv,
	};
	struct spawn_failure failure = { 0 };
	int ends[2], status;
	pid_t pid;

	(void)unused;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child.fd = ends[1];
	child.report_fd = ends[1];
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		(void)child_run(&child);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 126);
	assert_int_equal(read(ends[0], &failure, sizeof(failure)), sizeof(failure));
	assert_true(failure.error > 0);
	assert_string_equal(failure.step, "label");
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(takes_the_level_of_the_client_and_asks_the_policy),
		T(no_level_means_no_label),
		T(a_client_without_a_label_is_an_error),
		T(what_is_missing_is_an_error),
		T(a_root_of_its_own_is_where_the_program_is),
		T(no_server_runs_without_the_label_that_it_needs),
		cmocka_unit_test(no_server_runs_where_the_kernel_refuses_its_label),
	};

	return cmocka_run_group_tests_name("label", tests, NULL, NULL);
}
