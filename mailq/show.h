/* SPDX-License-Identifier: ISC */
/*
 * show: -c prints messages, with LF as line ends, and -e their envelopes. On a terminal what could
 * steer it is made harmless; in a pipe and in a file a message is as it is. Where more than one may
 * be meant each has a line "==> ID <==" above it.
 */
#ifndef MAILQ_SHOW_H
#define MAILQ_SHOW_H

#include "act.h"

extern const struct act act_message;
extern const struct act act_envelope;

/* A line of foreign text, made clean, in pieces where it is longer than one of a reply. */
void show_clean(const char *s, size_t len);

#endif
