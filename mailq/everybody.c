/* SPDX-License-Identifier: ISC */
#include "everybody.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "spool/owners.h"
#include "sys/become.h"

struct everybody {
	struct list_total *total;
	const char *queue_dir;
	bool root;
};

static _Noreturn void
child(struct everybody *all, const char *name, uid_t owner, int sums)
{
	struct list_total *t = all->total;
	struct spool sp;

	if (become(owner) == -1)
		list_trouble(
		    t, EX_OSERR, "cannot become uid %u: %s", (unsigned)owner, strerror(errno));
	else if (spool_open_named(&sp, all->queue_dir, name) == 0) {
		list_spool(t, &sp);
		spool_close(&sp);
	} else if (errno != ENOENT)
		list_trouble(t, list_sysexit(errno), "%s", sp.error);
	list_flush(t);
	_exit(write(sums, t, sizeof(*t)) == (ssize_t)sizeof(*t) ? EX_OK : EX_OSERR);
}

/* The child's sums; what it printed cannot be taken back, so none at all is trouble. */
static void
collect(struct everybody *all, pid_t pid, uid_t owner, int sums)
{
	struct list_total t;
	ssize_t n;

	while ((n = read(sums, &t, sizeof(t))) == -1 && errno == EINTR)
		;
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	if (n == (ssize_t)sizeof(t))
		*all->total = t;
	else
		list_trouble(
		    all->total, EX_TEMPFAIL, "the list of uid %u is not whole", (unsigned)owner);
}

static int
list_owner(void *arg, const char *name, uid_t owner)
{
	struct everybody *all = arg;
	int sums[2];
	pid_t pid;

	if (owner == 0)
		all->root = true;
	list_flush(all->total);
	if (all->total->output != 0)
		return 1;
	if (pipe2(sums, O_CLOEXEC) == -1 || (pid = fork()) == -1) {
		list_trouble(all->total, EX_OSERR, "fork: %s", strerror(errno));
		return 1;
	}
	if (pid == 0) {
		close(sums[0]);
		child(all, name, owner, sums[1]);
	}
	close(sums[1]);
	collect(all, pid, owner, sums[0]);
	close(sums[0]);
	return 0;
}

bool
everybody_list(struct list_total *t, const char *queue_dir)
{
	struct everybody all = {.total = t, .queue_dir = queue_dir};

	if (spool_owners(queue_dir, list_owner, &all) == -1 && errno != ENOENT)
		list_trouble(
		    t, list_sysexit(errno), "cannot list %s: %s", queue_dir, strerror(errno));
	return all.root;
}
