/* SPDX-License-Identifier: ISC */
/* The share of a service that says what runs: program, arguments, identity, limits, environment. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netdb.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/addr.h"
#include "config/build.h"

/* What most servers have at most; others cost an allocation. */
#define MOST_ARGUMENTS 15

/* What stands at @path as the server will see it: links, too, stay within its root. Returns 0 or -errno. */
static int stat_within(const char *root, const char *path, struct stat *ret)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	CLEANUP_CLOSE int top = -1, fd = -1;

	if (!root)
		return stat(path, ret) < 0 ? -errno : 0;
	top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, top, path, &how, sizeof(how));
	/* A kernel before 5.6: without links that lead out, it is the same. */
	if (fd < 0 && errno == ENOSYS)
		fd = openat(top, path + strspn(path, "/"), O_PATH | O_CLOEXEC);
	return fd < 0 || fstat(fd, ret) < 0 ? -errno : 0;
}

static bool is_absolute(struct build *build, enum attr attr, const char *path)
{
	if (path[0] != '/')
		build_error(build, attr, "%s \"%s\": write the whole path, from / on",
			    schema_name(attr), path);
	return path[0] == '/';
}

/* Root and working directory, which must be there like the program. */
static int build_places(struct build *build)
{
	const struct {
		enum attr attr;
		const char **slot;
	} places[] = {
		{ ATTR_CHROOT, &build->service.chroot },
		{ ATTR_DIRECTORY, &build->service.directory },
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		enum attr attr = places[i].attr;
		const char *path, *root = i ? build->service.chroot : NULL;
		struct stat st;
		int r;

		if (build_text(build, attr, places[i].slot) < 0)
			return -ENOMEM;
		path = *places[i].slot;
		if (!path)
			continue;
		if (build->service.type & SERVICE_INTERNAL ||
		    schema_given(build->schema, ATTR_REDIRECT))
			build_error(build, attr, "%s has a meaning only where there is a server",
				    schema_name(attr));
		if (!is_absolute(build, attr, path) || (root && root[0] != '/'))
			continue;
		if (memo_find(&build->memo, MEMO_DIRECTORY, root, path))
			continue;
		r = stat_within(root, path, &st);
		if (r == 0 && !S_ISDIR(st.st_mode))
			r = -ENOTDIR;
		if (r == 0)
			memo_add(&build->memo, MEMO_DIRECTORY, root, path, path, NULL);
		else
			build_error(build, attr, "%s %s: %s", schema_name(attr), path,
				    strerror(-r));
	}
	return 0;
}

/* Says so where @path is no program that can be run (D60: a directory is none). */
static void check_program(struct build *build, const char *path)
{
	const char *root = build->service.chroot;
	struct stat st;
	int r;

	if (!is_absolute(build, ATTR_SERVER, path))
		return;
	if (memo_find(&build->memo, MEMO_PROGRAM, root, path))
		return;
	r = stat_within(root, path, &st);
	if (r < 0)
		build_error(build, ATTR_SERVER, "server %s: %s", path, strerror(-r));
	else if (!S_ISREG(st.st_mode))
		build_error(build, ATTR_SERVER, "server %s is not a program", path);
	else if (root ? !(st.st_mode & 0111) : access(path, X_OK) < 0)
		build_error(build, ATTR_SERVER, "server %s is not executable: chmod +x?", path);
	else
		memo_add(&build->memo, MEMO_PROGRAM, root, path, path, NULL);
}

/* argv as the server will see it (xinetd.conf(5) "server_args", NAMEINARGS in any order: D15). */
static int build_argv(struct build *build)
{
	struct service *s = &build->service;
	const char *base = strrchr(s->server, '/'), *first = NULL;
	size_t n = schema_count(build->schema, ATTR_SERVER_ARGS), at = 0;
	const char *few[MOST_ARGUMENTS + 1], **words = few;
	CLEANUP_FREE const char **many = NULL;

	if (n > MOST_ARGUMENTS) {
		many = reallocarray(NULL, n + 1, sizeof(*many));
		if (!many)
			return -ENOMEM;
		words = many;
	}

	if (schema_count(build->schema, ATTR_PROGRAMNAME)) {
		if (s->flags & FLAG_NAMEINARGS)
			build_error(build, ATTR_PROGRAMNAME,
				    "write either \"programname\" or \"flags = NAMEINARGS\"");
		s->flags |= FLAG_NAMEINARGS;
		first = schema_text(build->schema, ATTR_PROGRAMNAME, 0);
	} else if (!(s->flags & FLAG_NAMEINARGS)) {
		first = base ? base + 1 : s->server;
	} else if (n == 0) {
		build_error(
			build, ATTR_FLAGS,
			"NAMEINARGS takes the program's name from server_args, which is missing");
	}
	if (first)
		words[at++] = first;
	for (size_t i = 0; i < n; i++)
		words[at++] = schema_text(build->schema, ATTR_SERVER_ARGS, i);
	s->argv = intern_words(build->pool, words, at);
	if (s->argv)
		return 0;
	s->argv = WORDS_NONE;
	return -ENOMEM;
}

