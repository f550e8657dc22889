/* SPDX-License-Identifier: ISC */
/* The system's databases (users, groups, protocols, services), each asked once a load. */
#include "config.h"

#include "config/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <netdb.h>
#include <pwd.h>
#include <string.h>

/* Without memory the load fails, and nothing else. */
#define HASH_NONFATAL_OOM                1
#define HASH_FUNCTION(key, length, hash) (hash) = hash_bytes(0, key, length)
#include <uthash.h>

#include "base/intern.h"
#include "base/util.h"
#include "config/service.h"

/* One remembered answer; a missing entry is remembered too. */
struct answer {
	char *key; /* the database's letter, a colon, the question */
	int status;
	long first;
	long second;
	UT_hash_handle hh;
};

struct groups_key {
	uid_t uid;
	gid_t gid;
};

/* The remembered groups of a user. */
struct groups {
	struct groups_key key;
	int status;
	const struct group_list *list;
	UT_hash_handle hh;
};

struct lookup {
	struct answer *answers;
	struct groups *groups;
};

/* Asks the database; fills answer->status, first and second. */
typedef void ask_fn(struct answer *answer, const char *name, const char *detail);

struct lookup *lookup_new(void)
{
	return calloc(1, sizeof(struct lookup));
}

void lookup_free(struct lookup *lookup)
{
	struct answer *answer, *next;
	struct groups *groups, *further;

	if (!lookup)
		return;
	HASH_ITER(hh, lookup->answers, answer, next)
	{
		HASH_DELETE(hh, lookup->answers, answer);
		free(answer->key);
		free(answer);
	}
	HASH_ITER(hh, lookup->groups, groups, further)
	{
		HASH_DELETE(hh, lookup->groups, groups);
		intern_unref(groups->list);
		free(groups);
	}
	free(lookup);
}

static int ask_once(struct lookup *lookup, char database, const char *name, const char *detail,
		    ask_fn *ask, const struct answer **ret)
{
	size_t n_name = strlen(name), n_detail = strlen(detail), length = n_name + n_detail + 3;
	char shorter[64], *key = shorter;
	CLEANUP_FREE char *longer = NULL;
	struct answer *answer;

	if (length >= sizeof(shorter)) {
		longer = malloc(length + 1);
		if (!longer)
			return -ENOMEM;
		key = longer;
	}
	key[0] = database;
	key[1] = ':';
	memcpy(key + 2, name, n_name);
	key[2 + n_name] = '/';
	memcpy(key + 3 + n_name, detail, n_detail + 1);
	HASH_FIND(hh, lookup->answers, key, length, answer);
	if (!answer) {
		answer = calloc(1, sizeof(*answer));
		if (!answer)
			return -ENOMEM;
		answer->key = longer ? TAKE_PTR(longer) : strdup(shorter);
		if (!answer->key) {
			free(answer);
			return -ENOMEM;
		}
		ask(answer, name, detail);
		HASH_ADD_KEYPTR(hh, lookup->answers, answer->key, length, answer);
		if (!answer->hh.tbl) {
			free(answer->key);
			free(answer);
			return -ENOMEM;
		}
	}
	*ret = answer;
	return answer->status;
}

/*
 * Calls an *_r function (written as an expression over buffer, size and found)
 * with as much room as it wants.
 */
#define ASK_WITH_ROOM(call)                                              \
	do {                                                             \
		CLEANUP_FREE char *buffer = NULL;                        \
		int failure = ERANGE;                                    \
                                                                         \
		for (size_t size = 1024; failure == ERANGE; size *= 2) { \
			char *bigger = realloc(buffer, size);            \
                                                                         \
			if (!bigger) {                                   \
				answer->status = -ENOMEM;                \
				return;                                  \
			}                                                \
			buffer = bigger;                                 \
			failure = (call);                                \
		}                                                        \
		answer->status = found ? 0 : -ENOENT;                    \
	} while (0)

static void ask_user(struct answer *answer, const char *name, const char *detail)
{
	struct passwd entry, *found = NULL;

	(void)detail;
	ASK_WITH_ROOM(getpwnam_r(name, &entry, buffer, size, &found));
	if (found) {
		answer->first = (long)entry.pw_uid;
		answer->second = (long)entry.pw_gid;
	}
}

static void ask_uid(struct answer *answer, const char *name, const char *detail)
{
	struct passwd entry, *found = NULL;
	long long number = 0;

	(void)detail;
	(void)parse_number(name, 10, 0, UINT_MAX - 1, &number);
	ASK_WITH_ROOM(getpwuid_r((uid_t)number, &entry, buffer, size, &found));
	answer->status = answer->status == -ENOENT ? 0 : answer->status;
	answer->first = (long)number;
	answer->second = found ? (long)entry.pw_gid : (long)number;
}

static void ask_group(struct answer *answer, const char *name, const char *detail)
{
	struct group entry, *found = NULL;

	(void)detail;
	ASK_WITH_ROOM(getgrnam_r(name, &entry, buffer, size, &found));
	if (found)
		answer->first = (long)entry.gr_gid;
}

