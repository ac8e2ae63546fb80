/* SPDX-License-Identifier: ISC */
#include "sys/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "mail/route.h"
#include "sys/clock.h"
#include "sys/log_json.h"

#define TAG_LEN 64
#define TEXT_LEN 2048 /* of a line, without its time and tag */
#define JSON_MAX (32 * 1024)

enum target {
	TO_NOBODY,
	TO_SYSLOG,
	TO_STDERR,
	TO_FILE,
};

static struct {
	enum target to;
	const char *program;
	int fd;   /* TO_FILE: -1 until the first line */
	int copy; /* where warnings go as well, or -1 */
	int format;
	bool service;
} state = {.program = "pillarbox", .fd = -1, .copy = -1};

/* Apart from it, so that no zeros are in the program's file; a path is long, and few have one. */
static struct {
	char path[PATH_MAX]; /* TO_FILE */
	char hostname[HOST_LEN];
	char tag[TAG_LEN]; /* openlog() keeps the pointer */
} texts;

static enum target
automatic(void)
{
	if (access("/dev/log", F_OK) == 0)
		return TO_SYSLOG;
	return state.service ? TO_STDERR : TO_NOBODY;
}

void
log_open(const char *program, const char *to, int format, const char *hostname, bool service)
{
	log_close();
	state.program = program;
	state.service = service;
	state.format = format;
	snprintf(texts.hostname, sizeof(texts.hostname), "%s", hostname);
	if (strcmp(to, "syslog") == 0)
		state.to = TO_SYSLOG;
	else if (strcmp(to, "stderr") == 0)
		state.to = TO_STDERR;
	else
		state.to = *to == '/' ? TO_FILE : automatic();
	if (state.to == TO_FILE)
		snprintf(texts.path, sizeof(texts.path), "%s", to);
}

void
log_close(void)
{
	closelog();
	if (state.fd != -1)
		close(state.fd);
	state.fd = -1;
}

