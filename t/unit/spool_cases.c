/* SPDX-License-Identifier: ISC */
/* lib/spool where something odd lies: names, files and directories as nobody makes them. */
#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/journal.h"
#include "spool/carry.h"
#include "spool/claim.h"
#include "spool/draft.h"
#include "spool/owners.h"
#include "spool/spool.h"
#include "spool/tally.h"
#include "spool/usage.h"
#include "tap.h"

static char top[] = "/tmp/pillarbox-cases-XXXXXX";

/* For what must succeed for the test to mean anything. */
static void
must(int r)
{
	if (r == -1) {
		perror("spool_cases.t");
		exit(1);
	}
}

static void
make(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	must(fd);
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		must(-1);
	close(fd);
}

static struct queue_id
post(struct spool *sp, size_t recipients)
{
	static uint64_t now = 1764000000000000; /* two of one moment may get the same ID */
	struct envelope e = {.arrived = now += 4, .from = strdup("a@b")};
	char address[48];
	struct draft d;

	for (size_t i = 0; i < recipients; i++) {
		snprintf(address, sizeof(address), "recipient%zu@x.example", i);
		envelope_add(&e, address);
	}
	must(draft_open(&d, sp, e.arrived));
	e.id = d.id;
	must(draft_head(&d, &e));
	must(draft_write(&d, "x: y\r\n\r\n", 8));
	must(draft_commit(&d, &e));
	envelope_free(&e);
	return d.id;
}

/* Which names are spools', to root. */
static const struct {
	const char *name;
	bool spool;
} owners[] = {
    {"0", true},
    {"1000", true},
    {"4294967295", true},
    {"12345678901", false},
    {"1000.0123456789abcdef", true},
    {"1000.0123456789abcdeF", false},
    {"1000.0123456789abcde", false},
    {"1000.0123456789abcdefg", false},
    {"1000.", false},
    {"1000x0123456789abcdef", false},
    {"x1000", false},
    {"lost+found", false},
};

static int
note_owner(void *arg, const char *name, uid_t owner)
{
	char *seen = arg;

	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		if (strcmp(owners[i].name, name) == 0 && owner == geteuid())
			seen[i]++;
	return 0;
}

static int
stop(void *arg, const char *name, uid_t owner)
{
	(void)name;
	(void)owner;
	++*(int *)arg;
	return 7;
}

static void
test_owners(void)
{
	char dir[64], seen[sizeof(owners) / sizeof(owners[0])] = "";
	int fd, calls = 0;

	snprintf(dir, sizeof(dir), "%s/owners", top);
	must(mkdir(dir, 0700));
	must(fd = open(dir, O_RDONLY | O_DIRECTORY));
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		must(mkdirat(fd, owners[i].name, 0700));
	make(fd, "1001", "no directory");
	must(symlinkat("1000", fd, "1002"));
	ok(spool_owners(dir, note_owner, seen) == 0, "the owners");
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		ok(seen[i] == owners[i].spool, "%s is %s spool", owners[i].name,
		    owners[i].spool ? "a" : "no");
	ok(spool_owners(dir, stop, &calls) == 7 && calls == 1, "who has seen enough ends it");
	close(fd);
}

static void
test_paths(void)
{
	char dir[PATH_MAX + 64], home[64], file[64], name[96];
	struct spool sp;
	int fd;

	memset(dir, '/', sizeof(dir));
	memcpy(dir, top, strlen(top));
	dir[PATH_MAX - 2] = '\0';
	must(fd = open(top, O_RDONLY | O_DIRECTORY));
	make(fd, "file", "");
	snprintf(file, sizeof(file), "%s/file", top);
	snprintf(home, sizeof(home), "%s/nohome", top);
	ok(spool_open(&sp, dir, NULL, SPOOL_CREATE) == -1 && errno == ENAMETOOLONG,
	    "a queue directory whose name is too long");
	ok(spool_open_named(&sp, dir, "1000") == -1 && errno == ENAMETOOLONG, "… for root");
	dir[PATH_MAX - 2] = '/';
	dir[PATH_MAX + 8] = '\0';
	ok(spool_open(&sp, "/nonexistent/queue", dir, SPOOL_CREATE) == -1 && errno == ENOENT,
	    "a home whose name is too long is none");
	ok(spool_open(&sp, file, NULL, SPOOL_CREATE) == -1 && errno == ENOTDIR,
	    "a file as the queue directory: %s", sp.error);
	ok(spool_open(&sp, file, home, 0) == -1 && errno == ENOTDIR && access(home, F_OK) == -1,
	    "none at home is made for who only looks");
	ok(spool_open(&sp, "/nonexistent/queue", file, SPOOL_CREATE) == -1 && errno == ENOENT,
	    "a file as the home");
	ok(spool_open_named(&sp, top, "12345") == -1 && errno == ENOENT, "no such owner");
	ok(spool_open_named(&sp, top, "file") == -1 && errno == EPERM, "a file as an owner's");
	snprintf(name, sizeof(name), "%s/%u", top, (unsigned)geteuid());
	must(symlink("/tmp", name));
	ok(spool_open(&sp, top, NULL, 0) == -1 && errno == ENOENT, "squatted, and none of ours");
	ok(strstr(sp.notice, name) != NULL, "which is said: %s", sp.notice);
	must(unlink(name));
	close(fd);
}

