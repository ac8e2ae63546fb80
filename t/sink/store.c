/* SPDX-License-Identifier: ISC */
#include "store.h"

#include <dirent.h>
#include <err.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { PATH_LEN = 4096 };

struct store {
	pthread_mutex_t lock;
	const char *dir;
	FILE *commands;
	unsigned number, connections;
	unsigned long messages;
	bool quiet;
};

static const char *
path(const struct store *s, char dst[PATH_LEN], const char *name)
{
	if (snprintf(dst, PATH_LEN, "%s/%s", s->dir, name) >= PATH_LEN)
		errx(EX_USAGE, "%s: too long", s->dir);
	return dst;
}

static FILE *
create(const struct store *s, const char *name, const char *mode)
{
	char p[PATH_LEN];
	FILE *f = fopen(path(s, p, name), mode);
	if (!f)
		err(EX_CANTCREAT, "%s", p);
	return f;
}

static void
publish(const struct store *s, const char *from, const char *to)
{
	char a[PATH_LEN], b[PATH_LEN];
	if (rename(path(s, a, from), path(s, b, to)) < 0)
		err(EX_CANTCREAT, "%s", b);
}

/* Go on behind the messages and connections of an earlier sink. */
static void
resume(struct store *s)
{
	char p[PATH_LEN];
	DIR *d = opendir(s->dir);
	if (!d)
		err(EX_CANTCREAT, "%s", s->dir);
	for (struct dirent *e; (e = readdir(d));) {
		char *end;
		unsigned long n = strtoul(e->d_name, &end, 10);
		if (end != e->d_name && strcmp(end, ".eml") == 0 && n > s->number)
			s->number = (unsigned)n;
	}
	closedir(d);
	FILE *f = fopen(path(s, p, "connections"), "r");
	if (f) {
		char line[32];
		if (fgets(line, sizeof line, f))
			s->connections = (unsigned)strtoul(line, NULL, 10);
		fclose(f);
	}
}

struct store *
store_open(const char *dir, bool quiet)
{
	struct store *s = calloc(1, sizeof *s);
	if (!s)
		err(EX_OSERR, NULL);
	pthread_mutex_init(&s->lock, NULL);
	s->dir = dir;
	s->quiet = quiet;
	if (dir) {
		mkdir(dir, 0777);
		resume(s);
		s->commands = create(s, "commands.log", "a");
	}
	return s;
}

unsigned
store_connection(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	unsigned n = ++s->connections;
	if (s->dir) {
		FILE *f = create(s, "connections.tmp", "w");
		fprintf(f, "%u\n", n);
		fclose(f);
		publish(s, "connections.tmp", "connections");
	}
	pthread_mutex_unlock(&s->lock);
	return n;
}

static void
print_clean(FILE *f, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < ' ' || *p == 0x7f)
			fprintf(f, "\\x%02X", *p);
		else
			putc(*p, f);
	}
}

void
store_command(struct store *s, unsigned conn, char mark, const char *line)
{
	if (!s->dir)
		return;
	pthread_mutex_lock(&s->lock);
	fprintf(s->commands, "%u %c ", conn, mark);
	print_clean(s->commands, line);
	putc('\n', s->commands);
	fflush(s->commands);
	pthread_mutex_unlock(&s->lock);
}

void
store_violation(struct store *s, unsigned conn, const char *text)
{
	pthread_mutex_lock(&s->lock);
	if (s->dir) {
		FILE *f = create(s, "violations", "a");
		fprintf(f, "connection %u: ", conn);
		print_clean(f, text);
		putc('\n', f);
		fclose(f);
	}
	if (!s->quiet) {
		printf("connection %u: violation: ", conn);
		print_clean(stdout, text);
		putchar('\n');
		fflush(stdout);
	}
	pthread_mutex_unlock(&s->lock);
}

static const char *
partial(char dst[32], unsigned conn)
{
	snprintf(dst, 32, "partial.%u", conn);
	return dst;
}

FILE *
store_begin(struct store *s, unsigned conn)
{
	char name[32];
	return s->dir ? create(s, partial(name, conn), "w") : NULL;
}

void
store_abandon(struct store *s, unsigned conn, FILE *f)
{
	char name[32], p[PATH_LEN];
	if (!f)
		return;
	fclose(f);
	unlink(path(s, p, partial(name, conn)));
}

static void
write_files(struct store *s, unsigned conn, FILE *f, const struct envelope_text *env)
{
	char from[32], to[32];
	if (fclose(f) != 0)
		err(EX_IOERR, "%s", s->dir);
	snprintf(to, sizeof to, "%04u.eml", s->number);
	publish(s, partial(from, conn), to);
	snprintf(from, sizeof from, "%04u.tmp", s->number);
	snprintf(to, sizeof to, "%04u.env", s->number);
	f = create(s, from, "w");
	fwrite(env->text, 1, env->length, f);
	if (fclose(f) != 0)
		err(EX_IOERR, "%s", s->dir);
	publish(s, from, to);
}

unsigned
store_commit(struct store *s, unsigned conn, FILE *f, const struct envelope_text *env)
{
	pthread_mutex_lock(&s->lock);
	unsigned number = ++s->number;
	s->messages++;
	if (f)
		write_files(s, conn, f, env);
	if (!s->quiet) {
		printf("message %04u on connection %u\n", number, conn);
		fflush(stdout);
	}
	pthread_mutex_unlock(&s->lock);
	return number;
}

unsigned long
store_messages(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	unsigned long n = s->messages;
	pthread_mutex_unlock(&s->lock);
	return n;
}

void
envelope_add(struct envelope_text *e, const char *format, ...)
{
	char *line = NULL, *clean = NULL;
	size_t length;
	va_list ap;
	va_start(ap, format);
	if (vasprintf(&line, format, ap) < 0)
		err(EX_OSERR, NULL);
	va_end(ap);
	FILE *f = open_memstream(&clean, &length);
	if (!f)
		err(EX_OSERR, NULL);
	print_clean(f, line);
	putc('\n', f);
	fclose(f);
	free(line);
	if (!(e->text = realloc(e->text, e->length + length + 1)))
		err(EX_OSERR, NULL);
	memcpy(e->text + e->length, clean, length + 1);
	e->length += length;
	free(clean);
}

void
envelope_recipient(struct envelope_text *e, const char *path)
{
	e->recipient = reallocarray(e->recipient, e->recipients + 1, sizeof(char *));
	if (!e->recipient || !(e->recipient[e->recipients++] = strdup(path)))
		err(EX_OSERR, NULL);
}

void
envelope_clear(struct envelope_text *e)
{
	for (unsigned i = 0; i < e->recipients; i++)
		free(e->recipient[i]);
	free(e->recipient);
	free(e->text);
	*e = (struct envelope_text){0};
}
