/* SPDX-License-Identifier: ISC */
/* The daemon's command line, its start and its exit status. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include <systemd/sd-daemon.h>

#include "base/daemon_log.h"
#include "base/log.h"
#include "base/sink.h"
#include "base/util.h"
#include "base/writer.h"
#include "config/conf.h"
#include "config/values.h"
#include "record/sink_file.h"
#include "record/sink_syslog.h"
#include "serve/reload.h"
#include "serve/server.h"

/* How long the end of the daemon may wait for logs that do not move. */
#define FLUSH_USEC (2 * USEC_PER_SEC)

struct options {
	const char *file;
	const char *filelog;
	const char *pidfile;
	int facility;
	bool facility_given;
	bool debug;
	bool foreground;
	bool stay_alive;
	bool inetd;
	long limit;
	long check_sec;
	long inquiries;
};

/* One option: what it takes and where it goes; what xinetd once had is accepted and does nothing. */
struct option_row {
	const char *name;
	enum {
		TAKES_NOTHING,
		TAKES_TEXT,
		TAKES_NUMBER,
		IGNORED,
		IGNORED_WITH_VALUE,
		SHOWS_VERSION,
		SHOWS_HELP
	} kind;
	size_t offset;
	const char *help;
};

static const struct option_row rows[] = {
	{ "-d", TAKES_NOTHING, offsetof(struct options, debug),
	  "debug: stay in foreground, log to standard error" },
	{ "-f", TAKES_TEXT, offsetof(struct options, file),
	  "configuration file (" CONF_DEFAULT_FILE ")" },
	{ "-filelog", TAKES_TEXT, offsetof(struct options, filelog),
	  "log messages to this file instead of syslog" },
	{ "-syslog", TAKES_TEXT, 0, "syslog facility for messages (daemon)" },
	{ "-pidfile", TAKES_TEXT, offsetof(struct options, pidfile),
	  "write the process id to this file" },
	{ "-dontfork", TAKES_NOTHING, offsetof(struct options, foreground),
	  "stay in foreground; implies -stayalive" },
	{ "-stayalive", TAKES_NOTHING, offsetof(struct options, stay_alive),
	  "go on without services" },
	{ "-limit", TAKES_NUMBER, offsetof(struct options, limit),
	  "number of servers running at once" },
	{ "-inetd_compat", TAKES_NOTHING, offsetof(struct options, inetd),
	  "read " CONF_INETD_FILE ", too" },
	{ "-logprocs", TAKES_NUMBER, offsetof(struct options, inquiries),
	  "ident look-ups for refused clients at once (15)" },
	{ "-cc", TAKES_NUMBER, offsetof(struct options, check_sec), "seconds between self checks" },
	{ "-reuse", IGNORED, 0, NULL },
	{ "-shutdownprocs", IGNORED_WITH_VALUE, 0, NULL },
	{ "-pid", IGNORED, 0, NULL },
	{ "-loop", IGNORED_WITH_VALUE, 0, NULL },
	{ "-inetd_ipv6", IGNORED, 0, NULL },
	{ "-version", SHOWS_VERSION, 0, "show the version" },
	{ "--version", SHOWS_VERSION, 0, NULL },
	{ "-help", SHOWS_HELP, 0, "show this text" },
	{ "--help", SHOWS_HELP, 0, NULL },
};

static void print_usage(FILE *out)
{
	(void)fputs("usage: usherd [option ...]\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static const char *const values[] = {
			[TAKES_TEXT] = " VALUE", [TAKES_NUMBER] = " NUMBER"
		};
		char left[32];

		if (!rows[i].help)
			continue;
		(void)snprintf(left, sizeof(left), "%s%s", rows[i].name,
			       rows[i].kind == TAKES_TEXT || rows[i].kind == TAKES_NUMBER
				       ? values[rows[i].kind]
				       : "");
		(void)fprintf(out, "  %-18s %s\n", left, rows[i].help);
	}
}

static _Noreturn void usage_error(const char *what, const char *word)
{
	(void)fprintf(stderr, "usherd: %s: %s\n", what, word);
	print_usage(stderr);
	exit(1);
}

