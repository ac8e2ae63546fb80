/* SPDX-License-Identifier: ISC */
/* lib/spool on a real directory: open, draft, claim, scan, sweep. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mail/journal.h"
#include "spool/claim.h"
#include "spool/draft.h"
#include "spool/removals.h"
#include "spool/scan.h"
#include "spool/spool.h"
#include "tap.h"

#define MESSAGE "Subject: x\r\n\r\nhello\r\n"

static char top[] = "/tmp/pillarbox-spool-XXXXXX";

static int
post(struct spool *sp, struct queue_id *id, const char *text, size_t len)
{
	static uint64_t now = 1764000000000000; /* two of one moment may get the same ID */
	struct envelope e = {.arrived = now += 4, .from = strdup("a@b")};
	struct draft d;
	int r = -1;

	envelope_add(&e, "c@d");
	envelope_add(&e, "e@f");
	if (draft_open(&d, sp, e.arrived) == 0) {
		*id = e.id = d.id;
		if (draft_head(&d, &e) == 0 && draft_write(&d, text, len) == 0)
			r = draft_commit(&d, &e);
	}
	if (r == -1)
		draft_abandon(&d);
	envelope_free(&e);
	return r;
}

static size_t
count(struct spool *sp, enum spool_state state)
{
	struct scan_entry entry;
	struct scan s;
	size_t n = 0;

	scan_open(&s, sp, state);
	while (scan_next(&s, &entry) == 1)
		n++;
	scan_close(&s);
	return n;
}

static void
test_open(struct spool *sp)
{
	struct stat st;

	ok(spool_open(sp, top, NULL, 0) == -1 && errno == ENOENT, "no spool yet");
	ok(spool_open(sp, top, NULL, SPOOL_CREATE) == 0, "made: %s", sp->error);
	ok(fstat(sp->fd, &st) == 0 && (st.st_mode & 07777) == 0700, "for us alone");
	for (int i = 0; i < SPOOL_STATES; i++)
		ok(spool_dir(sp, (enum spool_state)i) != -1, "%s/",
		    spool_state_name((enum spool_state)i));
}

static void
test_refused(void)
{
	char home[64], loose[64];
	struct spool sp;

	snprintf(loose, sizeof(loose), "%s/loose", top);
	snprintf(home, sizeof(home), "%s/home/state/pillarbox", top);
	mkdir(loose, 0700);
	chmod(loose, 0777);
	ok(spool_open(&sp, loose, NULL, SPOOL_CREATE) == -1 && errno == EPERM &&
		strstr(sp.error, "sticky") != NULL,
	    "a directory of all, not sticky, is refused: %s", sp.error);
	ok(spool_open(&sp, "/nonexistent/queue", NULL, SPOOL_CREATE) == -1 &&
		strstr(sp.error, "/nonexistent/queue") != NULL && strstr(sp.error, "uid") != NULL,
	    "a missing one is named with the uid: %s", sp.error);
	ok(spool_open(&sp, "/nonexistent/queue", home, SPOOL_CREATE) == 0 &&
		strcmp(sp.path, home) == 0,
	    "… and the one at home taken");
	spool_close(&sp);
}

