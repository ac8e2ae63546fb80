/* SPDX-License-Identifier: ISC */
/* sendmail/due.c on a spool of its own. The walk needs names, sizes and times only. */
#include "due.c"

#include "mail/queue_id.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

#define NOW 1764000000

static char top[] = "/tmp/pillarbox-due-XXXXXX";
static struct spool sp;

static void
put_at(enum spool_state state, const char *name, int64_t mtime, long nanoseconds)
{
	struct timespec t[2] = {{0}, {.tv_sec = (time_t)mtime, .tv_nsec = nanoseconds}};
	int fd = openat(spool_dir(&sp, state), name, O_CREAT | O_WRONLY, 0600);

	futimens(fd, t);
	close(fd);
}

static void
put(enum spool_state state, const char *name, int64_t mtime)
{
	put_at(state, name, mtime, 0);
}

static void
put_aside(const char *name, int64_t mtime)
{
	put_at(SPOOL_CUR, name, mtime, SPOOL_ASIDE);
}

static void
take_away(enum spool_state state, const char *name)
{
	unlinkat(spool_dir(&sp, state), name, 0);
}

/* The IDs that are handed out now, the last letters of each. */
static const char *
handed_out(struct due *d, int64_t now)
{
	static char out[256];
	struct scan_entry e;
	enum spool_state state;

	out[0] = '\0';
	while (due_next(d, now, &state, &e))
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%c ",
		    e.name + QUEUE_ID_LEN - 2, state == SPOOL_NEW ? 'n' : 'c');
	return out;
}

/* Turns of a flusher until something is handed out or nothing is left to do. */
static const char *
first_handed_out(struct due *d, int64_t now)
{
	static char name[16];
	struct scan_entry e;
	enum spool_state state;

	do
		if (due_next(d, now, &state, &e)) {
			memcpy(name, e.name, sizeof(name));
			return name;
		}
	while (due_when(d) == 0);
	return "nothing";
}

/* What was set aside comes sooner than its time, beside what waits for a next attempt then. */
static void
recall(struct due *d)
{
	put_aside("0QK3ZP7V2MGG", NOW + 10);
	put_aside("0QK3ZP7V2MHH", NOW + 20);
	put(SPOOL_CUR, "0QK3ZP7V2MJJ", NOW + 10);
	take_away(SPOOL_NEW, "0QK3ZP7V2MEE");
	handed_out(d, NOW);
	ok(due_at_rest(d), "all is handed out");
	due_recall(d, NOW + 10);
	ok(!due_at_rest(d) && due_when(d) == 0, "a recall: at once");
	is(handed_out(d, NOW), "GGc ", "what was set aside until then, and nothing else");
	ok(due_at_rest(d), "and is over");
	is(handed_out(d, NOW), "", "once");
	is(handed_out(d, NOW + 10), "GGc JJc ", "at its time it is due like others");
	take_away(SPOOL_CUR, "0QK3ZP7V2MGG");
	take_away(SPOOL_CUR, "0QK3ZP7V2MHH");
	take_away(SPOOL_CUR, "0QK3ZP7V2MJJ");
	put(SPOOL_NEW, "0QK3ZP7V2MEE", NOW);
}