static const struct option_row *find_option(const char *word)
{
	const char *names[ARRAY_SIZE(rows)];
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].name, word) == 0)
			return &rows[i];
		names[i] = rows[i].name;
	}
	near = nearest_name(word, names, ARRAY_SIZE(rows));
	if (near)
		(void)fprintf(stderr, "usherd: did you mean %s?\n", near);
	usage_error("unknown option", word);
}

static void set_facility(struct options *options, const char *word)
{
	const char *why;
	long value;

	options->facility_given = true;
	if (value_facility(word, &value, &why) < 0) {
		/* As xinetd: complain, and go on with daemon. */
		(void)fprintf(stderr, "usherd: Bad syslog facility: %s; %s\n", word, why);
		return;
	}
	options->facility = (int)value;
}

static void take_option(struct options *options, const struct option_row *row, const char *value)
{
	char *field = (char *)options + row->offset;
	long long number;

	switch (row->kind) {
	case TAKES_NOTHING:
		*(bool *)field = true;
		break;
	case TAKES_TEXT:
		if (strcmp(row->name, "-syslog") == 0)
			set_facility(options, value);
		else
			memcpy(field, &value, sizeof(value));
		break;
	case TAKES_NUMBER:
		if (parse_number(value, 10, 0, INT_MAX, &number) < 0)
			usage_error("not a number", value);
		memcpy(field, &(long){ (long)number }, sizeof(long));
		break;
	case SHOWS_VERSION:
		(void)printf("%s\n", PACKAGE_STRING);
		exit(0);
	case SHOWS_HELP:
		print_usage(stdout);
		exit(0);
	case IGNORED:
	case IGNORED_WITH_VALUE:
		break;
	}
}

static void parse_options(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		const struct option_row *row;
		bool valued;

		if (argv[i][0] != '-' || !argv[i][1])
			usage_error("not an option", argv[i]);
		row = find_option(argv[i]);
		valued = row->kind == TAKES_TEXT || row->kind == TAKES_NUMBER ||
			 row->kind == IGNORED_WITH_VALUE;
		if (valued && i + 1 == argc)
			usage_error("needs a value", argv[i]);
		take_option(options, row, valued ? argv[i + 1] : NULL);
		i += valued;
	}
	if (options->filelog && options->facility_given)
		usage_error("only one of them", "-filelog, -syslog");
	options->foreground |= options->debug;
	options->stay_alive |= options->foreground && !options->debug;
}

/* The absolute form of a path given on the command line; the daemon changes to / later (D55). */
static char *absolute(const char *directory, const char *path)
{
	char *text;

	if (path[0] == '/')
		return strdup(path);
	return asprintf(&text, "%s/%s", directory, path) < 0 ? NULL : text;
}

/* --- becoming a daemon ----------------------------------------------------------- */

/* Descriptors: 0 to 2 are open, nothing else is inherited. Without close_range(2) they stay open but close on exec. */
static void clean_descriptors(bool foreground)
{
	int null = open("/dev/null", O_RDWR);

	while (null >= 0 && null < 3) {
		int next = open("/dev/null", O_RDWR);

		if (next < 0)
			break;
		null = next;
	}
	if (null < 0)
		return;
	(void)dup2(null, 0);
	/* In the foreground, standard output stays for log_type = FILE /dev/stdout. */
	if (!foreground)
		(void)dup2(null, 1);
	if (close_range(3, ~0u, 0) < 0)
		(void)close(null);
}

/* All signals as if freshly booted: what a careless parent ignored must not reach servers. */
static void clean_signals(void)
{
	sigset_t blocked;

	for (int signo = 1; signo < NSIG; signo++) {
		struct sigaction action;

		if (sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			(void)signal(signo, SIG_DFL);
	}
	/* Who writes to somebody who has gone is told by the call itself. */
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGPIPE);
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/*
 * Forks; the child goes on with a descriptor to tell its parent how the start
 * went. The parent waits for that and exits with it: unlike with xinetd, whoever
 * starts the daemon learns whether it runs.
 */
static int daemonise(void)
{
	unsigned char status = 1;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)close(ends[0]);
		(void)setsid();
		return ends[1];
	}
	(void)close(ends[1]);
	while (read(ends[0], &status, 1) < 0 && errno == EINTR)
		continue;
	_exit(status);
}

