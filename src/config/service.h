/* SPDX-License-Identifier: ISC */
/* struct service: the typed, immutable meaning of one stanza; compare, dump, free. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/util.h"
#include "config/banner.h"
#include "config/endpoint.h"
#include "config/rules.h"

/* xinetd.conf(5) "type". */
enum service_type {
	SERVICE_RPC = 1 << 0,
	SERVICE_INTERNAL = 1 << 1,
	SERVICE_UNLISTED = 1 << 2,
	SERVICE_TCPMUX = 1 << 3,
	SERVICE_TCPMUXPLUS = 1 << 4,
};

/* xinetd.conf(5) "flags". */
enum service_flag {
	FLAG_REUSE = 1 << 0,
	FLAG_INTERCEPT = 1 << 1,
	FLAG_NORETRY = 1 << 2,
	FLAG_IDONLY = 1 << 3,
	FLAG_NAMEINARGS = 1 << 4,
	FLAG_NODELAY = 1 << 5,
	FLAG_KEEPALIVE = 1 << 6,
	FLAG_NOLIBWRAP = 1 << 7,
	FLAG_SENSOR = 1 << 8,
	FLAG_IPV4 = 1 << 9,
	FLAG_IPV6 = 1 << 10,
	FLAG_LABELED = 1 << 11,
};

/* xinetd.conf(5) "log_on_success" and "log_on_failure"; which bits are allowed where, the schema knows. */
enum log_option {
	LOG_OPT_PID = 1 << 0,
	LOG_OPT_HOST = 1 << 1,
	LOG_OPT_USERID = 1 << 2,
	LOG_OPT_EXIT = 1 << 3,
	LOG_OPT_DURATION = 1 << 4,
	LOG_OPT_TRAFFIC = 1 << 5,
	LOG_OPT_ATTEMPT = 1 << 6,
};

/* The services that usherd-worker answers itself. */
enum builtin {
	BUILTIN_NONE,
	BUILTIN_ECHO,    /* RFC 862 */
	BUILTIN_DISCARD, /* RFC 863 */
	BUILTIN_CHARGEN, /* RFC 864 */
	BUILTIN_DAYTIME, /* RFC 867 */
	BUILTIN_TIME,    /* RFC 868 */
	BUILTIN_TCPMUX,  /* RFC 1078 */
	BUILTIN_SERVICES,
	BUILTIN_SERVERS,
};

enum log_kind {
	LOG_KIND_NONE,
	LOG_KIND_FILE,
	LOG_KIND_SYSLOG,
	LOG_KIND_JOURNAL,
};

/* xinetd.conf(5) "log_type". */
struct log_target {
	enum log_kind kind;
	char *path;          /* FILE */
	uint64_t soft_bytes; /* FILE: 0 = no limits */
	uint64_t hard_bytes;
	int facility; /* SYSLOG: LOG_DAEMON … as syslog(3) has them */
	int level;    /* SYSLOG: LOG_INFO … */
	bool common;  /* inherited from defaults: named "common" in messages, as xinetd does */
};

/* Longest window that a rate can be counted over. */
#define SERVICE_CPS_WINDOW_MAX 600

/* Values of limits that are not set; "UNLIMITED" reads as this too. */
#define UNLIMITED (-1)

enum service_rlimit {
	SERVICE_RLIMIT_AS,
	SERVICE_RLIMIT_CPU,
	SERVICE_RLIMIT_DATA,
	SERVICE_RLIMIT_FILES,
	SERVICE_RLIMIT_RSS,
	SERVICE_RLIMIT_STACK,
	SERVICE_RLIMITS,
};

/* One resource limit of the stanza; soft and hard are both set to value (RLIM_INFINITY for UNLIMITED). */
struct rlimit_setting {
	bool given;
	rlim_t value;
};

/*
 * A service as its stanza, the defaults and the system's databases make it.
 * Built by the config layer, never changed afterwards, shared by reference.
 */
struct service {
	unsigned refs;
	char *file;      /* where its stanza stands */
	struct strv via; /* the files that led there by include and includedir, innermost first */
	unsigned line;

