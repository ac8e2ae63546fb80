/* SPDX-License-Identifier: ISC */
/*
 * list: a spool as Postfix's mailq shows it, to stdout. The form is an API, scripts parse it:
 *
 *	-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------
 *	0QK3ZP7V2M9Y      2345 Mon Nov 23 16:14:00  sender@host.example
 *	(connect to relay.example[192.0.2.1]:25: Connection refused)
 *	                                         recipient@example.org
 *
 *	-- 3 Kbytes in 1 Request.
 *
 * "*" behind the ID: being delivered now; "!": on hold, or failed for good and kept. No line
 * but the first of an entry begins with an upper-case hexadecimal digit. A reason stands before the
 * recipients it is about, once for neighbours that share it. Recipients that were delivered, and
 * those whose failure was reported, are not shown. A file that is no message of ours is an entry
 * too: its size and time, and "(damaged: why)" in place of the sender.
 *
 * Arrival time is local; octets are those of the message; Kbytes are rounded up.
 */
#ifndef MAILQ_LIST_H
#define MAILQ_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "spool/spool.h"

/* What has been listed so far, over all spools. */
struct list_total {
	uint64_t requests;
	uint64_t octets;
	bool stuck; /* mail waits in a spool that has no flusher */
	int status; /* EX_OK, or what went wrong first */
	int output; /* errno of the first failure of stdout: nobody listens any more; or 0 */
};

/*
 * List a spool: the entries in order of arrival, up to LIST_BATCH at a time (a larger spool is
 * sorted in pieces, so memory stays the same). Trouble is named on stderr and noted in t->status.
 */
#define LIST_BATCH 50000
void list_spool(struct list_total *t, struct spool *sp);

/* The last line: the sums, or "Mail queue is empty" when that is certain. */
void list_end(const struct list_total *t);

/* What is still buffered for stdout goes out. */
void list_flush(struct list_total *t);

/* "mailq: " and a line on stderr, made clean; `status` unless an earlier one stands. */
void list_trouble(struct list_total *t, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The exit status for errno: EX_UNAVAILABLE where only a person can help, else EX_TEMPFAIL. */
int list_sysexit(int error);

#endif
