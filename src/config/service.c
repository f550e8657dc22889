/* SPDX-License-Identifier: ISC */
/* struct service: the typed, immutable meaning of one stanza; compare, free. */
#include "config.h"

#include "config/service.h"

#include <string.h>

#include "base/util.h"

INTERN_CONSTANT(struct socket_owner, socket_owner_none,
		{ .mode = (mode_t)-1, .uid = (uid_t)-1, .gid = (gid_t)-1 });
INTERN_CONSTANT(struct group_list, group_list_none, { .n = 0 });
INTERN_CONSTANT(struct banners, banners_none, { .fail = { .path = NULL } });
INTERN_CONSTANT(struct log_target, log_target_none, { .kind = LOG_KIND_NONE });

static const struct {
	struct intern_head head;
	struct rlimit_setting v[SERVICE_RLIMITS];
} no_rlimits;

void socket_owner_done(void *value)
{
	struct socket_owner *owner = value;

	intern_unref(owner->user);
	intern_unref(owner->group);
}

void banners_done(void *value)
{
	struct banners *banners = value;

	banner_done(&banners->always);
	banner_done(&banners->success);
	banner_done(&banners->fail);
}

void log_target_done(void *value)
{
	struct log_target *log = value;

	intern_unref(log->path);
}

void service_init(struct service *draft)
{
	*draft = (struct service){
		.refs = 1,
		.via = WORDS_NONE,
		.port = UNLIMITED,
		.bind = WORDS_NONE,
		.backlog = UNLIMITED,
		.owner = socket_owner_none,
		.argv = WORDS_NONE,
		.group_list = group_list_none,
		.env = WORDS_NONE,
		.passenv = WORDS_NONE,
		.rlimits = no_rlimits.v,
		.umask = UNLIMITED,
		.only_from = addr_rules_none,
		.no_access = addr_rules_none,
		.access_times = time_rules_none,
		.instances = UNLIMITED,
		.per_source = UNLIMITED,
		.banners = banners_none,
		.log = log_target_none,
	};
}

struct service *service_new(void)
{
	struct service *service = malloc(sizeof(*service));

	if (service)
		service_init(service);
	return service;
}

struct service *service_seal(const struct service *draft)
{
	size_t name = strlen(draft->name) + 1, id = strlen(draft->id) + 1;
	bool same = strcmp(draft->name, draft->id) == 0;
	size_t endpoints = draft->n_endpoints * sizeof(*draft->endpoints);
	struct service *sealed = malloc(sizeof(*sealed) + endpoints + name + (same ? 0 : id));
	char *texts;

	if (!sealed)
		return NULL;
	*sealed = *draft;
	sealed->sealed = true;
	sealed->endpoints = (struct endpoint *)(sealed + 1);
	if (endpoints)
		memcpy(sealed->endpoints, draft->endpoints, endpoints);
	texts = (char *)(sealed->endpoints + draft->n_endpoints);
	sealed->name = memcpy(texts, draft->name, name);
	sealed->id = same ? sealed->name : memcpy(texts + name, draft->id, id);
	return sealed;
}

void service_done(struct service *s)
{
	const void *const values[] = {
		s->file,    s->via,     s->protocol_name, s->bind,    s->server,    s->argv,
		s->user,    s->group,   s->group_list,    s->chroot,  s->directory, s->env,
		s->passenv, s->rlimits, s->redirect_host, s->libwrap,
	};

	for (size_t i = 0; i < s->n_endpoints; i++)
		endpoint_done(&s->endpoints[i]);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		intern_unref(values[i]);
	intern_drop(s->owner, socket_owner_done);
	intern_drop(s->only_from, addr_rules_free);
	intern_drop(s->no_access, addr_rules_free);
	intern_drop(s->access_times, time_rules_free);
	intern_drop(s->banners, banners_done);
	intern_drop(s->log, log_target_done);
}

static void service_free(struct service *s)
{
	if (s->front) {
		/* A service behind another has nothing of its own but its place. */
		endpoint_done(&s->endpoints[0]);
		service_unref(s->front);
	} else {
		service_done(s);
	}
	if (!s->sealed) {
		intern_unref(s->name);
		intern_unref(s->id);
		free(s->endpoints);
	}
	free(s);
}

/* The reference count is not part of the value, so it may change behind const. */
static struct service *writable(const struct service *service)
{
	struct service *s;

	memcpy(&s, &service, sizeof(s));
	return s;
}

const struct service *service_ref(const struct service *service)
{
	writable(service)->refs++;
	return service;
}

void service_unref(const struct service *service)
{
	if (service && --writable(service)->refs == 0)
		service_free(writable(service));
}

const struct service *service_behind(const struct service *front, const struct endpoint *endpoint)
{
	struct service *s = malloc(sizeof(*s) + sizeof(*endpoint));

	if (!s)
		return NULL;
	*s = *front;
	s->endpoints = (struct endpoint *)(s + 1);
	s->endpoints[0] = endpoint_copy(endpoint);
	s->n_endpoints = 1;
	s->sealed = true;
	s->refs = 1;
	s->front = service_ref(front);
	/* Its place is not what is registered. */
	s->type &= (uint8_t)~SERVICE_RPC;
	s->flags &= (uint16_t)~FLAG_INTERCEPT;
	s->only_from = addr_rules_none;
	s->no_access = addr_rules_none;
	s->access_times = time_rules_none;
	s->instances = UNLIMITED;
	s->queues = false;
	s->per_source = UNLIMITED;
	s->max_load = 0;
	s->wrapped = false;
	s->banners = banners_none;
	return s;
}

