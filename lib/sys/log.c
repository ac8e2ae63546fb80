/* SPDX-License-Identifier: ISC */
#include "sys/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "mail/route.h"

#define TAG_LEN 64
#define TEXT_LEN 2048 /* of a line, without its time and tag */

enum target {
	TO_NOBODY,
	TO_SYSLOG,
	TO_STDERR,
	TO_FILE,
};

static struct {
	enum target to;
	const char *program;
	const char *path; /* TO_FILE */
	int fd;           /* TO_FILE: -1 until the first line */
	bool service;
	char hostname[HOST_LEN];
} state = {.program = "pillarbox", .fd = -1};

static enum target
automatic(void)
{
	if (access("/dev/log", F_OK) == 0)
		return TO_SYSLOG;
	return state.service ? TO_STDERR : TO_NOBODY;
}

void
log_open(const char *program, const char *to, const char *hostname, bool service)
{
	log_close();
	state.program = program;
	state.service = service;
	state.path = to;
	snprintf(state.hostname, sizeof(state.hostname), "%s", hostname);
	if (strcmp(to, "syslog") == 0)
		state.to = TO_SYSLOG;
	else if (strcmp(to, "stderr") == 0)
		state.to = TO_STDERR;
	else
		state.to = *to == '/' ? TO_FILE : automatic();
}

void
log_close(void)
{
	closelog();
	if (state.fd != -1)
		close(state.fd);
	state.fd = -1;
}

/* "Nov 23 16:13:05 host tag: text", in one write so that lines of several processes do not mix. */
static void
write_line(int fd, const char *tag, const char *text)
{
	static const char months[12][4] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	char line[TEXT_LEN + TAG_LEN + HOST_LEN + 32];
	time_t now = time(NULL);
	struct tm tm = {0};
	int n;

	if (state.hostname[0] == '\0' && gethostname(state.hostname, HOST_LEN - 1) == -1)
		snprintf(state.hostname, sizeof(state.hostname), "localhost");
	tzset(); /* localtime_r() need not */
	localtime_r(&now, &tm);
	n = snprintf(line, sizeof(line), "%s %2d %02d:%02d:%02d %s %s: %s\n",
	    months[tm.tm_mon % 12], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, state.hostname,
	    tag, text);
	while (n > 0 && write(fd, line, (size_t)n) == -1 && errno == EINTR)
		;
}

static void
emit(int priority, const char *tag, const char *text)
{
	if (state.to == TO_SYSLOG) {
		openlog(tag, 0, LOG_MAIL);
		syslog(priority, "%s", text);
	} else if (state.to != TO_NOBODY) {
		write_line(state.to == TO_STDERR ? STDERR_FILENO : state.fd, tag, text);
	}
}

static void
open_file(const char *tag)
{
	char text[TEXT_LEN], clean[TEXT_LEN];

	state.fd = open(state.path,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
	if (state.fd != -1)
		return;
	snprintf(text, sizeof(text), "warning: cannot log to %s: %s", state.path, strerror(errno));
	text_clean(clean, sizeof(clean), text, strlen(text));
	state.to = automatic();
	emit(LOG_WARNING, tag, clean);
}

/* pid: whose line it is; a fork does not tell us that we are another. */
static void
say(int priority, const char *program, pid_t pid, const char *text)
{
	static char tag[TAG_LEN]; /* openlog() keeps the pointer */
	char clean[TEXT_LEN];
	int error = errno;

	if (state.to == TO_NOBODY)
		return;
	snprintf(tag, sizeof(tag), "pillarbox/%s[%ld]", program, (long)(pid != 0 ? pid : getpid()));
	text_clean(clean, sizeof(clean), text, strlen(text));
	if (state.to == TO_FILE && state.fd == -1)
		open_file(tag);
	emit(priority, tag, clean);
	errno = error;
}

__attribute__((format(printf, 2, 0))) static void
vsay(int priority, const char *fmt, va_list ap)
{
	static const char warning[] = "warning: ";
	char text[2 * TEXT_LEN];
	size_t at = priority == LOG_WARNING ? sizeof(warning) - 1 : 0;

	if (state.to == TO_NOBODY)
		return;
	memcpy(text, warning, at);
	if (vsnprintf(text + at, sizeof(text) - at, fmt, ap) >= 0)
		say(priority, state.program, 0, text);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(LOG_INFO, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(LOG_WARNING, fmt, ap);
	va_end(ap);
}

/* Seconds as Postfix writes them: two significant digits, but no less than a hundredth. */
static const char *
seconds(char dst[24], double t)
{
	if (!(t > 0)) /* a clock went back */
		t = 0;
	if (t > 1e12)
		t = 1e12;
	snprintf(dst, 24, "%.*f", t < 1 ? 2 : t < 10 ? 1 : 0, t);
	if (strchr(dst, '.') != NULL) {
		char *end = dst + strlen(dst);
		while (end[-1] == '0')
			*--end = '\0';
		if (end[-1] == '.')
			end[-1] = '\0';
	}
	return dst;
}

static const char *
status_word(const struct log_delivery *d)
{
	if (d->outcome->status.class == 2)
		return "sent";
	if (d->expired)
		return "expired";
	return d->outcome->status.class == 5 ? "bounced" : "deferred";
}

void
log_delivery(const struct log_delivery *d)
{
	char text[2 * TEXT_LEN], orig[TEXT_LEN / 2] = "", tls[256] = "";
	char dsn[STATUS_LEN], t[5][24];

	if (d->orig_to != NULL)
		snprintf(orig, sizeof(orig), " orig_to=<%s>,", d->orig_to);
	if (d->tls[0] != '\0')
		snprintf(tls, sizeof(tls), " tls=%s,", d->tls);
	snprintf(text, sizeof(text),
	    "%s: to=<%s>,%s relay=%s, delay=%s, delays=%s/%s/%s/%s,%s dsn=%s, status=%s (%s)",
	    d->id.s, d->to, orig, d->relay, seconds(t[0], d->delay), seconds(t[1], d->delays[0]),
	    seconds(t[2], d->delays[1]), seconds(t[3], d->delays[2]), seconds(t[4], d->delays[3]),
	    tls, status_print(dsn, d->outcome->status), status_word(d), d->outcome->text);
	say(LOG_INFO, d->pid != 0 ? "smtp" : state.program, d->pid, text);
}
