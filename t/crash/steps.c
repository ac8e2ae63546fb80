/* SPDX-License-Identifier: ISC */
/*
 * steps: run a command and stop it, with all that it started, before one of its system calls; or have
 * that call fail.
 *
 *	steps [-a] [-n N] [-m NAME] [-c DIR] [-x SCRIPT] [-o FILE] COMMAND [ARGUMENT...]
 *	steps -e FAULT [-k] [-n N] [-m NAME] [-o FILE] COMMAND [ARGUMENT...]
 *	steps -l [-m NAME] [-o FILE] COMMAND [ARGUMENT...]
 *
 *	-n N       before the N-th; without it all go on, and how many there were is printed
 *	-a         count every call; without it those only that something outside can tell: what is
 *	           written, synced, made, renamed, removed, sent, started. A process that is killed at
 *	           any other one leaves what a kill before the next of these leaves
 *	-m NAME    count those of programs with this name (sendmail, flush, smtp); kill that process
 *	           alone, and let the others go on
 *	-c DIR     the power fails: the file system that DIR is on is shut down first, without its log
 *	           being written out (ext4, xfs, f2fs). What was not synced is gone.
 *
 *	-x SCRIPT  nothing is killed: the shell runs this there, and then all goes on
 *
 *	-e FAULT   nothing is killed. With an errno, ENOSPC: counted are the calls that can fail so
 *	           (calls.c), and the N-th is not made and fails so. close() is made all the same, as
 *	           Linux does. With half, or one: counted are the reads and writes of files, pipes and
 *	           streams, and the N-th moves half of its octets at most, or one
 *	           Those of the loader and of the C library's start are not counted, which crash
 *	           without memory
 *	-k         and so does each one after it
 *	-l         list the faults that there are, a line each: FAULT N NAME CALL
 *
 *	-o FILE    what it has to say, instead of standard output: the count, or "NAME call NUMBER" of
 *	           what was stopped, or "NAME CALL DESCRIPTOR" (its first argument) of what failed;
 *	           and "crash: signal N" of each process that such a one ended
 *
 * Exits with 137 when it stopped the
 * command, else with its status. Processes that outlive the command are killed.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "registers.h"

#define TRACEES 256
#define ERRNO_MAX 256
#define STOPPED 137
#define SHUTDOWN _IOR('X', 125, uint32_t) /* EXT4_IOC_SHUTDOWN and its likes */
#define SHUTDOWN_NOLOGFLUSH 2U
#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	    PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

enum { NO_FAULT, HALF = -1, ONE = -2 }; /* else an errno */

struct tracee {
	pid_t pid;
	bool starts; /* it is before its own first call: the C library's start */
	bool loader_known;
	uint64_t loader, loader_end; /* where it is; 0: none */
	int fault;                   /* of the call that it is in */
	long nr;                     /* that call's number */
	uint64_t argument;           /* and the argument that was changed */
};

struct steps {
	bool all;
	bool list;
	bool keep; /* the fault stays */
	int fault;
	long at; /* 0: never */
	const char *name;
	int disk;           /* to be shut down; -1: none */
	const char *script; /* to be run; NULL: none */
	FILE *out;
	long count;
	long counts[ERRNO_MAX]; /* of each fault, for the list */
	long shorts;
	pid_t root;
	bool begun; /* COMMAND is executed */
	bool fired;
	bool over;
	struct tracee tracee[TRACEES];
	size_t ntracees;
};

static struct tracee *
add(struct steps *s, pid_t pid)
{
	for (size_t i = 0; i < s->ntracees; i++)
		if (s->tracee[i].pid == pid)
			return &s->tracee[i];
	if (s->ntracees == TRACEES)
		errx(1, "more than %d processes", TRACEES);
	s->tracee[s->ntracees] = (struct tracee){.pid = pid};
	return &s->tracee[s->ntracees++];
}

static void
drop(struct steps *s, pid_t pid)
{
	for (size_t i = 0; i < s->ntracees; i++)
		if (s->tracee[i].pid == pid)
			s->tracee[i] = s->tracee[--s->ntracees];
}

/* Those too of which nothing was seen yet: take_stop(). */
static void
kill_all(struct steps *s)
{
	s->over = true;
	for (size_t i = 0; i < s->ntracees; i++)
		kill(s->tracee[i].pid, SIGKILL);
}