static bool log_equal(const struct log_target *a, const struct log_target *b)
{
	return a == b || (a->kind == b->kind && str_equal(a->path, b->path) &&
			  a->soft_bytes == b->soft_bytes && a->hard_bytes == b->hard_bytes &&
			  a->facility == b->facility && a->level == b->level);
}

static bool groups_equal(const struct group_list *a, const struct group_list *b)
{
	return a == b ||
	       (a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0));
}

static bool rlimits_equal(const struct rlimit_setting *a, const struct rlimit_setting *b)
{
	for (size_t i = 0; a != b && i < SERVICE_RLIMITS; i++)
		if (a[i].given != b[i].given || a[i].value != b[i].value)
			return false;
	return true;
}

static bool endpoints_equal(const struct service *a, const struct service *b)
{
	if (a->n_endpoints != b->n_endpoints)
		return false;
	for (size_t i = 0; i < a->n_endpoints; i++)
		if (!endpoint_equal(&a->endpoints[i], &b->endpoints[i]))
			return false;
	return true;
}

static bool identity_equal(const struct service *a, const struct service *b)
{
	return str_equal(a->name, b->name) && str_equal(a->id, b->id) && a->type == b->type &&
	       a->flags == b->flags && a->socktype == b->socktype && a->protocol == b->protocol &&
	       a->wait == b->wait && a->port == b->port && a->builtin == b->builtin &&
	       a->rpc_min_version == b->rpc_min_version &&
	       a->rpc_max_version == b->rpc_max_version && a->rpc_number == b->rpc_number;
}

static bool socket_equal(const struct service *a, const struct service *b)
{
	return words_equal(a->bind, b->bind) && endpoints_equal(a, b) && a->backlog == b->backlog &&
	       a->v6only == b->v6only && a->owner->mode == b->owner->mode &&
	       a->owner->uid == b->owner->uid && a->owner->gid == b->owner->gid &&
	       str_equal(a->redirect_host, b->redirect_host) &&
	       a->redirect_port == b->redirect_port;
}

static bool process_equal(const struct service *a, const struct service *b)
{
	return rlimits_equal(a->rlimits, b->rlimits) && str_equal(a->server, b->server) &&
	       words_equal(a->argv, b->argv) && str_equal(a->user, b->user) && a->uid == b->uid &&
	       str_equal(a->group, b->group) && a->gid == b->gid && a->groups == b->groups &&
	       groups_equal(a->group_list, b->group_list) && str_equal(a->chroot, b->chroot) &&
	       str_equal(a->directory, b->directory) && a->no_new_privs == b->no_new_privs &&
	       a->umask == b->umask && a->nice == b->nice && words_equal(a->env, b->env) &&
	       a->passenv_given == b->passenv_given && words_equal(a->passenv, b->passenv) &&
	       a->session_timeout_sec == b->session_timeout_sec &&
	       a->idle_timeout_sec == b->idle_timeout_sec;
}

static bool banners_equal(const struct banners *a, const struct banners *b)
{
	return a == b ||
	       (banner_equal(&a->always, &b->always) && banner_equal(&a->success, &b->success) &&
		banner_equal(&a->fail, &b->fail));
}

static bool admission_equal(const struct service *a, const struct service *b)
{
	return addr_rules_equal(a->only_from, b->only_from) &&
	       addr_rules_equal(a->no_access, b->no_access) &&
	       time_rules_equal(a->access_times, b->access_times) && a->instances == b->instances &&
	       a->queues == b->queues && a->per_source == b->per_source &&
	       a->source_bits4 == b->source_bits4 && a->source_bits6 == b->source_bits6 &&
	       a->cps_rate == b->cps_rate && a->cps_wait_sec == b->cps_wait_sec &&
	       a->cps_window_sec == b->cps_window_sec && !(a->max_load < b->max_load) &&
	       !(a->max_load > b->max_load) && a->deny_time_min == b->deny_time_min &&
	       str_equal(a->libwrap, b->libwrap) && banners_equal(a->banners, b->banners);
}

bool service_equal(const struct service *a, const struct service *b)
{
	return identity_equal(a, b) && socket_equal(a, b) && process_equal(a, b) &&
	       admission_equal(a, b) && log_equal(a->log, b->log) &&
	       a->log_on_success == b->log_on_success && a->log_on_failure == b->log_on_failure;
}

/* Whether their sockets are also opened in the same way. */
static bool opened_alike(const struct service *a, const struct service *b)
{
	for (size_t i = 0; i < a->n_endpoints; i++)
		if (a->endpoints[i].optional != b->endpoints[i].optional ||
		    a->endpoints[i].fallback_ipv4 != b->endpoints[i].fallback_ipv4)
			return false;
	return true;
}

bool service_identical(const struct service *a, const struct service *b)
{
	return service_equal(a, b) && a->line == b->line && str_equal(a->file, b->file) &&
	       words_equal(a->via, b->via) && str_equal(a->protocol_name, b->protocol_name) &&
	       str_equal(a->owner->user, b->owner->user) &&
	       str_equal(a->owner->group, b->owner->group) && a->wrapped == b->wrapped &&
	       a->log->common == b->log->common && a->front == b->front && opened_alike(a, b);
}
