/* SPDX-License-Identifier: ISC */
#include "everybody.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "spool/owners.h"
#include "sys/become.h"
#include "walk.h"

static _Noreturn void
child(struct run *r, const char *name, uid_t owner)
{
	struct spool sp;

	if (r->act->owner != NULL)
		r->act->owner(r, owner);
	if (become(owner) == -1)
		total_trouble(r->total, EX_OSERR, "cannot become uid %u: %s", (unsigned)owner,
		    strerror(errno));
	else if (spool_open_named(&sp, r->settings->queue_dir, name) == 0) {
		walk_spool(r, &sp);
		spool_close(&sp);
	} else if (errno != ENOENT)
		total_trouble(r->total, total_sysexit(errno), "%s", sp.error);
	total_flush(r->total);
	_exit(EX_OK);
}

static int
walk_owner(void *arg, const char *name, uid_t owner)
{
	struct run *r = arg;
	int status = -1;
	pid_t pid;

	if (owner == 0)
		r->total->root = true;
	total_flush(r->total);
	if (r->total->output != 0)
		return 1;
	if ((pid = fork()) == -1) {
		total_trouble(r->total, EX_OSERR, "fork: %s", strerror(errno));
		return 1;
	}
	if (pid == 0)
		child(r, name, owner);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (status != 0)
		total_trouble(r->total, EX_TEMPFAIL, "the queue of uid %u was not seen whole",
		    (unsigned)owner);
	return 0;
}

void
everybody_walk(struct run *r)
{
	const char *dir = r->settings->queue_dir;

	if (spool_owners(dir, walk_owner, r) == -1 && errno != ENOENT)
		total_trouble(
		    r->total, total_sysexit(errno), "cannot list %s: %s", dir, strerror(errno));
}
