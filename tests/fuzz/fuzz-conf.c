/* SPDX-License-Identifier: ISC */
/* No text, however broken, makes reading a configuration crash or leak; and what it gives, dumps and reads back. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/conf.h"

/*
 * usage: fuzz-conf [-n MUTATIONS] [FILE...]
 *
 * Loads each file (and some texts of its own) as xinetd.conf and as inetd.conf,
 * then random mutations of them, always the same ones. With
 * -DUSHERD_LIBFUZZER -fsanitize=fuzzer there is no main(), and libFuzzer brings the texts.
 */

/* Names in bind must not go out to name servers: this stands in for libc's. */
int getaddrinfo(const char *restrict node, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)ret;
	return EAI_NONAME;
}

struct input {
	int fd;
	char path[32];
};

static void input_open(struct input *input)
{
	input->fd = memfd_create("fuzz-conf", MFD_CLOEXEC);
	if (input->fd < 0)
		abort();
	(void)snprintf(input->path, sizeof(input->path), "/proc/self/fd/%d", input->fd);
}

static void input_set(const struct input *input, const void *text, size_t length)
{
	if (ftruncate(input->fd, 0) < 0 || pwrite(input->fd, text, length, 0) != (ssize_t)length)
		abort();
}

static int load(const char *file, const char *inetd, struct diag *diag, struct conf **ret)
{
	struct conf_source source = { .file = file,
				      .directory = "/nonexistent",
				      .inetd_file = inetd };

	return conf_load(&source, diag, ret);
}

static _Noreturn void complain(const char *what, const char *dump, const struct diag *diag)
{
	for (size_t i = 0; i < diag->n; i++) {
		char line[4096];

		(void)fprintf(stderr, "%s\n", finding_format(&diag->v[i], line, sizeof(line)));
	}
	(void)fprintf(stderr, "%s:\n%s\n", what, dump);
	abort();
}

/* Dumps the services and reads them back: the same must come out. */
static void check_dump(const struct conf *conf, const struct input *scratch)
{
	struct diag diag = { 0 };
	struct conf *again = NULL;
	char *dump = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&dump, &length);

	if (!out)
		abort();
	for (size_t i = 0; i < conf->n; i++)
		service_dump(conf->services[i], out);
	(void)fclose(out);
	input_set(scratch, dump, length);
	if (load(scratch->path, NULL, &diag, &again) < 0 || diag.errors)
		complain("the dump is not read back", dump, &diag);
	if (again->n != conf->n)
		complain("the dump gives other services", dump, &diag);
	for (size_t i = 0; i < conf->n; i++)
		if (!service_equal(conf->services[i], again->services[i]))
			complain("the dump gives another service", dump, &diag);
	conf_free(again);
	diag_done(&diag);
	free(dump);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct input text = { .fd = -1 }, scratch, empty;

	if (text.fd < 0) {
		input_open(&text);
		input_open(&scratch);
		input_open(&empty);
	}
	input_set(&text, data, size);
	for (int as_inetd = 0; as_inetd < 2; as_inetd++) {
		struct diag diag = { 0 };
		struct conf *conf = NULL;
		int r = load(as_inetd ? empty.path : text.path, as_inetd ? text.path : NULL, &diag,
			     &conf);

		if (r == 0 && conf->n)
			check_dump(conf, &scratch);
		conf_free(conf);
		diag_done(&diag);
	}
	return 0;
}

#ifndef USHERD_LIBFUZZER

/* How many where nothing else is asked for: a few seconds' worth. */
#if defined(__SANITIZE_ADDRESS__)
#define MUTATIONS 8000
#else
#define MUTATIONS 20000
#endif

struct text {
	char *bytes;
	size_t length;
};

/* What a mutation puts in: what the grammar knows. */
static const char *const words[] = {
	"service ",
	"defaults",
	"{",
	"}\n",
	"\n",
	" = ",
	" += ",
	" -= ",
	"#",
	"\t",
	"\r\n",
	"include ",
	"includedir ",
	"only_from",
	"no_access",
	"env",
	"server_args",
	"type",
	"flags",
	"UNLIMITED",
	"INTERNAL",
	"UNLISTED",
	"RPC",
	"TCPMUX",
	"NAMEINARGS",
	"dgram",
	"stream",
	"raw",
	"65536",
	"-1",
	"0",
	"::1",
	"127.0.0.1",
	"10.{1,2}",
	"/8",
	"@x",
	"/run/x",
	"tcp6",
	"unix",
	"nowait.5",
	"internal",
	"rpc/udp",
	"4294967296",
	"99999999999999999999",
	"bind",
	"port",
	"disable = no\n",
	"id",
	"instances",
	"{1,",
	"0.0.0.0/0",
	"%n%s",
	"\xff\xfe",
	"IPv4 IPv6",
	"SENSOR",
	"redirect",
	"idle_timeout",
};

