/* SPDX-License-Identifier: ISC */
#include "maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/address.h"

#define PIECE (64 * 1024)
#define OURS ".pillarbox"  /* behind the ID, in the names of what was exported */
#define MARK ",pillarbox=" /* before the ID, in those of what is being imported */

bool
maildir_is(int fd)
{
	static const char *const parts[] = {"cur", "new", "tmp"};
	struct stat st;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (fstatat(fd, parts[i], &st, 0) == -1 || !S_ISDIR(st.st_mode))
			return false;
	return true;
}

static void
put_envelope(FILE *f, const struct envelope *e)
{
	fprintf(f, "Return-Path: <%s>\n", e->from);
	for (size_t i = 0; i < e->nrcpt; i++)
		if (e->rcpt[i].status.class == 0 || e->rcpt[i].status.class == 4)
			fprintf(f, "X-Envelope-To: <%s>\n", e->rcpt[i].address);
}

/* Wire form has no CR but before LF. */
static int
put_message(FILE *f, const struct claim *c)
{
	char piece[PIECE];
	uint64_t at = 0;
	ssize_t n;

	while ((n = claim_read(c, piece, sizeof(piece), at)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (piece[i] != '\r')
				fputc(piece[i], f);
		at += (uint64_t)n;
	}
	return n == 0 && at == c->envelope.size ? 0 : -1;
}

static int
put_file(int fd, const struct claim *c)
{
	FILE *f = fdopen(fd, "w");
	int r;

	if (f == NULL) {
		close(fd);
		return -1;
	}
	put_envelope(f, &c->envelope);
	r = put_message(f, c);
	if (fflush(f) == EOF || ferror(f) || fsync(fd) == -1)
		r = -1;
	fclose(f);
	return r;
}

static int
sync_new(int fd)
{
	int new = openat(fd, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (new == -1)
		return -1;
	r = fsync(new);
	close(new);
	return r;
}

int
maildir_put(int fd, const struct claim *c, struct spool *sp)
{
	char tmp[64], new[64];
	int file;

	snprintf(tmp, sizeof(tmp), "tmp/%s" OURS, c->id.s);
	snprintf(new, sizeof(new), "new/%s" OURS, c->id.s);
	if (faccessat(fd, new, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	unlinkat(fd, tmp, 0);
	file = openat(fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file == -1)
		return spool_fail(sp, "create", tmp);
	if (put_file(file, c) == -1 || renameat(fd, tmp, fd, new) == -1 || sync_new(fd) == -1)
		return spool_fail(sp, "write", new);
	return 0;
}

/* Octets of a name before its flags. */
static size_t
base_len(const char *name)
{
	return strcspn(name, ":");
}

bool
maildir_flag(const char *name, char flag)
{
	const char *flags = name + base_len(name);

	return strncmp(flags, ":2,", 3) == 0 && strchr(flags + 3, flag) != NULL;
}

/* An ID at `text`. */
static bool
take_id(struct queue_id *id, const char *text)
{
	snprintf(id->s, sizeof(id->s), "%s", text);
	return queue_id_valid(id->s);
}

bool
maildir_exported(const char *name, struct queue_id *id)
{
	return take_id(id, name) && strncmp(name + QUEUE_ID_LEN, OURS, strlen(OURS)) == 0 &&
	       strchr(":,", name[QUEUE_ID_LEN + strlen(OURS)]) != NULL;
}

/* Where the last mark of a name is; its length where it has none. */
static size_t
mark_at(const char *name, struct queue_id *id)
{
	size_t len = base_len(name), n = strlen(MARK);

	if (len > n + QUEUE_ID_LEN && memcmp(name + len - QUEUE_ID_LEN - n, MARK, n) == 0 &&
	    take_id(id, name + len - QUEUE_ID_LEN))
		return len - QUEUE_ID_LEN - n;
	return len;
}

bool
maildir_marked(const char *name, struct queue_id *id)
{
	return mark_at(name, id) < base_len(name);
}

int
maildir_mark(char dst[NAME_MAX + 1], const char *name, struct queue_id id)
{
	struct queue_id old = {""};
	int n = snprintf(dst, NAME_MAX + 1, "%.*s" MARK "%s%s", (int)mark_at(name, &old), name,
	    id.s, name + base_len(name));

	if (n >= 0 && n <= NAME_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* "NAME<address>" LF: the address, in place. */
static char *
take_field(char *line, const char *name)
{
	size_t n = strlen(name), len = strlen(line);

	if (len < n + 2 || memcmp(line, name, n) != 0 || strcmp(line + len - 2, ">\n") != 0)
		return NULL;
	line[len - 2] = '\0';
	return line + n;
}

static int
take_sender(struct envelope *e, char *line)
{
	const char *address = take_field(line, "Return-Path: <");

	if (address == NULL || (*address != '\0' && !address_valid(address)))
		return -1;
	return (e->from = strdup(address)) != NULL ? 0 : -1;
}

/* Behind them comes the header, which begins with a Received. */
static long
read_envelope(FILE *f, struct envelope *e)
{
	const char *address;
	char *line = NULL;
	size_t size = 0;
	long end = -1;

	if (getline(&line, &size, f) != -1 && take_sender(e, line) == 0)
		for (end = ftell(f); getline(&line, &size, f) != -1; end = ftell(f)) {
			if ((address = take_field(line, "X-Envelope-To: <")) == NULL)
				break;
			if (!address_valid(address) || envelope_add(e, address) == -1) {
				end = -1;
				break;
			}
		}
	free(line);
	return end;
}

long
maildir_envelope(int fd, struct envelope *e)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *f = copy != -1 ? fdopen(copy, "r") : NULL;
	long end;

	if (f == NULL) {
		if (copy != -1)
			close(copy);
		return -1;
	}
	end = read_envelope(f, e);
	fclose(f);
	return end;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
add_name(struct maildir_names *l, const char *name)
{
	char **more;

	/* Room for a power of two at a time. */
	if ((l->n & (l->n - 1)) == 0) {
		if ((more = reallocarray(l->name, l->n == 0 ? 1 : 2 * l->n, sizeof(*more))) == NULL)
			return -1;
		l->name = more;
	}
	if ((l->name[l->n] = strdup(name)) == NULL)
		return -1;
	l->n++;
	return 0;
}

int
maildir_names(struct maildir_names *l, int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = copy != -1 ? fdopendir(copy) : NULL;
	struct dirent *e;

	*l = (struct maildir_names){0};
	if (d == NULL) {
		if (copy != -1)
			close(copy);
		return -1;
	}
	while (r == 0 && (errno = 0, e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			r = add_name(l, e->d_name);
	if (errno != 0)
		r = -1;
	closedir(d);
	if (l->n > 0)
		qsort(l->name, l->n, sizeof(*l->name), compare);
	return r;
}

void
maildir_names_free(struct maildir_names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
}
