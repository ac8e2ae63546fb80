/* SPDX-License-Identifier: ISC */
/*
 * A message of a Maildir on its way into the spool:
 *
 *	marked with the ID that it will have   in its name, which is synced
 *	in the spool, on hold
 *	removed from the Maildir
 *	released
 *
 * Cut off at any of these, done again it goes on there: a name that is marked with the ID of a message
 * in the queue is that message.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "import.h"
#include "inject.h"
#include "maildir.h"
#include "move.h"
#include "steer.h"

#define NO_FILE "refused: not a regular file"

/* new/ or cur/ */
struct box {
	struct run *run;
	struct spool *spool;
	const char *part;
	int dir;
};

struct mail {
	char name[NAME_MAX + 1];
	struct stat st;
	struct inject inject;
};

static int
refuse(const struct box *b, const struct mail *m, int status, const char *why)
{
	total_trouble(
	    b->run->total, status, "%s/%s/%s: %s", b->run->options->dir, b->part, m->name, why);
	return -1;
}

/* An ID is that of a message that was exported. */
static bool
named(const struct run *r, const struct mail *m)
{
	const struct selection *s = &r->options->selection;
	struct queue_id id = {""};
	bool any = false;

	if (s->nids == 0)
		return true;
	if (!maildir_exported(m->name, &id))
		return false;
	for (unsigned i = 0; i < s->nids; i++)
		if (strcmp(s->ids[i], id.s) == 0)
			any = r->found[i] = true;
	return any;
}

static const char *
unfit(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return NO_FILE;
	if (st->st_uid != geteuid())
		return "refused: belongs to somebody else";
	if ((st->st_mode & 022) != 0)
		return "refused: writable by others";
	return NULL;
}

/* Another import may have it, or have had it. 0; or -1: there is nothing to be done. */
static int
lock(const struct box *b, struct mail *m)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat st;

	if (fcntl(m->inject.fd, F_OFD_SETLK, &l) == -1)
		return refuse(b, m, EX_TEMPFAIL,
		    errno == EAGAIN || errno == EACCES ? "somebody else has it" : strerror(errno));
	return fstatat(b->dir, m->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		       st.st_ino == m->st.st_ino && st.st_dev == m->st.st_dev
		   ? 0
		   : -1;
}

