/* SPDX-License-Identifier: ISC */
/* Texts that a conversion makes: printed one after the other, or saved as files. */
#include "config.h"

#include "ctl/pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int pieces_add(struct pieces *pieces, const char *name, char *text)
{
	struct piece piece = { .name = name ? strdup(name) : NULL, .text = text };

	if (!text || (name && !piece.name) ||
	    array_grow(&pieces->v, pieces->n, sizeof(*pieces->v)) < 0) {
		free(piece.name);
		free(text);
		return -ENOMEM;
	}
	pieces->v[pieces->n++] = piece;
	return 0;
}

bool pieces_have(const struct pieces *pieces, const char *name)
{
	for (size_t i = 0; i < pieces->n; i++)
		if (str_equal(pieces->v[i].name, name))
			return true;
	return false;
}

void pieces_print(const struct pieces *pieces, bool titles, FILE *out)
{
	for (size_t i = 0; i < pieces->n; i++) {
		const struct piece *piece = &pieces->v[i];

		if (i)
			(void)fputc('\n', out);
		if (titles && piece->name)
			(void)fprintf(out, "# === %s ===\n", piece->name);
		(void)fputs(piece->text, out);
	}
}

static int refuse(struct diag *diag, const char *directory, const char *name, int error)
{
	diag_add(diag, SEVERITY_ERROR, NULL, 0, NULL, "%s%s%s: %s", directory, name ? "/" : "",
		 name ? name : "",
		 error == -EEXIST ? "exists already and is not overwritten" : strerror(-error));
	return error;
}

static int save(int directory, const struct piece *piece)
{
	CLEANUP_CLOSE int fd = openat(directory, piece->name,
				      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	size_t length = strlen(piece->text), at = 0;

	if (fd < 0)
		return -errno;
	while (at < length) {
		ssize_t n = write(fd, piece->text + at, length - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	return close(take_fd(&fd)) < 0 ? -errno : 0;
}

int pieces_save(const struct pieces *pieces, const char *directory, struct diag *diag)
{
	CLEANUP_CLOSE int fd = -1;
	struct stat st;
	int r;

	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		return refuse(diag, directory, NULL, -errno);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return refuse(diag, directory, NULL, -errno);
	for (size_t i = 0; i < pieces->n; i++)
		if (pieces->v[i].name &&
		    fstatat(fd, pieces->v[i].name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return refuse(diag, directory, pieces->v[i].name, -EEXIST);
	for (size_t i = 0; i < pieces->n; i++) {
		r = pieces->v[i].name ? save(fd, &pieces->v[i]) : 0;
		if (r < 0)
			return refuse(diag, directory, pieces->v[i].name, r);
	}
	return 0;
}

void pieces_done(struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->n; i++) {
		free(pieces->v[i].name);
		free(pieces->v[i].text);
	}
	free(pieces->v);
	*pieces = (struct pieces){ 0 };
}
