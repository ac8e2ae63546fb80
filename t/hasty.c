/* SPDX-License-Identifier: ISC */
/*
 * hasty: linked into smtp or flush with --wrap, its clock runs HASTE times as fast, so that a test sees
 * time-outs of minutes. The wall clock stays what it is.
 */
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#define HASTE 60

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int __real_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask);

int
__wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	int r = __real_clock_gettime(id, t);

	if (r == 0 && id != CLOCK_REALTIME) {
		long long ns = (long long)t->tv_nsec * HASTE;

		t->tv_sec = t->tv_sec * HASTE + ns / 1000000000;
		t->tv_nsec = ns % 1000000000;
	}
	return r;
}

int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return __real_poll(fds, n, timeout > 0 ? timeout / HASTE + 1 : timeout);
}

int
__wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask)
{
	struct timespec hasty = {0};

	if (t != NULL) {
		long long ns = ((long long)t->tv_sec * 1000000000 + t->tv_nsec) / HASTE + 1;

		hasty.tv_sec = ns / 1000000000;
		hasty.tv_nsec = ns % 1000000000;
	}
	return __real_ppoll(fds, n, t != NULL ? &hasty : NULL, mask);
}
