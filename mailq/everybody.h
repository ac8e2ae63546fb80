/* SPDX-License-Identifier: ISC */
/*
 * everybody: what root sees: the spools of all owners, one owner after the other.
 *
 * Root opens nothing below a directory that somebody else owns. Each spool is listed by a child
 * that has become its owner for good; it writes to the same stdout and hands the sums back over a
 * pipe.
 */
#ifndef MAILQ_EVERYBODY_H
#define MAILQ_EVERYBODY_H

#include "list.h"

/* Returns whether root's own spool was among them. */
bool everybody_list(struct list_total *t, const char *queue_dir);

#endif
