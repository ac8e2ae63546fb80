/* SPDX-License-Identifier: ISC */
#include "supervise.h"

#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "link.h"
#include "run.h"
#include "spool/owners.h"
#include "sys/become.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/poke.h"

#define RESCAN 900000 /* milliseconds between looks at all owners */
#define PAUSE 10000   /* milliseconds until a child that crashed is started again */
#define NAME_LEN 32   /* of an owner's directory: uid, dot, 16 characters */

/* An owner's directory with a flusher, or that gets one again. */
struct child {
	struct child *next;
	char name[NAME_LEN];
	uid_t owner;
	pid_t pid;          /* 0: none runs */
	int link;           /* where it asks for smtp; -1: none runs */
	bool again;         /* a poke came while it ran */
	int64_t not_before; /* milliseconds: it crashed */
};

struct supervisor {
	struct settings settings; /* without secrets: children have them too */
	struct child *children;
	int sock;
	int64_t scanned; /* milliseconds */
};

static volatile sig_atomic_t stop, reload;

static void
on_signal(int sig)
{
	if (sig == SIGHUP)
		reload = 1;
	else if (sig != SIGCHLD)
		stop = 1;
}

static void
catch_signals(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &sa, NULL);
		sigaddset(&mask, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &mask, NULL);
}

/* In the child: everything of the supervisor's is let go of but the way to ask for smtp. */
static int
run_child(
    const struct supervisor *s, const struct child *c, int link, const struct request *request)
{
	struct spool sp;
	struct run_facts facts = {.spool = &sp, .settings = &s->settings, .supervisor = link};

	for (const struct child *other = s->children; other != NULL; other = other->next)
		if (other->link != -1)
			close(other->link);
	close(s->sock);
	if (become(c->owner) == -1) {
		log_warn("cannot become uid %u: %s", (unsigned)c->owner, strerror(errno));
		return EX_NOPERM;
	}
	if (spool_open_named(&sp, s->settings.queue_dir, c->name) == -1) {
		log_warn("%s", sp.error);
		return EX_OK; /* not a spool, or not fit to be one: no reason to come back soon */
	}
	return run_spool(&facts, request);
}

/* request: what somebody asked the child for, or NULL. */
static void
start_child(struct supervisor *s, struct child *c, const struct request *request)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1)
		return;
	c->again = false;
	if ((c->pid = fork()) == 0) {
		close(fd[0]);
		_exit(run_child(s, c, fd[1], request));
	}
	close(fd[1]);
	if (c->pid == -1) {
		log_warn(
		    "cannot start a flusher for uid %u: %s", (unsigned)c->owner, strerror(errno));
		close(fd[0]);
		c->pid = 0;
		c->not_before = clock_monotonic() + PAUSE;
		return;
	}
	c->link = fd[0];
}

static struct child *
find_child(struct supervisor *s, const char *name, uid_t owner)
{
	struct child *c;

	for (c = s->children; c != NULL; c = c->next)
		if (c->owner == owner && strcmp(c->name, name) == 0)
			return c;
	if ((c = calloc(1, sizeof(*c))) == NULL || strlen(name) >= sizeof(c->name)) {
		free(c);
		return NULL;
	}
	strlcpy(c->name, name, sizeof(c->name));
	c->owner = owner;
	c->link = -1;
	c->next = s->children;
	return s->children = c;
}

/* What a walk over the owners is for. */
struct visit {
	struct supervisor *s;
	bool all;    /* every owner, … */
	uid_t owner; /* … or the directories of this one */
	const struct request *request;
};

static int
visit_owner(void *arg, const char *name, uid_t owner)
{
	struct visit *v = arg;
	struct child *c;

	if ((!v->all && owner != v->owner) || (c = find_child(v->s, name, owner)) == NULL)
		return 0;
	if (c->pid != 0)
		c->again = true;
	else if (clock_monotonic() >= c->not_before)
		start_child(v->s, c, v->request);
	return 0;
}

static void
visit(struct visit *v)
{
	const char *dir = v->s->settings.queue_dir;

	if (spool_owners(dir, visit_owner, v) == -1 && errno != ENOENT)
		log_warn("cannot read %s: %s", dir, strerror(errno));
}

static void
scan_all(struct supervisor *s)
{
	struct visit v = {.s = s, .all = true};

	s->scanned = clock_monotonic();
	visit(&v);
}

/*
 * A poke: by who sent it, whatever it says. An owner whose flusher runs listens itself; that
 * its poke came here means that it is just leaving.
 */
static void
take_pokes(struct supervisor *s)
{
	struct request r;
	unsigned uid;

	while (poke_take(s->sock, &r.poke, &r.fd, &uid) == 1) {
		struct visit v = {.s = s, .owner = (uid_t)uid, .request = &r};
		visit(&v);
		if (r.fd != -1)
			close(r.fd);
	}
}

static void
child_ended(struct supervisor *s, struct child *c, int status)
{
	bool crashed = !WIFEXITED(status) || WEXITSTATUS(status) != EX_OK;

	close(c->link);
	c->link = -1;
	c->pid = 0;
	if (crashed) {
		log_warn("the flusher of uid %u ended with %s %d; starting it again in %d seconds",
		    (unsigned)c->owner, WIFEXITED(status) ? "status" : "signal",
		    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), PAUSE / 1000);
		c->not_before = clock_monotonic() + PAUSE;
		c->again = true;
	} else if (c->again && !stop)
		start_child(s, c, NULL);
}

