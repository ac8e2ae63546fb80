/* SPDX-License-Identifier: ISC */
#include "service.h"

#include <bsd/libutil.h>
#include <bsd/string.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/log.h"
#include "sys/notify.h"

void
service_begin(struct service *s, unsigned every, int starter)
{
	int64_t now = clock_monotonic();

	*s = (struct service){.every = every, .starter = starter, .alarm = INT64_MAX};
	notify_begin();
	log_copy_warnings(starter != -1 ? starter : STDERR_FILENO);
	s->next_run = every != 0 ? now + (int64_t)every * 1000 : INT64_MAX;
	s->next_ping = notify_watchdog() != 0 ? now : INT64_MAX;
}

static void
make_directory(const char *file)
{
	char dir[SERVICE_PATH], *slash;

	strlcpy(dir, file, sizeof(dir));
	if ((slash = strrchr(dir, '/')) == NULL || slash == dir)
		return;
	*slash = '\0';
	if (mkdir(dir, 0755) == 0)
		chmod(dir, 0755); /* our umask is 077 */
}

void
service_pidfile(char path[SERVICE_PATH], const char *setting, const char *socket)
{
	const char *slash = strrchr(socket, '/');

	if (*setting != '\0' || slash == NULL)
		strlcpy(path, setting, SERVICE_PATH);
	else
		snprintf(
		    path, SERVICE_PATH, "%.*s/" SERVICE_PIDFILE, (int)(slash - socket), socket);
}

int
service_lock(struct service *s, const char *pidfile)
{
	pid_t other = -1;

	make_directory(pidfile);
	s->pidfile = pidfile_open(pidfile, 0644, &other);
	if (s->pidfile == NULL && errno == EEXIST) {
		log_warn("another service runs: process %d of %s", (int)other, pidfile);
		return -1;
	}
	if (s->pidfile == NULL || pidfile_write(s->pidfile) == -1)
		log_warn("cannot write %s: %s", pidfile, strerror(errno));
	else
		fchmod(pidfile_fileno(s->pidfile), 0644);
	return 0;
}

static void
tell_starter(struct service *s)
{
	static const char line[] = SERVICE_READY "\n";

	log_copy_warnings(-1);
	if (s->starter == -1)
		return;
	/* Who started us may be gone; SIGPIPE is ignored. */
	if (write(s->starter, line, sizeof(line) - 1) == -1)
		log_warn("nobody waited for the start");
	close(s->starter);
	s->starter = -1;
}

void
service_ready(struct service *s)
{
	tell_starter(s);
	notify_send("READY=1\nMAINPID=%ld", (long)getpid());
}

void
service_reloading(void)
{
	notify_reloading();
}

void
service_status(struct service *s, const char *fmt, ...)
{
	char text[sizeof(s->status)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (strcmp(text, s->status) == 0)
		return;
	strlcpy(s->status, text, sizeof(s->status));
	notify_send("STATUS=%s", text);
}

/* SIGALRM at the next of our times; a timer that is armed for it already is left alone. */
static void
set_alarm(struct service *s, int64_t now)
{
	int64_t next = s->next_run < s->next_ping ? s->next_run : s->next_ping, ms = next - now;
	struct itimerval t = {0};

	if (next == s->alarm)
		return;
	s->alarm = next;
	/* A millisecond later: not to be early by a rounding. */
	t.it_value.tv_sec = (ms + 1) / 1000;
	t.it_value.tv_usec = (ms + 1) % 1000 * 1000;
	setitimer(ITIMER_REAL, &t, NULL);
}

bool
service_turn(struct service *s)
{
	int64_t now = clock_monotonic();
	bool run;

	if (s == NULL)
		return false;
	if (now >= s->next_ping) {
		notify_send("WATCHDOG=1");
		s->next_ping = now + notify_watchdog();
	}
	run = now >= s->next_run;
	if (run)
		s->next_run = now + (int64_t)s->every * 1000;
	set_alarm(s, now);
	return run;
}

void
service_stopping(void)
{
	notify_send("STOPPING=1");
}

void
service_end(struct service *s)
{
	if (s->pidfile != NULL)
		pidfile_remove(s->pidfile);
	s->pidfile = NULL;
	service_forget(s);
}

void
service_forget(struct service *s)
{
	if (s->pidfile != NULL)
		pidfile_close(s->pidfile);
	s->pidfile = NULL;
	if (s->starter != -1)
		close(s->starter);
	s->starter = -1;
	log_copy_warnings(-1);
	notify_end();
}