/* Modes of an owner's directory. */
static const struct {
	mode_t mode;
	int error;
} modes[] = {{0700, 0}, {0755, 0}, {0711, 0}, {0770, EACCES}, {0702, EACCES}};

static void
test_modes(void)
{
	char name[96];
	struct spool sp;
	struct stat st;

	snprintf(name, sizeof(name), "%s/%u", top, (unsigned)geteuid());
	must(mkdir(name, 0700));
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		int r;

		must(chmod(name, modes[i].mode));
		r = spool_open(&sp, top, NULL, 0);
		must(stat(name, &st));
		ok(modes[i].error == 0 ? r == 0 && (st.st_mode & 0777) == 0700
				       : r == -1 && errno == modes[i].error,
		    "mode %o: %s", (unsigned)modes[i].mode, r == 0 ? "closed to others" : sp.error);
		if (r == 0)
			spool_close(&sp);
	}
	must(chmod(name, 0700));
}

static void
test_unwritable(void)
{
	static const int are[] = {EROFS, EACCES, EPERM, ENOENT, ENOTDIR, ELOOP};
	static const int are_not[] = {0, ENOSPC, EDQUOT, EIO, EMFILE, ENOMEM, EEXIST};

	for (size_t i = 0; i < sizeof(are) / sizeof(are[0]); i++)
		ok(spool_unwritable(are[i]), "another way may help: %s", strerror(are[i]));
	for (size_t i = 0; i < sizeof(are_not) / sizeof(are_not[0]); i++)
		ok(!spool_unwritable(are_not[i]), "none helps: %s", strerror(are_not[i]));
}

static void
test_claims(struct spool *sp)
{
	struct queue_id id = post(sp, 1), gone = post(sp, 1);
	struct buf lines = BUF_INIT(100);
	int new = spool_dir(sp, SPOOL_NEW);
	struct claim c;
	char text[64];

	ok(claim_open(&c, sp, SPOOL_NEW, "../../passwd", CLAIM_LOOK) == CLAIM_DAMAGED &&
		strstr(c.why, "queue ID") != NULL,
	    "a name that is none: %s", c.why);
	claim_close(&c);
	must(mkdirat(new, "0000000000AA", 0700));
	ok(claim_open(&c, sp, SPOOL_NEW, "0000000000AA", CLAIM_STEER) == CLAIM_DAMAGED,
	    "a directory, to be steered: %s", c.why);
	claim_close(&c);
	must(unlinkat(new, "0000000000AA", AT_REMOVEDIR));
	must(renameat(new, gone.s, new, "0000000000BB"));
	ok(claim_open(&c, sp, SPOOL_NEW, "0000000000BB", CLAIM_WORK) == CLAIM_DAMAGED,
	    "under another's name: %s", c.why);
	claim_close(&c);

	ok(claim_open(&c, sp, SPOOL_NEW, id.s, CLAIM_WORK) == CLAIM_OK, "claimed");
	ok(claim_read(&c, text, 3, 5) == 3 && memcmp(text, "\n\r\n", 3) == 0, "a part is read");
	must(renameat(new, "0000000000BB", new, id.s));
	journal_add_word(&lines, 1764000000, 0, JOURNAL_TOLD, "x");
	ok(claim_gone(&c), "another file has taken its name");
	ok(claim_append(&c, &lines, true) == -1 && errno == ESTALE,
	    "nothing is noted in that one: %s", sp->error);
	ok(claim_remove(&c) == 0 && claim_gone(&c) && claim_remove(&c) == 0,
	    "what is gone may be removed again");
	claim_close(&c);
	buf_free(&lines);
}

/* Larger than what is read at first; and a journal that nobody has written. */
static void
test_sizes(struct spool *sp)
{
	struct queue_id id = post(sp, 2000);
	struct claim c;
	int fd;

	ok(claim_open(&c, sp, SPOOL_NEW, id.s, CLAIM_WORK) == CLAIM_OK &&
		c.envelope.nrcpt == 2000 && c.message > 40000,
	    "two thousand recipients");
	claim_close(&c);
	must(fd = openat(spool_dir(sp, SPOOL_NEW), id.s, O_WRONLY));
	must(ftruncate(fd, 100000));
	ok(claim_open(&c, sp, SPOOL_NEW, id.s, CLAIM_WORK) == CLAIM_OK && claim_pending(&c) == 2000,
	    "zeros for a journal are none");
	claim_close(&c);
	must(ftruncate(fd, (off_t)CLAIM_JOURNAL_MAX + 200000));
	ok(claim_open(&c, sp, SPOOL_NEW, id.s, CLAIM_WORK) == CLAIM_DAMAGED,
	    "more of it than there may be: %s", c.why);
	claim_close(&c);
	close(fd);
	unlinkat(spool_dir(sp, SPOOL_NEW), id.s, 0);
}

