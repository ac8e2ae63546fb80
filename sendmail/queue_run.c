/* SPDX-License-Identifier: ISC */
#include "queue_run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "spool/owners.h"
#include "spool/spool.h"
#include "sys/become.h"
#include "sys/host.h"
#include "trigger.h"

struct everybody {
	const struct settings *settings;
	const struct options *options;
	int status;
};

/* In a child that has become the owner. */
static int
run_named(const struct everybody *all, const char *name)
{
	struct spool sp;

	if (spool_open_named(&sp, all->settings->queue_dir, name) == -1)
		return complain(EX_TEMPFAIL, "%s", sp.error);
	return trigger_run(&sp, all->settings, all->options);
}

static int
run_owner(void *arg, const char *name, uid_t owner)
{
	struct everybody *all = arg;
	int status;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		if (become(owner) == -1)
			_exit(complain(EX_NOPERM, "cannot become uid %u: %s", (unsigned)owner,
			    strerror(errno)));
		_exit(run_named(all, name));
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		all->status = complain(EX_OSERR, "cannot run the queue of uid %u: %s",
		    (unsigned)owner, strerror(errno));
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != EX_OK)
		all->status = WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
	return 0;
}

static int
run_everybody(const struct settings *s, const struct options *o)
{
	struct everybody all = {.settings = s, .options = o, .status = EX_OK};

	if (spool_owners(s->queue_dir, run_owner, &all) == -1 && errno != ENOENT)
		return complain(
		    EX_TEMPFAIL, "cannot read %s: %s (uid 0)", s->queue_dir, strerror(errno));
	return all.status;
}

/* The caller's own queue; for root only where it is not among everybody's (a read-only /var). */
static int
run_own(const struct settings *s, const struct options *o, bool elsewhere)
{
	size_t len = strlen(s->queue_dir);
	char home[PATH_MAX];
	struct spool sp;

	if (spool_open(&sp, s->queue_dir, host_state(home), 0) == -1)
		return errno == ENOENT ? EX_OK : complain(EX_TEMPFAIL, "%s", sp.error);
	if (elsewhere && strncmp(sp.path, s->queue_dir, len) == 0 && sp.path[len] == '/')
		return EX_OK;
	return trigger_run(&sp, s, o);
}

int
queue_run(const struct settings *s, const struct options *o)
{
	bool root = geteuid() == 0;
	int everybody = root ? run_everybody(s, o) : EX_OK;
	int own = run_own(s, o, root);

	return everybody != EX_OK ? everybody : own;
}
