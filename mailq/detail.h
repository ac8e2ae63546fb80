/* SPDX-License-Identifier: ISC */
/*
 * detail: what -v adds to an entry of a list, on lines of their own that are indented: its state,
 * owner and next attempt, its envelope as the spool has it, and its history from the journal. All
 * text is cleaned.
 */
#ifndef MAILQ_DETAIL_H
#define MAILQ_DETAIL_H

#include "act.h"

void detail_print(const struct run *r, const struct entry *e);

#endif