static const char *const seeds[] = {
	"defaults\n{\n\tinstances = 60\n\tlog_type = SYSLOG authpriv\n\tlog_on_success = HOST PID\n"
	"\tlog_on_failure += HOST\n\tcps = 25 30\n\tonly_from = 10.0.0.0/8 ::/0 .example.org\n"
	"\tpassenv = PATH\n\tenabled = a b echo-stream\n}\n",
	"service a\n{\n\ttype = UNLISTED\n\tsocket_type = stream\n\tport = 4001\n\twait = no\n"
	"\tuser = root\n\tserver = /bin/sh\n\tserver_args = -c \"x # y\n\tenv = A=1 B=2\n"
	"\taccess_times = 8:00-12:00 22:00-6:00\n\tonly_from = 10.1.2.{3,4} 192.168.0.0\n"
	"\tno_access -= 10.0.0.1\n\tbind = 127.0.0.1 ::1 @name /run/x.sock\n\tlog_type = FILE /l 1k 2M\n"
	"\trlimit_as = 5M\n\tnice = -5\n\tumask = 022\n\tmax_load = 2.5\n\tdeny_time = FOREVER\n}\n",
	"service echo\n{\n\tid = echo-dgram\n\ttype = INTERNAL UNLISTED\n\tport = 7\n"
	"\tsocket_type = dgram\n\twait = yes\n}\nservice r {\n\ttype = RPC UNLISTED\n\tprotocol = tcp\n"
	"\trpc_version = 2-4\n\trpc_number = 300\n\twait = no\n\tuser = 1\n\tserver = /bin/sh\n}\n"
	"service m\n{\n\ttype = TCPMUX UNLISTED\n\tsocket_type = stream\n\twait = no\n\tuser = root\n"
	"\tgroup = 0\n\tgroups = yes\n\tserver = /bin/sh\n\tflags = NAMEINARGS REUSE\n\tserver_args = m\n}\n",
	"8021 stream tcp nowait root /bin/sh sh -l\n127.0.0.1:8022 dgram udp6 wait.5 root:0 /bin/sh\n"
	"echo stream tcp46 nowait root internal\nrstatd/2-4 dgram rpc/udp wait root /bin/sh rstatd\n"
	"300000/1 stream rpc/tcp6 nowait root /bin/sh sh\n300000/1 stream rpc/tcp nowait root /bin/sh sh\n"
	"/run/y stream unix nowait/5/6/7 root.0/daemon sh sh\n[::1]:9 stream tcp6 nowait:9 root /bin/sh\n",
};

/* xorshift64*: the same everywhere. */
static uint32_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 32);
}

/* Puts @length bytes at @at in place of @drop bytes. */
static void replace(struct text *text, size_t at, size_t drop, const char *bytes, size_t length)
{
	char *bigger = malloc(text->length - drop + length + 1);

	if (!bigger)
		abort();
	memcpy(bigger, text->bytes, at);
	memcpy(bigger + at, bytes, length);
	memcpy(bigger + at + length, text->bytes + at + drop, text->length - at - drop);
	free(text->bytes);
	text->bytes = bigger;
	text->length += length - drop;
}

static void mutate(struct text *text, const struct text *other, uint64_t *random)
{
	size_t at = text->length ? next_random(random) % text->length : 0;
	size_t rest = text->length - at, length;
	const char *word = words[next_random(random) % ARRAY_SIZE(words)];
	char byte = (char)next_random(random);

	switch (next_random(random) % 6) {
	case 0: /* another byte */
		if (rest)
			replace(text, at, 1, &byte, 1);
		break;
	case 1: /* a piece less */
		length = rest ? next_random(random) % (rest < 40 ? rest : 40) : 0;
		replace(text, at, length, "", 0);
		break;
	case 2: /* a word more */
		replace(text, at, 0, word, strlen(word));
		break;
	case 3: /* a word in place of another */
		length = 0;
		while (length < rest && text->bytes[at + length] != ' ' &&
		       text->bytes[at + length] != '\n')
			length++;
		replace(text, at, length, word, strlen(word));
		break;
	case 4: /* a piece of another text */
		if (other->length) {
			size_t from = next_random(random) % other->length;

			length = next_random(random) % 200;
			if (length > other->length - from)
				length = other->length - from;
			replace(text, at, 0, other->bytes + from, length);
		}
		break;
	default: /* the end is missing */
		if (next_random(random) % 8 == 0)
			text->length = at;
		break;
	}
}

static int read_text(const char *path, struct text *ret)
{
	FILE *in = fopen(path, "r");
	size_t room = 1 << 20;

	ret->bytes = malloc(room);
	if (!in || !ret->bytes)
		return -1;
	ret->length = fread(ret->bytes, 1, room, in);
	(void)fclose(in);
	return 0;
}

int main(int argc, char **argv)
{
	size_t mutations = MUTATIONS, n = ARRAY_SIZE(seeds);
	uint64_t random = UINT64_C(0x9e3779b97f4a7c15);
	struct text *texts;
	int first = 1;

	if (argc > 2 && strcmp(argv[1], "-n") == 0) {
		mutations = strtoul(argv[2], NULL, 10);
		first = 3;
	}
	n += (size_t)(argc - first);
	texts = calloc(n, sizeof(*texts));
	if (!texts)
		return 1;
	for (size_t i = 0; i < n; i++) {
		if (i < ARRAY_SIZE(seeds)) {
			texts[i].bytes = strdup(seeds[i]);
			texts[i].length = strlen(seeds[i]);
		} else if (read_text(argv[first + (int)(i - ARRAY_SIZE(seeds))], &texts[i]) < 0) {
			perror(argv[first + (int)(i - ARRAY_SIZE(seeds))]);
			return 1;
		}
		(void)LLVMFuzzerTestOneInput((const uint8_t *)texts[i].bytes, texts[i].length);
	}
	for (size_t i = 0; i < mutations; i++) {
		const struct text *from = &texts[next_random(&random) % n];
		struct text text = { .bytes = malloc(from->length + 1), .length = from->length };

		if (!text.bytes)
			return 1;
		memcpy(text.bytes, from->bytes, from->length);
		for (size_t times = 1 + next_random(&random) % 4; times > 0; times--)
			mutate(&text, &texts[next_random(&random) % n], &random);
		(void)LLVMFuzzerTestOneInput((const uint8_t *)text.bytes, text.length);
		free(text.bytes);
	}
	for (size_t i = 0; i < n; i++)
		free(texts[i].bytes);
	free(texts);
	(void)printf("ok: %zu texts and %zu mutations\n", n, mutations);
	return 0;
}

#endif
