/* SPDX-License-Identifier: ISC */
/* The share of a service that says who may connect, and when. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "config/build.h"

/* Reads the words of the list. Returns 0 or -ENOMEM; *@sound is false where there was something to say. */
static int add_words(struct build *build, enum attr attr, struct addr_rules *rules, bool *sound)
{
	rules->given = schema_given(build->schema, attr);
	build_words(build, attr, &rules->words);
	for (size_t i = 0; i < rules->words->n; i++) {
		const char *word = rules->words->v[i], *why;
		int r = addr_rules_add(rules, word, &why);

		if (r == -ENOMEM)
			return r;
		if (r < 0) {
			build_error(build, attr, "\"%s\": %s", word, why);
			*sound = false;
		}
	}
	return 0;
}

/* The list goes on in a file. What is wrong there costs the service, as in the list itself. */
static int add_file(struct build *build, enum attr attr, struct addr_rules *rules, bool *sound)
{
	const char *why;
	unsigned line;
	int r;

	if (!rules->file)
		return 0;
	if (rules->file[0] != '/') {
		build_error(build, attr, "\"%s\": write the whole path, from / on", rules->file);
		*sound = false;
		return 0;
	}
	r = addr_rules_add_file(rules, rules->file, &line, &why);
	if (r == -ENOMEM || r == 0)
		return r;
	*sound = false;
	if (r == -EINVAL)
		build_error(build, attr, "%s, line %u: %s", rules->file, line, why);
	else
		build_error(build, attr, "%s: %s", rules->file,
			    r == -EBADF ? "this is no regular file" : strerror(-r));
	return 0;
}

/* One of the two address lists. */
struct list {
	enum attr words;
	enum attr file;
	const struct addr_rules **slot;
	struct addr_rules *rules; /* while it is made */
	bool sound;
};

/* Finds the list that another service has, or begins with its words. Returns 0 or -ENOMEM. */
static int begin_list(struct build *build, struct list *list)
{
	const struct addr_rules *known;
	const char *file = NULL;

	if (!schema_given(build->schema, list->words) && !schema_count(build->schema, list->file))
		return 0;
	if (build_text(build, list->file, &file) < 0)
		return -ENOMEM;
	/* Empty and not given are two things: the list that is only in a file is found by it. */
	known = memo_find(&build->memo, MEMO_ADDRESSES, schema_words(build->schema, list->words),
			  file);
	if (known) {
		intern_unref(file);
		*list->slot = intern_ref(known);
		return 0;
	}
	list->rules = intern_alloc(sizeof(*list->rules));
	if (!list->rules) {
		intern_unref(file);
		return -ENOMEM;
	}
	list->rules->file = file;
	*list->slot = list->rules;
	return add_words(build, list->words, list->rules, &list->sound);
}

/* Goes on with its file. Returns 0 or -ENOMEM. */
static int end_list(struct build *build, struct list *list)
{
	int r;

	if (!list->rules)
		return 0;
	r = add_file(build, list->file, list->rules, &list->sound);
	if (r == 0)
		r = addr_rules_seal(list->rules);
	/* What was said about a list is said about each service that has it. */
	if (r == 0 && list->sound)
		memo_add(&build->memo, MEMO_ADDRESSES, list->rules->words, list->rules->file,
			 list->rules, addr_rules_free);
	return r;
}

static int build_addresses(struct build *build)
{
	struct list lists[] = {
		{ ATTR_ONLY_FROM, ATTR_ONLY_FROM_FILE, &build->service.only_from, NULL, true },
		{ ATTR_NO_ACCESS, ATTR_NO_ACCESS_FILE, &build->service.no_access, NULL, true },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists) && r == 0; i++)
		r = begin_list(build, &lists[i]);
	for (size_t i = 0; i < ARRAY_SIZE(lists) && r == 0; i++)
		r = end_list(build, &lists[i]);
	return r;
}

static int build_times(struct build *build)
{
	const struct words *words = schema_words(build->schema, ATTR_ACCESS_TIMES);
	const struct time_rules *known;
	struct time_rules *rules;
	bool sound = true;

	if (words->n == 0)
		return 0;
	known = memo_find(&build->memo, MEMO_TIMES, words, NULL);
	if (known) {
		build->service.access_times = intern_ref(known);
		return 0;
	}
	rules = intern_alloc(sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	build->service.access_times = rules;
	for (size_t i = 0; i < words->n; i++) {
		const char *why;
		int r = time_rules_add(rules, words->v[i], &why);

		if (r == -ENOMEM)
			return r;
		if (r < 0) {
			build_error(build, ATTR_ACCESS_TIMES, "\"%s\": %s", words->v[i], why);
			sound = false;
		}
	}
	if (sound)
		memo_add(&build->memo, MEMO_TIMES, words, NULL, rules, time_rules_free);
	return 0;
}

int build_access(struct build *build)
{
	struct service *s = &build->service;

	if (build_addresses(build) < 0)
		return -ENOMEM;
	/* Who connects is only known to the server that accepts (D53). */
	if (s->wait && s->socktype != SOCK_DGRAM && !(s->type & SERVICE_INTERNAL) &&
	    !(s->flags & FLAG_INTERCEPT) &&
	    (s->only_from->given || s->no_access->words->n || s->no_access->file))
		build_error(
			build, s->only_from->given ? ATTR_ONLY_FROM : ATTR_NO_ACCESS,
			"with \"wait = yes\" such a server accepts by itself, so usherd cannot check who connects: "
			"write \"flags = INTERCEPT\" as well, or restrict \"bind\"");
	return build_times(build);
}