static int
open_mail(const struct box *b, struct mail *m)
{
	bool dry = b->run->options->dry_run;
	const char *why;
	int fd = openat(
	    b->dir, m->name, (dry ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	m->inject.fd = fd;
	if (fd == -1 && errno == ENOENT)
		return -1;
	if (fd == -1 && (errno == ELOOP || errno == EISDIR))
		return refuse(b, m, EX_DATAERR, NO_FILE);
	if (fd == -1 || fstat(fd, &m->st) == -1)
		return refuse(b, m, total_sysexit(errno), strerror(errno));
	if ((why = unfit(&m->st)) != NULL)
		return refuse(b, m, EX_DATAERR, why);
	return dry ? 0 : lock(b, m);
}

/* Who it is from and for. */
static int
look(const struct box *b, struct mail *m)
{
	char why[INJECT_WHY];
	struct queue_id id = {""};
	long head;
	int status;

	if (maildir_exported(m->name, &id)) {
		if ((head = maildir_envelope(m->inject.fd, &m->inject.envelope)) == -1)
			return refuse(b, m, EX_DATAERR, "refused: its envelope is not whole");
		m->inject.offset = (uint64_t)head;
		m->inject.whole = true;
	}
	if ((status = inject_look(&m->inject, b->run->settings, why)) != EX_OK)
		return refuse(b, m, status, why);
	return 0;
}

static bool
selected(const struct run *r, const struct mail *m)
{
	struct entry e = {.claim = {.state = SPOOL_NEW, .envelope = m->inject.envelope},
	    .label = LABEL_INCOMING,
	    .arrived = (uint64_t)m->st.st_mtime * 1000000};

	return select_entry(&r->options->selection, &e, r->now);
}

/* Who threw it away, or has not finished writing it, does not want it sent. */
static const char *
unwanted(const struct mail *m)
{
	if (maildir_flag(m->name, 'T'))
		return "marked as trash, and left there";
	return maildir_flag(m->name, 'D') ? "marked as a draft, and left there" : NULL;
}

static int
rename_mail(const struct box *b, struct mail *m, const char *to)
{
	if (strcmp(m->name, to) == 0)
		return 0;
	if (renameat(b->dir, m->name, b->dir, to) == -1)
		return -1;
	snprintf(m->name, sizeof(m->name), "%s", to);
	return 0;
}

/* The ID is in its name, durably. */
static int
mark(const struct box *b, struct mail *m, struct queue_id id)
{
	char name[NAME_MAX + 1];

	if (maildir_mark(name, m->name, id) == -1 || rename_mail(b, m, name) == -1 ||
	    fsync(b->dir) == -1)
		return refuse(b, m, total_sysexit(errno), strerror(errno));
	return 0;
}

/* On hold in the spool; or, a name that bears the mark already, wherever it got to. */
static int
bring(const struct box *b, struct mail *m, struct queue_id *id, enum spool_state *state)
{
	char why[INJECT_WHY], before[NAME_MAX + 1];
	int status;

	memcpy(before, m->name, sizeof(before));
	if (!maildir_marked(m->name, id))
		*id = import_id(b->spool);
	else if (import_find(b->spool, id->s, state))
		return 0;
	*state = SPOOL_HOLD;
	if (mark(b, m, *id) == -1)
		return -1;
	status = inject_hold(&m->inject, b->run->settings, b->spool, id, why);
	if (status == EX_OK)
		return 0;
	rename_mail(b, m, before);
	return refuse(b, m, status, why);
}

static void
take(const struct box *b, struct mail *m)
{
	enum spool_state state;
	struct queue_id id = {""};

	if (bring(b, m, &id, &state) == -1)
		return;
	if (unlinkat(b->dir, m->name, 0) == -1 || fsync(b->dir) == -1)
		refuse(b, m, EX_TEMPFAIL, "cannot be removed; it is in the queue, on hold");
	else if (id.s[0] == '\0')
		move_note(b->run, m->name, "for nobody, removed from");
	else if (state == SPOOL_HOLD && spool_rename(b->spool, id.s, SPOOL_HOLD, SPOOL_NEW) == -1)
		total_trouble(b->run->total, EX_TEMPFAIL, "%s", b->spool->error);
	else
		move_note(b->run, id.s, "imported from");
}

static void
import_mail(const struct box *b, const char *name)
{
	struct mail m = {.inject = {.fd = -1}};
	const char *why;

	snprintf(m.name, sizeof(m.name), "%s", name);
	if (named(b->run, &m) && open_mail(b, &m) == 0 && look(b, &m) == 0 &&
	    selected(b->run, &m)) {
		if ((why = unwanted(&m)) != NULL)
			refuse(b, &m, EX_OK, why);
		else if (b->run->options->dry_run)
			move_note(b->run, m.name, "would be imported from");
		else
			take(b, &m);
	}
	envelope_free(&m.inject.envelope);
	if (m.inject.fd != -1)
		close(m.inject.fd);
}

static void
import_part(struct box *b)
{
	struct maildir_names l;

	if (maildir_names(&l, b->dir) == -1)
		move_trouble(b->run, b->part);
	for (size_t i = 0; i < l.n; i++)
		import_mail(b, l.name[i]);
	maildir_names_free(&l);
}

void
import_maildir(struct run *r, int fd, struct spool *sp)
{
	static const char *const parts[] = {"new", "cur"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct box b = {.run = r, .spool = sp, .part = parts[i]};

		if ((b.dir = move_open(fd, parts[i])) == -1) {
			move_trouble(r, parts[i]);
			continue;
		}
		import_part(&b);
		close(b.dir);
	}
}
