/* SPDX-License-Identifier: ISC */
/* struct service: the typed, immutable meaning of one stanza; compare, free. */
#include "config.h"

#include "config/service.h"

#include <string.h>

struct service *service_new(void)
{
	struct service *service = calloc(1, sizeof(*service));

	if (!service)
		return NULL;
	service->refs = 1;
	service->port = UNLIMITED;
	service->backlog = UNLIMITED;
	service->socket_mode = (mode_t)-1;
	service->socket_uid = (uid_t)-1;
	service->socket_gid = (gid_t)-1;
	service->umask = UNLIMITED;
	service->instances = UNLIMITED;
	service->per_source = UNLIMITED;
	return service;
}

/* A service behind another has nothing of its own but its place. */
static void service_free(struct service *s)
{
	char *texts[] = {
		s->file,           s->name,          s->id,        s->protocol_name,
		s->socket_user,    s->socket_group,  s->server,    s->user,
		s->group,          s->libwrap,       s->banner,    s->banner_success,
		s->banner_fail,    s->redirect_host, s->log.path,  s->only_from_file,
		s->no_access_file, s->chroot,        s->directory,
	};
	struct strv *lists[] = { &s->via, &s->bind, &s->argv, &s->env, &s->passenv };

	for (size_t i = 0; i < s->n_endpoints; i++)
		endpoint_done(&s->endpoints[i]);
	if (s->front) {
		service_unref(s->front);
		free(s->endpoints);
		free(s);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		strv_done(lists[i]);
	free(s->endpoints);
	free(s->group_list);
	addr_rules_done(&s->only_from);
	addr_rules_done(&s->no_access);
	time_rules_done(&s->access_times);
	banner_done(&s->banner_text);
	banner_done(&s->banner_success_text);
	banner_done(&s->banner_fail_text);
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
	CLEANUP_FREE struct service *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	*s = *front;
	s->endpoints = malloc(sizeof(*s->endpoints));
	if (!s->endpoints)
		return NULL;
	s->endpoints[0] = endpoint_copy(endpoint);
	s->n_endpoints = 1;
	s->refs = 1;
	s->front = service_ref(front);
	/* Its place is not what is registered. */
	s->type &= ~(unsigned)SERVICE_RPC;
	s->flags &= ~(unsigned)FLAG_INTERCEPT;
	s->only_from = (struct addr_rules){ 0 };
	s->no_access = (struct addr_rules){ 0 };
	s->access_times = (struct time_rules){ 0 };
	s->instances = UNLIMITED;
	s->queues = false;
	s->per_source = UNLIMITED;
	s->max_load = 0;
	s->wrapped = false;
	s->banner_text = (struct banner){ 0 };
	s->banner_success_text = (struct banner){ 0 };
	s->banner_fail_text = (struct banner){ 0 };
	return TAKE_PTR(s);
}

static bool log_equal(const struct log_target *a, const struct log_target *b)
{
	return a->kind == b->kind && str_equal(a->path, b->path) &&
	       a->soft_bytes == b->soft_bytes && a->hard_bytes == b->hard_bytes &&
	       a->facility == b->facility && a->level == b->level;
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
	return strv_equal(&a->bind, &b->bind) && endpoints_equal(a, b) &&
	       a->backlog == b->backlog && a->v6only == b->v6only &&
	       a->socket_mode == b->socket_mode && a->socket_uid == b->socket_uid &&
	       a->socket_gid == b->socket_gid && str_equal(a->redirect_host, b->redirect_host) &&
	       a->redirect_port == b->redirect_port;
}

static bool process_equal(const struct service *a, const struct service *b)
{
	for (size_t i = 0; i < SERVICE_RLIMITS; i++)
		if (a->rlimits[i].given != b->rlimits[i].given ||
		    a->rlimits[i].value != b->rlimits[i].value)
			return false;
	return str_equal(a->server, b->server) && strv_equal(&a->argv, &b->argv) &&
	       str_equal(a->user, b->user) && a->uid == b->uid && str_equal(a->group, b->group) &&
	       a->gid == b->gid && a->groups == b->groups && a->n_group_list == b->n_group_list &&
	       (a->n_group_list == 0 || memcmp(a->group_list, b->group_list,
					       a->n_group_list * sizeof(*a->group_list)) == 0) &&
	       str_equal(a->chroot, b->chroot) && str_equal(a->directory, b->directory) &&
	       a->no_new_privs == b->no_new_privs && a->umask == b->umask && a->nice == b->nice &&
	       strv_equal(&a->env, &b->env) && a->passenv_given == b->passenv_given &&
	       strv_equal(&a->passenv, &b->passenv) &&
	       a->session_timeout_sec == b->session_timeout_sec &&
	       a->idle_timeout_sec == b->idle_timeout_sec;
}

static bool admission_equal(const struct service *a, const struct service *b)
{
	return addr_rules_equal(&a->only_from, &b->only_from) &&
	       addr_rules_equal(&a->no_access, &b->no_access) &&
	       str_equal(a->only_from_file, b->only_from_file) &&
	       str_equal(a->no_access_file, b->no_access_file) &&
	       time_rules_equal(&a->access_times, &b->access_times) &&
	       a->instances == b->instances && a->queues == b->queues &&
	       a->per_source == b->per_source && a->source_bits4 == b->source_bits4 &&
	       a->source_bits6 == b->source_bits6 && a->cps_rate == b->cps_rate &&
	       a->cps_wait_sec == b->cps_wait_sec && a->cps_window_sec == b->cps_window_sec &&
	       !(a->max_load < b->max_load) && !(a->max_load > b->max_load) &&
	       a->deny_time_min == b->deny_time_min && str_equal(a->libwrap, b->libwrap) &&
	       str_equal(a->banner, b->banner) && str_equal(a->banner_success, b->banner_success) &&
	       str_equal(a->banner_fail, b->banner_fail);
}

bool service_equal(const struct service *a, const struct service *b)
{
	return identity_equal(a, b) && socket_equal(a, b) && process_equal(a, b) &&
	       admission_equal(a, b) && log_equal(&a->log, &b->log) &&
	       a->log_on_success == b->log_on_success && a->log_on_failure == b->log_on_failure;
}
