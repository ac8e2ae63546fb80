/* SPDX-License-Identifier: ISC */
/*
 * link: flush's end of the channel to smtp, which is started when there is something to send and
 * let go when there is nothing.
 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <sys/types.h>

#include "sys/config.h"
#include "sys/handoff.h"

struct link {
	int fd;         /* the channel, non-blocking; -1: none */
	pid_t pid;      /* of smtp; for the log's tag */
	int supervisor; /* whom to ask for one, or -1: it is started here */
	bool no_password; /* do without */
};

/*
 * Start smtp and hand it the settings, the relay's password among them (by descriptor alone). As
 * root it becomes _pillarbox, or nobody where there is no such user, before it is exec'd.
 * 0; or -1 with a line in `why`: a mistake in the settings, an unreadable password, no smtp.
 */
int link_open(struct link *l, const struct settings *s, struct buf *why);

/*
 * The supervisor's side: a child that has become an owner can neither read the relay's password nor
 * start smtp as another user, so it asks. Take one request from `child` and answer with a channel,
 * or with what is wrong. 0, or -1 when the child is gone.
 */
int link_serve(int child, const struct settings *s);

/* smtp finishes what it has, says QUIT and leaves by itself. */
void link_close(struct link *l);

#endif
