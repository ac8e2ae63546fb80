/* SPDX-License-Identifier: ISC */
/*
 * lib/spool with each of its system calls failing in turn: what is said then, and what is left in the
 * spool.
 */
#include "faulty.h"

#include <bsd/string.h>

#include "mail/journal.h"
#include "spool/carry.h"
#include "spool/claim.h"
#include "spool/draft.h"
#include "spool/owners.h"
#include "spool/removals.h"
#include "spool/scan.h"
#include "spool/spool.h"
#include "spool/tally.h"
#include "spool/usage.h"
#include "tap.h"

static const int faults[] = {EIO, ENOSPC, EACCES, EPERM, EROFS, EINVAL, EAGAIN, EINTR, HALF, NONE};

static char top[] = "/tmp/pillarbox-faults-XXXXXX";
static char base[64];      /* of this trial */
static struct spool sp;    /* of this trial, below base */
static struct queue_id id; /* of the message in it */

#define SMALL "Subject: x\r\n\r\nhello\r\n"
static char large[3 * DRAFT_BUFFER + 17];

static int
post(struct spool *where, const char *text, size_t len, bool again)
{
	static uint64_t now = 1764000000000000; /* two of one moment may get the same ID */
	struct envelope e = {.arrived = now += 4, .from = strdup("a@b")};
	struct buf lines = BUF_INIT(4096);
	struct draft d, old = {.fd = -1};
	char back[64];
	int r = -1;

	envelope_add(&e, "c@d");
	envelope_add(&e, "e@f");
	journal_add_word(&lines, 1764000000, 0, JOURNAL_TOLD, "x");
	if (draft_open(&d, where, e.arrived) == 0) {
		id = e.id = d.id;
		if (draft_journal(&d, &lines) == 0 && draft_head(&d, &e) == 0 &&
		    draft_write(&d, text, len) == 0 &&
		    (!again || (draft_read(&d, back, sizeof(back), 0) != -1 &&
				   draft_again(&d, &old) == 0 && draft_head(&d, &e) == 0 &&
				   draft_write(&d, text, len) == 0)))
			r = draft_commit(&d, &e);
	}
	draft_abandon(&old);
	if (r == -1)
		draft_abandon(&d);
	buf_free(&lines);
	envelope_free(&e);
	return r;
}

/* Files in a state, whatever they are. */
static int
files(enum spool_state state)
{
	struct scan_entry entry;
	struct scan s;
	int n = 0;

	scan_open(&s, &sp, state);
	while (scan_next(&s, &entry) == 1)
		n++;
	scan_close(&s);
	return n;
}

static int
queued(void)
{
	return files(SPOOL_NEW) + files(SPOOL_CUR) + files(SPOOL_HOLD) + files(SPOOL_FAILED);
}

/* The message that a trial began with, or posted, is in this state, with its last octet. */
static bool
whole(enum spool_state state)
{
	struct claim c;
	char last[1];
	bool good = claim_open(&c, &sp, state, id.s, CLAIM_WORK) == CLAIM_OK &&
		    claim_read(&c, last, 1, c.envelope.size - 1) == 1 && *last == '\n';

	claim_close(&c);
	return good;
}

static bool
whole_somewhere(void)
{
	return queued() == 1 && (whole(SPOOL_NEW) || whole(SPOOL_CUR) || whole(SPOOL_HOLD));
}

/* What a trial does. 0; -1 when something failed, with errno. */

static int
do_open(void)
{
	spool_close(&sp);
	return spool_open(&sp, base, NULL, SPOOL_CREATE);
}

static int
do_open_home(void)
{
	char home[96];

	spool_close(&sp);
	snprintf(home, sizeof(home), "%s/home/state/pillarbox", base);
	return spool_open(&sp, "/nonexistent/queue", home, SPOOL_CREATE);
}

static void
unmade(void)
{
	strlcat(base, "/made", sizeof(base));
}

static void
squat(void)
{
	char name[96];

	snprintf(name, sizeof(name), "%s/%u", base, (unsigned)geteuid());
	if (symlink("/tmp", name) == -1)
		abort();
}

static int
do_open_named(void)
{
	char name[16];

	spool_close(&sp);
	snprintf(name, sizeof(name), "%u", (unsigned)geteuid());
	return spool_open_named(&sp, base, name);
}

static int
do_post(void)
{
	return post(&sp, SMALL, strlen(SMALL), false);
}

static int
do_post_large(void)
{
	return post(&sp, large, sizeof(large), false);
}

static int
do_post_again(void)
{
	return post(&sp, SMALL, strlen(SMALL), true);
}

