/* SPDX-License-Identifier: ISC */
/* Starts a program of usherd's own with the descriptors, environment and signals that it is to have. */
#include "config.h"

#include "serve/helper_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

/* It gets of our environment what decides on the local time. */
static bool passes_on(const char *variable)
{
	static const char *const names[] = {
		"TZ=",
		"TZDIR=",
#ifdef SANITIZED
		"ASAN_OPTIONS=",
		"UBSAN_OPTIONS=",
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static int lay_out_descriptors(posix_spawn_file_actions_t *actions, int fd, bool has_stderr)
{
	int r = posix_spawn_file_actions_adddup2(actions, fd, STDIN_FILENO);

	if (r == 0)
		r = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY,
						     0);
	if (r == 0 && !has_stderr)
		r = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY,
						     0);
	return r;
}

pid_t helper_process_start(const char *path, int fd, bool has_stderr)
{
	const char *slash = strrchr(path, '/');
	/* posix_spawn() does not write to the arguments; its prototype is older than const. */
	char *argv[] = { (char *)(uintptr_t)(slash ? slash + 1 : path), NULL };
	char *env[8];
	size_t n_env = 0;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all, none;
	pid_t pid = 0;
	int r;

	for (char **e = environ; e && *e && n_env < ARRAY_SIZE(env) - 1; e++)
		if (passes_on(*e))
			env[n_env++] = *e;
	env[n_env] = NULL;
	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	/* With a group of its own, a Ctrl-C at the terminal is the daemon's business alone. */
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setpgroup(&attr, 0);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETPGROUP);
	r = lay_out_descriptors(&actions, fd, has_stderr);
	if (r == 0)
		r = posix_spawn(&pid, path, &actions, &attr, argv, env);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	return r == 0 ? pid : -r;
}
