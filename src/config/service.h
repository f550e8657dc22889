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

#include "base/intern.h"
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
	const char *path;    /* FILE */
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

/* The attributes that set them. */
extern const char *const service_rlimit_names[SERVICE_RLIMITS];

/* A list of groups. */
struct group_list {
	size_t n;
	const gid_t *v;
};

/* One resource limit of the stanza; soft and hard are both set to value (RLIM_INFINITY for UNLIMITED). */
struct rlimit_setting {
	bool given;
	rlim_t value;
};

/* xinetd.conf(5) "socket_mode", "socket_user", "socket_group": the file of a Unix socket. */
struct socket_owner {
	mode_t mode;       /* (mode_t)-1 = by umask */
	uid_t uid;         /* (uid_t)-1 = unchanged */
	gid_t gid;         /* (gid_t)-1 = unchanged */
	const char *user;  /* as written, or NULL */
	const char *group; /* as written, or NULL */
};

/* What clients are told: before anything else, when they are served, when they are refused. */
struct banners {
	struct banner always;
	struct banner success;
	struct banner fail;
};

/*
 * A service as its stanza, the defaults and the system's databases make it.
 * Built by the config layer, never changed afterwards, shared by reference. What
 * it points to are values (base/intern.h) that it has in common with others; of
 * those that are structures there always is one, with nothing set where nothing is given.
 */
struct service {
	unsigned refs;
	unsigned line;
	const char *file; /* where its stanza stands */
	const struct words
		*via; /* the files that led there by include and includedir, innermost first */

	const char *name;
	const char *id;
	uint8_t type; /* enum service_type bits */
	uint8_t socktype;
	uint16_t flags; /* enum service_flag bits */
	uint16_t protocol;
	bool wait;
	bool v6only;
	int port; /* host byte order; UNLIMITED (-1) where there is none (Unix sockets, tcpmux clients, RPC) */
	enum builtin builtin;
	const char *protocol_name;

	const struct words *bind; /* as written; empty = all addresses */
	struct endpoint *endpoints;
	uint32_t n_endpoints;
	int backlog; /* UNLIMITED = usherd's default */
	const struct socket_owner *owner;

	const char *server;                   /* NULL for internal and redirected services */
	const struct words *argv;             /* complete, argv[0] included */
	const char *user;                     /* as written, or NULL */
	const char *group;                    /* as written, or NULL */
	uid_t uid;                            /* valid where user is set */
	gid_t gid;                            /* valid where user or group is set */
	const struct group_list *group_list;  /* what setgroups(2) gets; laid out at load */
	const char *chroot;                   /* NULL = none */
	const char *directory;                /* within chroot; NULL = / */
	const struct words *env;              /* NAME=value */
	const struct words *passenv;          /* names */
	const struct rlimit_setting *rlimits; /* SERVICE_RLIMITS of them */
	bool groups;                          /* supplementary groups of user */
	bool no_new_privs; /* nothing that the server executes gains privileges */
	bool passenv_given;
	bool sealed;   /* name, id and endpoints are part of the service's own memory */
	int16_t umask; /* UNLIMITED = the daemon's */
	int16_t nice;
	uint32_t session_timeout_sec; /* 0 = none */
	uint32_t idle_timeout_sec;    /* of what the worker does; 0 = none */

	const struct addr_rules *only_from;
	const struct addr_rules *no_access;
	const struct time_rules *access_times;
	int instances;        /* UNLIMITED = no limit */
	int per_source;       /* UNLIMITED = no limit */
	uint8_t source_bits4; /* addresses that agree in so many bits are one source; 0 = all bits */
	uint8_t source_bits6;
	bool queues; /* at instances, clients wait instead of being refused */
	bool wrapped; /* tcp_wrappers have rules here, and it does not say NOLIBWRAP; of the machine, not the stanza */
	unsigned cps_rate; /* 0 = no limit */
	unsigned cps_wait_sec;
	unsigned
		cps_window_sec; /* the rate is counted over so many seconds; 0 and 1 are one second, as in xinetd */
	double max_load;   /* 0 = no limit; negative refuses always */
	int deny_time_min; /* 0 = NEVER, UNLIMITED = FOREVER */
	uint16_t redirect_port;
	uint8_t log_on_success; /* enum log_option bits */
	uint8_t log_on_failure;
	const char *redirect_host; /* NULL = not redirected */
	const char *libwrap;       /* as written, or NULL */
	const struct banners *banners;
	const struct log_target *log;

	uint32_t rpc_number;
	uint32_t rpc_min_version;
	uint32_t rpc_max_version;

	/* This is what stands behind an intercepted service, whose values it shares; else NULL. */
	const struct service *front;
};

/* The values of what is not given. */
extern const struct socket_owner *const socket_owner_none;
extern const struct group_list *const group_list_none;
extern const struct banners *const banners_none;
extern const struct log_target *const log_target_none;

/* Let go of the values in a structure that is a value itself; for intern_value(). */
intern_done socket_owner_done;
intern_done banners_done;
intern_done log_target_done;

/* A new service with nothing set and one reference, to be filled in; or NULL when memory ran out. */
struct service *service_new(void);

/* Makes @draft such a service in place. Its name, id and endpoints remain the caller's. */
void service_init(struct service *draft);

/*
 * A service of all that @draft has, in as little memory as it needs, with one
 * reference; the draft's references go over to it. NULL when memory ran out.
 */
struct service *service_seal(const struct service *draft);

/* Lets go of what the draft refers to. */
void service_done(struct service *draft);

/*
 * References; service_unref() frees with the last one and accepts NULL. They are counted
 * in the thread that has the conf: the one that loads it, then the main thread.
 */
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

/* Whether nothing at all tells them apart, so that one can stand for the other. */
bool service_identical(const struct service *a, const struct service *b);

/*
 * Writes the service as a stanza that usherd reads back to an equal service:
 * every value explicit, nothing left to defaults. Errors show in ferror(3).
 */
void service_dump(const struct service *service, FILE *out);