static void
test_drafts(struct spool *sp)
{
	struct buf lines = BUF_INIT(2 * ENVELOPE_HEAD_MAX);
	struct envelope e = {.arrived = 1, .from = strdup("a@b")};
	struct queue_id id = post(sp, 1);
	struct draft d;

	envelope_add(&e, "c@d");
	must(draft_open_as(&d, sp, id));
	e.id = id;
	must(draft_head(&d, &e));
	ok(draft_write(&d, "", 0) == 0 && draft_size(&d) == 0, "nothing is written");
	ok(draft_commit(&d, &e) == -1 && errno == EEXIST, "new/ has this ID: %s", sp->error);
	draft_abandon(&d);
	ok(faccessat(spool_dir(sp, SPOOL_NEW), id.s, F_OK, 0) == 0, "which is left there");
	must(unlinkat(spool_dir(sp, SPOOL_NEW), id.s, 0));

	must(draft_open(&d, sp, 1));
	while (lines.len <= ENVELOPE_HEAD_MAX)
		buf_adds(
		    &lines, "0123456789012345678901234567890123456789012345678901234567890123");
	ok(draft_journal(&d, &lines) == -1, "a journal that is too large: %s", sp->error);
	draft_abandon(&d);
	envelope_free(&e);
	buf_free(&lines);
}

static void
test_usage(struct spool *sp)
{
	struct queue_id id = {""};
	struct usage u;

	for (int i = 0; i < 3; i++)
		id = post(sp, 1);
	must(spool_rename(sp, id.s, SPOOL_NEW, SPOOL_HOLD));
	ok(usage_count(&u, sp, 0, 0) == 0 && u.messages == 3 && u.octets > 300, "all are counted");
	ok(usage_count(&u, sp, 2, 0) == 0 && u.messages == 2, "as many as matter");
	ok(usage_count(&u, sp, 0, 1) == 0 && u.messages == 1, "or octets");
}

/* A file of counts that is not ours alone is not read. */
static void
test_tally(struct spool *sp)
{
	struct tally t = {.changed = true};
	struct counts c;

	ok(tally_read(&c, sp) == -1, "no counts yet");
	counts_add(&t.counts, "x.example", STATUS(2, 0, 0), false, 1764000000);
	tally_end(&t, sp);
	ok(tally_read(&c, sp) == 0, "written");
	must(fchmodat(sp->fd, TALLY_FILE, 0666, 0));
	ok(tally_read(&c, sp) == -1, "open to others");
	must(fchmodat(sp->fd, TALLY_FILE, 0600, 0));
	must(linkat(sp->fd, TALLY_FILE, sp->fd, "link", 0));
	ok(tally_read(&c, sp) == -1, "with two names");
	must(unlinkat(sp->fd, TALLY_FILE, 0));
	must(mkdirat(sp->fd, TALLY_FILE, 0700));
	ok(tally_read(&c, sp) == -1, "a directory");
	t.changed = true;
	tally_end(&t, sp);
	ok(!t.changed, "which is not written, either");
	must(unlinkat(sp->fd, TALLY_FILE, AT_REMOVEDIR));
	must(unlinkat(sp->fd, "link", 0));
}

static void
test_carry(struct spool *sp)
{
	struct queue_id id = post(sp, 1), other = {"0000000000CC"};
	struct spool to;
	struct claim c;
	int fd;

	must(mkdirat(sp->fd, "elsewhere", 0700));
	must(fd = openat(sp->fd, "elsewhere", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	must(carry_open(&to, fd, "elsewhere"));
	ok(claim_open(&c, sp, SPOOL_NEW, id.s, CLAIM_STEER) == CLAIM_OK, "to be carried");
	ok(carry_same(&c, &to, SPOOL_CUR) == -1 && errno == ENOENT, "it is not there");
	make(fd, id.s, "short");
	ok(carry_same(&c, &to, SPOOL_CUR) == 0, "another file is");
	must(symlinkat("nowhere", fd, other.s));
	ok(carry_copy(&c, &to, SPOOL_CUR, other) == -1 && errno == EEXIST,
	    "never over what has the name: %s", to.error);
	must(unlinkat(fd, other.s, 0));
	ok(carry_copy(&c, &to, SPOOL_CUR, other) == 0, "carried");
	must(renameat(fd, other.s, fd, id.s));
	ok(carry_same(&c, &to, SPOOL_CUR) == 0, "as long, with another ID inside");
	claim_close(&c);
	spool_close(&to);
}

int
main(void)
{
	char command[64];
	struct spool sp;

	umask(077);
	if (mkdtemp(top) == NULL)
		return 1;
	test_owners();
	test_paths();
	test_modes();
	test_unwritable();
	must(spool_open(&sp, top, NULL, SPOOL_CREATE));
	test_usage(&sp);
	test_claims(&sp);
	test_sizes(&sp);
	test_drafts(&sp);
	test_tally(&sp);
	test_carry(&sp);
	spool_close(&sp);
	snprintf(command, sizeof(command), "rm -rf %s", top);
	ok(system(command) == 0, "cleaned up");
	return done();
}