static const char *
name_of(pid_t pid, char name[32])
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	if ((f = fopen(path, "re")) == NULL || fgets(name, 32, f) == NULL)
		name[0] = '\0';
	if (f != NULL)
		fclose(f);
	name[strcspn(name, "\n")] = '\0';
	return name;
}

static void
stop_here(struct steps *s, pid_t pid, long call)
{
	uint32_t how = SHUTDOWN_NOLOGFLUSH;
	char name[32];

	s->fired = true;
	fprintf(s->out, "%s call %ld\n", name_of(pid, name), call);
	if (s->script != NULL) {
		if (system(s->script) != 0)
			errx(1, "the script fails: %s", s->script);
		return;
	}
	if (s->disk != -1 && ioctl(s->disk, SHUTDOWN, &how) == -1)
		err(1, "cannot shut the file system down");
	if (s->name != NULL)
		kill(pid, SIGKILL);
	else
		kill_all(s);
}

static void
find_loader(struct tracee *t)
{
	char path[64], line[512];
	uint64_t from, to;
	FILE *f;

	t->loader_known = true;
	t->loader = t->loader_end = 0;
	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)t->pid);
	if ((f = fopen(path, "re")) == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL)
		if (strstr(line, "/ld-") != NULL &&
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) == 2) {
			t->loader = t->loader == 0 ? from : t->loader;
			t->loader_end = to;
		}
	fclose(f);
}

/* The start ends when what was relocated is made read-only. */
static bool
by_loader(struct tracee *t, const struct call *c, uint64_t where)
{
	if (t->starts) {
		t->starts = c->nr != SYS_mprotect || c->args[2] != PROT_READ;
		return true;
	}
	if (!t->loader_known)
		find_loader(t);
	return where >= t->loader && where < t->loader_end;
}

static void
show_faults(struct steps *s, const struct call *c)
{
	const char *call = call_name(c);
	char name[32];
	int error;

	name_of(c->pid, name);
	for (unsigned i = 0; (error = call_errno(c, i)) != 0; i++)
		fprintf(
		    s->out, "%s %ld %s %s\n", errno_name(error), ++s->counts[error], name, call);
	if (!call_can_be_short(c))
		return;
	s->shorts++;
	fprintf(s->out, "half %ld %s %s\none %ld %s %s\n", s->shorts, name, call, s->shorts, name,
	    call);
}

/*
 * In place of the call one is made that every sandbox allows. A failed brk() returns the end as it
 * is: that of 0. A process that is gone meanwhile needs no fault any more.
 */
static void
fault_begins(struct steps *s, struct tracee *t, const struct call *c)
{
	char name[32];

	if (!s->fired)
		fprintf(s->out, "%s %s %d\n", name_of(t->pid, name), call_name(c), (int)c->args[0]);
	s->fired = true;
	t->fault = s->fault;
	t->nr = c->nr;
	t->argument = c->args[s->fault < 0 ? 2 : 0];
	if (s->fault < 0)
		registers_argument(t->pid, 2, s->fault == ONE ? 1 : c->args[2] / 2);
	else if (c->nr == SYS_brk)
		registers_argument(t->pid, 0, 0);
	else if (c->nr != SYS_close)
		registers_call(t->pid, SYS_getpid);
}

static void
fault_ends(struct tracee *t)
{
	if (t->fault < 0)
		registers_argument(t->pid, 2, t->argument);
	else if (t->nr == SYS_brk)
		registers_argument(t->pid, 0, t->argument);
	else
		registers_result(t->pid, -t->fault);
	t->fault = NO_FAULT;
}

static bool
counts(const struct steps *s, const struct call *c)
{
	if (s->fault != NO_FAULT)
		return s->fault < 0 ? call_can_be_short(c) : call_can_fail(c, s->fault);
	return s->all || call_has_effect(c);
}

static void
call_begins(struct steps *s, struct tracee *t, const struct call *c)
{
	char name[32];

	if (!s->begun || (s->fired && !s->keep) ||
	    (s->name != NULL && strcmp(name_of(t->pid, name), s->name) != 0))
		return;
	if (s->list)
		show_faults(s, c);
	else if (counts(s, c) && (++s->count == s->at || s->fired)) {
		if (s->fault != NO_FAULT)
			fault_begins(s, t, c);
		else
			stop_here(s, t->pid, c->nr);
	}
}

