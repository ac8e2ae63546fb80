/* SPDX-License-Identifier: ISC */
/*
 * talk: the dialogue of a session as who watches mail of his sees it, a line a message (HANDOFF_SAID):
 *
 *	[3] === connecting to relay.example[192.0.2.1]:25
 *	[3] <<< 220 relay.example ESMTP
 *	[3] >>> EHLO client.example
 *	[3] === 1N5X24Q8R0A1, to relay.example[192.0.2.1]:25
 *	[3] >>> MAIL FROM:<a@example.org>
 *
 * The number is the session's. Sessions are shared by all channels: what is said about a message is for
 * its channel alone; before mail can be sent, for those that have watched mail waiting for the
 * session; and what is said about no message afterwards (QUIT, a reply to what was given up) for the
 * one channel whose mail the session has had, if there is only one.
 */
#ifndef TALK_H
#define TALK_H

#include "destination.h"

/* For session_config.said; arg is the slot. */
smtp_said talk;

/* The session is to connect; it took a message; it is over, before mail could be sent. */
void talk_opened(struct slot *s);
void talk_taken(struct slot *s, struct job *j);
void talk_failed(struct slot *s);

/* A channel brings no more. */
void talk_leave(struct slot *s, const struct channel *c);

#endif
