/* SPDX-License-Identifier: ISC */
/* Tests of services as units of systemd: nothing that a stanza says is lost without a word. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "config/conf.h"
#include "config/schema.h"
#include "config/values.h"
#include "ctl/units.h"

/* What a stanza needs; lines in front of these win, as the first one counts. */
#define BASE                                                                                    \
	"type = UNLISTED\nport = 4000\nsocket_type = stream\nwait = no\nuser = root\nserver = " \
	"/bin/cat\n"

struct result {
	char *units;    /* all pieces, as they are printed */
	char *findings; /* the notes that go to standard error */
	struct conf *conf;
};

static char *print(const struct pieces *pieces)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	pieces_print(pieces, true, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void convert_conf(const struct conf *conf, struct diag *diag, struct result *ret)
{
	struct pieces pieces = { 0 };
	size_t size;
	FILE *out;

	assert_int_equal(systemd_units(conf, &pieces, diag), 0);
	ret->units = print(&pieces);
	pieces_done(&pieces);
	out = open_memstream(&ret->findings, &size);
	assert_non_null(out);
	for (size_t i = 0; i < diag->n; i++)
		(void)fprintf(out, "%s %s\n", severity_name(diag->v[i].severity), diag->v[i].text);
	assert_int_equal(fclose(out), 0);
}

static struct result convert_text(const char *text)
{
	char path[] = "/tmp/usherd-test-units-XXXXXX";
	struct conf_source source = { .file = path, .directory = "/" };
	struct result result = { 0 };
	struct diag diag = { 0 };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	assert_int_equal(conf_load(&source, &diag, &result.conf), 0);
	(void)unlink(path);
	for (size_t i = 0; i < diag.n; i++)
		if (diag.v[i].severity == SEVERITY_ERROR)
			fail_msg("%s\n%s", diag.v[i].text, text);
	convert_conf(result.conf, &diag, &result);
	diag_done(&diag);
	return result;
}

/* A service called echo with @lines. */
static struct result convert_lines(const char *lines)
{
	CLEANUP_FREE char *text = NULL;

	assert_true(asprintf(&text, "service echo\n{\n%s\n" BASE "}\n", lines) > 0);
	return convert_text(text);
}

static void result_done(struct result *result)
{
	free(result->units);
	free(result->findings);
	conf_free(result->conf);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		n++;
	return n;
}

static bool says(const struct result *result, const char *text)
{
	return strstr(result->units, text) || strstr(result->findings, text);
}

/* Converts a service with @lines, which must give @expected. */
static void gives(const char *lines, const char *expected)
{
	struct result result = convert_lines(lines);

	if (!says(&result, expected))
		fail_msg("%s\ndoes not give %s but\n%s%s", lines, expected, result.units,
			 result.findings);
	result_done(&result);
}

/* A note in the unit and the same as a finding of this severity. */
static void notes(const char *lines, const char *severity, const char *start)
{
	struct result result = convert_lines(lines);
	CLEANUP_FREE char *comment = NULL, *finding = NULL;

	assert_true(asprintf(&comment, "\n# note: %s: ", start) > 0);
	assert_true(asprintf(&finding, "%s %s: ", severity, start) > 0);
	if (!strstr(result.units, comment) || !strstr(result.findings, finding))
		fail_msg("%s\nis not noted (%s) but\n%s%s", lines, severity, result.units,
			 result.findings);
	result_done(&result);
}

#define NOTE(name) "# note: " name ": "

/* Of every attribute a use of it, and what must come of that, in a unit or as a note. */
static const struct sample {
	const char *lines;
	const char *expected;
	bool defaults; /* the lines stand in defaults */
} samples[ATTR_COUNT] = {
	[ATTR_ACCESS_TIMES] = { "access_times = 8:00-9:00", NOTE("access_times"), false },
	[ATTR_BACKLOG] = { "backlog = 7", "\nBacklog=7\n", false },
	[ATTR_BANNER] = { "banner = /x", NOTE("banner") "/x", false },
	[ATTR_BANNER_FAIL] = { "banner_fail = /x", NOTE("banner_fail") "/x", false },
	[ATTR_BANNER_SUCCESS] = { "banner_success = /x", NOTE("banner_success") "/x", false },
	[ATTR_BIND] = { "bind = 127.0.0.1", "\nListenStream=127.0.0.1:4000\n", false },
	[ATTR_CPS] = { "cps = 7 3", "\nPollLimitBurst=7\n", false },
	[ATTR_DENY_TIME] = { "deny_time = 5", NOTE("deny_time"), false },
	[ATTR_DISABLE] = { "disable = yes", "not converted: 1 disabled service", false },
	[ATTR_DISABLED] = { "disabled = echo", "not converted: 1 disabled service", true },
	[ATTR_ENABLED] = { "enabled = other", "not converted: 1 disabled service", true },
	[ATTR_ENV] = { "env = A=b", "\nEnvironment=A=b\n", false },
	[ATTR_FLAGS] = { "flags = NODELAY", "\nNoDelay=yes\n", false },
	[ATTR_GROUP] = { "group = daemon", "\nGroup=daemon\n", false },
	/* Needs a user with groups: adds_the_groups_that_systemd_does_not. */
	[ATTR_GROUPS] = { "groups = no", "", false },
	[ATTR_ID] = { "id = other", "other.socket", false },
	/* For redirect and internal services, which have no units; for others reading it says that it is idle. */
	[ATTR_IDLE_TIMEOUT] = { "idle_timeout = 60", "idle_timeout", false },
	[ATTR_INSTANCES] = { "instances = 9", "\nMaxConnections=9\n", false },
	[ATTR_LIBWRAP] = { "libwrap = name", NOTE("libwrap"), false },
	[ATTR_LOG_ON_FAILURE] = { "log_on_failure = HOST", NOTE("log_on_failure"), false },
	[ATTR_LOG_ON_SUCCESS] = { "log_on_success = PID", NOTE("log_on_success"), false },
	[ATTR_LOG_TYPE] = { "log_type = FILE /x 10 20", NOTE("log_type"), false },
	[ATTR_MAX_LOAD] = { "max_load = 2.5", NOTE("max_load"), false },
	[ATTR_MDNS] = { "mdns = yes", "mdns has no effect", false },
	[ATTR_NICE] = { "nice = 5", "\nNice=5\n", false },
	[ATTR_NO_ACCESS] = { "no_access = 192.0.2.1", "\nIPAddressDeny=192.0.2.1/32\n", false },
	[ATTR_CHROOT] = { "chroot = /", "\nRootDirectory=/\n", false },
	[ATTR_DIRECTORY] = { "directory = /tmp", "\nWorkingDirectory=/tmp\n", false },
	[ATTR_NO_NEW_PRIVS] = { "no_new_privs = yes", "\nNoNewPrivileges=yes\n", false },
	[ATTR_NO_ACCESS_FILE] = { "no_access_file = /proc/sys/kernel/hostname", "no_access_file",
				  false },
	[ATTR_ONLY_FROM_FILE] = { "only_from_file = /proc/sys/kernel/hostname", "only_from_file",
				  false },
	[ATTR_OVERLOAD] = { "overload = queue", "overload", false },
	[ATTR_PER_SOURCE_MASK] = { "per_source_mask = 24", "per_source_mask", false },
	[ATTR_ONLY_FROM] = { "only_from = 192.0.2.0", "\nIPAddressAllow=192.0.2.0/24\n", false },
	[ATTR_PASSENV] = { "passenv = TZ", "\nPassEnvironment=TZ\n", false },
	[ATTR_PER_SOURCE] = { "per_source = 4", "\nMaxConnectionsPerSource=4\n", false },
	[ATTR_PORT] = { "port = 4001", "\nListenStream=4001\n", false },
	[ATTR_PROGRAMNAME] = { "programname = x", "\nExecStart=-@/bin/cat x\n", false },
	[ATTR_PROTOCOL] = { "socket_type = dgram\nprotocol = udplite\nwait = yes",
			    "\nSocketProtocol=udplite\n", false },
	[ATTR_REDIRECT] = { "redirect = localhost 80", "systemd-socket-proxyd localhost:80",
			    false },
	[ATTR_RLIMIT_AS] = { "rlimit_as = 1k", "\nLimitAS=1024\n", false },
	[ATTR_RLIMIT_CPU] = { "rlimit_cpu = 5", "\nLimitCPU=5\n", false },
	[ATTR_RLIMIT_DATA] = { "rlimit_data = 6", "\nLimitDATA=6\n", false },
	[ATTR_RLIMIT_FILES] = { "rlimit_files = 7", "\nLimitNOFILE=7\n", false },
	[ATTR_RLIMIT_RSS] = { "rlimit_rss = 8", "\nLimitRSS=8\n", false },
	[ATTR_RLIMIT_STACK] = { "rlimit_stack = UNLIMITED", "\nLimitSTACK=infinity\n", false },
	[ATTR_RPC_NUMBER] = { "type = RPC UNLISTED\nrpc_version = 1\nrpc_number = 300000",
			      "rpc_number", false },
	[ATTR_RPC_VERSION] = { "type = RPC UNLISTED\nrpc_version = 1\nrpc_number = 300000",
			       "rpc_version", false },
	[ATTR_SERVER] = { "server = /bin/true", "\nExecStart=-/bin/true\n", false },
	[ATTR_SERVER_ARGS] = { "server_args = -n %", "\nExecStart=-/bin/cat -n %%\n", false },
	[ATTR_SESSION_TIMEOUT] = { "session_timeout = 60", "\nRuntimeMaxSec=60\nTimeoutStopSec=5\n",
				   false },
	[ATTR_SOCKET_GROUP] = { "bind = /run/x\nsocket_group = daemon", "\nSocketGroup=daemon\n",
				false },
	[ATTR_SOCKET_MODE] = { "bind = /run/x\nsocket_mode = 660", "\nSocketMode=0660\n", false },
	[ATTR_SOCKET_TYPE] = { "bind = /run/x\nsocket_type = seqpacket",
			       "\nListenSequentialPacket=/run/x\n", false },
	[ATTR_SOCKET_USER] = { "bind = /run/x\nsocket_user = daemon", "\nSocketUser=daemon\n",
			       false },
	[ATTR_TYPE] = { "type = INTERNAL UNLISTED", "not converted: type = INTERNAL", false },
	[ATTR_UMASK] = { "umask = 27", "\nUMask=0027\n", false },
	[ATTR_USER] = { "user = daemon", "\nUser=daemon\n", false },
	[ATTR_V6ONLY] = { "v6only = yes", "\nBindIPv6Only=ipv6-only\n", false },
	[ATTR_WAIT] = { "wait = yes", "\nAccept=no\n", false },
};

static void every_attribute_is_expressed_or_noted(void **state)
{
	struct result plain = convert_lines("");

	(void)state;
	for (enum attr attr = 0; attr < ATTR_COUNT; attr++) {
		const struct sample *sample = &samples[attr];
		CLEANUP_FREE char *text = NULL;
		struct result result;

		if (!sample->lines)
			fail_msg("%s: what becomes of it in units of systemd? Write that in "
				 "src/ctl/units*.c, usherctl.1 and here",
				 schema_name(attr));
		if (!strstr(sample->lines, schema_name(attr)))
			fail_msg("%s: not used by its sample", schema_name(attr));
		/* That it comes from the attribute, and not anyway. */
		if (*sample->expected && says(&plain, sample->expected))
			fail_msg("%s: \"%s\" comes without it, too", schema_name(attr),
				 sample->expected);
		assert_true(asprintf(&text, "%s%s%sservice echo\n{\n%s\n" BASE "}\n",
				     sample->defaults ? "defaults\n{\n" : "",
				     sample->defaults ? sample->lines : "",
				     sample->defaults ? "\n}\n" : "",
				     sample->defaults ? "" : sample->lines) > 0);
		result = convert_text(text);
		if (!says(&result, sample->expected))
			fail_msg("%s: no \"%s\" in\n%s%s", schema_name(attr), sample->expected,
				 result.units, result.findings);
		result_done(&result);
	}
	result_done(&plain);
}

static void every_flag_is_expressed_or_noted(void **state)
{
	static const struct {
		const char *flag;
		const char *lines;
		const char *expected;
	} flags[] = {
		/* Without effect in usherd, too, or what systemd always does. */
		{ "REUSE", "", "Accept=yes" },
		{ "NORETRY", "", "Accept=yes" },
		{ "NOLIBWRAP", "", "Accept=yes" },
		{ "INTERCEPT", "wait = yes", NOTE("flags = INTERCEPT") },
		{ "IDONLY", "", NOTE("flags = IDONLY") },
		{ "NAMEINARGS", "server_args = x", "ExecStart=-@/bin/cat x\n" },
		{ "NODELAY", "", "NoDelay=yes" },
		{ "KEEPALIVE", "", "KeepAlive=yes" },
		{ "SENSOR", "type = INTERNAL UNLISTED", "not converted: flags = SENSOR" },
		{ "IPv4", "", "ListenStream=0.0.0.0:4000" },
		{ "IPv6", "", "ListenStream=[::]:4000" },
		{ "LABELED", "", "SELinuxContextFromNet=yes" },
	};

	(void)state;
	for (unsigned bit = 1; value_name_flag(bit); bit <<= 1) {
		CLEANUP_FREE char *lines = NULL;
		size_t i = 0;

		while (i < ARRAY_SIZE(flags) && strcmp(flags[i].flag, value_name_flag(bit)) != 0)
			i++;
		if (i == ARRAY_SIZE(flags))
			fail_msg("flags = %s: what becomes of it in units of systemd?",
				 value_name_flag(bit));
		assert_true(asprintf(&lines, "flags = %s\n%s", flags[i].flag, flags[i].lines) > 0);
		gives(lines, flags[i].expected);
	}
}

static void every_type_but_unlisted_is_refused_aloud(void **state)
{
	(void)state;
	for (unsigned bit = 1; value_name_service_type(bit); bit <<= 1) {
		CLEANUP_FREE char *lines = NULL, *expected = NULL;
		const char *name = value_name_service_type(bit);

		if (bit == SERVICE_UNLISTED)
			continue;
		assert_true(asprintf(&lines, "type = %s UNLISTED\n%s", name,
				     bit == SERVICE_RPC ? "rpc_version = 1\nrpc_number = 300000"
							: "") > 0);
		/* TCPMUXPLUS is told with TCPMUX. */
		assert_true(asprintf(&expected, "warning not converted: type = %.6s", name) > 0);
		gives(lines, expected);
	}
	gives("type = TCPMUX UNLISTED", "# note: service echo is not converted");
	gives("port = 0", "warning not converted: port = 0");
	gives("socket_type = raw\nprotocol = icmp", "warning not converted: socket_type = raw");
}

/* The socket as descriptors 0, 1 and 2 and no signal ignored, as every server of inetd expects it. */
static void a_server_gets_what_inetd_gives_it(void **state)
{
	(void)state;
	gives("", "\nCollectMode=inactive-or-failed\n"
		  "\n[Service]\nExecStart=-/bin/cat\nStandardInput=socket\n"
		  "StandardOutput=inherit\nStandardError=inherit\nIgnoreSIGPIPE=no\n"
		  "User=root\nKillMode=process\n");
	gives("", "\nAccept=yes\n");
	gives("", "\n[Install]\nWantedBy=sockets.target\n");
}

static void lost_restrictions_are_warnings(void **state)
{
	(void)state;
	notes("access_times = 8:00-9:00", "warning", "access_times");
	notes("max_load = 1", "warning", "max_load");
	notes("libwrap = x", "warning", "libwrap");
	notes("flags = IDONLY", "warning", "flags = IDONLY");
	notes("no_access = .example.org", "warning", "no_access");
	notes("only_from = .example.org", "notice", "only_from");
	notes("bind = /run/x\nonly_from = 192.0.2.1", "warning", "only_from");
	notes("wait = yes\nper_source = 1", "warning", "per_source");
	notes("wait = yes\ninstances = 0", "warning", "instances");
	notes("env = a.b=c", "warning", "env");
	notes("banner = /x", "notice", "banner");
}

static void no_access_is_taken_out_of_the_allowed_addresses(void **state)
{
	(void)state;
	gives("only_from = 10.0.0.0/30\nno_access = 10.0.0.1",
	      "\nIPAddressAllow=10.0.0.0/32 10.0.0.2/31\nIPAddressDeny=any\n");
	gives("only_from = 10.0.0.0/30\nno_access = 10.0.0.3 10.0.0.0/32",
	      "\nIPAddressAllow=10.0.0.1/32 10.0.0.2/32\nIPAddressDeny=any\n");
	gives("only_from = 10.0.0.0/24 2001:db8::/126\nno_access = 10.0.0.0/25 2001:db8::2",
	      "\nIPAddressAllow=10.0.0.128/25 2001:db8::/127 2001:db8::3/128\nIPAddressDeny=any\n");
	gives("only_from = 255.255.255.254/31\nno_access = 255.255.255.255",
	      "\nIPAddressAllow=255.255.255.254/32\n");
}

static void nobody_and_everybody_stay_what_they_are(void **state)
{
	struct result result = convert_lines("only_from =");

	(void)state;
	assert_non_null(strstr(result.units, "\nIPAddressDeny=any\n"));
	assert_null(strstr(result.units, "\nIPAddressAllow"));
	result_done(&result);
	result = convert_lines("only_from = 10.0.0.0/30\nno_access = 10.0.0.0/24");
	assert_non_null(strstr(result.units, "\nIPAddressDeny=any\n"));
	assert_null(strstr(result.units, "\nIPAddressAllow"));
	result_done(&result);
	result = convert_lines("");
	assert_null(strstr(result.units, "\nIPAddress"));
	result_done(&result);
	gives("only_from = 0.0.0.0/0 ::/0", "\nIPAddressAllow=0.0.0.0/0 ::/0\n");
	/* What 0 means for a source, it means for all of them; systemd reads it as no limit. */
	gives("per_source = 0", "\nMaxConnections=0\n");
	gives("instances = 0", "\nMaxConnections=0\n");
	gives("instances = UNLIMITED", "\nMaxConnections=4294967295\n");
	gives("cps = 0 1", "\nPollLimitIntervalSec=0\nTriggerLimitIntervalSec=0\n");
}

static void a_server_that_gets_the_socket_has_a_unit_for_each(void **state)
{
	struct result result = convert_lines(
		"socket_type = dgram\nwait = yes\nbind = 127.0.0.1 ::1\nmax_load = 3");

	(void)state;
	assert_int_equal(count(result.units, "# === echo.socket ==="), 1);
	assert_int_equal(count(result.units, "# === echo.service ==="), 1);
	assert_int_equal(count(result.units, "# === echo-2.socket ==="), 1);
	assert_int_equal(count(result.units, "# === echo-2.service ==="), 1);
	assert_int_equal(count(result.units, "ListenDatagram="), 2);
	assert_int_equal(count(result.units, NOTE("max_load")), 2);
	assert_int_equal(count(result.findings, "warning max_load: "), 1);
	assert_int_equal(count(result.units, "StartLimitIntervalSec=0"), 2);
	result_done(&result);
	result = convert_lines("bind = 127.0.0.1 ::1 /run/x @y");
	assert_int_equal(count(result.units, "# === "), 2);
	assert_non_null(strstr(result.units,
			       "\nListenStream=127.0.0.1:4000\nListenStream=[::1]:4000\n"
			       "ListenStream=/run/x\nListenStream=@y\n"
			       "BindIPv6Only=both\nFreeBind=no\nSocketMode=0755\n"));
	assert_non_null(strstr(result.units, "# === echo@.service ==="));
	result_done(&result);
}

static void equal_ids_do_not_share_a_unit(void **state)
{
	struct result result =
		convert_text("service a\n{\n" BASE "}\nservice a\n{\nport = 4001\n" BASE "}\n"
			     "service b/c\n{\nport = 4002\n" BASE "}\n");

	(void)state;
	assert_non_null(strstr(result.units, "# === a.socket ==="));
	assert_non_null(strstr(result.units, "# === a-2.socket ==="));
	assert_non_null(strstr(result.units, "# === a-2@.service ==="));
	assert_non_null(strstr(result.units, "# === b\\x2fc.socket ==="));
	result_done(&result);
}

/* The units of the only service of @conf, with its groups as given. */
static struct result convert_groups(struct service *service, const gid_t *list, size_t n)
{
	const struct group_list groups = { .n = n, .v = list };
	const struct service *services[] = { service };
	struct conf conf = { .services = services, .n = 1 };
	struct result result = { 0 };
	struct diag diag = { 0 };

	service->group_list = &groups;
	convert_conf(&conf, &diag, &result);
	diag_done(&diag);
	service->group_list = group_list_none;
	return result;
}

static void adds_the_groups_that_systemd_does_not(void **state)
{
	static const gid_t list[] = { 0, 54321, 54322 };
	struct result base = convert_lines(""), result;
	struct service *service = service_new();

	(void)state;
	assert_non_null(service);
	/* A service as loaded, with root's group, to which systemd adds none. */
	service->file = intern_text(NULL, "f");
	service->name = intern_text(NULL, "x");
	service->id = intern_text(NULL, "x");
	service->socktype = SOCK_STREAM;
	service->protocol = IPPROTO_TCP;
	service->port = 4000;
	service->server = intern_text(NULL, "/bin/cat");
	service->argv = intern_words(NULL, (const char *const[]){ "cat" }, 1);
	service->user = intern_text(NULL, "root");
	service->groups = true;
	service->endpoints = calloc(1, sizeof(*service->endpoints));
	assert_non_null(service->endpoints);
	service->endpoints[0] = base.conf->services[0]->endpoints[0];
	service->n_endpoints = 1;
	result = convert_groups(service, list, ARRAY_SIZE(list));
	assert_non_null(strstr(result.units, "\nSupplementaryGroups=54321 54322\n"));
	result_done(&result);
	service_unref(service);
	result_done(&base);
}

/* Rules of the machine hold for services that say nothing of them. */
static void rules_of_tcp_wrappers_are_noted(void **state)
{
	struct result base = convert_lines(""), result = { 0 };
	struct service service = *base.conf->services[0];
	const struct service *services[] = { &service };
	struct conf conf = { .services = services, .n = 1 };
	struct diag diag = { 0 };

	(void)state;
	service.wrapped = true;
	convert_conf(&conf, &diag, &result);
	assert_non_null(strstr(result.units, NOTE("libwrap")));
	assert_non_null(strstr(result.findings, "warning libwrap: "));
	result_done(&result);
	diag_done(&diag);
	result_done(&base);
}

static void a_user_without_a_name_keeps_its_group(void **state)
{
	(void)state;
	gives("user = 54321", "\nUser=54321\nGroup=54321\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_attribute_is_expressed_or_noted),
		cmocka_unit_test(every_flag_is_expressed_or_noted),
		cmocka_unit_test(every_type_but_unlisted_is_refused_aloud),
		cmocka_unit_test(a_server_gets_what_inetd_gives_it),
		cmocka_unit_test(lost_restrictions_are_warnings),
		cmocka_unit_test(no_access_is_taken_out_of_the_allowed_addresses),
		cmocka_unit_test(nobody_and_everybody_stay_what_they_are),
		cmocka_unit_test(a_server_that_gets_the_socket_has_a_unit_for_each),
		cmocka_unit_test(equal_ids_do_not_share_a_unit),
		cmocka_unit_test(adds_the_groups_that_systemd_does_not),
		cmocka_unit_test(rules_of_tcp_wrappers_are_noted),
		cmocka_unit_test(a_user_without_a_name_keeps_its_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