/* None of them due yet. */
static void
very_many(struct due *d)
{
	for (int i = 0; i < DUE_REST + 10; i++) {
		char name[32];
		snprintf(name, sizeof(name), "0QK3ZPX%05d", i);
		put(SPOOL_CUR, name, NOW + 120);
	}
	for (int i = 0; i < 600; i++) {
		char name[32];
		snprintf(name, sizeof(name), "0QK3ZP7V2%03d", i);
		take_away(SPOOL_NEW, name);
	}
	take_away(SPOOL_NEW, "0QK3ZP7V2MEE");
	take_away(SPOOL_CUR, "0QK3ZP7V2MCC");
	take_away(SPOOL_CUR, "0QK3ZP7V2MDD");

	due_init(d, &sp);
	d->horizon = 7260;
	is(handed_out(d, NOW), "", "very many wait");
	ok(d->walking && d->state == SPOOL_CUR, "they are not looked through at once");
	put(SPOOL_NEW, "0QK3ZP7V2MNN", NOW);
	due_new(d);
	is(handed_out(d, NOW), "NNn ", "what is new meanwhile does not wait for that");
	take_away(SPOOL_NEW, "0QK3ZP7V2MNN");
	is(first_handed_out(d, NOW), "nothing", "and the rest is looked through");
	ok(due_when(d) == NOW + 120, "to the end");

	put(SPOOL_CUR, "0QK3ZP7V2MPP", NOW);
	due_at(d, NOW);
	ok(due_when(d) == NOW + 1, "then there is a rest");
	is(first_handed_out(d, NOW), "nothing", "and nothing is looked through");
	is(first_handed_out(d, NOW + 1), "0QK3ZP7V2MPP", "until it is over");
	take_away(SPOOL_CUR, "0QK3ZP7V2MPP");
	is(first_handed_out(d, NOW + 1), "nothing", "all of them are seen");
	due_at(d, 0);
	ok(due_when(d) == 0, "who asks for a look waits for no rest");
	due_free(d);
}

int
main(void)
{
	char command[64];
	struct due d;

	umask(077);
	if (mkdtemp(top) == NULL || spool_open(&sp, top, NULL, SPOOL_CREATE) == -1)
		return 1;
	due_init(&d, &sp);
	d.horizon = 7260;
	is(handed_out(&d, NOW), "", "an empty spool");
	ok(due_when(&d) == INT64_MAX, "nothing waits");

	put(SPOOL_NEW, "0QK3ZP7V2MBB", NOW);
	put(SPOOL_NEW, "0QK3ZP7V2MAA", NOW);
	is(handed_out(&d, NOW), "", "nobody poked");
	due_new(&d);
	ok(due_when(&d) == 0, "a poke: at once");
	is(handed_out(&d, NOW), "AAn BBn ", "all of new/, by arrival");
	take_away(SPOOL_NEW, "0QK3ZP7V2MAA");
	take_away(SPOOL_NEW, "0QK3ZP7V2MBB");

	put(SPOOL_CUR, "0QK3ZP7V2MCC", NOW + 60);
	put(SPOOL_CUR, "0QK3ZP7V2MDD", NOW + 3600);
	due_at(&d, NOW + 60);
	is(handed_out(&d, NOW), "", "before its time");
	ok(due_when(&d) == NOW + 60, "… which is known");
	is(handed_out(&d, NOW + 60), "CCc ", "at its time");
	ok(due_when(&d) == NOW + 3600, "then the next is waited for");
	put(SPOOL_CUR, "0QK3ZP7V2MCC", NOW + 120);
	due_at(&d, NOW + 120);
	is(handed_out(&d, NOW + 60), "", "deferred");
	ok(due_when(&d) == NOW + 120, "the earliest counts");

	put(SPOOL_NEW, "0QK3ZP7V2MEE", NOW);
	is(handed_out(&d, NOW + 120), "CCc EEn ", "at each time new/ is looked at, too");
	put(SPOOL_CUR, "0QK3ZP7V2MCC", NOW + 240);
	due_at(&d, NOW + 240);

	unsigned run = due_run(&d);
	is(due_run(&d) == run ? "same" : "other", "same",
	    "two who ask before it begins share a run");
	is(handed_out(&d, NOW), "CCc DDc EEn ", "a run takes all, due or not");
	ok(d.runs_done == run, "and is over");

	due_at(&d, NOW + 240);
	is(handed_out(&d, NOW - 86400), "CCc DDc EEn ",
	    "a clock that was set back by a day stalls nothing");

	recall(&d);
	for (int i = 0; i < 600; i++) {
		char name[32];
		snprintf(name, sizeof(name), "0QK3ZP7V2%03d", i);
		put(SPOOL_NEW, name, NOW);
	}
	due_new(&d);
	struct scan_entry e;
	enum spool_state state;
	int n = 0;
	while (due_next(&d, NOW, &state, &e))
		n++;
	is_int(n, 601, "more than a batch: each once");
	due_free(&d);
	very_many(&d);
	spool_close(&sp);
	snprintf(command, sizeof(command), "rm -rf %s", top);
	ok(system(command) == 0, "cleaned up");
	return done();
}