static void
reap(struct supervisor *s)
{
	struct child *c;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (c = s->children; c != NULL && c->pid != pid; c = c->next)
			;
		if (c != NULL)
			child_ended(s, c, status);
	}
}

/* Children whose pause is over. Milliseconds until the next one, or until the next scan. */
static int
start_paused(struct supervisor *s)
{
	int64_t now = clock_monotonic(), next = s->scanned + RESCAN;

	for (struct child *c = s->children; c != NULL; c = c->next) {
		if (c->pid != 0 || !c->again)
			continue;
		if (c->not_before <= now)
			start_child(s, c, NULL);
		else if (c->not_before < next)
			next = c->not_before;
	}
	if (next <= now) {
		scan_all(s);
		return RESCAN;
	}
	return (int)(next - now);
}

/* smtp for a child that asks, with the settings as they are at that time. */
static void
serve_child(struct child *c)
{
	struct settings s;

	if (settings_load(&s, 0) == -1)
		return;
	link_serve(c->link, &s);
	settings_free(&s);
}

static size_t
count_children(const struct supervisor *s)
{
	size_t n = 0;

	for (const struct child *c = s->children; c != NULL; c = c->next)
		n += c->link != -1;
	return n;
}

static void
wait_for_something(struct supervisor *s, int ms)
{
	size_t n = count_children(s) + 1, i = 1;
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	struct pollfd *p = calloc(n, sizeof(*p));
	sigset_t none;

	if (p == NULL) {
		poll(NULL, 0, 1000);
		return;
	}
	p[0] = (struct pollfd){.fd = s->sock, .events = POLLIN};
	for (struct child *c = s->children; c != NULL; c = c->next)
		if (c->link != -1)
			p[i++] = (struct pollfd){.fd = c->link, .events = POLLIN};
	sigemptyset(&none);
	if (ppoll(p, n, &t, &none) > 0) {
		i = 1;
		for (struct child *c = s->children; c != NULL; c = c->next)
			if (c->link != -1 && (p[i++].revents & POLLIN) != 0)
				serve_child(c);
		if (p[0].revents != 0)
			take_pokes(s);
	}
	free(p);
}

static void
signal_children(const struct supervisor *s, int sig)
{
	for (const struct child *c = s->children; c != NULL; c = c->next)
		if (c->pid != 0)
			kill(c->pid, sig);
}

/* The socket that anybody may poke; its directory is made where it is missing (/run is empty at
 * boot). */
static int
listen_for_all(struct supervisor *s)
{
	struct poke p = {.type = POKE_NEW};
	char dir[PATH_MAX], *slash;

	if (poke_send(-1, s->settings.queue_socket, &p, -1) == 0) {
		log_warn("another system flusher listens on %s", s->settings.queue_socket);
		return EX_TEMPFAIL;
	}
	strlcpy(dir, s->settings.queue_socket, sizeof(dir));
	if ((slash = strrchr(dir, '/')) != NULL && slash != dir) {
		*slash = '\0';
		if (mkdir(dir, 0755) == 0)
			chmod(dir, 0755);
	}
	s->sock = poke_listen(-1, s->settings.queue_socket);
	if (s->sock == -1 || chmod(s->settings.queue_socket, 0666) == -1) {
		log_warn("cannot listen on %s: %s", s->settings.queue_socket, strerror(errno));
		return EX_OSERR;
	}
	return EX_OK;
}

static void
wait_for_children(struct supervisor *s)
{
	signal_children(s, SIGTERM);
	while (count_children(s) > 0) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);
		if (pid == -1 && errno != EINTR)
			break;
		for (struct child *c = s->children; c != NULL; c = c->next)
			if (c->pid == pid && pid > 0)
				child_ended(s, c, 0);
	}
}

/* Secrets are read anew for each smtp, and forgotten here: a child inherits what we have. */
static int
load(struct supervisor *s)
{
	struct settings new;

	if (settings_load(&new, 0) == -1)
		return -1;
	if (new.errors.len > 0)
		log_warn("%s", buf_str(&new.errors));
	settings_forget_secrets(&new);
	settings_free(&s->settings);
	s->settings = new;
	return 0;
}

/* SIGHUP: children with the old settings leave, and others take their place. */
static void
reload_settings(struct supervisor *s)
{
	reload = 0;
	if (load(s) == -1)
		return;
	for (struct child *c = s->children; c != NULL; c = c->next)
		c->again = c->pid != 0;
	signal_children(s, SIGTERM);
}

int
supervise(void)
{
	struct supervisor s = {.sock = -1};
	int status;

	catch_signals();
	if (settings_default(&s.settings) == -1 || load(&s) == -1)
		return EX_OSERR;
	if ((status = listen_for_all(&s)) != EX_OK)
		return status;
	log_info("started: serving every owner below %s", s.settings.queue_dir);
	scan_all(&s);
	while (!stop) {
		wait_for_something(&s, start_paused(&s));
		reap(&s);
		if (reload)
			reload_settings(&s);
	}
	unlink(s.settings.queue_socket);
	wait_for_children(&s);
	log_info("stopped");
	settings_free(&s.settings);
	return EX_OK;
}
