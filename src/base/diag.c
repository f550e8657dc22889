/* SPDX-License-Identifier: ISC */
/* The list of "file:line: severity: text" that is collected while configuration is read. */
#include "config.h"

#include "base/diag.h"

#include <stdlib.h>
#include <string.h>

static int finding_init(struct finding *f, const char *file, const char *service,
			const char *format, va_list ap) PRINTF_LIKE(4, 0);

static int finding_init(struct finding *f, const char *file, const char *service,
			const char *format, va_list ap)
{
	f->file = file ? strdup(file) : NULL;
	f->service = service ? strdup(service) : NULL;
	if (vasprintf(&f->text, format, ap) < 0)
		f->text = NULL;
	if (f->text && (f->file || !file) && (f->service || !service))
		return 0;
	return -1;
}

static void finding_done(struct finding *f)
{
	free(f->file);
	free(f->service);
	free(f->text);
}

void diag_addv(struct diag *diag, enum severity severity, const char *file, unsigned line,
	       const char *service, const char *format, va_list ap)
{
	struct finding f = { .severity = severity, .line = line };

	diag->errors += severity == SEVERITY_ERROR;
	diag->warnings += severity == SEVERITY_WARNING;
	if (diag->n >= DIAG_MAX) {
		diag->more++;
		return;
	}
	if (finding_init(&f, file, service, format, ap) < 0 ||
	    array_grow(&diag->v, diag->n, sizeof(*diag->v)) < 0) {
		finding_done(&f);
		diag->incomplete = true;
		return;
	}
	diag->v[diag->n++] = f;
}

void diag_add(struct diag *diag, enum severity severity, const char *file, unsigned line,
	      const char *service, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	diag_addv(diag, severity, file, line, service, format, ap);
	va_end(ap);
}

/* A finding, and where it stood. */
struct ranked {
	struct finding finding;
	size_t rank;
};

static int by_place(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	const struct finding *f = &a->finding, *g = &b->finding;
	int order = f->file && g->file ? strcmp(f->file, g->file) : !f->file - !g->file;

	if (order == 0)
		order = (f->line > g->line) - (f->line < g->line);
	return order ? order : (a->rank > b->rank) - (a->rank < b->rank);
}

void diag_sort(struct diag *diag)
{
	struct ranked *ranked = calloc(diag->n + 1, sizeof(*ranked));

	if (!ranked)
		return;
	for (size_t i = 0; i < diag->n; i++)
		ranked[i] = (struct ranked){ diag->v[i], i };
	qsort(ranked, diag->n, sizeof(*ranked), by_place);
	for (size_t i = 0; i < diag->n; i++)
		diag->v[i] = ranked[i].finding;
	free(ranked);
}

const char *severity_name(enum severity severity)
{
	switch (severity) {
	case SEVERITY_ERROR:
		return "error";
	case SEVERITY_WARNING:
		return "warning";
	case SEVERITY_NOTICE:
		return "notice";
	}
	return "unknown";
}

char *finding_format(const struct finding *finding, char *out, size_t size)
{
	size_t at = 0;

	if (size == 0)
		return out;
	out[0] = '\0';
	if (finding->file) {
		(void)escape_text(out, size, finding->file);
		at = strlen(out);
		if (finding->line && at < size)
			(void)snprintf(out + at, size - at, ":%u", finding->line);
		at = strlen(out);
		if (at < size)
			(void)snprintf(out + at, size - at, ": ");
		at = strlen(out);
	}
	if (at < size)
		(void)snprintf(out + at, size - at, "%s: ", severity_name(finding->severity));
	at = strlen(out);
	if (at < size)
		(void)escape_text(out + at, size - at, finding->text);
	return out;
}

void diag_done(struct diag *diag)
{
	for (size_t i = 0; i < diag->n; i++)
		finding_done(&diag->v[i]);
	free(diag->v);
	*diag = (struct diag){ 0 };
}