/* Somebody put a file, or a directory open to all, where ours should be. */
static void
test_squatted(void)
{
	char dir[64], name[96];
	struct spool sp;
	char path[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/squat", top);
	mkdir(dir, 0700);
	snprintf(name, sizeof(name), "%s/%u", dir, (unsigned)geteuid());
	ok(symlink("/tmp", name) == 0, "a link in our place");
	ok(spool_open(&sp, dir, NULL, SPOOL_CREATE) == 0, "a squatted name: another is made");
	ok(strncmp(sp.path, name, strlen(name)) == 0 && strlen(sp.path) == strlen(name) + 17,
	    "with a suffix: %s", sp.path);
	ok(strstr(sp.notice, name) != NULL, "and said: %s", sp.notice);
	strcpy(path, sp.path);
	spool_close(&sp);
	ok(spool_open(&sp, dir, NULL, SPOOL_CREATE) == 0 && strcmp(sp.path, path) == 0,
	    "found again");
	spool_close(&sp);
}

static void
test_round_trip(struct spool *sp)
{
	struct queue_id id;
	struct claim c;
	char text[64];

	ok(post(sp, &id, MESSAGE, strlen(MESSAGE)) == 0, "posted: %s", sp->error);
	ok(count(sp, SPOOL_NEW) == 1 && count(sp, SPOOL_TMP) == 0, "in new/, nothing in tmp/");
	ok(claim_open(&c, sp, SPOOL_NEW, id.s, CLAIM_WORK) == CLAIM_OK, "claimed");
	is_int((long long)c.envelope.size, (long long)strlen(MESSAGE), "its size was filled in");
	is_int(claim_read(&c, text, sizeof(text), 0), (long long)strlen(MESSAGE), "read");
	is_mem(text, strlen(MESSAGE), MESSAGE, strlen(MESSAGE), "octet for octet");
	is_int(claim_read(&c, text, sizeof(text), 9999), 0, "nothing behind its end");
	ok(claim_pending(&c) == 2, "both recipients are pending");

	struct claim other;
	ok(claim_open(&other, sp, SPOOL_NEW, id.s, CLAIM_WORK) == CLAIM_BUSY, "not claimed twice");
	claim_close(&other);
	ok(claim_open(&other, sp, SPOOL_NEW, id.s, CLAIM_LOOK) == CLAIM_OK && other.active,
	    "seen to be active");
	claim_close(&other);
	claim_close(&c);
}

static void
test_journal(struct spool *sp)
{
	struct buf lines = BUF_INIT(4096);
	struct outcome o = {.status = STATUS(2, 0, 0), .text = "250 ok"};
	struct queue_id id;
	struct claim c;
	int fd;

	post(sp, &id, MESSAGE, strlen(MESSAGE));
	claim_open(&c, sp, SPOOL_NEW, id.s, CLAIM_WORK);
	journal_add(&lines, 1764000060, 0, &o);
	ok(claim_append(&c, &lines, true) == 0, "appended: %s", sp->error);
	ok(claim_defer(&c, 1764009999) == 0, "deferred: %s", sp->error);
	claim_close(&c);
	claim_open(&c, sp, SPOOL_CUR, id.s, CLAIM_LOOK);
	is_int(c.st.st_mtime, 1764009999, "mtime is the next attempt");
	claim_close(&c);

	fd = openat(spool_dir(sp, SPOOL_CUR), id.s, O_WRONLY | O_APPEND);
	ok(fd != -1 && write(fd, "@1764000061 1 5.", 16) == 16, "a torn line is left behind");
	close(fd);
	ok(claim_open(&c, sp, SPOOL_CUR, id.s, CLAIM_WORK) == CLAIM_OK, "claimed in cur/");
	ok(c.envelope.rcpt[0].status.class == 2 && claim_pending(&c) == 1,
	    "the first is delivered, the second pending");
	buf_clear(&lines);
	o.status = STATUS(5, 1, 1);
	journal_add(&lines, 1764000062, 1, &o);
	ok(claim_append(&c, &lines, true) == 0, "appended behind the torn line");
	claim_close(&c);
	claim_open(&c, sp, SPOOL_CUR, id.s, CLAIM_WORK);
	ok(claim_pending(&c) == 0 && c.envelope.rcpt[1].status.class == 5, "and read back");
	ok(claim_move(&c, SPOOL_FAILED) == 0 && count(sp, SPOOL_FAILED) == 1, "moved to failed/");
	ok(claim_remove(&c) == 0 && count(sp, SPOOL_FAILED) == 0, "removed");
	claim_close(&c);
	buf_free(&lines);
}

/* For what must succeed for the test to mean anything. */
static void
must(int r)
{
	if (r == -1) {
		perror("spool.t");
		exit(1);
	}
}

static void
damage_cut(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR);
	struct stat st;

	fstat(fd, &st);
	if (ftruncate(fd, st.st_size - 1) == -1)
		abort();
	close(fd);
}

static void
damage_link(int dir, const char *name)
{
	must(linkat(dir, name, dir, "other", 0));
}

static void
damage_mode(int dir, const char *name)
{
	must(fchmodat(dir, name, 0666, 0));
}

static void
damage_symlink(int dir, const char *name)
{
	renameat(dir, name, dir, "moved");
	must(symlinkat("moved", dir, name));
}

static void
damage_fifo(int dir, const char *name)
{
	unlinkat(dir, name, 0);
	mkfifoat(dir, name, 0600);
}

static void
damage_head(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY);

	if (pwrite(fd, "X", 1, 0) != 1)
		abort();
	close(fd);
}

static void
damage_empty(int dir, const char *name)
{
	close(openat(dir, name, O_WRONLY | O_TRUNC));
}

static const struct {
	const char *name;
	void (*damage)(int dir, const char *name);
	const char *why;
} damages[] = {
    {"cut short", damage_cut, "shorter than its head says"},
    {"linked", damage_link, "has more than one link"},
    {"writable by others", damage_mode, "writable by others"},
    {"a symbolic link", damage_symlink, "a symbolic link"},
    {"a fifo", damage_fifo, "not a regular file"},
    {"another head", damage_head, "not a spool file"},
    {"empty", damage_empty, "the head is not whole"},
};

static void
test_damaged(struct spool *sp)
{
	int dir = spool_dir(sp, SPOOL_HOLD);

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct queue_id id;
		struct claim c;
		post(sp, &id, MESSAGE, strlen(MESSAGE));
		spool_rename(sp, id.s, SPOOL_NEW, SPOOL_HOLD);
		damages[i].damage(dir, id.s);
		ok(claim_open(&c, sp, SPOOL_HOLD, id.s, CLAIM_WORK) == CLAIM_DAMAGED &&
			strcmp(c.why, damages[i].why) == 0,
		    "%s: left alone: %s", damages[i].name, c.why);
		claim_close(&c);
		unlinkat(dir, id.s, 0);
		unlinkat(dir, "other", 0);
		unlinkat(dir, "moved", 0);
	}
	struct claim c;
	ok(claim_open(&c, sp, SPOOL_NEW, "0000000000ZZ", CLAIM_WORK) == CLAIM_GONE, "gone");
	claim_close(&c);
}

