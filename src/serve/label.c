/* SPDX-License-Identifier: ISC */
/* The SELinux label that a server gets after its client's (xinetd.conf(5) "LABELED"), by the kernel's own interface. */
#include "config.h"

#include "serve/label.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/xattr.h>

#include "base/util.h"

const struct label_places label_kernel = {
	.policy = "/sys/fs/selinux",
	.own = "/proc/self/attr/current",
};

struct label {
	char create[PATH_MAX]; /* the file by which the policy is asked */
	char class[16];        /* number of the class of processes */
	char own[LABEL_MAX];
	char program[LABEL_MAX];
};

/* Reads a word that fills a file, but for a newline; 0 or -errno. */
static int read_word(const char *path, char *out, size_t size)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (n < 0)
		return -errno;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return out[0] ? 0 : -ENODATA;
}

static int join(char out[static PATH_MAX], const char *a, const char *b)
{
	return snprintf(out, PATH_MAX, "%s/%s", a, b) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int read_program(const char *path, char out[static LABEL_MAX])
{
	ssize_t n = getxattr(path, "security.selinux", out, LABEL_MAX - 1);

	if (n <= 0)
		return n < 0 ? -errno : -ENODATA;
	out[n] = '\0';
	return 0;
}

int label_new(const struct label_places *places, const char *chroot, const char *program,
	      struct label **ret)
{
	CLEANUP_FREE struct label *label = calloc(1, sizeof(*label));
	char path[PATH_MAX];
	int r;

	if (!label)
		return -ENOMEM;
	r = join(label->create, places->policy, "create");
	if (r == 0)
		r = join(path, places->policy, "class/process/index");
	if (r == 0)
		r = read_word(path, label->class, sizeof(label->class));
	if (r == 0)
		r = read_word(places->own, label->own, sizeof(label->own));
	if (r == 0)
		r = join(path, chroot ? chroot : "", program);
	if (r == 0)
		r = read_program(path, label->program);
	if (r == 0)
		*ret = TAKE_PTR(label);
	return r;
}

void label_free(struct label *label)
{
	free(label);
}

/* Where the level begins in "user:role:type:level", or NULL; it may hold colons itself. */
static const char *level_of(const char *label)
{
	for (int i = 0; i < 3 && label; i++) {
		label = strchr(label, ':');
		label = label ? label + 1 : NULL;
	}
	return label && *label ? label : NULL;
}

int label_make(const struct label *label, const char *peer, char out[static LABEL_MAX])
{
	const char *level = level_of(peer), *own_level = level_of(label->own);
	int before = own_level ? (int)(own_level - label->own) : 0;
	char question[2 * LABEL_MAX];
	CLEANUP_CLOSE int fd = -1;
	ssize_t n;
	int length;

	if (!level || !own_level)
		return -ENODATA;
	length = snprintf(question, sizeof(question), "%.*s%s %s %s", before, label->own, level,
			  label->program, label->class);
	if (length >= LABEL_MAX)
		return -ENAMETOOLONG;
	fd = open(label->create, O_RDWR | O_CLOEXEC);
	if (fd < 0 || write(fd, question, (size_t)length) < 0)
		return -errno;
	n = read(fd, out, LABEL_MAX - 1);
	if (n <= 0)
		return n < 0 ? -errno : -ENODATA;
	out[n] = '\0';
	return 0;
}

int label_for(const struct label *label, int fd, char out[static LABEL_MAX])
{
	char peer[LABEL_MAX];
	socklen_t length = sizeof(peer) - 1;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERSEC, peer, &length) < 0)
		return -errno;
	peer[length] = '\0';
	return label_make(label, peer, out);
}