static int build_redirect(struct build *build)
{
	struct service *s = &build->service;
	const char *host = schema_text(build->schema, ATTR_REDIRECT, 0);
	const char *text = schema_text(build->schema, ATTR_REDIRECT, 1);
	struct addr addr;
	long long number;
	int port, r;

	s->redirect_host = intern_text(build->pool, host);
	if (!s->redirect_host)
		return -ENOMEM;
	if (addr_parse(host, &addr) < 0 &&
	    (strspn(host, "0123456789.") == strlen(host) || strchr(host, ':')))
		build_error(
			build, ATTR_REDIRECT,
			"\"%s\" is no address; write it like 192.0.2.1 or 2001:db8::1, or a name",
			host);
	r = parse_number(text, 10, 1, 65535, &number);
	if (r == 0)
		s->redirect_port = (uint16_t)number;
	else if (r == -EINVAL && lookup_port(build->lookup, text, "tcp", &port) == 0)
		s->redirect_port = (uint16_t)port;
	else
		build_error(
			build, ATTR_REDIRECT,
			"port \"%s\" is not valid; write a number from 1 to 65535 or a tcp service name",
			text);
	if (s->socktype != SOCK_STREAM)
		build_error(build, ATTR_REDIRECT, "only stream services can be redirected");
	if (s->wait)
		build_error(build, ATTR_REDIRECT, "a redirected service must have \"wait = no\"");
	if (s->flags & FLAG_NAMEINARGS)
		build_error(build, ATTR_REDIRECT,
			    "a redirected service must not have the flag NAMEINARGS");
	return 0;
}

static int build_server(struct build *build)
{
	struct service *s = &build->service;

	if (schema_count(build->schema, ATTR_REDIRECT))
		return build_redirect(build);
	if (s->type & SERVICE_INTERNAL)
		return 0;
	if (!schema_count(build->schema, ATTR_SERVER)) {
		if (!schema_own(build->schema, ATTR_SERVER))
			build_error(build, ATTR_SERVER,
				    "attribute \"server\" is missing: write the program's path");
		return 0;
	}
	if (build_text(build, ATTR_SERVER, &s->server) < 0)
		return -ENOMEM;
	check_program(build, s->server);
	return build_argv(build);
}

static int build_credentials(struct build *build)
{
	struct service *s = &build->service;
	const struct group_list *groups;
	bool user_known = false;
	gid_t primary;
	int r;

	if (build_text(build, ATTR_USER, &s->user) < 0 ||
	    build_text(build, ATTR_GROUP, &s->group) < 0)
		return -ENOMEM;
	s->groups = build_number(build, ATTR_GROUPS, 0);
	if (!s->user && !(s->type & SERVICE_INTERNAL) && !schema_own(build->schema, ATTR_USER))
		build_error(
			build, ATTR_USER,
			"attribute \"user\" is missing: write the user that the server runs as");
	if (s->user) {
		user_known = lookup_user(build->lookup, s->user, &s->uid, &s->gid) == 0;
		if (!user_known)
			build_error(build, ATTR_USER, "there is no user \"%s\"", s->user);
	}
	/* The user's groups include the primary one, also where "group" takes its place as the server's own. */
	primary = s->gid;
	if (s->group && lookup_group(build->lookup, s->group, &s->gid) < 0)
		build_error(build, ATTR_GROUP, "there is no group \"%s\"", s->group);
	if (!user_known || !s->groups)
		return 0;
	r = lookup_groups(build->lookup, s->uid, primary, &groups);
	if (r == 0)
		s->group_list = groups;
	if (r == -ENOENT) {
		build_error(build, ATTR_GROUPS,
			    "\"groups = yes\" needs a user with an entry in the user database, and "
			    "user %s has none",
			    s->user);
		return 0;
	}
	return r;
}

