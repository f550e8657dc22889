/* SPDX-License-Identifier: ISC */
/* The sink of log_type FILE and -filelog, and of a terminal or other open descriptor. */
#include "config.h"

#include "record/sink_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sink.h"
#include "base/util.h"

/* "YYY/MM/DD@hh:mm:ss: ", with room for any int that struct tm may hold. */
#define STAMP_MAX 80

_Static_assert(SINK_SCRATCH_BYTES >= STAMP_MAX + LINE_TEXT_MAX + 1, "one line always fits");

struct sink_file {
	struct sink sink;
	char *path; /* NULL: on a descriptor, nothing to reopen */
	enum envelope envelope;
	int fd;
	mode_t type;  /* S_IFREG … */
	bool foreign; /* the open file is shared with others: O_NONBLOCK cannot be relied on */

	uint64_t soft_bytes;
	uint64_t hard_bytes;
	uint64_t size;
	bool soft_told;
	bool hard_told;

	size_t partial; /* bytes of the next line that are written already */
	time_t second;  /* which stamp shows */
	unsigned char stamp_len;
	char stamp[STAMP_MAX];
};

static struct sink_file *file_of(struct sink *sink)
{
	return (struct sink_file *)(void *)sink;
}

/* --- opening ---------------------------------------------------------------- */

/* Returns a descriptor or -errno. */
static int open_path(const char *path)
{
	int flags = O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct stat st;
	int fd = -1;

	/* Open for reading too, a FIFO neither needs a reader to be there, nor breaks when it goes. */
	if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode))
		fd = open(path, O_RDWR | flags);
	if (fd < 0)
		fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
	return fd < 0 ? -errno : sink_place_fd(fd);
}

/* Whether @path stands for a descriptor of this process; -1 if not. */
static int standard_fd(const char *path)
{
	if (strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	return strcmp(path, "/dev/stderr") == 0 ? STDERR_FILENO : -1;
}

/*
 * O_NONBLOCK would show through to all who share the open file, such as the
 * shell that started us. So pipes and devices are opened once more, where the
 * system allows, and put() takes care of the rest.
 */
static int duplicate(int fd, bool *ret_foreign)
{
	char path[32];
	struct stat st;
	int own = -1;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		own = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	}
	*ret_foreign = own < 0;
	if (own < 0)
		own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return own < 0 ? -errno : sink_place_fd(own);
}

/* Makes @fd the sink's; what was open is closed. */
static void adopt(struct sink_file *file, int fd)
{
	struct stat st = { 0 };

	if (file->fd >= 0)
		(void)close(file->fd);
	file->fd = fd;
	(void)fstat(fd, &st);
	file->type = st.st_mode & S_IFMT;
	file->size = file->type == S_IFREG ? (uint64_t)st.st_size : 0;
	file->sink.discarding = file->hard_bytes && file->size > file->hard_bytes;
	if (!file->sink.discarding)
		file->hard_told = false;
	if (file->size <= file->soft_bytes)
		file->soft_told = false;
}

static bool same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

/* --- writing ---------------------------------------------------------------- */

static void make_stamp(struct sink_file *file, time_t second)
{
	struct tm tm;
	int n;

	if (!localtime_r(&second, &tm))
		tm = (struct tm){ .tm_mday = 1, .tm_year = 70 };
	n = snprintf(file->stamp, sizeof(file->stamp), "%02d/%d/%d@%02d:%02d:%02d%s",
		     tm.tm_year % 100, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		     file->envelope == ENVELOPE_SERVICE ? ": " : " ");
	file->stamp_len = (unsigned char)n;
	file->second = second;
}

static size_t format_line(struct sink_file *file, const struct line *line, char *out)
{
	size_t n;

	if (!file->stamp_len || file->second != line->wall.tv_sec)
		make_stamp(file, line->wall.tv_sec);
	n = file->stamp_len;
	memcpy(out, file->stamp, n);
	memcpy(out + n, line->text, line->len);
	n += line->len;
	out[n++] = '\n';
	return n;
}

