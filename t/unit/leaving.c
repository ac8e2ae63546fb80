/* SPDX-License-Identifier: ISC */
/*
 * A flusher that leaves, and posts that come at that moment: none may be left lying. Processes of
 * this program are the flushers, with all of flush's code; posting is a commit, a poke, and a new
 * flusher where nobody took it, as trigger.c has it. Nothing waits for time: a post is lost when no
 * flusher runs any more and it still lies in new/.
 *
 * Mail goes fast and far from any network: the settings name no usable relay, mail has no lifetime
 * and no sender, so what is taken ends in failed/. A flusher does not linger.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "run.h"
#include "spool/draft.h"
#include "spool/scan.h"
#include "sys/clock.h"
#include "sys/config.h"
#include "sys/log.h"
#include "tap.h"

/* Of each of two kinds. A sanitizer makes a fork dear. */
#ifdef __SANITIZE_ADDRESS__
#define ROUNDS 200
#else
#define ROUNDS 1000
#endif

/* In memory where it can be: it is processes that race, not disks. */
static char top[] = "/dev/shm/pillarbox-leaving-XXXXXX";
static struct spool sp;
static unsigned long posts;

static void
be_flusher(void)
{
	struct spool own;
	struct run_facts facts = {.spool = &own, .supervisor = -1, .starter = -1};

	if (spool_open(&own, top, NULL, 0) == -1)
		_exit(EX_TEMPFAIL);
	_exit(run_spool(&facts, NULL));
}

static pid_t
start(void)
{
	pid_t pid = fork();

	if (pid == 0)
		be_flusher();
	if (pid == -1) {
		printf("Bail out! no process can be had\n");
		exit(1);
	}
	return pid;
}

static void
commit(void)
{
	struct envelope e = {.uid = geteuid(), .arrived = clock_wall(), .from = (char *)""};
	struct draft d;

	envelope_add(&e, "r@x.example");
	if (draft_open(&d, &sp, e.arrived) == -1) {
		printf("Bail out! %s\n", sp.error);
		exit(1);
	}
	e.id = d.id;
	if (draft_head(&d, &e) == -1 || draft_write(&d, "\r\nhello\r\n", 9) == -1 ||
	    draft_commit(&d, &e) == -1) {
		printf("Bail out! %s\n", sp.error);
		exit(1);
	}
	e.from = NULL;
	envelope_free(&e);
	posts++;
}

/* Returns the flusher that it started, or 0. */
static pid_t
post(void)
{
	struct poke p = {.type = POKE_NEW};

	commit();
	return poke_send(sp.fd, POKE_SOCKET, &p, -1) == 0 ? 0 : start();
}

static void
reap(void)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static unsigned
count(enum spool_state state)
{
	struct scan_entry e;
	struct scan s;
	unsigned n = 0;

	if (scan_open(&s, &sp, state) == -1)
		return 0;
	while (scan_next(&s, &e) == 1)
		n++;
	scan_close(&s);
	return n;
}

static bool
listening(void)
{
	return faccessat(sp.fd, POKE_SOCKET, F_OK, 0) == 0;
}

/* Busy: a sleep would be longer than a flusher lives. */
static void
spin(int64_t microseconds)
{
	uint64_t end = clock_wall() + (uint64_t)microseconds;

	while (clock_wall() < end)
		;
}

/* A flusher at a random moment of its life, hit by a signal. */
static pid_t
hit(int sig, int64_t life)
{
	pid_t pid = post();

	if (pid == 0)
		return 0;
	spin(random() % (2 * life));
	kill(pid, sig);
	return pid;
}

/* Microseconds that a flusher lives, undisturbed. */
static int64_t
measure(void)
{
	int64_t least = INT64_MAX;

	for (int i = 0; i < 50; i++) {
		int64_t begin = (int64_t)clock_wall(), life;

		post();
		reap();
		life = (int64_t)clock_wall() - begin;
		least = life < least ? life : least;
	}
	return least;
}

/* What was left lying, once nobody runs; the next round begins without it. */
static unsigned
left(void)
{
	static unsigned all;
	unsigned n;

	reap();
	if ((n = count(SPOOL_NEW)) > 0) {
		if ((all += n) > 1000) {
			printf("Bail out! more than 1000 are left lying\n");
			exit(1);
		}
		start();
		reap();
	}
	return n;
}

/* The flusher goes on by itself: others post at about the time when it leaves. */
static void
test_free(int64_t life)
{
	unsigned lost = 0, started = 0;

	for (int i = 0; i < ROUNDS; i++) {
		post();
		for (int j = 0; j < 3; j++) {
			spin(random() % life);
			started += post() != 0;
		}
		lost += left();
	}
	printf("# %u of %d later posts found no flusher\n", started, 3 * ROUNDS);
	is_int(lost, 0, "posts that come as a flusher leaves");
}