/* Lets go of the terminal's standard error, then tells the waiting parent: once it has ended nobody holds the terminal. */
static void tell_parent(int *fd, unsigned char status)
{
	int null;

	if (*fd < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, 2);
		(void)close(null);
	}
	(void)!write(*fd, &status, 1);
	(void)close(take_fd(fd));
}

static int write_pidfile(const char *path)
{
	CLEANUP_CLOSE int fd = -1;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return -errno;
	return 0;
}

/* --- start ------------------------------------------------------------------------- */

static int open_log(const struct options *options, const char *filelog, struct writer *writer,
		    const char *ident)
{
	enum log_level max = options->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	enum log_style style = LOG_STYLE_SYSLOG;
	struct sink *sink;
	int r;

	if (filelog) {
		style = LOG_STYLE_FILE;
		max = LOG_LEVEL_DEBUG;
		r = sink_file_new(filelog, "daemon", ENVELOPE_DAEMON, 0, 0, &sink);
	} else if (options->debug || (options->foreground && !options->facility_given)) {
		style = LOG_STYLE_TERMINAL;
		r = sink_fd_new(2, "daemon", ENVELOPE_DAEMON, &sink);
	} else {
		r = sink_syslog_new(SYSLOG_PATH, "daemon", ident, options->facility, LOG_INFO,
				    &sink);
	}
	if (r < 0)
		return log_error_errno(r, "the log %s cannot be opened: %m",
				       filelog ? filelog : "");
	daemon_log_open(writer, sink, style, max);
	sink_unref(sink);
	return 0;
}

/* The program @name beside this binary (a build tree), else where it is installed. */
static char *find_program(const char *name)
{
	char own[PATH_MAX], path[PATH_MAX + NAME_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (n > 0) {
		own[n] = '\0';
		*strrchr(own, '/') = '\0';
		(void)snprintf(path, sizeof(path), "%s/%s", own, name);
		if (access(path, X_OK) == 0)
			return strdup(path);
	}
	(void)snprintf(path, sizeof(path), "%s/%s", PKGLIBEXECDIR, name);
	return strdup(path);
}

/* Room for many connections; servers get back the limit that was there. */
static struct rlimit raise_descriptors(void)
{
	struct rlimit old = { .rlim_cur = 1024, .rlim_max = 4096 }, raised;

	(void)getrlimit(RLIMIT_NOFILE, &old);
	raised = old;
	raised.rlim_cur = raised.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &raised);
	return old;
}

/* Why there is nothing to run: into the log, and to whoever waits at a terminal for the daemon to start. */
static int fail_start(const struct diag *diag, bool awaited, const char *text)
{
	log_critical("%s", text);
	if (!awaited)
		return 1;
	for (size_t i = 0; i < diag->n; i++) {
		char line[LOG_LINE_MAX];

		if (diag->v[i].severity == SEVERITY_ERROR)
			(void)fprintf(stderr, "%s\n",
				      finding_format(&diag->v[i], line, sizeof(line)));
	}
	(void)fprintf(stderr, "usherd: %s\n", text);
	return 1;
}

/* Hosts what was read. Returns 0, or the exit status where nothing runs. */
static int start(struct server *server, const struct conf *conf, const struct diag *diag,
		 bool stay_alive, bool awaited)
{
	int available = server_start(server, conf);

	if (available < 0)
		return fail_start(diag, awaited, "out of memory");
	if (available == 0 && !stay_alive)
		return fail_start(diag, awaited, "no services. Exiting...");
	log_notice("%s started with libevent%s%s options compiled in.", PACKAGE_STRING,
#ifdef HAVE_LIBWRAP
		   " libwrap",
#else
		   "",
#endif
#ifdef HAVE_SECCOMP
		   " seccomp"
#else
		   ""
#endif
	);
	log_notice("Started working: %d available service%s", available, available == 1 ? "" : "s");
	(void)sd_notifyf(0, "READY=1\nSTATUS=%d services", available);
	return 0;
}

/* The daemon's life from its configuration to its end; the log is open. Returns the exit status. */
static int live(const struct options *options, const struct server_options *server_options,
		struct writer *writer, char *const *environment, int *parent)
{
	struct rlimit nofile = raise_descriptors();
	struct server *server = NULL;
	struct conf *conf = NULL;
	struct diag diag = { 0 };
	bool awaited = *parent >= 0;
	sigset_t all;
	int status = 1, r;

