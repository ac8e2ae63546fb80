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

#include "children.h"
#include "confine.h"
#include "reception.h"
#include "service.h"
#include "shared.h"
#include "signals.h"
#include "spool/owners.h"
#include "sys/alarm.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/poke.h"
#include "sys/sandbox.h"

#define FIXED (3 + SHARED_MOST) /* entries to poll before those of the children */
#define RESCAN 900000           /* milliseconds between looks at all owners, … */
#define RESCAN_SOON 60000       /* … and at most that when some may not have been heard */
#define BURST 10                /* pokes at a time that say so: more have no room on many kernels */
#define GOODBYE 1100            /* milliseconds until a child that does not leave is killed, … */
#define GOODBYE_KILLED 500      /* … and until one that then is still there is left alone */

struct supervisor {
	struct settings settings; /* without secrets */
	struct children children;
	struct reception *reception; /* NULL: there is none */
	struct shared shared;
	struct rates rates;
	struct service *service;
	struct alarm alarm; /* beside the sleep's own end: the machine may be suspended meanwhile */
	int sock;
	int64_t look;       /* milliseconds: when all owners are looked at next */
	struct stat marked; /* the queue directory, as it stands beside the socket */
};

/* In a child. */
static void
leave(void *arg)
{
	struct supervisor *s = arg;

	close(s->sock);
	alarm_close(&s->alarm);
	reception_leave(s->reception);
	shared_close(&s->shared);
	service_forget(s->service);
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

	if (v->all || owner == v->owner)
		children_want(&v->s->children, name, owner, v->request);
	return 0;
}

/* It may be made, or another one mounted there, while we run. */
static void
mark_queue(struct supervisor *s)
{
	struct stat st;

	if (stat(s->settings.queue_dir, &st) == -1 ||
	    (st.st_dev == s->marked.st_dev && st.st_ino == s->marked.st_ino))
		return;
	if (poke_mark(s->settings.queue_socket, st.st_dev, st.st_ino) == -1)
		log_warn("cannot say beside %s what it serves: %s", s->settings.queue_socket,
		    strerror(errno));
	s->marked = st;
}

static void
visit(struct visit *v)
{
	const char *dir = v->s->settings.queue_dir;

	mark_queue(v->s);
	if (spool_owners(dir, visit_owner, v) == -1 && errno != ENOENT)
		log_warn("cannot read %s: %s", dir, strerror(errno));
}

/* request: for those whose flusher does not run. */
static void
scan_all(struct supervisor *s, const struct request *request)
{
	struct visit v = {.s = s, .all = true, .request = request};

	s->look = clock_monotonic() + RESCAN;
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
	unsigned uid, n = 0;

	while (poke_take(s->sock, &r.poke, &r.fd, &uid) == 1) {
		struct visit v = {.s = s, .owner = (uid_t)uid, .request = &r};
		visit(&v);
		if (r.fd != -1)
			close(r.fd);
		n++;
	}
	if (n >= BURST && s->look > clock_monotonic() + RESCAN_SOON)
		s->look = clock_monotonic() + RESCAN_SOON;
}

static void
reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!children_ended(&s->children, pid, status) &&
		    !reception_ended(s->reception, pid, status)) {
			shared_ended(&s->shared, pid, status);
			confine_tell(status);
		}
}

/* Do what is due. Milliseconds until there is more of that. */
static int
do_due(struct supervisor *s)
{
	int64_t next, shared, now = clock_monotonic();

	if (now >= s->look)
		scan_all(s, NULL);
	next = children_turn(&s->children);
	shared = shared_turn(&s->shared);
	if (s->look < next)
		next = s->look;
	if (shared < next)
		next = shared;
	return next <= now ? 0 : (int)(next - now);
}

