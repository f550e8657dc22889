/* SPDX-License-Identifier: ISC */
/* A whole configuration: files in, services out. */
#include "config.h"

#include "config/conf.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "config/build.h"
#include "config/idset.h"
#include "config/mux_names.h"
#include "config/rivals.h"
#include "config/schema.h"
#include "config/support.h"

struct loader {
	struct files files;
	struct diag *diag;
	struct conf *conf;
	struct build build;
	struct rivals rivals;
	struct idset enabled, disabled;
	bool wrapped; /* the machine has rules of tcp_wrappers */
};

/* The id that a stanza has, or would have were it not broken. */
static const char *stanza_id(const struct stanza *stanza)
{
	for (size_t i = 0; i < stanza->n; i++) {
		const struct attribute *a = &stanza->attributes[i];

		if (a->name && (a->name[0] | 0x20) == 'i' && strcasecmp(a->name, "id") == 0 &&
		    a->words->n >= 1)
			return a->words->v[0];
	}
	return stanza->name;
}

/* Feeds the stanza's lines to the schema. Returns 1, 0 when the stanza is disabled, or -ENOMEM. */
static int feed(struct loader *l, const struct stanza *stanza)
{
	for (size_t i = 0; i < stanza->n; i++) {
		switch (schema_set(l->build.schema, &stanza->attributes[i])) {
		case SCHEMA_TAKEN:
			break;
		case SCHEMA_DISABLE:
			return 0;
		case SCHEMA_NOMEM:
			return -ENOMEM;
		}
	}
	return 1;
}

/* All defaults, wherever they stand. Returns 0, -EINVAL or -ENOMEM. */
static int read_defaults(struct loader *l)
{
	const struct stanza *first_service = NULL;
	bool failed = l->files.bad_defaults;

	for (size_t i = 0; i < l->files.n; i++) {
		const struct stanza *stanza = l->files.stanzas[i];

		if (stanza->kind == STANZA_SERVICE) {
			first_service = first_service ? first_service : stanza;
			continue;
		}
		schema_begin(l->build.schema, stanza, NULL);
		if (feed(l, stanza) < 0)
			return -ENOMEM;
		failed |= schema_failed(l->build.schema) || stanza->malformed;
		if (first_service && (schema_own(l->build.schema, ATTR_ONLY_FROM) ||
				      schema_own(l->build.schema, ATTR_NO_ACCESS) ||
				      schema_own(l->build.schema, ATTR_BANNER) ||
				      schema_own(l->build.schema, ATTR_BANNER_FAIL) ||
				      schema_own(l->build.schema, ATTR_BANNER_SUCCESS)))
			diag_add(
				l->diag, SEVERITY_NOTICE, stanza->file, stanza->line, NULL,
				"these access lists and banners apply to all services; xinetd does not apply them to "
				"services that stand before, such as %s at %s:%u",
				first_service->name, first_service->file, first_service->line);
	}
	return failed ? -EINVAL : 0;
}

static int add_service(struct conf *conf, struct service *service)
{
	if (array_grow(&conf->services, conf->n, sizeof(*conf->services)) < 0) {
		service_unref(service);
		return -ENOMEM;
	}
	conf->services[conf->n++] = service;
	return 0;
}

/* What "enabled" and "disabled" say. Returns 0 or -ENOMEM. */
static int read_switches(struct loader *l)
{
	const struct words *enabled = schema_defaults(l->build.schema, ATTR_ENABLED);
	const struct words *disabled = schema_defaults(l->build.schema, ATTR_DISABLED);
	int r = enabled ? idset_add(&l->enabled, enabled) : 0;

	return r == 0 && disabled ? idset_add(&l->disabled, disabled) : r;
}

static bool is_switched_off(const struct loader *l, const char *id)
{
	return (schema_defaults(l->build.schema, ATTR_ENABLED) && !idset_has(&l->enabled, id)) ||
	       idset_has(&l->disabled, id);
}

