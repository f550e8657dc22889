/* SPDX-License-Identifier: ISC */
/* Answers questions about names: of this host, of hosts, addresses, services and protocols; a line asks, a line answers. */
#define _GNU_SOURCE /* gethostbyname2() */

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handed.h"

#define QUESTION_BYTES 512
#define BLANKS         " \t\r\n"

/* What names hold, anybody may have written into the DNS: it must not reach a terminal as it is. */
static void put(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text > ' ' && (unsigned char)*text < 0x7f ? *text : '?');
}

static void put_words(const char *title, char **words)
{
	printf("; %s:%s", title, *words ? "" : " none");
	for (; *words; words++) {
		putchar(' ');
		put(*words);
	}
}

static void put_addresses(const struct hostent *host)
{
	char number[INET6_ADDRSTRLEN];

	for (char **address = host->h_addr_list; *address; address++)
		if (inet_ntop(host->h_addrtype, *address, number, sizeof(number)))
			printf(" %s", number);
}

static void answer_self(char **words)
{
	char name[256] = "";
	struct addrinfo hints = { .ai_flags = AI_CANONNAME };
	struct addrinfo *found = NULL;

	(void)words;
	if (gethostname(name, sizeof(name) - 1) < 0) {
		printf("error: this host has no name");
		return;
	}
	put(name);
	printf("; full name: ");
	/* What the resolver makes of the name, as hostname -f does. */
	if (getaddrinfo(name, NULL, &hints, &found) == 0 && found->ai_canonname)
		put(found->ai_canonname);
	else
		printf("unknown");
	if (found)
		freeaddrinfo(found);
}

/* All addresses of both families. gethostbyname(3) is obsolete, but getaddrinfo(3) knows no aliases. */
static void answer_host(char **words)
{
	static const int families[] = { AF_INET, AF_INET6 };
	bool begun = false;

	for (size_t i = 0; i < 2; i++) {
		const struct hostent *host = gethostbyname2(words[0], families[i]);

		if (!host)
			continue;
		if (!begun) {
			put(host->h_name);
			put_words("aliases", host->h_aliases);
			printf("; addresses:");
			begun = true;
		}
		put_addresses(host);
	}
	if (!begun)
		printf("error: %s", hstrerror(h_errno));
}

static void answer_address(char **words)
{
	static const int families[] = { AF_INET, AF_INET6 };
	unsigned char address[sizeof(struct in6_addr)];

	for (size_t i = 0; i < 2; i++) {
		const struct hostent *host;

		if (inet_pton(families[i], words[0], address) != 1)
			continue;
		host = gethostbyaddr(address, families[i] == AF_INET ? 4 : 16, families[i]);
		if (!host) {
			printf("error: %s", hstrerror(h_errno));
			return;
		}
		put(host->h_name);
		put_words("aliases", host->h_aliases);
		printf("; addresses:");
		put_addresses(host);
		return;
	}
	printf("error: not an address");
}

static void put_service(const struct servent *service)
{
	if (!service) {
		printf("error: unknown service");
		return;
	}
	put(service->s_name);
	printf(" %u/", ntohs((uint16_t)service->s_port));
	put(service->s_proto);
	put_words("aliases", service->s_aliases);
}

static void answer_service(char **words)
{
	put_service(getservbyname(words[0], words[1]));
}

static void answer_port(char **words)
{
	char *end;
	unsigned long port;

	errno = 0;
	port = strtoul(words[0], &end, 10);
	if (errno || *end || end == words[0] || port > UINT16_MAX)
		printf("error: a port is a number up to 65535");
	else
		put_service(getservbyport(htons((uint16_t)port), words[1]));
}

static void answer_protocol(char **words)
{
	const struct protoent *protocol = getprotobyname(words[0]);

	if (!protocol) {
		printf("error: unknown protocol");
		return;
	}
	put(protocol->p_name);
	printf(" %d", protocol->p_proto);
	put_words("aliases", protocol->p_aliases);
}

static void answer_help(char **words);

static const struct question {
	const char *word;
	const char *arguments;
	unsigned least, most; /* number of arguments */
	void (*answer)(char **words);
} questions[] = {
	{ "self", "", 0, 0, answer_self },
	{ "host", " NAME", 1, 1, answer_host },
	{ "address", " ADDRESS", 1, 1, answer_address },
	{ "service", " NAME [tcp|udp]", 1, 2, answer_service },
	{ "port", " NUMBER [tcp|udp]", 1, 2, answer_port },
	{ "protocol", " NAME", 1, 1, answer_protocol },
	{ "help", "", 0, 0, answer_help },
};

#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static void answer_help(char **words)
{
	(void)words;
	for (size_t i = 0; i < QUESTIONS; i++)
		printf("%s%s%s", i ? ", " : "", questions[i].word, questions[i].arguments);
}

/* The line is taken apart. */
static void answer(char *line)
{
	/* One more than any question has. */
	char *words[4] = { NULL };
	unsigned n = 0;
	char *rest;

	for (char *word = strtok_r(line, BLANKS, &rest); word && n < 4;
	     word = strtok_r(NULL, BLANKS, &rest))
		words[n++] = word;
	for (size_t i = 0; n && i < QUESTIONS; i++) {
		const struct question *question = &questions[i];

		if (strcmp(words[0], question->word) != 0)
			continue;
		if (n - 1 < question->least || n - 1 > question->most)
			printf("error: usage: %s%s", question->word, question->arguments);
		else
			question->answer(words + 1);
		return;
	}
	printf("error: ask one of: ");
	answer_help(words);
}

/* Reads a line, without its end; what is beyond @line is left out. Returns false when no more comes. */
static bool read_question(char line[static QUESTION_BYTES], bool *ret_too_long)
{
	size_t length = 0;
	bool any = false;
	int c;

	/* fgets(3) would not tell how long a line with a NUL in it is. */
	while ((c = getchar()) != EOF && c != '\n') {
		any = true;
		if (length < QUESTION_BYTES)
			line[length++] = (char)c;
	}
	*ret_too_long = length == QUESTION_BYTES;
	line[*ret_too_long ? 0 : length] = '\0';
	return any || c == '\n';
}

int main(void)
{
	char line[QUESTION_BYTES];
	bool too_long;

	if (handed_what(STDIN_FILENO) != HANDED_CONNECTION)
		handed_refuse("lookup", "serves one connection: a stream with wait = no");
	while (read_question(line, &too_long)) {
		if (too_long)
			printf("error: a question is shorter than %d bytes", QUESTION_BYTES);
		else
			answer(line);
		printf("\r\n");
		if (fflush(stdout) != 0)
			return 1;
	}
	return 0;
}