/* Writes what can be written now. Returns the number of bytes, at least one, or -errno. */
static ssize_t put(const struct sink_file *file, const char *data, size_t len)
{
	ssize_t n;

	if (file->foreign && (file->type == S_IFIFO || file->type == S_IFCHR)) {
		struct pollfd pfd = { .fd = file->fd, .events = POLLOUT };

		if (poll(&pfd, 1, 0) == 0)
			return -EAGAIN;
	}
	do {
		if (file->type == S_IFSOCK)
			n = send(file->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			n = write(file->fd, data, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n ? n : -ENOSPC;
}

static void check_limits(struct sink_file *file)
{
	if (file->type != S_IFREG)
		return;
	if (file->soft_bytes && file->size > file->soft_bytes && !file->soft_told) {
		file->soft_told = true;
		log_warning("Size of %s log exceeded soft limit", file->sink.name);
	}
	if (file->hard_bytes && file->size > file->hard_bytes && !file->hard_told) {
		file->hard_told = true;
		file->sink.discarding = true;
		log_error("Size of %s log exceeded hard limit", file->sink.name);
	}
}

/* Writes some of the lines from @*done on, in one call. Returns 0 or -errno. */
static int write_some(struct sink_file *file, const struct batch *batch, size_t *done)
{
	/* A pipe takes this much whole or not at all, so that lines of several writers do not mix. */
	size_t room = file->type == S_IFREG ? SINK_SCRATCH_BYTES : PIPE_BUF;
	uint32_t ends[SINK_BATCH_LINES];
	size_t used = 0, n = 0, whole = 0, at;
	ssize_t put_bytes;

	while (*done + n < batch->n) {
		const struct line *line = batch->lines[*done + n];

		if (n && used + STAMP_MAX + line->len + 1 > room)
			break;
		used += format_line(file, line, batch->scratch + used);
		ends[n++] = (uint32_t)used;
		if (file->type == S_IFREG && file->hard_bytes &&
		    file->size + used - file->partial > file->hard_bytes)
			break;
	}
	/* Nothing remains of a line that was ended in the file before. */
	put_bytes = used > file->partial
			    ? put(file, batch->scratch + file->partial, used - file->partial)
			    : 0;
	if (put_bytes < 0)
		return (int)put_bytes;
	file->size += (uint64_t)put_bytes;
	at = file->partial + (size_t)put_bytes;
	while (whole < n && ends[whole] <= at)
		whole++;
	file->partial = whole ? at - ends[whole - 1] : at;
	*done += whole;
	if (whole)
		check_limits(file);
	return 0;
}

static size_t file_write(struct sink *sink, const struct batch *batch, int *ret_error)
{
	struct sink_file *file = file_of(sink);
	size_t done = 0;

	while (done < batch->n) {
		int r;

		/* A line that was begun is always ended. */
		if (sink->discarding && !file->partial) {
			check_limits(file);
			sink->discarded += batch->n - done;
			sink->discard_error = -EFBIG;
			return batch->n;
		}
		r = write_some(file, batch, &done);
		if (r < 0) {
			*ret_error = r;
			break;
		}
	}
	return done;
}

/*
 * Completes the line that was begun in the old file. Where that does not work,
 * the line is written once more, whole, in the new one.
 */
static void end_line(struct sink_file *file, const struct batch *batch)
{
	size_t n = format_line(file, batch->lines[0], batch->scratch);

	while (file->partial < n) {
		ssize_t put_bytes = put(file, batch->scratch + file->partial, n - file->partial);

		if (put_bytes < 0) {
			file->partial = 0;
			return;
		}
		file->partial += (size_t)put_bytes;
	}
}

static void file_reopen(struct sink *sink, const struct batch *batch)
{
	struct sink_file *file = file_of(sink);
	int fd;

	if (!file->path)
		return;
	fd = open_path(file->path);
	if (fd < 0) {
		(void)log_error_errno(fd, "reopening of %s log failed: %s: %m", sink->name,
				      file->path);
		return;
	}
	if (file->partial && batch->n && !same_file(file->fd, fd))
		end_line(file, batch);
	adopt(file, fd);
}

static void file_free(struct sink *sink)
{
	struct sink_file *file = file_of(sink);

	if (file->fd >= 0)
		(void)close(file->fd);
	free(file->path);
	sink_done(sink);
	free(file);
}

static const struct sink_ops ops = {
	.write = file_write,
	.reopen = file_reopen,
	.free = file_free,
};

/* --- life ------------------------------------------------------------------- */

/* Takes over @fd (also when it fails); @path is NULL for what cannot be reopened. */
static int file_new(int fd, bool foreign, const char *path, const char *name,
		    enum envelope envelope, uint64_t soft_bytes, uint64_t hard_bytes,
		    struct sink **ret)
{
	CLEANUP_CLOSE int guard = fd;
	CLEANUP_FREE struct sink_file *file = calloc(1, sizeof(*file));
	CLEANUP_FREE char *copy = path ? strdup(path) : NULL;

	if (!file || (path && !copy) || sink_init(&file->sink, &ops, name) < 0)
		return -ENOMEM;
	file->path = TAKE_PTR(copy);
	file->envelope = envelope;
	file->foreign = foreign;
	file->soft_bytes = soft_bytes;
	file->hard_bytes = hard_bytes;
	file->fd = -1;
	adopt(file, take_fd(&guard));
	*ret = &file->sink;
	file = NULL;
	return 0;
}

int sink_file_new(const char *path, const char *name, enum envelope envelope, uint64_t soft_bytes,
		  uint64_t hard_bytes, struct sink **ret)
{
	int fd = standard_fd(path);

	if (fd >= 0)
		return sink_fd_new(fd, name, envelope, ret);
	fd = open_path(path);
	if (fd < 0)
		return fd;
	return file_new(fd, false, path, name, envelope, soft_bytes, hard_bytes, ret);
}

int sink_fd_new(int fd, const char *name, enum envelope envelope, struct sink **ret)
{
	bool foreign = true;
	int own = duplicate(fd, &foreign);

	if (own < 0)
		return own;
	return file_new(own, foreign, NULL, name, envelope, 0, 0, ret);
}
