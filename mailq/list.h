/* SPDX-License-Identifier: ISC */
/*
 * list: the queue as Postfix's mailq shows it, to stdout: act_list. The form is an API, scripts parse
 * it:
 *
 *	-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------
 *	0QK3ZP7V2M9Y      2345 Mon Nov 23 16:14:00  sender@host.example
 *	                  (connect to relay.example[192.0.2.1]:25: Connection refused)
 *	                                         recipient@example.org
 *
 *	-- 2 Kbytes in 1 Request.
 *
 * "*" behind the ID: being delivered now; "!": on hold, or failed for good and kept. No line
 * but the first of an entry begins with an upper-case hexadecimal digit. A reason stands before the
 * recipients it is about, once for neighbours that share it. Recipients that were delivered, and
 * those whose failure was reported, are not shown. A file that is no message of ours is an entry
 * too: its size and time, and "(damaged: why)" in place of the sender.
 *
 * Arrival time is local; octets are those of the message; Kbytes are rounded down.
 */
#ifndef MAILQ_LIST_H
#define MAILQ_LIST_H

#include "act.h"

extern const struct act act_list;

/* The last line: the sums, or "Mail queue is empty" when that is certain. total_listed(). */
int list_end(struct run *r);

#endif