/* A message, with a journal whose last line is torn; the directories of states are not open. */
static void
with_message(void)
{
	int fd;

	if (spool_open(&sp, base, NULL, SPOOL_CREATE) == -1 || do_post() == -1)
		abort();
	fd = openat(spool_dir(&sp, SPOOL_NEW), id.s, O_WRONLY | O_APPEND);
	if (write(fd, "@1764000061 1 5.", 16) != 16)
		abort();
	close(fd);
	spool_close(&sp);
	if (spool_open(&sp, base, NULL, 0) == -1)
		abort();
}

static void
without_message(void)
{
	if (spool_open(&sp, base, NULL, SPOOL_CREATE) == -1)
		abort();
}

static bool appended; /* said so, and synced */

static int
do_attempt(void)
{
	struct outcome o = {.status = STATUS(2, 0, 0), .text = "250 ok"};
	struct buf lines = BUF_INIT(4096);
	struct claim c;
	int r = -1;

	journal_add(&lines, 1764000060, 0, &o);
	appended = false;
	if (claim_open(&c, &sp, SPOOL_NEW, id.s, CLAIM_WORK) == CLAIM_OK) {
		appended = claim_append(&c, &lines, true) == 0;
		if (appended && claim_defer(&c, 1764009999) == 0)
			r = 0;
	}
	claim_close(&c);
	buf_free(&lines);
	return r;
}

static int
do_steer(void)
{
	struct claim c;
	int r = -1;

	if (claim_open(&c, &sp, SPOOL_NEW, id.s, CLAIM_STEER) == CLAIM_OK)
		r = claim_move(&c, SPOOL_HOLD);
	claim_close(&c);
	return r;
}

static int
do_remove(void)
{
	struct removals removals = {0};
	struct claim c;
	int r = -1;

	if (claim_open(&c, &sp, SPOOL_NEW, id.s, CLAIM_WORK) == CLAIM_OK)
		r = claim_remove(&c);
	claim_close(&c);
	if (r == 0) {
		removals_add(&removals, SPOOL_NEW, 1);
		r = removals_sync(&removals, &sp);
	}
	return r;
}

static struct queue_id other = {"0000000000AA"};

