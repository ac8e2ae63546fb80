/* SPDX-License-Identifier: ISC */
/*
 * link: a channel to an smtp that is started for it: by flush when there is something to send, and
 * let go when there is nothing; by the supervisor for its children (shared.h).
 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/config.h"
#include "sys/handoff.h"

struct link {
	int fd;           /* the channel, non-blocking; -1: none */
	pid_t pid;        /* of smtp; for the log's tag */
	bool no_password; /* do without */
	int64_t
	    patience; /* milliseconds that an answer may take; 0: it is not asked whether it lives */
	/* private; milliseconds */
	int64_t ping;     /* asked then, … */
	int64_t deadline; /* … and given up then; INT64_MAX: it is not asked */
};

/*
 * Start smtp and hand it the settings, the relay's password among them (by descriptor alone). As
 * root it becomes _pillarbox, or nobody where there is no such user, before it is exec'd.
 * 0; or -1 with a line in `why`: a mistake in the settings, an unreadable password, no smtp.
 */
int link_open(struct link *l, const struct settings *s, struct buf *why);

/* Its descriptor is one that a process handed us: as link_open() leaves it, or -1 and closed. */
int link_adopt(struct link *l, struct buf *why);

/*
 * Ask it now and then whether it lives (HANDOFF_PING), from now on. link_answered() when it has said
 * so; link_watched() says when to call that again (milliseconds), or -1: it is stuck.
 */
void link_watch(struct link *l, unsigned seconds);
void link_answered(struct link *l);
int64_t link_watched(struct link *l);

/* Log that a login is refused, and what becomes of the mail. */
void link_refused(const struct outcome *o, const char *fate);

/* Whether what fails at this stage may go well with another smtp, which reads its files anew. */
bool link_wants_files(enum stage stage);

/*
 * Log that a relay is passed by. Whether another smtp may do better there: to be tried every HANDOFF_DOWN
 * at most, or who has a wrong password might have his account closed by that.
 */
bool link_passed(const struct handoff_passed *m);

/* smtp finishes what it has, says QUIT and leaves by itself. */
void link_close(struct link *l);

#endif