static void ask_protocol(struct answer *answer, const char *name, const char *detail)
{
	struct protoent entry, *found = NULL;

	(void)detail;
	ASK_WITH_ROOM(getprotobyname_r(name, &entry, buffer, size, &found));
	if (found) {
		answer->first = entry.p_proto;
		return;
	}
	/* Containers often lack /etc/protocols; these two are known to everybody. */
	if (strcmp(name, "tcp") == 0 || strcmp(name, "udp") == 0) {
		answer->status = 0;
		answer->first = strcmp(name, "tcp") == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	}
}

static void ask_port(struct answer *answer, const char *name, const char *detail)
{
	struct servent entry, *found = NULL;

	ASK_WITH_ROOM(getservbyname_r(name, detail, &entry, buffer, size, &found));
	if (found)
		answer->first = ntohs((uint16_t)entry.s_port);
}

static void ask_rpc(struct answer *answer, const char *name, const char *detail)
{
	struct rpcent entry, *found = NULL;

	(void)detail;
	ASK_WITH_ROOM(getrpcbyname_r(name, &entry, buffer, size, &found));
	if (found)
		answer->first = entry.r_number;
}

int lookup_user(struct lookup *lookup, const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct answer *answer;
	long long number;
	bool numeric = parse_number(name, 10, 0, UINT_MAX - 1, &number) == 0;
	int r = ask_once(lookup, numeric ? 'U' : 'u', name, "", numeric ? ask_uid : ask_user,
			 &answer);

	if (r < 0)
		return r;
	*ret_uid = (uid_t)answer->first;
	*ret_gid = (gid_t)answer->second;
	return 0;
}

int lookup_group(struct lookup *lookup, const char *name, gid_t *ret_gid)
{
	const struct answer *answer;
	long long number;
	int r;

	if (parse_number(name, 10, 0, UINT_MAX - 1, &number) == 0) {
		*ret_gid = (gid_t)number;
		return 0;
	}
	r = ask_once(lookup, 'g', name, "", ask_group, &answer);
	if (r == 0)
		*ret_gid = (gid_t)answer->first;
	return r;
}

/* The list as a value, with one reference. */
static int ask_groups(uid_t uid, gid_t gid, const struct group_list **ret)
{
	CLEANUP_FREE gid_t *list = NULL;
	struct passwd entry, *found = NULL;
	CLEANUP_FREE char *buffer = NULL;
	struct group_list *value;
	int n = 32, failure = ERANGE;

	for (size_t size = 1024; failure == ERANGE; size *= 2) {
		char *bigger = realloc(buffer, size);

		if (!bigger)
			return -ENOMEM;
		buffer = bigger;
		failure = getpwuid_r(uid, &entry, buffer, size, &found);
	}
	if (!found)
		return -ENOENT;
	for (int room = 0; room < n;) {
		gid_t *bigger = reallocarray(list, (size_t)n, sizeof(*list));

		if (!bigger)
			return -ENOMEM;
		list = bigger;
		room = n;
		if (getgrouplist(entry.pw_name, gid, list, &n) >= 0)
			break;
	}
	value = intern_alloc(sizeof(*value) + (size_t)n * sizeof(*list));
	if (!value)
		return -ENOMEM;
	value->n = (size_t)n;
	value->v = memcpy(value + 1, list, value->n * sizeof(*list));
	*ret = value;
	return 0;
}

int lookup_groups(struct lookup *lookup, uid_t uid, gid_t gid, const struct group_list **ret)
{
	const struct groups_key key = { uid, gid };
	struct groups *groups;

	HASH_FIND(hh, lookup->groups, &key, sizeof(key), groups);
	if (!groups) {
		groups = calloc(1, sizeof(*groups));
		if (!groups)
			return -ENOMEM;
		groups->key = key;
		groups->status = ask_groups(uid, gid, &groups->list);
		HASH_ADD(hh, lookup->groups, key, sizeof(groups->key), groups);
		if (!groups->hh.tbl) {
			intern_unref(groups->list);
			free(groups);
			return -ENOMEM;
		}
	}
	if (groups->status == 0)
		*ret = intern_ref(groups->list);
	return groups->status;
}

int lookup_protocol(struct lookup *lookup, const char *name, int *ret)
{
	const struct answer *answer;
	int r = ask_once(lookup, 'p', name, "", ask_protocol, &answer);

	if (r == 0)
		*ret = (int)answer->first;
	return r;
}

int lookup_port(struct lookup *lookup, const char *name, const char *protocol, int *ret)
{
	const struct answer *answer;
	int r = ask_once(lookup, 's', name, protocol, ask_port, &answer);

	if (r == 0)
		*ret = (int)answer->first;
	return r;
}

int lookup_rpc(struct lookup *lookup, const char *name, int *ret)
{
	const struct answer *answer;
	int r = ask_once(lookup, 'r', name, "", ask_rpc, &answer);

	if (r == 0)
		*ret = (int)answer->first;
	return r;
}
