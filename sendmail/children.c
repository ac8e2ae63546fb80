/* SPDX-License-Identifier: ISC */
#include "children_impl.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "confine.h"
#include "parent.h"
#include "sys/become.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/pass.h"

#define PINGS 4 /* in the time that it may take to answer one */

/* In the child: everything of the supervisor's is let go of but the way to ask. */
static void
let_go(const struct children *cs, const struct child *c)
{
	for (const struct child *other = cs->first; other != NULL; other = other->next) {
		if (other->link != -1)
			close(other->link);
		if (other->request.fd != -1 && other != c)
			close(other->request.fd);
	}
	cs->leave(cs->arg);
}

static int
run_child(const struct children *cs, const struct child *c, int link)
{
	struct spool sp;
	struct run_facts facts = {.spool = &sp,
	    .settings = cs->settings,
	    .supervisor = link,
	    .starter = -1,
	    .others = cs->queue != NULL,
	    .memory = c->memory,
	    .nmemory = c->nmemory};

	let_go(cs, c);
	log_ready();
	if (become(c->owner) == -1) {
		log_warn("cannot become uid %u: %s", (unsigned)c->owner, strerror(errno));
		return EX_NOPERM;
	}
	if (spool_open_named(&sp, cs->settings->queue_dir, c->name) == -1) {
		log_warn("%s", sp.error);
		return EX_OK; /* not a spool, or not fit to be one: no reason to come back soon */
	}
	confine_flusher(&sp, cs->settings);
	return run_spool(&facts, c->request.poke.type != 0 ? &c->request : NULL);
}

/* From crash to crash the pause is longer. Milliseconds. */
static int64_t
pause_after(struct child *c)
{
	c->pause = c->pause == 0 ? CHILDREN_PAUSE : 2 * c->pause;
	if (c->pause > CHILDREN_PAUSE_MAX)
		c->pause = CHILDREN_PAUSE_MAX;
	c->not_before = clock_monotonic() + c->pause;
	c->again = true;
	return c->pause;
}

/* What the child asks must not keep us: our end does not block. */
static int
fork_child(struct children *cs, struct child *c)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1)
		return -1;
	if (fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0 && (c->pid = fork()) == 0) {
		close(fd[0]);
		_exit(run_child(cs, c, fd[1]));
	}
	close(fd[1]);
	c->link = fd[0];
	if (c->pid > 0)
		return 0;
	close(fd[0]);
	c->link = -1;
	c->pid = 0;
	return -1;
}

static void
start(struct children *cs, struct child *c)
{
	c->again = c->told = c->killed = false;
	c->due = c->deadline = INT64_MAX;
	c->started = clock_monotonic();
	c->ping = c->started + (int64_t)cs->settings->queue_watchdog * 1000 / PINGS;
	if (fork_child(cs, c) == -1) {
		log_warn(
		    "cannot start a flusher for uid %u: %s", (unsigned)c->owner, strerror(errno));
		pause_after(c);
	}
	children_forget_request(c);
}

/* Until there is a child for it; who asks while another one waits hears that there is none. */
static void
keep_request(struct child *c, const struct request *r)
{
	if (r->poke.type == POKE_NEW || r->poke.type == POKE_LOOK || (c->request.fd != -1 && r->fd == -1))
		return;
	children_forget_request(c);
	c->request = *r;
	c->request.fd = r->fd != -1 ? fcntl(r->fd, F_DUPFD_CLOEXEC, 0) : -1;
}

void
children_want(struct children *cs, const char *name, uid_t owner, const struct request *request)
{
	struct child *c = children_find(cs, name, owner);

	if (c == NULL)
		return;
	if (request != NULL)
		keep_request(c, request);
	if (c->pid != 0)
		c->again = true;
	else if (clock_monotonic() >= c->not_before)
		children_enqueue(cs, c);
}

/* Milliseconds from now on until it may have something to do again; 0: now. */
static int64_t
wait_of(const struct child *c, int64_t now)
{
	int64_t wall = clock_seconds();

	if (c->not_before > now)
		return c->not_before - now;
	if (c->again || c->due <= wall)
		return 0;
	return c->due - wall > CHILDREN_LOOK / 1000 ? CHILDREN_LOOK : (c->due - wall) * 1000;
}

static void
tell(const struct child *c, enum tell_type type)
{
	const struct tell t = {.type = type};

	pass_send(c->link, NULL, &t, sizeof(t), -1);
}

/* A child that runs: whether it lives, and whether others wait. Milliseconds until the next look. */
static int64_t
look_after(const struct children *cs, struct child *c, int64_t now)
{
	int64_t patience = (int64_t)cs->settings->queue_watchdog * 1000;
	int64_t turn = cs->queue != NULL && !c->told ? c->started + CHILDREN_TURN : INT64_MAX, next;

	if (c->killed)
		return INT64_MAX;
	if (now >= c->deadline) {
		log_warn(
		    "the flusher of uid %u does not answer, and is killed", (unsigned)c->owner);
		kill(c->pid, SIGKILL);
		c->killed = true;
		return INT64_MAX;
	}
	if (c->deadline == INT64_MAX && now >= c->ping) {
		tell(c, TELL_PING);
		c->deadline = now + patience;
	}
	if (now >= turn) {
		tell(c, TELL_YIELD);
		c->told = true;
		turn = INT64_MAX;
	}
	next = c->deadline != INT64_MAX ? c->deadline : c->ping;
	return (turn < next ? turn : next) - now;
}

