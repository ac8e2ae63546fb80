/* SPDX-License-Identifier: ISC */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "service.h"
#include "sys/program.h"

#define STARTER 3 /* the descriptor that flush -d finds */

static int
exec_flush(char mode, const struct options *o)
{
	char path[PATH_MAX], option[16] = {'-', mode};

	if (o->every != 0)
		snprintf(option + 2, sizeof(option) - 2, "%u", o->every);
	if (program_path(path, sizeof(path), PROGRAM_FLUSH) == 0)
		execl(path, "flush", option, (char *)NULL);
	return complain(EX_OSFILE, "cannot run %s: %s", path, strerror(errno));
}

int
daemon_foreground(const struct options *o)
{
	return exec_flush('D', o);
}

/* In the child. `out` is beyond the first three descriptors, which are open. */
static int
start(int out, const struct options *o)
{
	program_detach(out);
	if (out == STARTER)
		fcntl(STARTER, F_SETFD, 0);
	else if (dup2(out, STARTER) != -1)
		close(out);
	return exec_flush('d', o);
}

/* Pass on what the service says of its start. Whether it is ready. */
static bool
listen_to(FILE *in)
{
	char line[PIPE_BUF];

	while (fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, SERVICE_READY) == 0)
			return true;
		warn_user("%s", line);
	}
	return false;
}

static int
ended(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) != EX_OK)
		return complain(WEXITSTATUS(status), "the service did not start");
	return complain(EX_SOFTWARE, "the service ended as soon as it was started");
}

int
daemon_background(const struct options *o)
{
	int fd[2];
	FILE *in;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) == -1 || (in = fdopen(fd[0], "r")) == NULL || (pid = fork()) == -1)
		return complain(EX_OSERR, "cannot start the service: %s", strerror(errno));
	if (pid == 0)
		_exit(start(fd[1], o));
	close(fd[1]);
	return listen_to(in) ? EX_OK : ended(pid);
}
