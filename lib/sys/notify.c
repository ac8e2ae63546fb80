/* SPDX-License-Identifier: ISC */
#include "sys/notify.h"

#include <bsd/stdlib.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_LEN 512

static struct {
	int fd;           /* connected; -1: nobody listens */
	int64_t watchdog; /* milliseconds */
} state = {.fd = -1};

/* A path, or "@name" in the abstract space, which has no NUL at its end. */
static int
connect_to(const char *name)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = strlen(name);
	int fd;

	if ((*name != '/' && *name != '@') || len >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path, name, len);
	if (*name == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	len += offsetof(struct sockaddr_un, sun_path) + (*name == '/');
	if (fd != -1 && connect(fd, (struct sockaddr *)&to, (socklen_t)len) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int64_t
watchdog_wanted(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID"), *wrong;
	long long n;

	if (usec == NULL || (pid != NULL && strtonum(pid, 1, INT_MAX, &wrong) != getpid()))
		return 0;
	n = strtonum(usec, 1, LLONG_MAX, &wrong);
	return wrong != NULL ? 0 : n < 2000 ? 1 : n / 2000;
}

void
notify_begin(void)
{
	const char *name = getenv("NOTIFY_SOCKET");

	state.fd = name != NULL ? connect_to(name) : -1;
	state.watchdog = watchdog_wanted();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void
notify_send(const char *fmt, ...)
{
	char text[MESSAGE_LEN];
	va_list ap;
	int n;

	if (state.fd == -1)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof(text))
		send(state.fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
notify_reloading(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	notify_send(
	    "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

int64_t
notify_watchdog(void)
{
	return state.watchdog;
}

void
notify_end(void)
{
	if (state.fd != -1)
		close(state.fd);
	state.fd = -1;
	state.watchdog = 0;
}
