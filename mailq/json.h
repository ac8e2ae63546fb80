/* SPDX-License-Identifier: ISC */
/*
 * json: the queue as objects, a line each: act_json. The keys of `postqueue -j` come first, spaced as
 * Postfix spaces them, and mean the same:
 *
 *	{"queue_name": "deferred", "queue_id": "0QK3ZP7V2M9Y", "arrival_time": 1764000000,
 *	"message_size": 2345, "forced_expire": false, "sender": "a@x", "recipients": [{"address": "b@y",
 *	"delay_reason": "...", "attempts": 2, "last_attempt": 1764000060, "last_status": "4.4.1"}],
 *	"owner": 1000, "attempts": 2, "next_attempt": 1764000180, "last_status": "4.4.1"}
 *
 * in one line. queue_name is a label_name(). recipients are those that mailq lists; what is not known
 * (the reason of one that was never tried) is left out there, and null in the message's own: there
 * is no next_attempt for what waits for a person. A damaged file has "damaged": why, sender "" and no
 * recipients. All text is cleaned; numbers of time are seconds since 1970.
 */
#ifndef MAILQ_JSON_H
#define MAILQ_JSON_H

#include "act.h"

extern const struct act act_json;

#endif
