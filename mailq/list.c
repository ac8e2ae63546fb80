/* SPDX-License-Identifier: ISC */
#include "list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include "mail/address.h"
#include "spool/claim.h"
#include "spool/scan.h"

#define HEADER "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------"
#define RECIPIENT_COLUMN 41
#define LINE_LEN (PATH_MAX + 512) /* of a line on stderr: a path and what is wrong with it */

/* tmp/ is nobody's business but the injector's. */
static const enum spool_state shown[] = {SPOOL_NEW, SPOOL_CUR, SPOOL_HOLD, SPOOL_FAILED};
#define NSHOWN (sizeof(shown) / sizeof(shown[0]))

/* Small, since there are LIST_BATCH of them. */
struct entry {
	char name[QUEUE_ID_LEN + 1];
	unsigned char state;
};

/* A scan that goes on from state to state. */
struct walk {
	struct list_total *total;
	struct spool *spool;
	struct scan scan;
	size_t at; /* index into shown */
	bool open;
};

void
list_trouble(struct list_total *t, int status, const char *fmt, ...)
{
	char text[LINE_LEN], clean[LINE_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(clean, sizeof(clean), text, strlen(text));
	fprintf(stderr, "mailq: %s\n", clean);
	if (t->status == EX_OK)
		t->status = status;
}

int
list_sysexit(int error)
{
	return error == EACCES || error == EPERM || error == ENOTDIR || error == ELOOP ||
		       error == ENAMETOOLONG || error == EINVAL
		   ? EX_UNAVAILABLE
		   : EX_TEMPFAIL;
}

/* asctime(3) without the year, as Postfix shows it. */
static void
print_time(time_t when)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm tm;

	if (localtime_r(&when, &tm) == NULL) {
		fputs("(no such time)     ", stdout);
		return;
	}
	printf("%s %s %2d %02d:%02d:%02d", days[tm.tm_wday], months[tm.tm_mon], tm.tm_mday,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The first line of an entry; `sender` is clean. */
static void
print_head(
    struct list_total *t, const char *id, char mark, uint64_t size, time_t when, const char *sender)
{
	puts(t->requests++ == 0 ? HEADER : "");
	printf("%s%c %8llu ", id, mark, (unsigned long long)size);
	print_time(when);
	printf("  %s\n", sender);
}

/* Whether somebody still has to do something about a recipient. */
static bool
concerns(const struct recipient *r, enum spool_state state)
{
	return r->status.class != 2 && (!r->reported || state == SPOOL_FAILED);
}

/*
 * Postfix's rule: a line for each change of reason; none above recipients that were never tried,
 * unless they would seem to share the reason before them.
 */
static void
print_recipients(const struct claim *c)
{
	char reason[OUTCOME_TEXT], last[OUTCOME_TEXT] = "", address[ADDRESS_MAX + 1];

	for (size_t i = 0; i < c->envelope.nrcpt; i++) {
		const struct recipient *r = &c->envelope.rcpt[i];
		if (!concerns(r, c->state))
			continue;
		reason[0] = '\0';
		if (r->text != NULL)
			text_clean(reason, sizeof(reason), r->text, r->textlen);
		if (strcmp(reason, last) != 0)
			printf("(%s)\n", reason[0] != '\0' ? reason : "reason unavailable");
		memcpy(last, reason, sizeof(last));
		text_clean(address, sizeof(address), r->address, strlen(r->address));
		printf("%*s%s\n", RECIPIENT_COLUMN, "", address);
	}
}

static char
mark_of(const struct claim *c)
{
	if (c->state == SPOOL_HOLD || c->state == SPOOL_FAILED)
		return '!';
	return c->active ? '*' : ' ';
}

static void
print_message(struct list_total *t, const struct claim *c)
{
	const struct envelope *e = &c->envelope;
	char sender[ADDRESS_MAX + 1] = "MAILER-DAEMON";

	if (e->from[0] != '\0')
		text_clean(sender, sizeof(sender), e->from, strlen(e->from));
	print_head(t, c->id.s, mark_of(c), e->size, (time_t)(e->arrived / 1000000), sender);
	print_recipients(c);
	t->octets += e->size;
}

/* Asks for the file's size and time itself: a damaged one may be of a kind that is not opened. */
static void
print_damaged(struct list_total *t, const struct claim *c)
{
	struct stat st = {0};
	char why[128];

	if (fstatat(spool_dir(c->spool, c->state), c->id.s, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	snprintf(why, sizeof(why), "(damaged: %s)", c->why);
	print_head(t, c->id.s, ' ', (uint64_t)st.st_size, st.st_mtime, why);
	t->octets += (uint64_t)st.st_size;
}

/* It may have been moved since it was seen, from new/ to cur/ as a rule. */
static enum claim_result
open_anywhere(struct claim *c, struct spool *sp, const struct entry *e)
{
	enum claim_result r = claim_open(c, sp, (enum spool_state)e->state, e->name, CLAIM_LOOK);

	for (size_t i = 0; r == CLAIM_GONE && i < NSHOWN; i++) {
		claim_close(c);
		r = claim_open(c, sp, shown[i], e->name, CLAIM_LOOK);
	}
	return r;
}

static void
print_entry(struct list_total *t, struct spool *sp, const struct entry *e)
{
	struct claim c;

	switch (open_anywhere(&c, sp, e)) {
	case CLAIM_OK:
		print_message(t, &c);
		break;
	case CLAIM_DAMAGED:
		print_damaged(t, &c);
		break;
	case CLAIM_ERROR:
		list_trouble(t, EX_TEMPFAIL, "%s", sp->error);
		break;
	case CLAIM_GONE:
	case CLAIM_BUSY:
		break;
	}
	claim_close(&c);
}

/* The state's scan is through: name what lies there and is no message. */
static void
walk_on(struct walk *w)
{
	if (w->open && w->scan.junk > 0)
		list_trouble(w->total, EX_OK, "%s/%s: %u file(s) that are no messages, such as %s",
		    w->spool->path, spool_state_name(shown[w->at]), w->scan.junk, w->scan.example);
	if (w->open)
		scan_close(&w->scan);
	w->open = false;
	w->at++;
}

/* The next entry of any state. */
static bool
walk_next(struct walk *w, struct entry *e)
{
	struct scan_entry found;
	int r;

	for (; w->at < NSHOWN; walk_on(w)) {
		if (!w->open)
			w->open = scan_open(&w->scan, w->spool, shown[w->at]) == 0;
		r = w->open ? scan_next(&w->scan, &found) : -1;
		if (r == 1) {
			memcpy(e->name, found.name, sizeof(e->name));
			e->state = (unsigned char)shown[w->at];
			return true;
		}
		if (r == -1)
			list_trouble(w->total, list_sysexit(errno), "cannot list %s/%s: %s",
			    w->spool->path, spool_state_name(shown[w->at]), strerror(errno));
	}
	return false;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* A message that moved while the states were scanned was seen in both. */
static void
print_batch(struct list_total *t, struct spool *sp, struct entry *batch, size_t n)
{
	qsort(batch, n, sizeof(*batch), compare);
	for (size_t i = 0; i < n && t->output == 0; i++) {
		if (i == 0 || compare(&batch[i - 1], &batch[i]) != 0)
			print_entry(t, sp, &batch[i]);
		if (ferror(stdout))
			t->output = errno;
	}
}

void
list_spool(struct list_total *t, struct spool *sp)
{
	struct walk w = {.total = t, .spool = sp};
	struct entry *batch = calloc(LIST_BATCH, sizeof(*batch));
	bool waits = false;
	size_t n;

	if (batch == NULL) {
		list_trouble(t, EX_TEMPFAIL, "%s", strerror(errno));
		return;
	}
	do {
		for (n = 0; n < LIST_BATCH && walk_next(&w, &batch[n]); n++)
			waits |= batch[n].state == SPOOL_NEW || batch[n].state == SPOOL_CUR;
		print_batch(t, sp, batch, n);
	} while (n == LIST_BATCH && t->output == 0);
	while (w.at < NSHOWN)
		walk_on(&w);
	if (waits && !spool_flusher_alive(sp))
		t->stuck = true;
	free(batch);
}

void
list_end(const struct list_total *t)
{
	if (t->requests > 0)
		printf("\n-- %llu Kbytes in %llu Request%s.\n",
		    (unsigned long long)t->octets / 1024 + (t->octets % 1024 != 0),
		    (unsigned long long)t->requests, t->requests == 1 ? "" : "s");
	else if (t->status == EX_OK)
		puts("Mail queue is empty");
}

void
list_flush(struct list_total *t)
{
	if (fflush(stdout) == EOF && t->output == 0)
		t->output = errno;
}