	/* Before signals are caught: whoever wants to end a daemon that waits for a name server can. */
	r = conf_load(&server_options->source, &diag, &conf);
	if (r == 0)
		server_make_room(conf);
	if (writer_start(writer) < 0) {
		(void)fail_start(&diag, true, "no thread to be had for the logs");
	} else if (r < 0) {
		reload_log_findings(&diag);
		(void)fail_start(&diag, awaited, "couldn't get configuration. Exiting...");
	} else if (server_new(server_options, writer, environment, &nofile, &server) < 0) {
		(void)fail_start(&diag, awaited, "out of memory");
	} else {
		reload_log_findings(&diag);
		status = start(server, conf, &diag, options->stay_alive, awaited);
	}
	conf_free(conf);
	diag_done(&diag);
	/* Reading took much that nothing needs any more. */
	(void)malloc_trim(0);
	(void)!chdir("/");
	if (status == 0) {
		tell_parent(parent, 0);
		status = server_run(server);
		(void)sd_notify(0, "STOPPING=1");
	}
	/* From here on the end is on its way: whoever asks for it again must not cut it short. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	server_free(server);
	return status;
}

/* Whether the pid file is still the one that we wrote. */
static bool is_our_pidfile(const char *path)
{
	CLEANUP_FCLOSE FILE *file = fopen(path, "re");
	long pid = 0;

	return file && fscanf(file, "%ld", &pid) == 1 && pid == (long)getpid();
}

/* From the moment that the process is what it will be. */
static int serve(const struct options *options, const struct server_options *server_options,
		 const char *filelog, char *const *environment, int *parent)
{
	struct writer *writer = NULL;
	int status = 1, r;

	if (writer_new(&writer) == 0 &&
	    open_log(options, filelog, writer, server_options->ident) == 0) {
		r = options->pidfile ? write_pidfile(options->pidfile) : 0;
		if (r < 0)
			log_write_errno(LOG_LEVEL_ERROR, r, "pid file %s cannot be written: %m",
					options->pidfile);
		status = live(options, server_options, writer, environment, parent);
		if (options->pidfile && is_our_pidfile(options->pidfile))
			(void)unlink(options->pidfile);
	}
	(void)writer_free(writer, now_usec() + FLUSH_USEC);
	log_close();
	tell_parent(parent, (unsigned char)status);
	return status;
}

int main(int argc, char **argv)
{
	struct options options = { .file = CONF_DEFAULT_FILE,
				   .facility = LOG_DAEMON,
				   .inquiries = 15 };
	struct server_options server_options = { 0 };
	const char *slash = strrchr(argv[0], '/');
	char directory[PATH_MAX];
	char *file, *filelog = NULL, *pidfile = NULL, *worker, *gate, *rpc;
	int parent = -1, status;

	parse_options(argc, argv, &options);
	if (!getcwd(directory, sizeof(directory)))
		memcpy(directory, "/", 2);
	file = absolute(directory, options.file);
	worker = find_program("usherd-worker");
	gate = find_program("usherd-gate");
	rpc = find_program("usherd-rpc");
	if (options.filelog)
		filelog = absolute(directory, options.filelog);
	if (options.pidfile)
		pidfile = absolute(directory, options.pidfile);
	clean_descriptors(options.foreground);
	clean_signals();
	(void)umask(umask(022) | 022);
	if (!options.foreground) {
		parent = daemonise();
		if (parent < 0)
			return 1;
	}
	options.pidfile = pidfile;
	server_options = (struct server_options){
		.source = { .file = file,
			    .directory = directory,
			    .inetd_file = options.inetd ? CONF_INETD_FILE : NULL },
		.worker_path = worker,
		.gate_path = gate,
		.rpc_path = rpc,
		.process_limit = (unsigned)options.limit,
		.inquiries = (unsigned)options.inquiries,
		.check_sec = (unsigned)options.check_sec,
		.stay_alive = options.stay_alive,
		.foreground = options.foreground,
		.ident = slash ? slash + 1 : argv[0],
	};
	status = serve(&options, &server_options, filelog, environ, &parent);
	free(file);
	free(filelog);
	free(pidfile);
	free(worker);
	free(gate);
	free(rpc);
	return status;
}
