/* SPDX-License-Identifier: ISC */
/* usherctl lookup: what the system's databases know of hosts, services and protocols. */
#include "config.h"

#include "ctl/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/addr.h"
#include "ctl/failure.h"
#include "ctl/json_text.h"
#include "ctl/options.h"

/* A word of the command line, or a name, in a message. */
#define TEXT_MAX 300

/*
 * Answers are objects, or arrays of such, of JSON: printed as they are, or as a
 * line a value. Each looks @words up (@n of them), and returns STATUS_CLEAN with a new
 * reference in *@ret, or says what is wrong.
 */
typedef enum status lookup_fn(const char *const *words, size_t n, json_t **ret,
			      struct failure *failure);

static json_t *text_list(char *const *texts)
{
	json_t *list = json_array();

	for (; texts && *texts; texts++)
		(void)json_array_append_new(list, json_text(*texts));
	return list;
}

static void add_text(json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
			return;
	(void)json_array_append_new(list, json_text(text));
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* --- hosts ------------------------------------------------------------------- */

static enum status not_resolved(const char *name, int error, struct failure *failure)
{
	char text[TEXT_MAX];

	return failure_set(failure, STATUS_NAME, "the name %s cannot be resolved: %s",
			   escape_text(text, sizeof(text), name),
			   error == EAI_SYSTEM ? failure_words(errno) : gai_strerror(error));
}

static enum status look_up_self(const char *const *words, size_t n, json_t **ret,
				struct failure *failure)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME };
	struct addrinfo *list;
	char name[256];
	int error;

	(void)words;
	(void)n;
	if (gethostname(name, sizeof(name)) < 0)
		return failure_set(failure, STATUS_NAME, "the own name: %s", failure_words(errno));
	name[sizeof(name) - 1] = '\0';
	error = getaddrinfo(name, NULL, &hints, &list);
	*ret = json_pack("{s:o, s:o}", "name", json_text(name), "full name",
			 json_text(error || !list->ai_canonname ? NULL : list->ai_canonname));
	if (error)
		return not_resolved(name, error, failure);
	freeaddrinfo(list);
	return STATUS_CLEAN;
}

/* The names that only gethostbyname(3) tells. */
static void add_aliases(json_t *aliases, const char *name, const char *canonical)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct hostent *host = gethostbyname2(name, families[i]);

		if (!host)
			continue;
		if (strcmp(host->h_name, canonical) != 0)
			add_text(aliases, host->h_name);
		for (char **alias = host->h_aliases; *alias; alias++)
			if (strcmp(*alias, canonical) != 0)
				add_text(aliases, *alias);
	}
}

static enum status look_up_host(const char *const *words, size_t n, json_t **ret,
				struct failure *failure)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME };
	json_t *aliases = json_array(), *addresses = json_array();
	struct addrinfo *list = NULL;
	const char *canonical;
	int error = getaddrinfo(words[0], NULL, &hints, &list);

	(void)n;
	if (error) {
		json_decref(aliases);
		json_decref(addresses);
		return not_resolved(words[0], error, failure);
	}
	canonical = list->ai_canonname ? list->ai_canonname : words[0];
	add_aliases(aliases, words[0], canonical);
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		char text[NI_MAXHOST];

		if (getnameinfo(ai->ai_addr, ai->ai_addrlen, text, sizeof(text), NULL, 0,
				NI_NUMERICHOST) == 0)
			add_text(addresses, text);
	}
	*ret = json_pack("{s:o, s:o, s:o}", "name", json_text(canonical), "aliases", aliases,
			 "addresses", addresses);
	freeaddrinfo(list);
	return STATUS_CLEAN;
}

static enum status look_up_address(const char *const *words, size_t n, json_t **ret,
				   struct failure *failure)
{
	const struct hostent *host;
	char text[TEXT_MAX], number[ADDR_TEXT_MAX];
	struct addr addr;
	json_t *addresses;

	(void)n;
	(void)escape_text(text, sizeof(text), words[0]);
	if (addr_parse(words[0], &addr) < 0)
		return failure_set(failure, STATUS_ADDRESS, "%s is no address", text);
	host = gethostbyaddr(addr.bytes, addr_bits(addr.family) / 8, addr.family);
	if (!host)
		return failure_set(failure, STATUS_NAME, "the address %s has no name: %s", text,
				   hstrerror(h_errno));
	addresses = json_array();
	for (char **p = host->h_addr_list; *p; p++)
		if (inet_ntop(host->h_addrtype, *p, number, sizeof(number)))
			add_text(addresses, number);
	*ret = json_pack("{s:o, s:o, s:o}", "name", json_text(host->h_name), "aliases",
			 text_list(host->h_aliases), "addresses", addresses);
	return STATUS_CLEAN;
}

/* --- services and protocols --------------------------------------------------------- */

