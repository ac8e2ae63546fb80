/* SPDX-License-Identifier: ISC */
/*
 * confine_wire: what smtp keeps in its sandbox (sys/sandbox.h), once it knows the settings.
 */
#ifndef CONFINE_WIRE_H
#define CONFINE_WIRE_H

#include "wire.h"

/*
 * The files of resolver and TLS, to be read, and TCP to the ports that the settings lead to. For
 * good, and before there are threads.
 */
void confine_wire(struct wire *w);

/*
 * Whether a file of the resolver was replaced by another one that is out of reach. Then look-ups
 * may go wrong until there is a new smtp.
 */
bool confine_wire_stale(const struct wire *w);

#endif
