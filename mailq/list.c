/* SPDX-License-Identifier: ISC */
#include "list.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "detail.h"

#define HEADER "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------"
#define RECIPIENT_COLUMN 41
#define REASON_END 76 /* the column that a reason ends at, where it is not longer */

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
print_head(const struct run *r, const struct entry *e, const char *sender)
{
	puts(r->total->requests == 1 ? HEADER : "");
	printf("%s%c %8llu ", e->claim.id.s, entry_mark(e), (unsigned long long)e->octets);
	print_time((time_t)(e->arrived / 1000000));
	printf("  %s\n", sender);
}

static void
print_reason(const char *reason)
{
	size_t len = strlen(reason);

	printf("%*s(%s)\n", len < REASON_END ? (int)(REASON_END - len) : 0, "", reason);
}

/*
 * Postfix's rule: a line for each change of reason; none above recipients that were never tried,
 * unless they would seem to share the reason before them.
 */
static void
print_recipients(const struct entry *e)
{
	const struct envelope *v = &e->claim.envelope;
	char reason[OUTCOME_TEXT], last[OUTCOME_TEXT] = "", address[ADDRESS_MAX + 1];

	for (size_t i = 0; i < v->nrcpt; i++) {
		const struct recipient *r = &v->rcpt[i];
		if (!entry_concerns(e, r))
			continue;
		reason[0] = '\0';
		if (r->text != NULL)
			text_clean(reason, sizeof(reason), r->text, r->textlen);
		if (strcmp(reason, last) != 0)
			print_reason(reason[0] != '\0' ? reason : "reason unavailable");
		memcpy(last, reason, sizeof(last));
		text_clean(address, sizeof(address), r->address, strlen(r->address));
		printf("%*s%s\n", RECIPIENT_COLUMN, "", address);
	}
}

static void
list_entry(struct run *r, struct entry *e)
{
	char sender[ADDRESS_MAX + 1];

	if (e->label == LABEL_DAMAGED)
		snprintf(sender, sizeof(sender), "(damaged: %s)", e->claim.why);
	else
		entry_sender(sender, e);
	print_head(r, e, sender);
	if (e->label != LABEL_DAMAGED)
		print_recipients(e);
	if (r->options->verbose)
		detail_print(r, e);
}

int
list_end(struct run *r)
{
	const struct total *t = r->total;

	if (t->requests > 0)
		printf("\n-- %llu Kbytes in %llu Request%s.\n",
		    (unsigned long long)t->octets / 1024, (unsigned long long)t->requests,
		    t->requests == 1 ? "" : "s");
	else if (t->status == EX_OK)
		puts(select_some(&r->options->selection) ? "No mail in the queue matches"
							 : "Mail queue is empty");
	return total_listed(t);
}

const struct act act_list = {.entry = list_entry, .end = list_end};
