/* SPDX-License-Identifier: ISC */
#include "move.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "maildir.h"
#include "spool/carry.h"
#include "steer.h"
#include "sys/log.h"

const enum spool_state move_states[MOVE_STATES] = {SPOOL_CUR, SPOOL_HOLD, SPOOL_FAILED};

/* Where this process moves to: it walks one owner's spool. */
static struct {
	bool open; /* `fd` is DIR, or the owner's part of it */
	int fd;
	bool maildir;
	struct spool to;
} place;

int
move_trouble(struct run *r, const char *what)
{
	total_trouble(
	    r->total, total_sysexit(errno), "%s: %s: %s", r->options->dir, what, strerror(errno));
	return -1;
}

int
move_open(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* As root, for an owner: a directory of his own. */
static int
open_part(struct run *r, int dir, uid_t owner)
{
	char name[16];
	struct stat st;
	bool made;
	int fd;

	snprintf(name, sizeof(name), "%u", (unsigned)owner);
	made = mkdirat(dir, name, 0700) == 0;
	if ((fd = move_open(dir, name)) == -1)
		return move_trouble(r, name);
	if ((made && fchown(fd, owner, (gid_t)-1) == -1) || fstat(fd, &st) == -1) {
		close(fd);
		return move_trouble(r, name);
	}
	if (st.st_uid != owner) {
		close(fd);
		errno = EPERM;
		return move_trouble(r, name);
	}
	return fd;
}

/* Root writes nowhere where somebody else could put something in the way. */
static bool
trusted(struct run *r, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || st.st_uid != 0 || (st.st_mode & 022) != 0) {
		errno = EPERM;
		move_trouble(r, "must be root's, and writable by nobody else");
		return false;
	}
	return true;
}

/* A Maildir is written to as its owner, and takes nobody else's mail. */
static bool
fits_owner(struct run *r)
{
	struct stat st;

	if (!place.maildir || (fstat(place.fd, &st) == 0 && st.st_uid == geteuid()))
		return true;
	errno = EPERM;
	move_trouble(r, "this Maildir is somebody else's");
	close(place.fd);
	place.open = false;
	return false;
}

/* Before a spool is walked, as root still: open, and make, where its messages go. */
static void
prepare(struct run *r, uid_t owner)
{
	int fd;

	if (r->options->dry_run)
		return;
	if (mkdir(r->options->dir, 0700) == -1 && errno != EEXIST) {
		move_trouble(r, "cannot be made");
		return;
	}
	if ((fd = open(r->options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		move_trouble(r, "cannot be opened");
		return;
	}
	place.maildir = maildir_is(fd);
	if (r->root && !place.maildir && !trusted(r, fd)) {
		close(fd);
		return;
	}
	place.fd = r->root && !place.maildir ? open_part(r, fd, owner) : fd;
	place.open = place.fd != -1;
	if (place.fd != fd)
		close(fd);
}

static void
begin(struct run *r, struct spool *sp)
{
	(void)sp;
	if (!place.open)
		prepare(r, geteuid());
	if (place.open && fits_owner(r) && carry_open(&place.to, place.fd, r->options->dir) == -1)
		move_trouble(r, "cannot be opened");
}

/* What an export that was cut off has written already; or 0. -1: something else of this name. */
static int
find_copy(const struct claim *c)
{
	for (size_t i = 0; i < MOVE_STATES; i++) {
		int same = carry_same(c, &place.to, move_states[i]);
		if (same != -1)
			return same == 1 ? 1 : -1;
	}
	return 0;
}

static int
export_copy(const struct claim *c, enum spool_state state)
{
	int found;

	if (place.maildir)
		return maildir_put(place.fd, c, &place.to);
	if ((found = find_copy(c)) == 1)
		return 0;
	if (found == -1) {
		errno = EEXIST;
		return spool_fail(&place.to, "write", c->id.s);
	}
	return carry_copy(c, &place.to, state == SPOOL_NEW ? SPOOL_CUR : state, c->id);
}

/* On hold, durably, until it is gone. */
static int
move_out(struct run *r, struct claim *c)
{
	enum spool_state state = c->state;

	if ((state == SPOOL_NEW || state == SPOOL_CUR) && claim_move(c, SPOOL_HOLD) == -1) {
		total_trouble(r->total, EX_TEMPFAIL, "%s", c->spool->error);
		return -1;
	}
	steer_sync(r, c->spool);
	if (export_copy(c, state) == -1) {
		total_trouble(r->total, total_sysexit(errno), "%s", place.to.error);
		if (c->state != state)
			claim_move(c, state);
		return -1;
	}
	if (claim_remove(c) == -1) {
		total_trouble(r->total, EX_TEMPFAIL, "%s", c->spool->error);
		return -1;
	}
	return 0;
}

void
move_note(struct run *r, const char *name, const char *how)
{
	struct steer *s = r->memory;
	char clean[NAME_MAX + 1];

	s->done++;
	text_clean(clean, sizeof(clean), name, strlen(name));
	if (!r->options->dry_run)
		log_info("%s: %s %s by uid %u", clean, how, r->options->dir, steer_actor(r));
	if (r->options->verbose || r->options->dry_run)
		printf("%s: %s %s\n", clean, how, r->options->dir);
}

static void
export_entry(struct run *r, struct entry *e)
{
	enum claim_result result;
	struct claim c;

	if (r->options->dry_run) {
		move_note(r, e->claim.id.s, "would be exported to");
		return;
	}
	if (!place.open)
		return;
	result = steer_claim(r, &c, e, "exported");
	if (result == CLAIM_DAMAGED)
		total_trouble(r->total, EX_DATAERR, "%s: damaged: %s; not exported", c.id.s, c.why);
	else if (result == CLAIM_OK && move_out(r, &c) == 0)
		move_note(r, c.id.s, "exported to");
	claim_close(&c);
}

static void
left(struct run *r, struct spool *sp)
{
	if (!r->options->dry_run)
		steer_sync(r, sp);
}

int
move_end(const struct run *r, const char *title)
{
	const struct steer *s = r->memory;

	r->total->stuck = false;
	total_flush(r->total);
	fprintf(stderr, "mailq: %s: %llu message%s%s\n", title, (unsigned long long)s->done,
	    s->done == 1 ? "" : "s", r->options->dry_run ? " (dry run: nothing was done)" : "");
	return EX_OK;
}

static int
end(struct run *r)
{
	return move_end(r, "Exported");
}

const struct act act_export = {.memory = sizeof(struct steer),
    .spool = begin,
    .entry = export_entry,
    .left = left,
    .end = end,
    .owner = prepare};
