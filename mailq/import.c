/* SPDX-License-Identifier: ISC */
#include "import.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "maildir.h"
#include "move.h"
#include "spool/carry.h"
#include "spool/owners.h"
#include "spool/scan.h"
#include "steer.h"
#include "sys/become.h"
#include "sys/clock.h"
#include "sys/host.h"
#include "walk.h"

bool
import_find(struct spool *sp, const char *id, enum spool_state *state)
{
	for (size_t i = 0; i < ENTRY_STATES; i++) {
		int dir = spool_dir(sp, entry_states[i]);
		*state = entry_states[i];
		if (dir == -1 || faccessat(dir, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

struct queue_id
import_id(struct spool *sp)
{
	enum spool_state state;
	struct queue_id id;

	do
		id = queue_id_make(clock_wall(), arc4random());
	while (import_find(sp, id.s, &state));
	return id;
}

static bool
never_tried(const struct envelope *e)
{
	for (size_t i = 0; i < e->nrcpt; i++)
		if (e->rcpt[i].status.class != 0)
			return false;
	return true;
}

/* The copy is on hold in the spool, durably; under which ID. */
static int
bring(const struct claim *c, struct spool *sp, struct queue_id *id)
{
	enum spool_state state;

	*id = c->id;
	if (import_find(sp, id->s, &state)) {
		if (state == SPOOL_HOLD && carry_same(c, sp, SPOOL_HOLD) == 1)
			return 0; /* an import that was cut off */
		*id = import_id(sp);
	}
	return carry_copy(c, sp, SPOOL_HOLD, *id);
}

static void
import_one(struct run *r, struct claim *c, struct spool *sp)
{
	enum spool_state state = c->state;
	struct queue_id id;

	if (state == SPOOL_CUR && never_tried(&c->envelope))
		state = SPOOL_NEW;
	if (bring(c, sp, &id) == -1)
		total_trouble(r->total, total_sysexit(errno), "%s", sp->error);
	else if (claim_remove(c) == -1 || fsync(spool_dir(c->spool, c->state)) == -1)
		total_trouble(r->total, EX_TEMPFAIL, "%s: cannot be removed: %s; it is on hold",
		    c->id.s, strerror(errno));
	else if (state != SPOOL_HOLD && spool_rename(sp, id.s, SPOOL_HOLD, state) == -1)
		total_trouble(r->total, EX_TEMPFAIL, "%s", sp->error);
	else
		move_note(r, id.s, "imported from");
}

/* As an entry of the queue that it is going to be. */
static bool
selected(const struct run *r, struct entry *e, enum claim_result result)
{
	const struct claim *c = &e->claim;

	e->label = result == CLAIM_DAMAGED     ? LABEL_DAMAGED
		   : c->state == SPOOL_HOLD    ? LABEL_HOLD
		   : c->state == SPOOL_FAILED  ? LABEL_FAILED
		   : never_tried(&c->envelope) ? LABEL_INCOMING
					       : LABEL_DEFERRED;
	e->arrived = result == CLAIM_OK ? c->envelope.arrived : (uint64_t)c->st.st_mtime * 1000000;
	return select_entry(&r->options->selection, e, r->now);
}

/* Whether it is there. */
static bool
import_file(
    struct run *r, struct spool *from, enum spool_state state, const char *name, struct spool *sp)
{
	bool dry = r->options->dry_run;
	struct entry e = {0};
	struct claim *c = &e.claim;
	enum claim_result result = claim_open(c, from, state, name, dry ? CLAIM_LOOK : CLAIM_STEER);

	if (result == CLAIM_BUSY)
		total_trouble(
		    r->total, EX_TEMPFAIL, "%s/%s: somebody else has it", from->path, name);
	else if (result == CLAIM_ERROR)
		total_trouble(r->total, total_sysexit(errno), "%s", from->error);
	else if (result == CLAIM_GONE || !selected(r, &e, result))
		;
	else if (result == CLAIM_DAMAGED)
		total_trouble(r->total, EX_DATAERR, "%s/%s: refused: %s", from->path, name, c->why);
	else if (dry)
		move_note(r, name, "would be imported from");
	else
		import_one(r, c, sp);
	claim_close(c);
	return result != CLAIM_GONE;
}

static void
import_state(struct run *r, struct spool *from, enum spool_state state, struct spool *sp)
{
	struct scan scan;
	char name[16];

	if (scan_open(&scan, from, state) == -1) {
		total_trouble(r->total, total_sysexit(errno), "%s", from->error);
		return;
	}
	while (scan_name(&scan, name) == 1)
		import_file(r, from, state, name, sp);
	scan_close(&scan);
}

static void
import_files(struct run *r, int fd, struct spool *sp)
{
	const struct selection *s = &r->options->selection;
	struct spool from;

	if (carry_open(&from, fd, r->options->dir) == -1) {
		move_trouble(r, "cannot be imported");
		return;
	}
	for (size_t i = 0; i < MOVE_STATES; i++)
		if (s->nids == 0)
			import_state(r, &from, move_states[i], sp);
	for (unsigned n = 0; n < s->nids; n++)
		for (size_t i = 0; i < MOVE_STATES && !r->found[n]; i++)
			r->found[n] = import_file(r, &from, move_states[i], s->ids[n], sp);
	spool_close(&from);
}

/* The news of it, as after a post. */
static void
tell_flusher(struct run *r, struct spool *sp)
{
	struct wake w = steer_wake(r, sp);

	w.start = r->settings->queue_deliver != DELIVER_QUEUE;
	if (((struct steer *)r->memory)->done > 0)
		wake_news(&w, POKE_LOOK);
}

/* fd is taken over. As the owner. */
static void
import_dir(struct run *r, int fd)
{
	bool dry = r->options->dry_run, mail = maildir_is(fd);
	char home_state[PATH_MAX];
	struct spool sp;

	if (!dry && spool_open(&sp, r->settings->queue_dir, r->root ? NULL : host_state(home_state),
			SPOOL_CREATE) == -1) {
		total_trouble(r->total, total_sysexit(errno), "%s", sp.error);
		close(fd);
		return;
	}
	if (mail)
		import_maildir(r, fd, &sp);
	else
		import_files(r, dup(fd), &sp);
	close(fd);
	if (dry)
		return;
	steer_sync(r, &sp);
	tell_flusher(r, &sp);
	spool_close(&sp);
}

/* Root reads nothing of an owner's: a child does that has become him. fd is taken over. */
static void
import_as(struct run *r, uid_t owner, int fd)
{
	int status = 0;
	pid_t pid;

	total_flush(r->total);
	if ((pid = fork()) == 0) {
		if (become(owner) == -1)
			move_trouble(r, "cannot become its owner");
		else
			import_dir(r, fd);
		total_flush(r->total);
		_exit(EX_OK);
	}
	close(fd);
	if (pid == -1 || waitpid(pid, &status, 0) == -1 || status != 0)
		total_trouble(r->total, EX_OSERR, "%s: what is uid %u's was not imported",
		    r->options->dir, (unsigned)owner);
}

static int
import_owner(void *arg, const char *name, uid_t owner)
{
	struct run *r = arg;
	int dir = open(r->options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = dir != -1 ? move_open(dir, name) : -1;

	close(dir);
	if (fd != -1)
		import_as(r, owner, fd);
	return 0;
}

int
import_run(struct run *r)
{
	int fd = open(r->options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		move_trouble(r, "cannot be opened");
	else if (r->root && maildir_is(fd) && st.st_uid != 0)
		import_as(r, st.st_uid, fd);
	else {
		if (r->root)
			spool_owners(r->options->dir, import_owner, r);
		import_dir(r, fd);
	}
	walk_missing(r, "there");
	move_end(r, "Imported");
	return r->total->status;
}