/* Those that were killed, and wait for a file system that hangs, are in nobody's way. */
static size_t
count_running(const struct children *cs)
{
	size_t n = 0;

	for (const struct child *c = cs->first; c != NULL; c = c->next)
		n += c->pid != 0 && !c->killed;
	return n;
}

int64_t
children_turn(struct children *cs)
{
	int64_t now = clock_monotonic(), next = CHILDREN_LOOK, wait;
	size_t running = count_running(cs);

	for (struct child *c = cs->first; c != NULL; c = c->next)
		if (c->pid == 0 && !c->queued && (wait = wait_of(c, now)) < next) {
			if (wait == 0)
				children_enqueue(cs, c);
			else
				next = wait;
		}
	for (; cs->queue != NULL && running < cs->settings->queue_flushers; running++)
		start(cs, children_dequeue(cs));
	for (struct child *c = cs->first; c != NULL; c = c->next)
		if (c->pid != 0 && (wait = look_after(cs, c, now)) < next)
			next = wait;
	return now + (next > 0 ? next : 0);
}

size_t
children_count(const struct children *cs)
{
	size_t n = 0;

	for (const struct child *c = cs->first; c != NULL; c = c->next)
		n += c->link != -1;
	return n;
}

size_t
children_known(const struct children *cs)
{
	return cs->known;
}

void
children_list(const struct children *cs, struct pollfd *p)
{
	for (const struct child *c = cs->first; c != NULL; c = c->next)
		if (c->link != -1)
			*p++ = (struct pollfd){.fd = c->link, .events = POLLIN};
}

/* It has another smtp now, or none; what is left of that one nobody waits for. */
static void
end_alone(struct child *c)
{
	if (c->alone != 0)
		kill(c->alone, SIGKILL);
	c->alone = 0;
}

static void
grant(const struct children *cs, const struct child *c, const struct ask *a)
{
	const struct tell t = {
	    .type = TELL_ANSWER, .wait = rates_take(cs->rates, a->destination, clock_monotonic())};

	pass_send(c->link, NULL, &t, sizeof(t), -1);
}

/* What only the next child understands. */
static void
remember(struct child *c, const struct ask *a)
{
	free(c->memory);
	c->nmemory = 0;
	if ((c->memory = a->nmemory > 0 ? malloc(a->nmemory) : NULL) == NULL)
		return;
	memcpy(c->memory, a->memory, a->nmemory);
	c->nmemory = a->nmemory;
}

static void
answer(struct children *cs, struct child *c, const struct ask *a)
{
	switch (a->type) {
	case ASK_CHANNEL:
		end_alone(c);
		c->alone = shared_serve(cs->shared, c->link, a);
		break;
	case ASK_RATE:
		grant(cs, c, a);
		break;
	case ASK_RATE_BACK:
		rates_return(cs->rates, a->destination);
		break;
	case ASK_ALIVE:
		c->deadline = INT64_MAX;
		c->ping = clock_monotonic() + (int64_t)cs->settings->queue_watchdog * 1000 / PINGS;
		break;
	case ASK_LEAVE:
		c->due = a->when;
		remember(c, a);
		break;
	default:
		break;
	}
}

/* One thing that it says: each has its turn. Whether there was one. */
static bool
listen_to(struct children *cs, struct child *c)
{
	struct ask a;
	ssize_t n;
	int fd;

	n = pass_receive(c->link, &a, sizeof(a), &fd, NULL);
	if (fd != -1)
		close(fd);
	if (n < (ssize_t)offsetof(struct ask, memory) || (size_t)n != parent_ask_len(&a))
		return false;
	a.destination[sizeof(a.destination) - 1] = '\0';
	answer(cs, c, &a);
	return true;
}

void
children_serve(struct children *cs, const struct pollfd *p)
{
	for (struct child *c = cs->first; c != NULL; c = c->next)
		if (c->link != -1 && (p++->revents & POLLIN) != 0)
			listen_to(cs, c);
}

static void
on_crash(struct child *c, int status)
{
	int64_t pause = pause_after(c);

	log_warn("the flusher of uid %u ended with %s %d; starting it again in %lld seconds",
	    (unsigned)c->owner, WIFEXITED(status) ? "status" : "signal",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), (long long)pause / 1000);
}

static void
ended(struct children *cs, struct child *c, int status)
{
	while (listen_to(cs, c))
		;
	end_alone(c);
	close(c->link);
	c->link = -1;
	c->pid = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EX_OK) {
		on_crash(c, status);
		return;
	}
	c->pause = 0;
	if (!c->again && c->due == INT64_MAX)
		children_forget(cs, c);
}

bool
children_ended(struct children *cs, pid_t pid, int status)
{
	struct child *c = cs->first;

	while (c != NULL && c->pid != pid && c->alone != pid)
		c = c->next;
	if (c != NULL && c->pid == pid) {
		ended(cs, c, status);
		return true;
	}
	if (c != NULL)
		c->alone = 0;
	return false;
}

void
children_signal(const struct children *cs, int sig)
{
	for (const struct child *c = cs->first; c != NULL; c = c->next)
		if (c->pid != 0)
			kill(c->pid, sig);
}

void
children_renew(struct children *cs)
{
	for (struct child *c = cs->first; c != NULL; c = c->next)
		c->again = c->again || c->pid != 0;
	children_signal(cs, SIGTERM);
}
