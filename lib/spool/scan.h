/* SPDX-License-Identifier: ISC */
/*
 * scan: the entries of a state, in directory order, with what is needed to know which are due.
 * Costs one readdir and one stat an entry and constant memory; entries come and go while a scan is
 * under way and may be seen or not. Names that are not queue IDs are counted, not returned.
 */
#ifndef SPOOL_SCAN_H
#define SPOOL_SCAN_H

#include <dirent.h>
#include <stdbool.h>

#include "spool/spool.h"

struct scan {
	DIR *dir;         /* NULL: not open */
	unsigned junk;    /* names passed over */
	char example[64]; /* one of them, cleaned */
};

struct scan_entry {
	char name[16]; /* a queue ID */
	int64_t due;   /* mtime, seconds since 1970 */
	bool aside;    /* by claim_set_aside() */
	uint64_t size; /* octets of the file */
};

/* 0, or -1 with errno and spool->error. A state's directory that is missing is an empty one. */
int scan_open(struct scan *s, struct spool *sp, enum spool_state state);

/* 1 and *entry, 0 at the end, -1 with errno. */
int scan_next(struct scan *s, struct scan_entry *entry);

/* The same for who wants the names only, and saves the stat: what may be gone already counts. */
int scan_name(struct scan *s, char name[16]);

void scan_close(struct scan *s);

#endif
