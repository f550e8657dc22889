/* SPDX-License-Identifier: ISC */
/* The host name of a client, believed only where it leads back to the client; and words of address lists that match it. */
#include "config.h"

#include "gate/names.h"

#include <netdb.h>
#include <string.h>
#include <strings.h>

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool names_is_plausible(const char *text)
{
	const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST };
	size_t length = strlen(text);
	struct addrinfo *found;

	if (length == 0 || length >= NAMES_MAX || text[0] == '.')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_letter_or_digit(text[i]) && text[i] != '-' && text[i] != '_' &&
		    (text[i] != '.' || text[i + 1] == '.'))
			return false;
	/* Also 1.2 and 0x7f.1, which would resolve to what they say. */
	if (getaddrinfo(text, NULL, &numeric, &found) != 0)
		return true;
	freeaddrinfo(found);
	return false;
}

static bool leads_to(const char *name, const struct addr *peer)
{
	const struct addrinfo hints = { .ai_family = peer->family, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	bool same = false;

	if (getaddrinfo(name, NULL, &hints, &found) != 0)
		return false;
	for (const struct addrinfo *at = found; at && !same; at = at->ai_next) {
		struct addr addr;

		addr_from_sockaddr(&addr, at->ai_addr, at->ai_addrlen);
		same = addr_equal(&addr, peer);
	}
	freeaddrinfo(found);
	return same;
}

bool names_find(const struct addr *peer, char ret[static NAMES_MAX])
{
	struct sockaddr_storage storage;
	socklen_t length = addr_to_sockaddr(peer, &storage);

	return length > 0 &&
	       getnameinfo((const void *)&storage, length, ret, NAMES_MAX, NULL, 0, NI_NAMEREQD) ==
		       0 &&
	       names_is_plausible(ret) && leads_to(ret, peer);
}

/* Without the dot at the end that says "this is all of it". */
static size_t name_length(const char *name)
{
	size_t length = strlen(name);

	return length > 1 && name[length - 1] == '.' ? length - 1 : length;
}

bool names_match(const char *word, const char *name)
{
	size_t word_length = name_length(word), length = name_length(name);

	if (word_length == 0 || word_length > length)
		return false;
	if (word[0] != '.')
		return word_length == length && strncasecmp(word, name, length) == 0;
	return word_length < length &&
	       strncasecmp(word, name + (length - word_length), word_length) == 0;
}

static bool has_match(const char *const *words, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (names_match(words[i], name))
			return true;
	return false;
}

bool names_allow(const struct names_lists *lists, const char *name, bool *ret_both)
{
	bool listed = name && has_match(lists->only_from, lists->n_only_from, name);
	bool barred = name && has_match(lists->no_access, lists->n_no_access, name);

	*ret_both = listed && barred;
	return !barred && (listed || lists->n_only_from == 0);
}
