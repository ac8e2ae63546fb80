/* SPDX-License-Identifier: ISC */
/*
 * handoff: what flush and smtp say to each other, over a SOCK_SEQPACKET pair, one datagram a
 * message. flush trusts smtp with the network only: whatever comes back is checked here and
 * again against the jobs that are open.
 *
 *	flush -> smtp   SETTINGS  each "section.key" and its value, secrets included; the first
 *	                          messages of a channel, closed by READY
 *	                READY     the settings are complete
 *	                JOB       a message: with a read-only descriptor of its spool file
 *	smtp -> flush   BEGUN     the job's file is about to be read, and sent
 *	                RESULT    the fate of one recipient of a job
 *	                DONE      the job is over: every recipient had its RESULT
 *	                PASSED    a relay failed, and the next one is tried: of no job
 *	                SAID      a line of a session's dialogue, while a job that is watched waits
 *	                          for it or is in it; where the channel is full they are left out
 *
 * The supervisor's smtp is shared by all its children. To it the supervisor sends no jobs, but
 *
 *	CHANNEL   a channel for a child: it carries jobs and what is said of them, as above, and
 *	          numbers jobs for itself
 *	PING      which comes back at once from one that lives
 *
 * and smtp, on its part, PASSED, and IDLE when the last of so many channels is over.
 *
 * `sendmail -bv` talks to a smtp of its own in the place of flush:
 *
 *	sendmail -> smtp   SETTINGS, READY, then one PROBE: go the way without a message
 *	smtp -> sendmail   STEP       of that probe, as it is taken
 *	                   DONE       that was all
 *
 * End of file from flush: finish what is under way; behind the last channel's, say QUIT, exit. End
 * of file from smtp: it died; what it had is to be tried again.
 *
 * Both sides are the same build, so messages are structs; the first octets say which. A sender
 * must not block: at most HANDOFF_JOBS jobs are open on a channel, and where the channel is full each
 * side keeps what it has to say. smtp takes jobs whether or not its results are taken.
 */
#ifndef SYS_HANDOFF_H
#define SYS_HANDOFF_H

#include <stdint.h>

#include "mail/address.h"
#include "mail/diagnose.h"
#include "mail/envelope.h"
#include "mail/route.h"
#include "mail/status.h"

#define HANDOFF_JOBS 256  /* open jobs of a channel */
#define HANDOFF_RCPTS 100 /* recipients of a job; RFC 5321 4.5.3.1.8: servers take at least 100 */

enum handoff_type {
	HANDOFF_SETTINGS = 1,
	HANDOFF_READY,
	HANDOFF_JOB,
	HANDOFF_RESULT,
	HANDOFF_DONE,
	HANDOFF_PROBE,
	HANDOFF_STEP,
	HANDOFF_PASSED,
	HANDOFF_BEGUN,
	HANDOFF_CHANNEL,
	HANDOFF_PING,
	HANDOFF_IDLE,
	HANDOFF_SAID,
};

/* Names and values in turn, each NUL-terminated, one behind the other; an empty name ends them. */
struct handoff_settings {
	uint32_t type;
	char text[SECRET_LEN + 128]; /* one at least */
};

struct handoff_job {
	uint32_t type;
	uint32_t job;               /* flush's number for it, given back with each result */
	char destination[HOST_LEN]; /* recipient domain; "": the relay of [relay]; ":NAME": … */
	uint32_t watched;           /* 1: somebody wants to see the dialogue, else 0 */
	uint32_t nrcpt;
	uint32_t rcpt[HANDOFF_RCPTS]; /* indexes into the envelope; sent cut to nrcpt */
};

struct handoff_result {
	uint32_t type;
	uint32_t job;
	uint32_t rcpt; /* index into the envelope */
	struct outcome outcome;
	char relay[HOST_LEN + 64]; /* "host[address]:port", or "none" */
	char tls[96];              /* "TLSv1.3 TLS_AES_256_GCM_SHA384 verified", or "plain" */
	uint32_t dsn;              /* 1: the server takes part in DSN (RFC 3461), else 0 */
	uint32_t lmtp;             /* 1: it delivers itself (RFC 2033), else 0 */
	/* milliseconds: waiting in smtp, setting up the connection, sending */
	uint32_t waited, connected, sent;
};

/* And BEGUN. */
struct handoff_done {
	uint32_t type;
	uint32_t job;
};

struct handoff_idle {
	uint32_t type;
	uint32_t channels; /* that it was given so far */
};

/* A relay that failed: the next one is tried, for so long. */
#define HANDOFF_DOWN 300000 /* milliseconds */
struct handoff_passed {
	uint32_t type;
	struct outcome why;
};

struct handoff_said {
	uint32_t type;
	char text[PROBE_TEXT]; /* "[3] >>> MAIL FROM:<a@example.org>" */
};

struct handoff_probe {
	uint32_t type;
	char destination[HOST_LEN]; /* as of a job */
	char from[ADDRESS_MAX + 1]; /* the sender, */
	char to[ADDRESS_MAX + 1];   /* and recipient to ask about; "": only whether mail could go */
	uint32_t no_password;       /* 1: it could not be read: go without AUTH */
};

struct handoff_step {
	uint32_t type;
	struct probe_step step;
};

union handoff_message {
	uint32_t type;
	struct handoff_settings settings;
	struct handoff_job job;
	struct handoff_result result;
	struct handoff_done done;
	struct handoff_passed passed;
	struct handoff_said said;
	struct handoff_idle idle;
	struct handoff_probe probe;
	struct handoff_step step;
};

/*
 * Send one message; fd: a descriptor to go with it, or -1. 0, or -1 with errno (EAGAIN when the
 * channel is full and non-blocking).
 */
int handoff_send(int channel, const union handoff_message *m, int fd);

/*
 * All settings, one by one: begin, add each, end, which also sends READY. add and end give 0, or -1
 * with errno: EMSGSIZE for more than a message holds, or handoff_send()'s. What was sent is wiped
 * from *p; where one of them fails, the rest is the caller's to wipe.
 */
struct handoff_packer {
	/* private */
	int channel;
	size_t len; /* octets of the text so far */
	union handoff_message m;
};

void handoff_settings_begin(struct handoff_packer *p, int channel);
int handoff_settings_add(
    struct handoff_packer *p, const char *section, const char *key, const char *value);
int handoff_settings_end(struct handoff_packer *p);

/*
 * Of a message that was accepted the first name, or the one behind `before`; NULL: no more. Its value
 * is behind its NUL.
 */
const char *handoff_setting(const struct handoff_settings *s, const char *before);

/* Octets of a message as it is sent; 0: it is none. */
size_t handoff_len(const union handoff_message *m);

/*
 * Receive one. Returns 1, 0 at end of file, -1 with errno: EAGAIN, or EBADMSG for one that is not
 * well formed (unknown type, wrong length, text without NUL, more recipients than allowed, a
 * descriptor where none belongs). *fd: -1, or a descriptor that the caller closes. Texts of an
 * accepted message are NUL-terminated and clean.
 */
int handoff_receive(int channel, union handoff_message *m, int *fd);

#endif
