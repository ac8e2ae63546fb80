/* SPDX-License-Identifier: ISC */
/*
 * screen: the queue for a person at a terminal: act_screen. A line a message, with its recipients
 * below it, each with what the last attempt said:
 *
 *	ID            STATE      SIZE   AGE  NEXT  SENDER
 *	1N5X24Q8R0A1  deferred   2.3K    2h   12m  sender@host.example
 *	  recipient@example.org
 *	      connect to relay.example[192.0.2.1]:25: Connection refused
 *
 *	1 message, 2.3K: 1 deferred; next attempt in 12m
 *
 * It fits the width of the terminal: addresses are cut, reasons go on in further lines. A reason that
 * is that of the recipient before is not said again. Root has a line above the mail of each owner.
 * In colour unless NO_COLOR is set, or TERM is "dumb" or missing.
 */
#ifndef MAILQ_SCREEN_H
#define MAILQ_SCREEN_H

#include "act.h"

extern const struct act act_screen;

#endif