static void
step(struct steps *s, struct tracee *t)
{
	struct ptrace_syscall_info info;
	struct call c = {.pid = t->pid};

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		c.nr = (long)info.entry.nr;
		memcpy(c.args, info.entry.args, sizeof(c.args));
		if ((s->list || s->fault != NO_FAULT) && by_loader(t, &c, info.instruction_pointer))
			return;
		call_begins(s, t, &c);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && t->fault != NO_FAULT)
		fault_ends(t);
}

/* A process stopped: let it go on, with the signal that it was about to get. */
static void
take_stop(struct steps *s, pid_t pid, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;
	struct tracee *t = add(s, pid);

	if (sig == (SIGTRAP | 0x80)) {
		step(s, t);
		sig = 0;
	} else if (event == PTRACE_EVENT_EXEC) {
		s->begun = true;
		t->starts = true;
		t->loader_known = false;
		sig = 0;
	} else if (event != 0 || sig == SIGSTOP) {
		sig = 0; /* a new process stops so */
	}
	if (s->over)
		kill(pid, SIGKILL);
	ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)sig);
}

/* By a mistake, that is, and by nobody's wish. */
static void
tell_crash(struct steps *s, int status)
{
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (sig == SIGSEGV || sig == SIGBUS || sig == SIGABRT || sig == SIGILL || sig == SIGFPE ||
	    sig == SIGSYS || sig == SIGTRAP)
		fprintf(s->out, "crash: signal %d\n", sig);
}

static int
watch(struct steps *s)
{
	int status, result = STOPPED;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (WIFSTOPPED(status)) {
			take_stop(s, pid, status);
			continue;
		}
		drop(s, pid);
		tell_crash(s, status);
		if (pid != s->root)
			continue;
		if (WIFEXITED(status))
			result = WEXITSTATUS(status);
		kill_all(s);
	}
	if (!s->fired && !s->list)
		fprintf(s->out, "%ld\n", s->count);
	return s->fired && s->name == NULL && s->script == NULL && s->fault == NO_FAULT ? STOPPED
											: result;
}

static pid_t
start(char **argv)
{
	pid_t pid = fork();

	if (pid == -1)
		err(1, "fork");
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	if (waitpid(pid, NULL, 0) != pid || ptrace(PTRACE_SETOPTIONS, pid, NULL, OPTIONS) == -1)
		err(1, "ptrace");
	return pid;
}

static void
usage(void)
{
	errx(64, "usage: steps [-a | -e FAULT [-k] | -l] [-n N] [-m NAME] [-c DIR] [-x SCRIPT] "
		 "[-o FILE] COMMAND [ARGUMENT...]");
}

static int
fault_number(const char *name)
{
	int n = strcmp(name, "half") == 0  ? HALF
		: strcmp(name, "one") == 0 ? ONE
					   : errno_number(name);

	if (n == NO_FAULT)
		errx(64, "no fault that is known: %s", name);
	return n;
}

static void
take_option(struct steps *s, int option, const char *value)
{
	switch (option) {
	case 'a':
		s->all = true;
		break;
	case 'e':
		s->fault = fault_number(value);
		break;
	case 'k':
		s->keep = true;
		break;
	case 'l':
		s->list = true;
		break;
	case 'n':
		s->at = atol(value);
		break;
	case 'm':
		s->name = value;
		break;
	case 'c':
		if ((s->disk = open(value, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
			err(1, "%s", value);
		break;
	case 'x':
		s->script = value;
		break;
	case 'o':
		if ((s->out = fopen(value, "we")) == NULL)
			err(1, "%s", value);
		setvbuf(s->out, NULL, _IOLBF, 0); /* all of it is there where we are killed */
		break;
	default:
		usage();
	}
}

int
main(int argc, char **argv)
{
	struct steps s = {.disk = -1, .out = stdout};
	int c;

	while ((c = getopt(argc, argv, "+ae:kln:m:c:x:o:")) != -1)
		take_option(&s, c, optarg);
	if (optind == argc)
		usage();
	s.root = start(argv + optind);
	add(&s, s.root);
	ptrace(PTRACE_SYSCALL, s.root, NULL, NULL);
	return watch(&s);
}
