/* SPDX-License-Identifier: ISC */
/*
 * counts: what became of a spool's recipients since its counting began, for mailq -m. As text, which
 * lies in the spool (spool/tally.h), lines ended by LF:
 *
 *	pillarbox counts 1                format and version
 *	since 1764000000                  seconds since 1970
 *	sent 12                           one of each enum counted, by its name
 *	deferred 3
 *	bounced 1
 *	expired 0
 *	failures 4 4 3                    class and subject of a status: how often; where not zero
 *	success 1764000060 example.org    when a destination took something last
 *	end 9e3779b9                      hash_text() of all before
 *
 * Each attempt at a recipient counts. Only the COUNTS_DESTINATIONS latest destinations are known.
 */
#ifndef MAIL_COUNTS_H
#define MAIL_COUNTS_H

#include "mail/buf.h"
#include "mail/route.h"
#include "mail/status.h"

#define COUNTS_DESTINATIONS 64
#define COUNTS_SUBJECTS 8       /* of statuses, RFC 3463 2: 0 (other) to 7 (policy) */
#define COUNTS_MAX (32U * 1024) /* octets of the text at most */

enum counted {
	COUNTED_SENT,
	COUNTED_DEFERRED,
	COUNTED_BOUNCED,
	COUNTED_EXPIRED,
	COUNTED,
};
const char *counted_name(enum counted what);

struct counts_destination {
	char name[HOST_LEN]; /* "relay", "relay.NAME", or a domain */
	int64_t success;     /* seconds since 1970 */
};

struct counts {
	int64_t since; /* seconds since 1970; 0: nothing was counted */
	uint64_t total[COUNTED];
	uint64_t failures[2][COUNTS_SUBJECTS]; /* class 4, class 5 */
	struct counts_destination destination[COUNTS_DESTINATIONS];
	unsigned ndestinations;
};

/*
 * A result. destination: as struct handoff_job has it ("" and ":NAME" are relays); expired: given up
 * for its age; now: seconds since 1970.
 */
void counts_add(
    struct counts *c, const char *destination, struct status st, bool expired, int64_t now);

/* A success of a destination by its name here. An older one than is known changes nothing. */
void counts_success(struct counts *c, const char *name, int64_t when);

void counts_print(struct buf *out, const struct counts *c);

/* Parse text[len]. 0; or -1 when it is not whole, not ours, or was changed: *c is then empty. */
int counts_parse(struct counts *c, const char *text, size_t len);

#endif
