/* SPDX-License-Identifier: ISC */
/*
 * selection: the messages that -qI, -qR and -qS mean.
 */
#ifndef SELECTION_H
#define SELECTION_H

#include "options.h"
#include "spool/claim.h"

/*
 * Call `each` with every message in new/ and cur/ that the options select (CLAIM_LOOK); a part of the
 * ID, of a recipient still to be tried, or of the sender, in any case ("<>" is the null sender). Stops when
 * `each` returns non-zero and returns that; -1 with spool->error when a directory cannot be read.
 */
int selection_each(struct spool *sp, const struct options *o,
    int (*each)(void *arg, const struct claim *c), void *arg);

#endif
