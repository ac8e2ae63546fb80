/* SPDX-License-Identifier: ISC */
/*
 * verify: sendmail -bv, how addresses resolve: aliases, completion, rewriting of the sender, and
 * which way the mail would go; with -v that way is gone, as far as the recipient (examine.h); and
 * without addresses whether all is well here (health.h). Nothing is sent.
 */
#ifndef VERIFY_H
#define VERIFY_H

#include "options.h"
#include "sys/config.h"

/*
 * A line per resulting recipient on stdout, in sendmail's form ("root... deliverable: …"). Returns
 * EX_OK; EX_NOUSER when one leads to nobody or is no address, EX_NOHOST when one can have no
 * destination, EX_TEMPFAIL when the aliases cannot be read now (a file
 * that is refused is said, and addresses resolve without it, as when posting); and with -v
 * what examine() returns.
 */
int verify(const struct options *o, const struct settings *s);

#endif