/* Takes a finished service into the configuration, unless another one stands in its way. */
static int admit_service(struct loader *l, const struct stanza *stanza, struct service *service,
			 bool from_inetd)
{
	const struct service *other;

	if (from_inetd && rivals_have_name(&l->rivals, service)) {
		diag_add(l->diag, SEVERITY_NOTICE, stanza->file, stanza->line, service->id,
			 "hidden by the xinetd entry of the same name");
		service_unref(service);
		return 0;
	}
	other = rivals_of_program(&l->rivals, service);
	if (other) {
		diag_add(
			l->diag, SEVERITY_ERROR, stanza->file, stanza->line, service->id,
			"service %s (%s:%u) has the same RPC program and version; this one is not run",
			other->id, other->file, other->line);
		service_unref(service);
		return broken_add(&l->conf->broken, stanza, stanza_id(stanza));
	}
	other = rivals_at_place(&l->rivals, service);
	if (other) {
		diag_add(
			l->diag, SEVERITY_ERROR, stanza->file, stanza->line, service->id,
			"listens where service %s does already (%s:%u); this one is not run%s",
			other->id, other->file, other->line,
			!service->bind->n != !other->bind->n
				? ": all addresses of a port include each one, so give both a \"bind\""
				: "");
		service_unref(service);
		return broken_add(&l->conf->broken, stanza, stanza_id(stanza));
	}
	rivals_add(&l->rivals, service, !from_inetd && l->files.n > l->files.n_xinetd);
	service->wrapped = l->wrapped && !(service->flags & FLAG_NOLIBWRAP);
	if (service->wrapped && service->wait && service->server &&
	    !(service->flags & FLAG_INTERCEPT) &&
	    (service->socktype == SOCK_STREAM || service->socktype == SOCK_SEQPACKET))
		diag_add(
			l->diag, SEVERITY_WARNING, stanza->file, stanza->line, service->id,
			"its server learns who comes, and usherd does not: hosts.allow and hosts.deny are asked about "
			"an unknown client, whom no address in them matches");
	support_report(service, l->diag);
	return add_service(l->conf, service);
}

static int read_service(struct loader *l, const struct stanza *stanza, bool from_inetd)
{
	const char *id = stanza_id(stanza);
	bool no_memory = false;
	struct service *service;
	int r;

	schema_begin(l->build.schema, stanza, id);
	r = feed(l, stanza);
	if (r < 0)
		return r;
	if (r == 0 || is_switched_off(l, id)) {
		l->conf->n_disabled++;
		return 0;
	}
	service = build_service(&l->build, stanza, id, &no_memory);
	if (no_memory)
		return -ENOMEM;
	if (!service || stanza->malformed) {
		service_unref(service);
		return broken_add(&l->conf->broken, stanza, id);
	}
	return admit_service(l, stanza, service, from_inetd);
}

static void loader_done(struct loader *l)
{
	rivals_done(&l->rivals);
	idset_done(&l->enabled);
	idset_done(&l->disabled);
	files_done(&l->files);
	schema_free(l->build.schema);
	lookup_free(l->build.lookup);
	conf_free(l->conf);
	memo_done(&l->build.memo);
	free(l->build.endpoints);
	intern_pool_free(l->build.pool);
}

static int read_services(struct loader *l)
{
	int r = 0;

	for (size_t i = 0; i < l->files.n && r == 0; i++)
		if (l->files.stanzas[i]->kind == STANZA_SERVICE)
			r = read_service(l, l->files.stanzas[i], i >= l->files.n_xinetd);
	return r;
}

/* Does it all; what is left over is loader_done()'s. */
static int load(struct loader *l)
{
	int r = files_read(&l->files), defaults;

	if (r < 0)
		return r;
	/* With bad defaults nothing can run, but the errors of the services are told all the same. */
	defaults = read_defaults(l);
	if (defaults == -ENOMEM || read_switches(l) < 0)
		return -ENOMEM;
	r = read_services(l);
	if (r == 0)
		r = defaults;
	return r < 0 ? r : mux_names_check(l->conf->services, l->conf->n, l->diag);
}

int conf_load(const struct conf_source *source, struct diag *diag, struct conf **ret)
{
	struct loader l = {
		.diag = diag,
		.conf = calloc(1, sizeof(struct conf)),
		.build = {
			.lookup = lookup_new(),
			.pool = intern_pool_new(),
		},
		.wrapped = support_machine_has_wrappers(),
	};
	int r = -ENOMEM;

	if (l.build.pool)
		l.build.schema = schema_new(diag, l.build.pool);
	if (l.conf && l.build.lookup && l.build.schema) {
		l.files = (struct files){
			.source = source,
			.diag = diag,
			.pool = l.build.pool,
			.lookup = l.build.lookup,
			.seen = &l.conf->seen,
		};
		r = load(&l);
	}
	if (r == 0) {
		seen_seal(&l.conf->seen);
		*ret = TAKE_PTR(l.conf);
	}
	loader_done(&l);
	return r;
}

bool conf_shed(struct conf *conf, size_t n)
{
	while (n-- > 0 && conf->n > 0)
		service_unref(conf->services[--conf->n]);
	return conf->n > 0;
}

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	(void)conf_shed(conf, conf->n);
	free(conf->services);
	broken_done(&conf->broken);
	seen_done(&conf->seen);
	free(conf);
}