static int build_rlimits(struct build *build)
{
	static const enum attr attrs[SERVICE_RLIMITS] = {
		[SERVICE_RLIMIT_AS] = ATTR_RLIMIT_AS,
		[SERVICE_RLIMIT_CPU] = ATTR_RLIMIT_CPU,
		[SERVICE_RLIMIT_DATA] = ATTR_RLIMIT_DATA,
		[SERVICE_RLIMIT_FILES] = ATTR_RLIMIT_FILES,
		[SERVICE_RLIMIT_RSS] = ATTR_RLIMIT_RSS,
		[SERVICE_RLIMIT_STACK] = ATTR_RLIMIT_STACK,
	};
	struct rlimit_setting draft[SERVICE_RLIMITS];
	const struct rlimit_setting *value;
	bool any = false;

	/* Values are compared as bytes, padding included. */
	memset(draft, 0, sizeof(draft));
	for (size_t i = 0; i < SERVICE_RLIMITS; i++) {
		/* 0 means "not set" in xinetd. */
		long number = build_number(build, attrs[i], 0);

		if (number == 0)
			continue;
		draft[i].given = any = true;
		draft[i].value = number == UNLIMITED ? RLIM_INFINITY : (rlim_t)number;
	}
	if (!any)
		return 0;
	value = intern_value(build->pool, draft, sizeof(draft), NULL);
	if (!value)
		return -ENOMEM;
	build->service.rlimits = value;
	return 0;
}

static void build_environment(struct build *build)
{
	struct service *s = &build->service;

	for (size_t i = 0; i < schema_count(build->schema, ATTR_ENV); i++) {
		const char *word = schema_text(build->schema, ATTR_ENV, i);

		if (!strchr(word, '=') || word[0] == '=')
			build_error(build, ATTR_ENV, "\"%s\": write NAME=VALUE, without spaces",
				    word);
		else if (strncmp(word, "REMOTE_HOST=", 12) == 0 ||
			 strncmp(word, "REMOTE_PORT=", 12) == 0)
			schema_report(build->schema, ATTR_ENV, SEVERITY_WARNING,
				      "%.11s is set for each connection; \"%s\" is not used", word,
				      word);
	}
	for (size_t i = 0; i < schema_count(build->schema, ATTR_PASSENV); i++)
		if (strchr(schema_text(build->schema, ATTR_PASSENV, i), '='))
			schema_report(
				build->schema, ATTR_PASSENV, SEVERITY_WARNING,
				"passenv: \"%s\" is no name; to set a variable, write \"env = %s\"",
				schema_text(build->schema, ATTR_PASSENV, i),
				schema_text(build->schema, ATTR_PASSENV, i));
	s->passenv_given = schema_given(build->schema, ATTR_PASSENV);
	build_words(build, ATTR_ENV, &s->env);
	build_words(build, ATTR_PASSENV, &s->passenv);
}

/* Only what passes through usherd's own hands can be seen to be idle. */
static void build_idle_timeout(struct build *build)
{
	struct service *s = &build->service;

	s->idle_timeout_sec = (uint32_t)build_number(build, ATTR_IDLE_TIMEOUT, 0);
	if (s->redirect_host || (s->flags & FLAG_INTERCEPT) ||
	    ((s->type & SERVICE_INTERNAL) && s->socktype == SOCK_STREAM))
		return;
	if (s->idle_timeout_sec && schema_own(build->schema, ATTR_IDLE_TIMEOUT))
		schema_report(
			build->schema, ATTR_IDLE_TIMEOUT, SEVERITY_WARNING,
			"idle_timeout is for redirected, intercepted and internal stream services; here it has no "
			"effect, and \"session_timeout\" may be what you want");
	s->idle_timeout_sec = 0;
}

int build_process(struct build *build)
{
	struct service *s = &build->service;

	if (build_places(build) < 0 || build_server(build) < 0 || build_credentials(build) < 0 ||
	    build_rlimits(build) < 0)
		return -ENOMEM;
	build_environment(build);
	s->no_new_privs = build_number(build, ATTR_NO_NEW_PRIVS, 0);
	s->umask = (int16_t)build_number(build, ATTR_UMASK, UNLIMITED);
	s->nice = (int16_t)build_number(build, ATTR_NICE, 0);
	s->session_timeout_sec = (uint32_t)build_number(build, ATTR_SESSION_TIMEOUT, 0);
	build_idle_timeout(build);
	return 0;
}