/* It is held at some point while another one posts: as a busy machine would. */
static void
test_held(int64_t life)
{
	unsigned lost = 0, window = 0;

	for (int i = 0; i < ROUNDS || (window == 0 && i < 20 * ROUNDS); i++) {
		pid_t pid = hit(SIGSTOP, life);

		if (waitpid(pid, NULL, WUNTRACED) == pid) {
			window += !listening() && spool_flusher_alive(&sp);
			post();
			kill(pid, SIGCONT);
		}
		lost += left();
	}
	printf("# %u times where it has the lock and does not listen\n", window);
	ok(window > 0, "the moment between socket and lock is met");
	is_int(lost, 0, "posts while the flusher was held somewhere");
}

/*
 * It is killed, or told to leave, and then another one posts: as soon as nobody listens, since news
 * for one that is ending is for nobody.
 */
static void
test_killed(int64_t life)
{
	unsigned lost = 0;

	for (int i = 0; i < ROUNDS / 4; i++) {
		waitpid(hit(SIGKILL, life), NULL, 0);
		post();
		lost += left();
	}
	is_int(lost, 0, "posts behind one that was killed");
}

static void
test_told(int64_t life)
{
	unsigned lost = 0;

	for (int i = 0; i < ROUNDS / 4; i++) {
		pid_t pid = post();

		while (!listening() && waitpid(pid, NULL, WNOHANG) == 0)
			;
		spin(random() % life);
		if (pid > 0)
			kill(pid, SIGTERM);
		while (listening() && waitpid(pid, NULL, WNOHANG) == 0)
			;
		post();
		lost += left();
	}
	is_int(lost, 0, "posts behind one that was told to leave");
}

/* A flusher that is held where it has the lock and does not listen any more; 0: not met. */
static pid_t
hold_there(int64_t life)
{
	for (int i = 0; i < 20 * ROUNDS; i++) {
		pid_t pid = hit(SIGSTOP, life);
		int status;

		if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
			continue;
		if (!listening() && spool_flusher_alive(&sp) && count(SPOOL_NEW) == 0)
			return pid;
		kill(pid, SIGCONT);
		left();
	}
	return 0;
}

/* Who finds it in the way waits for a while: it may never come to look again. */
static void
test_killed_there(int64_t life)
{
	pid_t pid = hold_there(life);

	if (!ok(pid > 0, "the moment is met"))
		return;
	post();
	is_int(count(SPOOL_NEW), 1, "the other one cannot begin");
	kill(pid, SIGKILL);
	is_int(left(), 0, "then it takes the place of the one that was killed");
}

/* … but not for ever: who leaves looks again when it has given up the lock. */
static void
test_long(int64_t life)
{
	pid_t pid = hold_there(life), other;

	if (!ok(pid > 0, "the moment is met again"))
		return;
	other = post();
	waitpid(other, NULL, 0);
	is_int(count(SPOOL_NEW), 1, "the other one gives up");
	kill(pid, SIGCONT);
	is_int(left(), 0, "then the one that leaves looks again");
}

static void
settings(void)
{
	static char log[64];

	snprintf(log, sizeof(log), "%s/log", top);
	setenv("PILLARBOX_CONFIG", "", 1);
	setenv("PILLARBOX_MAIL_ALIASES", "", 1);
	setenv("PILLARBOX_MAIL_HOSTNAME", "client.example", 1);
	setenv("PILLARBOX_RELAY_URL", "none", 1);
	setenv("PILLARBOX_QUEUE_LIFETIME", "0s", 1);
	setenv("PILLARBOX_QUEUE_BOUNCE_LIFETIME", "0s", 1);
	setenv("PILLARBOX_QUEUE_LINGER", "0s", 1);
	setenv("PILLARBOX_LOG_TO", log, 1);
	log_open("flush", log, FORMAT_PLAIN, "client.example", false);
}

int
main(void)
{
	char command[64];
	int64_t life;

	/* In an orphaned group the kernel has stopped ones go on when some stranger of it ends. */
	setpgid(0, 0);
	umask(077);
	if (mkdtemp(top) == NULL)
		strcpy(top, "/tmp/pillarbox-leaving-XXXXXX");
	if ((strncmp(top, "/tmp", 4) == 0 && mkdtemp(top) == NULL) ||
	    spool_open(&sp, top, NULL, SPOOL_CREATE) == -1)
		return 1;
	settings();
	srandom((unsigned)getpid());
	life = measure();
	printf("# a flusher lives for %lld microseconds\n", (long long)life);
	test_free(life);
	test_held(life);
	test_killed(life);
	test_told(life);
	test_killed_there(life);
	test_long(life);
	is_int(count(SPOOL_FAILED), (long long)posts, "all posts are there, once");
	spool_close(&sp);
	snprintf(command, sizeof(command), "rm -rf %s", top);
	ok(system(command) == 0, "cleaned up");
	return done();
}
