/* SPDX-License-Identifier: ISC */
#include "sys/program.h"

#include <assert.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/log.h"

/* Where the programs are below a prefix, and where they are at build time's word. */
static const struct place {
	const char *name, *below, *built;
} places[] = {
    {PROGRAM_SENDMAIL, "/sbin/sendmail", SBINDIR "/sendmail"},
    {PROGRAM_MAILQ, "/bin/mailq", BINDIR "/mailq"},
    {PROGRAM_FLUSH, "/libexec/pillarbox/flush", LIBEXECDIR "/flush"},
    {PROGRAM_SMTP, "/libexec/pillarbox/smtp", LIBEXECDIR "/smtp"},
};

#define NPLACES (sizeof(places) / sizeof(places[0]))

/* Octets of the prefix that `path`, one of our programs, is installed below; -1: cannot be told. */
static ssize_t
prefix_len(const char *path, size_t len)
{
	for (size_t i = 0; i < NPLACES; i++) {
		size_t n = strlen(places[i].below);
		if (len >= n && memcmp(path + len - n, places[i].below, n) == 0)
			return (ssize_t)(len - n);
	}
	return -1;
}

/* The path of the running program, without what the kernel says of one replaced by an upgrade. */
static size_t
own_path(char *path, size_t size)
{
	static const char gone[] = " (deleted)";
	const size_t n = sizeof(gone) - 1;
	ssize_t len = readlink("/proc/self/exe", path, size);

	if (len <= 0 || (size_t)len >= size)
		return 0;
	if ((size_t)len > n && memcmp(path + len - n, gone, n) == 0)
		len -= (ssize_t)n;
	return (size_t)len;
}

int
program_path(char *dst, size_t size, const char *name)
{
	const struct place *place = NULL;
	char own[PATH_MAX];
	ssize_t prefix;
	int n;

	dst[0] = '\0';
	for (size_t i = 0; i < NPLACES; i++)
		if (strcmp(places[i].name, name) == 0)
			place = &places[i];
	assert(place != NULL);
	prefix = prefix_len(own, own_path(own, sizeof(own)));
	if (prefix != -1) {
		n = snprintf(dst, size, "%.*s%s", (int)prefix, own, place->below);
		if (n > 0 && (size_t)n < size && access(dst, X_OK) == 0)
			return 0;
	}
	n = snprintf(dst, size, "%s", place->built);
	if (n > 0 && (size_t)n < size)
		return 0;
	dst[0] = '\0';
	errno = ENAMETOOLONG;
	return -1;
}

/*
 * /dev/null, or where there is none a descriptor that nothing can be read from or written to: the
 * number must not go to a spool file.
 */
static int
open_null(int flags)
{
	int fd = open("/dev/null", flags);

	return fd != -1 ? fd : open("/", O_PATH | O_DIRECTORY);
}

void
program_begin(void)
{
	struct pollfd p[] = {{.fd = STDIN_FILENO}, {.fd = STDOUT_FILENO}, {.fd = STDERR_FILENO}};
	sigset_t none;

	poll(p, 3, 0);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if ((p[fd].revents & POLLNVAL) != 0)
			open_null(fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
}

static void
close_range_or_each(unsigned first, unsigned last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	if (last == ~0U) {
		closefrom((int)first);
		return;
	}
	for (unsigned fd = first; fd <= last; fd++)
		close((int)fd);
}

void
program_close(int keep)
{
	unsigned first = STDERR_FILENO + 1;

	log_close();
	if (keep >= (int)first) {
		close_range_or_each(first, (unsigned)keep - 1);
		first = (unsigned)keep + 1;
	}
	close_range_or_each(first, ~0U);
}

void
program_detach(int keep)
{
	int null;

	assert(keep == -1 || keep > STDERR_FILENO);
	setsid();
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGPIPE)
			signal(sig, SIG_DFL);
	/* After the closing, so that it can be had where the table of descriptors was full. */
	program_close(keep);
	null = open_null(O_RDWR);
	if (null == -1)
		return;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
}

static bool
is_setting(const char *entry)
{
	static const char prefix[] = "PILLARBOX_";

	return strncmp(entry, prefix, sizeof(prefix) - 1) == 0;
}

/* A sanitizer's build tells its programs by the environment what to look for. */
static const char *const harmless[] = {
    "PATH=",
    "HOME=",
    "CREDENTIALS_DIRECTORY=",
    "NOTIFY_SOCKET=",
    "WATCHDOG_USEC=",
    "WATCHDOG_PID=",
#if defined(__SANITIZE_ADDRESS__)
    "ASAN_OPTIONS=",
    "UBSAN_OPTIONS=",
#endif
};

static bool
is_harmless(const char *entry)
{
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (strncmp(entry, harmless[i], strlen(harmless[i])) == 0)
			return true;
	return strncmp(entry, "TZ=", 3) == 0 && entry[3] != ':' && strstr(entry, "..") == NULL &&
	       entry[3] != '/';
}

static bool
is_kept(const char *entry)
{
	return is_setting(entry) || is_harmless(entry);
}

static bool
is_foreign(const char *entry)
{
	return !is_setting(entry);
}

static void
keep(bool (*which)(const char *entry))
{
	char **to = environ;

	for (char **from = environ; from != NULL && *from != NULL; from++)
		if (which(*from))
			*to++ = *from;
	if (to != NULL)
		*to = NULL;
}

void
program_keep_settings(void)
{
	keep(is_kept);
}

void
program_drop_settings(void)
{
	keep(is_foreign);
}
