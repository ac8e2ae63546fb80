/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/log.h"
#include "tap.h"

static char dir[] = "/tmp/pillarbox-log.XXXXXX";
static char file[sizeof(dir) + 16];
static char content[32 * 1024];

/* What is in the file now, which is then emptied. */
static const char *
lines(void)
{
	int fd = open(file, O_RDWR | O_CLOEXEC);
	ssize_t n = fd != -1 ? read(fd, content, sizeof(content) - 1) : 0;

	content[n > 0 ? n : 0] = '\0';
	if (fd != -1 && (ftruncate(fd, 0) == -1 || close(fd) == -1))
		ok(false, "cannot empty %s", file);
	return content;
}

/* The last lines without time, host and tag; "?" where those are not in their form. */
static const char *
text(void)
{
	char tag[64];
	const char *p = lines();

	if (strlen(p) < 16 || strspn(p + 4, " 0123456789") < 3 || p[9] != ':' || p[12] != ':')
		return "?";
	snprintf(tag, sizeof(tag), " host.example pillarbox/test[%ld]: ", (long)getpid());
	if (strncmp(p + 15, tag, strlen(tag)) != 0)
		return "?";
	return p + 15 + strlen(tag);
}

static void
forms(void)
{
	struct stat st;
	char big[4096];

	log_info("lost");
	ok(access(file, F_OK) == -1, "before log_open() lines go nowhere");
	log_open("test", file, FORMAT_PLAIN, "host.example", false);
	ok(access(file, F_OK) == -1, "the file is made with the first line");
	errno = ENOENT;
	log_info("%s: uid=%d", "ID", 7);
	is_int(errno, ENOENT, "errno is kept");
	is(text(), "ID: uid=7\n", "a line");
	ok(stat(file, &st) == 0 && (st.st_mode & 0777) == 0640, "mode 0640");
	log_warn("trouble");
	is(text(), "warning: trouble\n", "a warning");
	log_info("%s", "a\nb\033[2J\r\nc\xff%s");
	is(text(), "a?b?[2J c?%s\n", "is cleaned");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_info("%s", big);
	is_int((long long)strlen(text()), 2048, "and bounded");
	log_info("one");
	log_close();
	log_info("two");
	lines();
	ok(strstr(content, ": one\n") != NULL && strstr(content, ": two\n") != NULL,
	    "closed and opened again, a line is appended");
}

static const struct {
	double t;
	const char *text;
} times[] = {
    {0, "0"},
    {-5, "0"},
    {0.004, "0"},
    {0.02, "0.02"},
    {0.1, "0.1"},
    {0.13, "0.13"},
    {0.5, "0.5"},
    {0.999, "1"},
    {1, "1"},
    {5, "5"},
    {5.13, "5.1"},
    {9.97, "10"},
    {12, "12"},
    {352.4, "352"},
    {432000, "432000"},
};

static void
delivery(void)
{
	struct outcome o = {.status = {2, 0, 0}, .text = "250 2.0.0 Ok: queued as 4Y1"};
	struct log_delivery d = {.id = {"0QK3ZP7V2M9X"},
	    .to = "r@x.example",
	    .relay = "mx.x.example[192.0.2.1]:25",
	    .delay = 0.5,
	    .delays = {0.1, 0, 0.2, 0.2},
	    .tls = "",
	    .outcome = &o};

	log_delivery(&d);
	is(text(),
	    "0QK3ZP7V2M9X: to=<r@x.example>, relay=mx.x.example[192.0.2.1]:25, delay=0.5, "
	    "delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4Y1)\n",
	    "sent");
	d.expired = true;
	log_delivery(&d);
	ok(strstr(text(), " status=sent (") != NULL, "what was sent is not expired");
	o = (struct outcome){.status = {4, 4, 1}, .text = "connect to x: timed out"};
	log_delivery(&d);
	ok(strstr(text(), ", dsn=4.4.1, status=expired (connect to x: timed out)\n") != NULL,
	    "expired");
	d.expired = false;
	d.relay = "none";
	log_delivery(&d);
	ok(strstr(text(), ", relay=none, ") != NULL &&
		strstr(content, " status=deferred (") != NULL,
	    "deferred");
	o.status.class = 5;
	d.orig_to = "root";
	d.tls = "TLSv1.3 verified";
	log_delivery(&d);
	ok(strstr(text(), "to=<r@x.example>, orig_to=<root>, relay=none, ") != NULL, "orig_to");
	ok(strstr(content, "0.2/0.2, dsn=5.4.1, status=bounced (connect to x: timed out), "
			   "tls=TLSv1.3 verified\n") != NULL,
	    "tls, bounced");
	d.pid = 125;
	log_delivery(&d);
	ok(strstr(lines(), " host.example pillarbox/smtp[125]: 0QK3") != NULL, "smtp's tag");
	log_info("after");
	is(text(), "after\n", "and ours again");
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		char want[64];
		d.delay = d.delays[3] = times[i].t;
		log_delivery(&d);
		lines();
		snprintf(want, sizeof(want), ", delay=%s, delays=0.1/0/0.2/%s, dsn=", times[i].text,
		    times[i].text);
		ok(strstr(content, want) != NULL, "%g seconds are %s", times[i].t, times[i].text);
	}
}

/* Log a line with stderr in the file; "auto" depends on whether this machine has a /dev/log. */
static void
to_stderr(const char *to, bool service)
{
	int saved = dup(STDERR_FILENO), fd = open(file, O_WRONLY | O_CREAT | O_APPEND, 0600);

	dup2(fd, STDERR_FILENO);
	log_open("test", to, FORMAT_PLAIN, "host.example", service);
	log_info("line");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
}

static void
targets(void)
{
	bool syslog = access("/dev/log", F_OK) == 0;
	char other[sizeof(file) + 8];

	to_stderr("stderr", false);
	is(text(), "line\n", "stderr");
	to_stderr("auto", false);
	is(lines(), "", "auto is never stderr for a caller's sake");
	to_stderr("auto", true);
	is(text(), syslog ? "?" : "line\n", "but for a service");

	snprintf(other, sizeof(other), "%s.link", file);
	if (symlink(file, other) == 0) {
		to_stderr(other, false);
		is(lines(), "", "a symbolic link is not followed");
		to_stderr(other, true);
		ok(syslog || strstr(lines(), "warning: cannot log to ") != NULL, "which is said");
		ok(syslog || strstr(content, ": line\n") != NULL, "and the line not lost");
		unlink(other);
	}
	if (mkfifo(other, 0600) == 0) {
		to_stderr(other, false);
		ok(true, "a FIFO that nobody reads does not hang");
		unlink(other);
	}
	to_stderr("/nonexistent/log", false);
	ok(true, "neither does a path that is none");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(file, sizeof(file), "%s/log", dir);
	umask(0);
	forms();
	delivery();
	targets();
	unlink(file);
	rmdir(dir);
	return done();
}
