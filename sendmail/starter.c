/* SPDX-License-Identifier: ISC */
#include "starter.h"

#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "confine.h"
#include "signals.h"
#include "sys/handoff.h"
#include "sys/log.h"
#include "sys/pass.h"
#include "sys/program.h"

#define NAME "flush-starter" /* as ps and top show it */

enum { ASK_SETTINGS = 's', ASK_LINK = 'l', ASK_KILL = 'k' };

struct self {
	int fd;
	bool service;
	pid_t smtp; /* the last one; 0: it has ended */
};

/* To ASK_LINK, with the channel: smtp's pid, or 0 and what is wrong. */
struct answer {
	pid_t pid;
	char why[1024];
};

static int
send_setting(void *arg, const char *section, const char *key, const char *value)
{
	return handoff_settings_add(arg, section, key, value);
}

/* What is the log's file now. */
static int
send_log(const struct self *me, const struct settings *s)
{
	log_open("flush", s->log_to, s->log_format, s->mail_hostname, me->service);
	return pass_send(me->fd, NULL, "l", 1, log_ready());
}

static int
send_settings(struct self *me, struct settings *s)
{
	struct handoff_packer p;

	settings_forget_secrets(s);
	handoff_settings_begin(&p, me->fd);
	if (settings_each(s, send_setting, &p) != 0 || handoff_settings_end(&p) == -1)
		return -1;
	return send_log(me, s);
}

static int
send_link(struct self *me, const struct settings *s)
{
	struct buf why = BUF_INIT(sizeof(((struct answer *)0)->why));
	struct link l = {.fd = -1};
	struct answer a = {0};
	int r;

	if (link_open(&l, s, &why) == 0)
		me->smtp = a.pid = l.pid;
	else
		strlcpy(a.why, buf_str(&why), sizeof(a.why));
	r = pass_send(me->fd, NULL, &a, sizeof(a), l.fd);
	link_close(&l);
	buf_free(&why);
	return r;
}

static void
reap(struct self *me)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		confine_tell(status);
		if (pid == me->smtp)
			me->smtp = 0;
	}
}

static int
answer(struct self *me)
{
	struct settings s;
	char what;
	int r;

	if (recv(me->fd, &what, 1, 0) != 1)
		return -1;
	if (what == ASK_KILL)
		return me->smtp != 0 ? kill(me->smtp, SIGKILL) : 0;
	if (settings_load(&s, SETTINGS_OWN) == -1)
		return -1;
	r = what == ASK_SETTINGS ? send_settings(me, &s) : send_link(me, &s);
	settings_free(&s);
	return r;
}

/* Signals end the sleep, no more: those to leave are for the flusher. */
static void
serve(struct self *me)
{
	struct pollfd p = {.fd = me->fd, .events = POLLIN};
	sigset_t none;
	int n;

	sigemptyset(&none);
	do {
		n = ppoll(&p, 1, NULL, &none);
		reap(me);
	} while (n != 1 || answer(me) == 0);
}

/* Whoever waits for the flusher's end by a descriptor is not to wait for ours. */
static void
run(int fd, int dir, bool service)
{
	struct self me = {.fd = fd, .service = service};

	if (fchdir(dir) == -1)
		_exit(EX_OSERR);
	prctl(PR_SET_NAME, NAME);
	log_copy_warnings(-1);
	program_close(fd);
	signals_catch();
	serve(&me);
	_exit(EX_OK);
}

int
starter_begin(int dir, bool service)
{
	int fd[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1)
		return -1;
	if ((pid = fork()) == 0)
		run(fd[1], dir, service);
	close(fd[1]);
	if (pid != -1)
		return fd[0];
	close(fd[0]);
	return -1;
}

/* Without it nothing is delivered any more. What waits on disk is the next flusher's. */
static _Noreturn void
bereaved(void)
{
	log_warn("the process that starts smtp is gone");
	_exit(EX_OSERR);
}

static void
ask(int starter, char what)
{
	if (send(starter, &what, 1, MSG_NOSIGNAL) != 1)
		bereaved();
}

/* False: there was no memory for one. With its default mail might go where it must not. */
static bool
take_settings(int starter, struct settings *s)
{
	static union handoff_message m;
	const char *why;
	bool all = true;
	int fd;

	for (;;) {
		if (handoff_receive(starter, &m, &fd) != 1)
			bereaved();
		if (m.type != HANDOFF_SETTINGS)
			return all;
		for (const char *name = NULL;
		     (name = handoff_setting(&m.settings, name)) != NULL;) {
			errno = 0;
			if (settings_take(s, name, "starter", &why) == 0)
				continue;
			all = all && errno != ENOMEM;
			log_warn("%s: %s", name, why);
		}
	}
}

int
starter_settings(int starter, struct settings *s, int *log)
{
	char end;
	bool all;

	if (settings_default(s) == -1)
		return -1;
	ask(starter, ASK_SETTINGS);
	all = take_settings(starter, s);
	if (pass_receive(starter, &end, 1, log, NULL) != 1)
		bereaved();
	if (all)
		return 0;
	if (*log != -1)
		close(*log);
	settings_free(s);
	errno = ENOMEM;
	return -1;
}

int
starter_link(int starter, struct link *l, struct buf *why)
{
	struct answer a;

	ask(starter, ASK_LINK);
	if (pass_receive(starter, &a, sizeof(a), &l->fd, NULL) != sizeof(a))
		bereaved();
	l->pid = a.pid;
	if (l->fd != -1)
		return 0;
	buf_add(why, a.why, strnlen(a.why, sizeof(a.why)));
	return -1;
}

void
starter_kill(int starter)
{
	ask(starter, ASK_KILL);
}