static const struct servent *service(const char *word, const char *protocol)
{
	long long port;

	if (!is_number(word))
		return getservbyname(word, protocol);
	if (parse_number(word, 10, 0, UINT16_MAX, &port) < 0)
		return NULL;
	return getservbyport(htons((uint16_t)port), protocol);
}

static enum status look_up_service(const char *const *words, size_t n, json_t **ret,
				   struct failure *failure)
{
	static const char *const usual[] = { "tcp", "udp", "sctp", "dccp" };
	const char *const *protocols = n > 1 ? &words[1] : usual;
	size_t n_protocols = n > 1 ? 1 : ARRAY_SIZE(usual);
	json_t *list = json_array();
	char text[TEXT_MAX], protocol[TEXT_MAX] = "any protocol";

	for (size_t i = 0; i < n_protocols; i++) {
		const struct servent *found = service(words[0], protocols[i]);

		if (found)
			(void)json_array_append_new(
				list,
				json_pack("{s:o, s:o, s:i, s:o}", "name", json_text(found->s_name),
					  "aliases", text_list(found->s_aliases), "port",
					  ntohs((uint16_t)found->s_port), "protocol",
					  json_text(found->s_proto)));
	}
	*ret = list;
	if (json_array_size(list) > 0)
		return STATUS_CLEAN;
	if (n > 1)
		(void)escape_text(protocol, sizeof(protocol), words[1]);
	return failure_set(failure, STATUS_NAME, "there is no service %s for %s",
			   escape_text(text, sizeof(text), words[0]), protocol);
}

static enum status look_up_protocol(const char *const *words, size_t n, json_t **ret,
				    struct failure *failure)
{
	const struct protoent *found = NULL;
	char text[TEXT_MAX];
	long long number;

	(void)n;
	if (!is_number(words[0]))
		found = getprotobyname(words[0]);
	else if (parse_number(words[0], 10, 0, INT32_MAX, &number) == 0)
		found = getprotobynumber((int)number);
	if (!found)
		return failure_set(failure, STATUS_NAME, "there is no protocol %s",
				   escape_text(text, sizeof(text), words[0]));
	*ret = json_pack("{s:o, s:o, s:i}", "name", json_text(found->p_name), "aliases",
			 text_list(found->p_aliases), "number", found->p_proto);
	return STATUS_CLEAN;
}

/* --- the command ----------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t min; /* words behind the name */
	size_t max;
	lookup_fn *look_up;
} kinds[] = {
	{ "self", 0, 0, look_up_self },         { "host", 1, 1, look_up_host },
	{ "address", 1, 1, look_up_address },   { "service", 1, 2, look_up_service },
	{ "protocol", 1, 1, look_up_protocol },
};

/* What can be asked for, and how many words it takes, or the end of the program. */
static size_t kind_of(const char *const *words, size_t n)
{
	if (n == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(words[0], kinds[i].name) != 0)
			continue;
		if (n - 1 < kinds[i].min)
			ctl_usage_error("name missing", words[0]);
		if (n - 1 > kinds[i].max)
			ctl_usage_error("too many words", words[n - 1]);
		return i;
	}
	ctl_usage_error("write self, host, address, service or protocol", words[0]);
}

static void print_value(const char *key, const json_t *value)
{
	if (json_is_integer(value))
		(void)printf("%-10s %" JSON_INTEGER_FORMAT "\n", key, json_integer_value(value));
	else if (json_is_string(value))
		(void)printf("%-10s %s\n", key, json_string_value(value));
}

static void print_object(json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		/* "aliases" and "addresses" stand for one each. */
		char one[16];
		size_t length = strlen(key);

		if (!json_is_array(value)) {
			print_value(key, value);
			continue;
		}
		(void)snprintf(one, sizeof(one), "%.*s", (int)(length > 2 ? length - 2 : 0), key);
		for (size_t i = 0; i < json_array_size(value); i++)
			print_value(one, json_array_get(value, i));
	}
}

static void print_text(json_t *answer)
{
	if (!json_is_array(answer))
		print_object(answer);
	for (size_t i = 0; i < json_array_size(answer); i++) {
		if (i)
			(void)putchar('\n');
		print_object(json_array_get(answer, i));
	}
}

int ctl_lookup(int argc, char **argv)
{
	const char *words[4];
	bool json = false;
	const struct option_row rows[] = { { "--json", OPTION_FLAG, .flag = &json } };
	const struct option_words accepted = { words, ARRAY_SIZE(words), "too many words" };
	size_t n = options_parse(argc, argv, rows, ARRAY_SIZE(rows), &accepted);
	size_t kind = kind_of(words, n);
	struct failure failure = { 0 };
	json_t *answer = NULL;
	enum status status = kinds[kind].look_up(words + 1, n ? n - 1 : 0, &answer, &failure);

	if (answer && !json)
		print_text(answer);
	else if (answer && json_print(json_incref(answer)) < 0)
		status = STATUS_UNREADABLE;
	json_decref(answer);
	if (failure.text[0])
		(void)failure_print(&failure);
	return (int)ctl_flush(status);
}
