/* SPDX-License-Identifier: ISC */
/* The places of a service that a configuration names. */
#include "config.h"

#include "ctl/places_conf.h"

#include <errno.h>
#include <string.h>

#include "base/diag.h"
#include "config/conf.h"

/* Room for a name or a path in a message. */
#define NAME_TEXT_MAX 200

static bool fits(const struct service *service, int socktype)
{
	return socktype == 0 || service->socktype == socktype;
}

static const struct service *by_id(const struct conf *conf, const struct target *target)
{
	for (size_t i = 0; i < conf->n; i++)
		if (strcmp(conf->services[i]->id, target->service) == 0 &&
		    fits(conf->services[i], target->socktype))
			return conf->services[i];
	return NULL;
}

/* The only service of this name and type, or NULL; *@ret_others are the ids where there are several. */
static const struct service *by_name(const struct conf *conf, const char *name, int socktype,
				     char *ret_others, size_t size)
{
	const struct service *found = NULL;
	size_t at = 0, n = 0;

	ret_others[0] = '\0';
	for (size_t i = 0; i < conf->n; i++) {
		const struct service *s = conf->services[i];
		char id[NAME_TEXT_MAX];

		if (strcmp(s->name, name) != 0 || !fits(s, socktype))
			continue;
		found = s;
		(void)escape_text(id, sizeof(id), s->id);
		if (at < size)
			at += (size_t)snprintf(ret_others + at, size - at, "%s%s", n ? ", " : "",
					       id);
		n++;
	}
	if (n < 2)
		ret_others[0] = '\0';
	return n == 1 ? found : NULL;
}

static bool has_port(const struct endpoint *endpoint)
{
	return endpoint->addr.family == AF_UNIX || endpoint->addr.port != 0;
}

const char *places_refuse(const struct service *service)
{
	if (service->type & (SERVICE_TCPMUX | SERVICE_TCPMUXPLUS))
		return "is behind tcpmux: call that, and send the name";
	if (service->socktype == SOCK_RAW)
		return "is raw, which cannot be called";
	for (size_t i = 0; i < service->n_endpoints; i++)
		if (!has_port(&service->endpoints[i]))
			return "has no port of its own";
	return service->n_endpoints ? NULL : "has no address";
}

static enum status use(const struct service *service, struct places *places,
		       struct failure *failure)
{
	const char *refusal = places_refuse(service);
	char id[NAME_TEXT_MAX], file[NAME_TEXT_MAX];

	(void)escape_text(id, sizeof(id), service->id);
	(void)escape_text(file, sizeof(file), service->file);
	if (refusal)
		return failure_set(failure, STATUS_ADDRESS, "service \"%s\" (%s:%u) %s", id, file,
				   service->line, refusal);
	for (size_t i = 0; i < service->n_endpoints; i++)
		if (places_add_endpoint(places, &service->endpoints[i]) < 0)
			return failure_set(failure, STATUS_UNREADABLE,
					   "there is not enough memory");
	(void)snprintf(places->origin, sizeof(places->origin), "%s is the service at %s:%u", id,
		       file, service->line);
	return STATUS_CLEAN;
}

static enum status find(const struct conf *conf, const struct target *target, struct places *places,
			struct failure *failure)
{
	const struct service *service = by_id(conf, target);
	char others[NAME_TEXT_MAX], name[NAME_TEXT_MAX];

	(void)escape_text(name, sizeof(name), target->service);
	others[0] = '\0';
	if (!service)
		service = by_name(conf, target->service,
				  target->socktype ? target->socktype : SOCK_STREAM, others,
				  sizeof(others));
	if (!service && !others[0] && target->socktype == 0)
		service = by_name(conf, target->service, 0, others, sizeof(others));
	if (others[0])
		return failure_set(failure, STATUS_NAME,
				   "there are several services \"%s\"; write an id: %s", name,
				   others);
	if (service)
		return use(service, places, failure);
	for (size_t i = 0; i < conf->broken.n; i++) {
		const struct conf_broken *broken = &conf->broken.v[i];
		char file[NAME_TEXT_MAX];

		if (!str_equal(broken->id, target->service) &&
		    !str_equal(broken->name, target->service))
			continue;
		(void)escape_text(file, sizeof(file), broken->file ? broken->file : "");
		return failure_set(failure, STATUS_ERRORS,
				   "service \"%s\" has errors (%s:%u): see usherctl check", name,
				   file, broken->line);
	}
	return STATUS_CLEAN;
}

enum status places_find_in_conf(const struct target *target, const struct places_source *source,
				struct places *places, struct failure *failure)
{
	bool asked = source->file || source->inetd_file;
	const char *file = source->file ? source->file : CONF_DEFAULT_FILE;
	enum status status = STATUS_CLEAN;
	struct diag diag = { 0 };
	struct conf *conf = NULL;
	int r = ctl_load(file, source->inetd_file, &diag, &conf);

	if (r == 0) {
		status = find(conf, target, places, failure);
	} else if (asked) {
		ctl_print_findings(&diag, stderr);
		status = failure_set(failure, ctl_status(&diag, r, false),
				     "the configuration cannot be used");
	} else if (r != -ENOENT) {
		(void)snprintf(places->origin, sizeof(places->origin),
			       "%s cannot be used (see usherctl check); ", file);
	}
	conf_free(conf);
	diag_done(&diag);
	return status;
}