static void
wait_for_something(struct supervisor *s, int ms)
{
	size_t n = FIXED + children_count(&s->children);
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	struct pollfd *p = calloc(n, sizeof(*p));
	sigset_t none;

	if (p == NULL) {
		poll(NULL, 0, 1000);
		return;
	}
	p[0] = (struct pollfd){.fd = s->sock, .events = POLLIN};
	p[1] = (struct pollfd){.fd = reception_fd(s->reception), .events = POLLIN};
	p[2] = (struct pollfd){.fd = s->alarm.fd, .events = POLLIN};
	shared_list(&s->shared, p + 3);
	children_list(&s->children, p + FIXED);
	alarm_set(&s->alarm, clock_seconds() + ms / 1000 + 1);
	sigemptyset(&none);
	if (ppoll(p, n, &t, &none) > 0) {
		shared_take(&s->shared);
		children_serve(&s->children, p + FIXED);
		if (p[0].revents != 0)
			take_pokes(s);
		if (p[1].revents != 0)
			reception_take(s->reception, &s->settings);
		if (p[2].revents != 0)
			alarm_take(&s->alarm);
	}
	free(p);
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

/* Signals end it. */
static void
sleep_until(int64_t when)
{
	int64_t ms = when - clock_monotonic();
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	sigset_t none;

	sigemptyset(&none);
	if (ms > 0)
		ppoll(NULL, 0, &t, &none);
}

/* Those that are stuck are killed; one that not even that ends is not waited for. */
static void
wait_for_children(struct supervisor *s)
{
	int64_t end = clock_monotonic() + GOODBYE;
	bool killed = false;

	children_signal(&s->children, SIGTERM);
	while (children_count(&s->children) > 0) {
		sleep_until(end);
		reap(s);
		if (clock_monotonic() < end)
			continue;
		if (killed)
			return;
		children_signal(&s->children, SIGKILL);
		killed = true;
		end += GOODBYE_KILLED;
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
	log_open("flush", new.log_to, new.log_format, new.mail_hostname, true);
	settings_free(&s->settings);
	s->settings = new;
	return 0;
}

/* SIGHUP: children with the old settings leave, and others take their place. */
static void
reload_settings(struct supervisor *s)
{
	service_reloading();
	if (load(s) == 0) {
		/* This opens the log: children could not, who are no longer root. */
		log_info("settings read again");
		children_renew(&s->children);
		shared_replace(&s->shared);
	}
	service_ready(s->service);
}

/* Everybody's mail, due or not. */
static void
try_all(struct supervisor *s)
{
	struct request all = {.poke.type = POKE_ALL, .fd = -1};

	children_signal(&s->children, SIGUSR1);
	scan_all(s, &all);
}

static void
take_wishes(struct supervisor *s)
{
	bool flush = signals_flush();

	if (signals_reload())
		reload_settings(s);
	if (service_turn(s->service) || flush)
		try_all(s);
	service_status(s->service, "Owners with mail: %zu", children_known(&s->children));
}

/* The pidfile; then the socket. */
static int
begin(struct supervisor *s)
{
	char pidfile[SERVICE_PATH];

	service_pidfile(pidfile, s->settings.queue_pidfile, s->settings.queue_socket);
	return service_lock(s->service, pidfile) == 0 ? listen_for_all(s) : EX_TEMPFAIL;
}

int
supervise(struct service *service)
{
	struct supervisor s = {.sock = -1, .service = service};
	int status;

	s.children = (struct children){.settings = &s.settings,
	    .shared = &s.shared,
	    .rates = &s.rates,
	    .leave = leave,
	    .arg = &s};
	children_init(&s.children);
	shared_init(&s.shared);
	alarm_open(&s.alarm);
	s.rates.settings = &s.settings;
	signals_catch();
	if (settings_default(&s.settings) == -1 || load(&s) == -1)
		return EX_OSERR;
	if ((status = begin(&s)) != EX_OK)
		return status;
	if ((s.reception = reception_open(&s.settings)) == NULL && errno != 0)
		log_warn(
		    "cannot take posts at %s: %s", s.settings.queue_post_socket, strerror(errno));
	log_info("started: serving every owner below %s", s.settings.queue_dir);
	service_ready(service);
	sandbox_supervisor();
	confine_tell_lacks();
	scan_all(&s, NULL);
	while (!signals_stop()) {
		take_wishes(&s);
		wait_for_something(&s, do_due(&s));
		reap(&s);
	}
	service_stopping();
	unlink(s.settings.queue_socket);
	poke_unmark(s.settings.queue_socket);
	reception_stop(s.reception);
	wait_for_children(&s);
	reception_close(s.reception);
	shared_close(&s.shared);
	children_free(&s.children);
	log_info("stopped");
	settings_free(&s.settings);
	return EX_OK;
}