	char *name;
	char *id;
	unsigned type;  /* enum service_type bits */
	unsigned flags; /* enum service_flag bits */
	int socktype;
	int protocol;
	char *protocol_name;
	bool wait;
	int port; /* host byte order; UNLIMITED (-1) where there is none (Unix sockets, tcpmux clients, RPC) */
	enum builtin builtin;

	struct strv bind; /* as written; empty = all addresses */
	struct endpoint *endpoints;
	size_t n_endpoints;
	int backlog; /* UNLIMITED = usherd's default */
	bool v6only;
	mode_t socket_mode; /* Unix sockets; (mode_t)-1 = by umask */
	char *socket_user;  /* as written, or NULL */
	uid_t socket_uid;   /* (uid_t)-1 = unchanged */
	char *socket_group; /* as written, or NULL */
	gid_t socket_gid;   /* (gid_t)-1 = unchanged */

	char *server;      /* NULL for internal and redirected services */
	struct strv argv;  /* complete, argv[0] included */
	char *user;        /* as written, or NULL */
	uid_t uid;         /* valid where user is set */
	char *group;       /* as written, or NULL */
	gid_t gid;         /* valid where user or group is set */
	bool groups;       /* supplementary groups of user */
	gid_t *group_list; /* what setgroups(2) gets; laid out at load */
	size_t n_group_list;
	char *chroot;      /* NULL = none */
	char *directory;   /* within chroot; NULL = / */
	bool no_new_privs; /* nothing that the server executes gains privileges */
	int umask;         /* UNLIMITED = the daemon's */
	int nice;
	struct strv env; /* NAME=value */
	bool passenv_given;
	struct strv passenv; /* names */
	struct rlimit_setting rlimits[SERVICE_RLIMITS];
	uint32_t session_timeout_sec; /* 0 = none */
	uint32_t idle_timeout_sec;    /* of what the worker does; 0 = none */

	struct addr_rules only_from;
	struct addr_rules no_access;
	char *only_from_file; /* whose entries are in only_from, too */
	char *no_access_file;
	struct time_rules access_times;
	int instances;  /* UNLIMITED = no limit */
	bool queues;    /* at instances, clients wait instead of being refused */
	int per_source; /* UNLIMITED = no limit */
	unsigned
		source_bits4; /* addresses that agree in so many bits are one source; 0 = all bits */
	unsigned source_bits6;
	unsigned cps_rate; /* 0 = no limit */
	unsigned cps_wait_sec;
	unsigned
		cps_window_sec; /* the rate is counted over so many seconds; 0 and 1 are one second, as in xinetd */
	double max_load;   /* 0 = no limit; negative refuses always */
	int deny_time_min; /* 0 = NEVER, UNLIMITED = FOREVER */
	char *libwrap;     /* as written, or NULL */
	bool wrapped; /* tcp_wrappers have rules here, and it does not say NOLIBWRAP; of the machine, not the stanza */

	char *banner;
	char *banner_success;
	char *banner_fail;
	struct banner banner_text; /* their contents at load */
	struct banner banner_success_text;
	struct banner banner_fail_text;

	char *redirect_host; /* NULL = not redirected */
	uint16_t redirect_port;

	unsigned rpc_min_version;
	unsigned rpc_max_version;
	unsigned long rpc_number;

	struct log_target log;
	unsigned log_on_success; /* enum log_option bits */
	unsigned log_on_failure;

	/* This is what stands behind an intercepted service, whose texts it shares; else NULL. */
	const struct service *front;
};

/* A new service with nothing set and one reference, or NULL when memory ran out. */
struct service *service_new(void);

/* References; service_unref() frees with the last one and accepts NULL. Main thread only. */
const struct service *service_ref(const struct service *service);
void service_unref(const struct service *service);

/*
 * What stands behind the intercepted service @front: it has its server, but only
 * @endpoint, and nobody is refused there but by cps. Returns it with one reference, or
 * NULL when memory ran out.
 */
const struct service *service_behind(const struct service *front, const struct endpoint *endpoint);

/* Whether both mean the same; where their stanzas stand does not count. */
bool service_equal(const struct service *a, const struct service *b);

/*
 * Writes the service as a stanza that usherd reads back to an equal service:
 * every value explicit, nothing left to defaults. Errors show in ferror(3).
 */
void service_dump(const struct service *service, FILE *out);