/* Larger than every buffer on the way. */
static void
test_large(struct spool *sp)
{
	size_t len = 3 * DRAFT_BUFFER + 17;
	char *text = malloc(len), *back = malloc(len);
	struct queue_id id;
	struct claim c;

	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + i % 26);
	ok(post(sp, &id, text, len) == 0, "a large message");
	ok(claim_open(&c, sp, SPOOL_NEW, id.s, CLAIM_WORK) == CLAIM_OK, "claimed");
	ok(claim_read(&c, back, len, 0) == (ssize_t)len && memcmp(text, back, len) == 0,
	    "octet for octet");
	claim_remove(&c);
	claim_close(&c);
	free(text);
	free(back);
}

static void
test_abandon(struct spool *sp)
{
	struct envelope e = {.arrived = 1, .from = strdup("")};
	struct draft d, twin;

	envelope_add(&e, "a@b");
	ok(draft_open(&d, sp, 1) == 0, "a draft");
	ok(draft_open_as(&twin, sp, d.id) == -1 && errno == EEXIST, "its name is taken");
	draft_abandon(&twin);
	ok(faccessat(spool_dir(sp, SPOOL_TMP), d.id.s, F_OK, 0) == 0, "and left to its maker");
	e.id = d.id;
	draft_head(&d, &e);
	draft_abandon(&d);
	ok(faccessat(spool_dir(sp, SPOOL_TMP), d.id.s, F_OK, 0) == -1,
	    "abandoned: nothing is left");
	envelope_free(&e);
}

static void
test_sweep(struct spool *sp)
{
	int dir = spool_dir(sp, SPOOL_TMP);
	int64_t now = (int64_t)time(NULL);

	close(openat(dir, "0000000000AA", O_CREAT | O_WRONLY, 0600));
	is_int(spool_sweep(sp, now), 0, "what is new in tmp/ stays");
	is_int(spool_sweep(sp, now + SPOOL_TMP_AGE + 10), 1, "what is old is swept");
}

static void
test_lock(struct spool *sp)
{
	int lock, status;

	ok(!spool_flusher_alive(sp), "no flusher");
	lock = spool_lock(sp);
	ok(lock != -1 && spool_flusher_alive(sp), "one");
	if (fork() == 0)
		_exit(spool_lock(sp) == -1 && errno == EWOULDBLOCK ? 0 : 1);
	wait(&status);
	ok(status == 0, "and not another");
	close(lock);
	ok(!spool_flusher_alive(sp), "none again");
}

static void
test_junk(struct spool *sp)
{
	struct scan_entry entry;
	struct scan s;
	struct queue_id id;

	post(sp, &id, MESSAGE, strlen(MESSAGE));
	close(openat(spool_dir(sp, SPOOL_NEW), "README\033", O_CREAT | O_WRONLY, 0600));
	mkdirat(spool_dir(sp, SPOOL_NEW), "sub", 0700);
	scan_open(&s, sp, SPOOL_NEW);
	while (scan_next(&s, &entry) == 1)
		;
	ok(s.junk == 2 && strchr(s.example, '\033') == NULL, "junk is counted and passed over");
	scan_close(&s);
}

static void
test_removals(struct spool *sp)
{
	struct removals r = {0};

	is_int(removals_wait(&r, 5000, 7000), 7000, "nothing was removed, nothing is to sync");
	removals_add(&r, SPOOL_NEW, 5000);
	is_int(
	    removals_wait(&r, 5000, 50), 50, "something was, but there is something else before");
	is_int(removals_wait(&r, 5001, 7000), REMOVALS_PAUSE - 1, "a pause is waited for");
	is_int(removals_wait(&r, 5000 + REMOVALS_PAUSE, 7000), 0, "… until it is over");
	for (int64_t now = 5001; now < 5000 + REMOVALS_WAIT; now++)
		removals_add(&r, now % 2 == 0 ? SPOOL_NEW : SPOOL_CUR, now);
	is_int(removals_wait(&r, 4999 + REMOVALS_WAIT, 7000), 1, "where there is none, so long");
	is_int(removals_wait(&r, 9000 + REMOVALS_WAIT, 7000), 0, "time that is past is none");
	is_int(removals_sync(&r, sp), 0, "synced");
	is_int(removals_wait(&r, 9000, 7000), 7000, "… and nothing is left to sync");
}

int
main(void)
{
	struct spool sp;
	char command[64];

	umask(077);
	if (mkdtemp(top) == NULL)
		return 1;
	test_open(&sp);
	test_round_trip(&sp);
	test_journal(&sp);
	test_damaged(&sp);
	test_large(&sp);
	test_abandon(&sp);
	test_sweep(&sp);
	test_lock(&sp);
	test_junk(&sp);
	test_removals(&sp);
	spool_close(&sp);
	test_refused();
	test_squatted();
	snprintf(command, sizeof(command), "rm -rf %s", top);
	ok(system(command) == 0, "cleaned up");
	return done();
}
