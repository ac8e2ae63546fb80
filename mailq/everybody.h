/* SPDX-License-Identifier: ISC */
/*
 * everybody: what root sees: the spools of all owners, one owner after the other.
 *
 * Root opens nothing below a directory that somebody else owns. Each spool is walked by a child that
 * has become its owner for good; it writes to the same stdout and counts in the same memory.
 */
#ifndef MAILQ_EVERYBODY_H
#define MAILQ_EVERYBODY_H

#include "act.h"

/* Notes in r->total whether root's own spool was among them. */
void everybody_walk(struct run *r);

#endif