static int
do_carry(void)
{
	struct spool to;
	struct claim c;
	int r = -1, fd;

	mkdirat(sp.fd, "elsewhere", 0700);
	fd = openat(sp.fd, "elsewhere", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (carry_open(&to, fd, "elsewhere") == 0 &&
	    claim_open(&c, &sp, SPOOL_NEW, id.s, CLAIM_STEER) == CLAIM_OK) {
		r = carry_copy(&c, &to, SPOOL_CUR, other);
		if (r == 0)
			carry_same(&c, &to, SPOOL_CUR);
		claim_close(&c);
	} else if (to.state[SPOOL_CUR] != -1)
		claim_close(&c);
	spool_close(&to);
	return r;
}

static int
one_owner(void *arg, const char *name, uid_t owner)
{
	(void)name;
	*(unsigned *)arg += owner == geteuid();
	return 0;
}

/* What only looks: it fails or is right, or is silent about it by its header. */
static int
do_look(void)
{
	unsigned owners = 0;
	struct usage u;
	int fd, r = 0;

	if (usage_count(&u, &sp, 0, 0) == -1 || spool_owners(base, one_owner, &owners) == -1 ||
	    spool_writable(&sp) == -1)
		r = -1;
	spool_sweep(&sp, 1);
	spool_flusher_alive(&sp);
	if ((fd = spool_lock(&sp)) != -1)
		close(fd);
	return fd == -1 ? -1 : r;
}

static int
do_tally(void)
{
	struct tally t = {.changed = true};

	counts_add(&t.counts, "x.example", STATUS(2, 0, 0), false, 1764000000);
	tally_write(&t, &sp, 5000);
	tally_begin(&t, &sp);
	return 0;
}

/* What must be true after it, with r. */

static bool
good_open(int r)
{
	if (r == 0)
		return post(&sp, SMALL, strlen(SMALL), false) == 0;
	return sp.fd == -1 && sp.error[0] != '\0';
}

/* One that failed leaves nothing that a second one would stumble over. */
static bool
good_open_twice(int r)
{
	if (!good_open(r))
		return false;
	spool_close(&sp);
	return spool_open(&sp, base, NULL, SPOOL_CREATE) == 0 && good_open(0);
}

static bool
good_post(int r)
{
	if (r == 0)
		return whole(SPOOL_NEW) && queued() == 1 && files(SPOOL_TMP) == 0;
	/* What could not be taken out again is swept one day. */
	return queued() == 0 && sp.error[0] != '\0' &&
	       (files(SPOOL_TMP) == 0 || strcmp(fails, "unlinkat") == 0);
}

static bool
good_attempt(int r)
{
	struct claim c;
	bool good = whole_somewhere() && (r == -1 || whole(SPOOL_CUR));

	if (good && appended) {
		good = claim_open(&c, &sp, whole(SPOOL_CUR) ? SPOOL_CUR : SPOOL_NEW, id.s,
			   CLAIM_WORK) == CLAIM_OK &&
		       c.envelope.rcpt[0].status.class == 2;
		claim_close(&c);
	}
	return good;
}

static bool
good_steer(int r)
{
	return whole_somewhere() && (r == -1 || whole(SPOOL_HOLD));
}

static bool
good_remove(int r)
{
	if (queued() == 0)
		return r == 0 || strcmp(fails, "fsync") == 0;
	return r == -1 && whole_somewhere();
}

static bool
good_carry(int r)
{
	int fd = openat(sp.fd, "elsewhere", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct spool to;
	struct claim c;
	bool good = whole_somewhere();

	if (fd == -1 || !good)
		return good && r == -1;
	carry_open(&to, fd, "elsewhere");
	/* Whole there, or nothing; said to be there only when it is. */
	good = claim_open(&c, &to, SPOOL_CUR, other.s, CLAIM_LOOK) == CLAIM_OK || r == -1;
	claim_close(&c);
	spool_close(&to);
	return good;
}

static bool
good_look(int r)
{
	return r == -1 || whole_somewhere();
}

/* A trial that says 0 though a call failed is one that has another way. */
static const struct {
	const char *name;
	void (*prepare)(void);
	int (*run)(void);
	bool (*good)(int r);
} trials[] = {
    {"a spool is made", NULL, do_open, good_open_twice},
    {"a queue directory is made", unmade, do_open, good_open},
    {"a spool at home is made", NULL, do_open_home, good_open},
    {"a spool beside a squatted name is made", squat, do_open, good_open_twice},
    {"a spool is opened by its name", without_message, do_open_named, good_open},
    {"a post", without_message, do_post, good_post},
    {"a large post", without_message, do_post_large, good_post},
    {"a post that is begun anew", without_message, do_post_again, good_post},
    {"an attempt is noted", with_message, do_attempt, good_attempt},
    {"a message is put on hold", with_message, do_steer, good_steer},
    {"a message is removed", with_message, do_remove, good_remove},
    {"a message is copied elsewhere", with_message, do_carry, good_carry},
    {"a spool is looked at", with_message, do_look, good_look},
    {"counts are kept", with_message, do_tally, good_look},
};

/* One trial. Whether all was right; *over: there is no call left to fail. */
static bool
try_one(size_t t, int call, int with, bool *over)
{
	static unsigned serial;
	int before = descriptors(), r;
	bool good;

	snprintf(base, sizeof(base), "%s/%u", top, serial++);
	if (mkdir(base, 0700) == -1)
		abort();
	memset(&sp, 0, sizeof(sp));
	sp.fd = sp.state[0] = sp.state[1] = sp.state[2] = sp.state[3] = sp.state[4] = -1;
	if (trials[t].prepare != NULL)
		trials[t].prepare();
	fails = NULL;
	turn = call;
	fault = with;
	r = trials[t].run();
	*over = turn > 0;
	turn = 0;
	good = trials[t].good(r) && (!*over || r == 0);
	spool_close(&sp);
	good = good && descriptors() == before;
	if (!good)
		printf("# %s: call %d, %s, with %d (%s): %d, errno %d, %d descriptors more: %s\n",
		    trials[t].name, call, fails != NULL ? fails : "none", with,
		    with > 0 ? strerror(with) : "short", r, errno, descriptors() - before,
		    sp.error);
	return good;
}

int
main(void)
{
	char command[64];

	umask(077);
	memset(large, 'x', sizeof(large));
	large[sizeof(large) - 1] = '\n';
	if (mkdtemp(top) == NULL)
		return 1;
	for (size_t t = 0; t < sizeof(trials) / sizeof(trials[0]); t++) {
		int wrong = 0, n = 0;

		for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]); f++) {
			bool over = false;
			for (int call = 1; !over; call++, n++)
				wrong += !try_one(t, call, faults[f], &over);
		}
		ok(wrong == 0, "%s: %d faults", trials[t].name, n);
	}
	snprintf(command, sizeof(command), "rm -rf %s", top);
	ok(system(command) == 0, "cleaned up");
	return done();
}
