/* SPDX-License-Identifier: ISC */
/*
 * probe: smtp's part of `sendmail -bv`: go the way of a message to every address of a destination,
 * as delivery does (the same path, the same sessions), as far as RCPT, and tell each step.
 *
 * Each address gets PROBE_CONNECTING milliseconds to be connected to, a session PROBE_SESSION, and
 * the whole PROBE_WHOLE. Port 587 and 465 of a host are tried where its port 25 does not answer.
 */
#ifndef PROBE_H
#define PROBE_H

#include "wire.h"

#define PROBE_CONNECTING 10000 /* milliseconds at most */
#define PROBE_SESSION 60000
#define PROBE_WHOLE 300000

/* Takes its time; channel: looked at for its end only, which ends the probe. */
void probe_run(struct wire *w, int channel, const struct handoff_probe *request);

#endif
