/* SPDX-License-Identifier: ISC */
/*
 * postmaster: who is told when nobody else can be: the alias of that name in mail.aliases, where
 * there is one.
 */
#ifndef POSTMASTER_H
#define POSTMASTER_H

#include "mail/envelope.h"
#include "sys/config.h"

/*
 * The addresses of postmaster, as recipients of *e, which envelope_free() frees. False: there is no
 * such alias, it leads to nobody, or the file cannot be had; the log says the last two.
 */
bool postmaster_find(struct envelope *e, const struct settings *s, const char *hostname);

#endif