static int
open_path(void)
{
	return open(texts.path,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
}

int
log_ready(void)
{
	if (state.to == TO_FILE && state.fd == -1)
		state.fd = open_path();
	return state.fd;
}

void
log_use(int fd)
{
	if (fd == -1)
		return;
	if (state.fd != -1)
		close(state.fd);
	state.fd = fd;
}

/* In one write, so that lines of several processes do not mix. */
static void
write_line(const char *line, size_t len)
{
	int fd = state.to == TO_STDERR ? STDERR_FILENO : state.fd;

	while (write(fd, line, len) == -1 && errno == EINTR)
		;
}

/* "Nov 23 16:13:05 host tag: text" */
static void
write_plain(const char *text)
{
	static const char months[12][4] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	char line[TEXT_LEN + TAG_LEN + HOST_LEN + 32];
	time_t now = time(NULL);
	struct tm tm = {0};
	int n;

	tzset(); /* localtime_r() need not */
	localtime_r(&now, &tm);
	n = snprintf(line, sizeof(line), "%s %2d %02d:%02d:%02d %s %s: %s\n",
	    months[tm.tm_mon % 12], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, texts.hostname,
	    texts.tag, text);
	if (n > 0)
		write_line(line, (size_t)n);
}

static void
to_syslog(bool warning, const char *text)
{
	openlog(texts.tag, 0, LOG_MAIL);
	syslog(warning ? LOG_WARNING : LOG_INFO, "%s", text);
}

static void
emit_plain(const struct log_line *l)
{
	char text[TEXT_LEN + 16], clean[TEXT_LEN];

	snprintf(text, sizeof(text), "%s%s", l->warning ? "warning: " : "", l->text);
	text_clean(clean, sizeof(clean), text, strlen(text));
	if (state.to == TO_SYSLOG)
		to_syslog(l->warning, clean);
	else
		write_plain(clean);
}

static void
emit_json(const struct log_line *l)
{
	struct buf out = BUF_INIT(JSON_MAX);

	log_json(&out, l);
	if (state.to == TO_SYSLOG) {
		to_syslog(l->warning, buf_str(&out));
	} else {
		buf_addc(&out, '\n');
		write_line(buf_str(&out), out.len);
	}
	buf_free(&out);
}

static void
emit(const struct log_line *l)
{
	if (state.to == TO_NOBODY)
		return;
	snprintf(texts.tag, sizeof(texts.tag), "%s[%ld]", l->program, (long)l->pid);
	if (state.format == FORMAT_JSON)
		emit_json(l);
	else
		emit_plain(l);
}

static void
open_file(struct log_line l)
{
	char text[TEXT_LEN];

	state.fd = open_path();
	if (state.fd != -1)
		return;
	snprintf(text, sizeof(text), "cannot log to %.1024s: %s", texts.path, strerror(errno));
	state.to = automatic();
	l.warning = true;
	l.text = text;
	l.delivery = NULL;
	emit(&l);
}

/* Of l: what the line is about. The rest is the same for all; pid 0 is ours, asked for each time,
 * for a fork does not tell us that we are another. */
static void
say(struct log_line l, const char *program)
{
	char name[TAG_LEN - 16];
	int error = errno;

	if (state.to == TO_NOBODY)
		return;
	if (texts.hostname[0] == '\0' && gethostname(texts.hostname, HOST_LEN - 1) == -1)
		snprintf(texts.hostname, sizeof(texts.hostname), "localhost");
	snprintf(name, sizeof(name), "pillarbox/%s", program);
	l.when = clock_wall();
	l.host = texts.hostname;
	l.program = name;
	if (l.pid == 0)
		l.pid = getpid();
	if (state.to == TO_FILE && state.fd == -1)
		open_file(l);
	emit(&l);
	errno = error;
}

__attribute__((format(printf, 2, 0))) static void
vsay(bool warning, const char *fmt, va_list ap)
{
	char text[TEXT_LEN];

	if (state.to == TO_NOBODY)
		return;
	if (vsnprintf(text, sizeof(text), fmt, ap) >= 0)
		say((struct log_line){.warning = warning, .text = text}, state.program);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(false, fmt, ap);
	va_end(ap);
}

/* For whoever reads at the other end: a line, without the tag. */
__attribute__((format(printf, 1, 0))) static void
copy_warning(const char *fmt, va_list ap)
{
	char text[TEXT_LEN], clean[TEXT_LEN];

	if (state.copy == -1 || (state.copy == STDERR_FILENO && state.to == TO_STDERR))
		return;
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		return;
	text_clean(clean, sizeof(clean), text, strlen(text));
	dprintf(state.copy, "%s\n", clean);
}

void
log_copy_warnings(int fd)
{
	state.copy = fd;
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	copy_warning(fmt, ap);
	va_end(ap);

	va_start(ap, fmt);
	vsay(true, fmt, ap);
	va_end(ap);
}

/* Seconds as Postfix writes them: two significant digits, but no less than a hundredth. */
const char *
log_seconds(char dst[24], double t)
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

const char *
log_status_word(const struct log_delivery *d)
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
		snprintf(tls, sizeof(tls), ", tls=%s", d->tls);
	snprintf(text, sizeof(text),
	    "%s: to=<%s>,%s relay=%s, delay=%s, delays=%s/%s/%s/%s, dsn=%s, status=%s (%s)%s",
	    d->id.s, d->to, orig, d->relay, log_seconds(t[0], d->delay),
	    log_seconds(t[1], d->delays[0]), log_seconds(t[2], d->delays[1]),
	    log_seconds(t[3], d->delays[2]), log_seconds(t[4], d->delays[3]),
	    status_print(dsn, d->outcome->status), log_status_word(d), d->outcome->text, tls);
	say((struct log_line){.pid = d->pid, .text = text, .delivery = d},
	    d->pid != 0 ? "smtp" : state.program);
}
