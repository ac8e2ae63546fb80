/* SPDX-License-Identifier: ISC */
#include "link.h"

#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "sys/become.h"
#include "sys/clock.h"
#include "sys/host.h"
#include "sys/log.h"
#include "sys/program.h"
#include "sys/secret.h"

#define WIRE_USER "_pillarbox"
#define NOBODY 65534
#define PINGS 4   /* in the time that it may take to answer one */
#define CHANNEL 3 /* smtp finds its end here */

struct sending {
	struct handoff_packer packer;
	const struct settings *settings;
	const char *hostname;
	char password[SECRET_LEN];
	struct buf *why;
	bool no_password;
};

/*
 * The password of [relay], or of a [relay.NAME], as it is now. 0, or -1 with `why`; a relay with a
 * name that has lost its password is left without, and holds up no mail but its own.
 */
static int
read_password(struct sending *e, const char *section)
{
	const struct settings_relay *relay = NULL;
	int r;

	e->password[0] = '\0';
	if (e->no_password)
		return 0;
	for (size_t i = 0; i < e->settings->nrelays; i++)
		if (strcmp(e->settings->relay[i].section, section) == 0)
			relay = &e->settings->relay[i];
	r = secret_read(e->password, e->settings, relay, e->why);
	if (r == -1 && relay == NULL)
		return -1;
	if (r == -1)
		e->password[0] = '\0';
	if (r != 0) { /* or it is read, but others can read it too */
		log_warn("%s: %s", section, buf_str(e->why));
		buf_clear(e->why);
	}
	return 0;
}

/* Some are sent in place of the setting, because we know better than smtp can. */
static int
send_setting(void *arg, const char *section, const char *key, const char *value)
{
	struct sending *e = arg;

	if (strcmp(section, "mail") == 0 && strcmp(key, "hostname") == 0)
		value = e->hostname;
	if (strcmp(key, "password") == 0) {
		if (read_password(e, section) == -1)
			return -1;
		value = e->password;
	}
	return handoff_settings_add(&e->packer, section, key, value);
}

static int
send_settings(int fd, bool no_password, const struct settings *s, struct buf *why)
{
	char hostname[HOST_LEN];
	struct sending e = {
	    .settings = s, .hostname = hostname, .why = why, .no_password = no_password};
	int r;

	host_name(hostname, s->mail_hostname);
	handoff_settings_begin(&e.packer, fd);
	r = settings_each(s, send_setting, &e) == 0 ? handoff_settings_end(&e.packer) : -1;
	if (r == -1 && buf_str(why)[0] == '\0')
		buf_addf(why, "cannot hand the settings to smtp: %s", strerror(errno));
	explicit_bzero(&e, sizeof(e));
	return r;
}

/*
 * The program is opened before we become somebody who may not reach it (an installation below
 * /root), and executed by descriptor.
 */
static void
run_smtp(int fd)
{
	char path[PATH_MAX];
	char *argv[] = {(char *)"smtp", NULL};
	int program;

	if (program_path(path, sizeof(path), PROGRAM_SMTP) == -1 || dup2(fd, CHANNEL + 1) == -1 ||
	    dup2(CHANNEL + 1, CHANNEL) == -1)
		_exit(EX_OSFILE);
	closefrom(CHANNEL + 1);
	if ((program = open(path, O_PATH | O_CLOEXEC)) == -1)
		_exit(EX_OSFILE);
	if (geteuid() == 0 && become(become_uid(WIRE_USER, NOBODY)) == -1)
		_exit(EX_NOPERM);
	program_drop_settings();
	fexecve(program, argv, environ);
	_exit(EX_OSFILE);
}

static int
start(struct link *l, struct buf *why)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1) {
		buf_addf(why, "cannot start smtp: %s", strerror(errno));
		return -1;
	}
	if ((l->pid = fork()) == 0)
		run_smtp(fd[1]);
	if (l->pid == -1)
		buf_addf(why, "cannot start smtp: %s", strerror(errno));
	close(fd[1]);
	l->fd = fd[0];
	if (l->pid != -1)
		return 0;
	link_close(l);
	return -1;
}

static int
start_here(struct link *l, const struct settings *s, struct buf *why)
{
	if (s->relay_broken) {
		buf_adds(why, buf_str(&s->errors));
		return -1;
	}
	if (start(l, why) == -1)
		return -1;
	if (send_settings(l->fd, l->no_password, s, why) == 0)
		return 0;
	link_close(l);
	return -1;
}

int
link_adopt(struct link *l, struct buf *why)
{
	if (fcntl(l->fd, F_SETFL, O_NONBLOCK) == 0)
		return 0;
	buf_addf(why, "cannot use the channel to smtp: %s", strerror(errno));
	link_close(l);
	return -1;
}

int
link_open(struct link *l, const struct settings *s, struct buf *why)
{
	l->patience = 0;
	return start_here(l, s, why) == 0 ? link_adopt(l, why) : -1;
}

void
link_watch(struct link *l, unsigned seconds)
{
	l->patience = (int64_t)seconds * 1000;
	link_answered(l);
}

void
link_answered(struct link *l)
{
	l->ping = clock_monotonic() + l->patience / PINGS;
	l->deadline = INT64_MAX;
}

int64_t
link_watched(struct link *l)
{
	const union handoff_message ping = {.type = HANDOFF_PING};
	int64_t now = clock_monotonic();

	if (l->fd == -1 || l->patience == 0)
		return INT64_MAX;
	if (now >= l->deadline)
		return -1;
	if (l->deadline == INT64_MAX && now >= l->ping) {
		handoff_send(l->fd, &ping, -1); /* where it has no room for this it is stuck, too */
		l->deadline = now + l->patience;
	}
	return l->deadline != INT64_MAX ? l->deadline : l->ping;
}

void
link_refused(const struct outcome *o, const char *fate)
{
	log_warn("cannot log in: %s; %s; where user, password or relay.auth is wrong, mend it, "
		 "then: sendmail -q",
	    o->text, fate);
}

/* What could not be read, a password or token that is refused, certificates. */
bool
link_wants_files(enum stage stage)
{
	return stage == STAGE_CONFIG || stage == STAGE_AUTH || stage == STAGE_TLS;
}

bool
link_passed(const struct handoff_passed *m)
{
	if (m->why.stage == STAGE_AUTH)
		link_refused(&m->why, "the next relay is tried");
	else
		log_info("the next relay is tried: %s", m->why.text);
	return link_wants_files(m->why.stage);
}

void
link_close(struct link *l)
{
	if (l->fd != -1)
		close(l->fd);
	l->fd = -1;
}
