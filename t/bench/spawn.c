/* SPDX-License-Identifier: ISC */
/*
 * spawn: starts commands many times, without a shell, and says what they cost.
 *
 *	spawn [-n ROUNDS] [-c COUNT] [-j JOBS] [-w ROUNDS] [-i FILE] [-u FD] [-d] COMMAND...
 *	    [-- COMMAND...]...
 *
 * In each round every command has its turn: it is started COUNT times, JOBS at once, with FILE as
 * standard input. So what the machine does meanwhile hits all of them alike. The first rounds (-w)
 * are not counted. -u: one is over when also a line came from this descriptor, as what it has to
 * bring about says. -d: what outlives them is not waited for. For every command one line:
 *
 *	failed  wall  median  p95  cpu  rss  faults
 *
 * failed: how many did not exit with 0; wall: of a round, the median, in milliseconds; median and
 * p95: from before the fork to after the wait, of one process, in milliseconds; cpu: user and
 * system time of a process and of all that it started, also of what outlives it, the mean, in
 * milliseconds; rss: of the largest process, in KB; faults: page faults without I/O, the mean.
 * Linked statically and small: the kernel counts what a child has before exec as the child's.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX 64
#define COMMANDS_MAX 8

struct sample {
	double *at;
	size_t n;
};

/* One of the commands, and what is known of it. */
struct command {
	char **argv;
	struct sample rounds, processes;
	double cpu;
	long faults, rss;
	size_t failed;
};

struct plan {
	size_t rounds, warm, count, jobs;
	int until; /* -1: nothing but its end */
	bool orphans;
	const char *input;
	posix_spawn_file_actions_t files;
};

struct job {
	pid_t pid;
	double began;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double
milliseconds(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The value below which `part` of the sample lies. */
static double
quantile(struct sample *s, double part)
{
	if (s->n == 0)
		return 0;
	qsort(s->at, s->n, sizeof(*s->at), compare);
	return s->at[(size_t)((double)(s->n - 1) * part + 0.5)];
}

static void
begin(const struct plan *p, const struct command *c, struct job *job)
{
	job->began = now();
	errno = posix_spawn(&job->pid, c->argv[0], &p->files, NULL, c->argv, environ);
	if (errno != 0)
		err(EX_OSERR, "%s", c->argv[0]);
}

/* Wait for some process; 0 when there is none. */
static pid_t
wait_any(struct command *c, bool counts)
{
	struct rusage u;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, 0, &u)) == -1) {
		if (errno == ECHILD)
			return 0;
		if (errno != EINTR)
			err(EX_OSERR, "wait4");
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		c->failed++;
	if (counts) {
		c->cpu += milliseconds(u.ru_utime) + milliseconds(u.ru_stime);
		c->faults += u.ru_minflt;
		c->rss = u.ru_maxrss > c->rss ? u.ru_maxrss : c->rss;
	}
	return pid;
}

static struct job *
find(struct job *jobs, pid_t pid)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (jobs[i].pid == pid)
			return &jobs[i];
	return NULL;
}

static void
wait_line(int fd)
{
	char octet;

	do
		if (read(fd, &octet, 1) != 1)
			err(EX_IOERR, "descriptor %d", fd);
	while (octet != '\n');
}

/* Wait for one of the jobs, which then is free; and for orphans of theirs meanwhile. */
static void
end(const struct plan *p, struct command *c, struct job *jobs, bool counts)
{
	struct job *job;

	while ((job = find(jobs, wait_any(c, counts))) == NULL)
		;
	if (p->until != -1)
		wait_line(p->until);
	if (counts)
		c->processes.at[c->processes.n++] = now() - job->began;
	job->pid = 0;
}

static void
round_of(const struct plan *p, struct command *c, bool counts)
{
	struct job jobs[JOBS_MAX] = {0};
	double began = now();

	for (size_t started = 0, ended = 0; ended < p->count;) {
		if (started < p->count && started - ended < p->jobs) {
			begin(p, c, find(jobs, 0));
			started++;
		} else {
			end(p, c, jobs, counts);
			ended++;
		}
	}
	if (counts)
		c->rounds.at[c->rounds.n++] = now() - began;
	while (wait_any(c, counts) != 0)
		;
}

static void
report(struct command *c)
{
	double n = (double)c->processes.n;

	printf("%zu\t%.3f\t%.3f\t%.3f\t%.3f\t%ld\t%.0f\n", c->failed, quantile(&c->rounds, 0.5),
	    quantile(&c->processes, 0.5), quantile(&c->processes, 0.95), c->cpu / n, c->rss,
	    (double)c->faults / n);
}

static size_t
number(const char *text, size_t max)
{
	char *rest;
	unsigned long n = strtoul(text, &rest, 10);

	if (*rest != '\0' || n > max)
		errx(EX_USAGE, "%s: not a number up to %zu", text, max);
	return n;
}

static void
room(struct sample *s, size_t n)
{
	if ((s->at = calloc(n, sizeof(*s->at))) == NULL)
		err(EX_OSERR, NULL);
}

/* The words up to the next "--" are one command. */
static size_t
commands(struct command *c, const struct plan *p, char **argv)
{
	size_t n = 0;

	while (*argv != NULL) {
		if (n == COMMANDS_MAX)
			errx(EX_USAGE, "more than %d commands", COMMANDS_MAX);
		c[n].argv = argv;
		room(&c[n].rounds, p->rounds);
		room(&c[n].processes, p->rounds * p->count);
		n++;
		while (*argv != NULL && strcmp(*argv, "--") != 0)
			argv++;
		if (*argv != NULL)
			*argv++ = NULL;
	}
	return n;
}

static void
options(struct plan *p, int argc, char **argv)
{
	int c;

	*p = (struct plan){
	    .rounds = 1, .count = 1, .jobs = 1, .until = -1, .orphans = true, .input = "/dev/null"};
	while ((c = getopt(argc, argv, "+n:c:j:w:i:u:d")) != -1)
		switch (c) {
		case 'n':
			p->rounds = number(optarg, 100000);
			break;
		case 'c':
			p->count = number(optarg, 100000);
			break;
		case 'j':
			p->jobs = number(optarg, JOBS_MAX);
			break;
		case 'w':
			p->warm = number(optarg, 100000);
			break;
		case 'i':
			p->input = optarg;
			break;
		case 'd':
			p->orphans = false;
			break;
		case 'u':
			p->until = (int)number(optarg, 1000);
			break;
		default:
			exit(EX_USAGE);
		}
	if (p->rounds == 0 || p->count == 0 || p->jobs == 0 || optind == argc)
		errx(EX_USAGE, "nothing to do");
	posix_spawn_file_actions_init(&p->files);
	posix_spawn_file_actions_addopen(&p->files, STDIN_FILENO, p->input, O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&p->files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
}

int
main(int argc, char **argv)
{
	struct command c[COMMANDS_MAX] = {0};
	struct plan p;
	size_t n;

	options(&p, argc, argv);
	if (p.orphans && prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		err(EX_OSERR, "prctl");
	n = commands(c, &p, argv + optind);
	for (size_t r = 0; r < p.warm + p.rounds; r++)
		for (size_t i = 0; i < n; i++)
			round_of(&p, &c[i], r >= p.warm);
	for (size_t i = 0; i < n; i++)
		report(&c[i]);
	return EX_OK;
}
