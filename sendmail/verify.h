/* SPDX-License-Identifier: ISC */
/*
 * verify: sendmail -bv, how addresses resolve: aliases, completion, rewriting of the sender, and
 * which way the mail would go. Nothing is sent or looked up.
 */
#ifndef VERIFY_H
#define VERIFY_H

#include "options.h"
#include "sys/config.h"

/*
 * A line per resulting recipient on stdout, in sendmail's form ("root... deliverable: …"). Returns
 * EX_OK; EX_NOUSER when one leads to nobody or is no address, EX_NOHOST when one can have no
 * destination, EX_TEMPFAIL when the aliases cannot be read now (a file
 * that is refused is said, and addresses resolve without it, as when posting), EX_USAGE without
 * addresses.
 */
int verify(const struct options *o, const struct settings *s);

#endif
