/* SPDX-License-Identifier: ISC */
#include "screen.h"

#include <bsd/stdlib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "detail.h"
#include "list.h"
#include "sys/host.h"
#include "text.h"
#include "width.h"

#define WIDTH 80 /* where nobody says how wide it is */
#define WIDTH_LEAST 20
#define SENDER_COLUMN 43 /* what stands to the left of it is of fixed width */
#define SENDER_LEAST 20  /* it goes on a line of its own where there are less columns */
#define RECIPIENT_INDENT 2
#define REASON_INDENT 6

struct screen {
	bool begun; /* the other two are known */
	bool colour;
	size_t width;
	bool owner; /* its line is still to be printed */
	uint64_t messages[LABELS];
	int64_t next; /* of all, seconds since 1970; 0: none */
};

static const char *
colour_of(enum label label)
{
	static const char *const colours[LABELS] = {
	    [LABEL_INCOMING] = "\033[36m",
	    [LABEL_ACTIVE] = "\033[32m",
	    [LABEL_DEFERRED] = "\033[33m",
	    [LABEL_HOLD] = "\033[35m",
	    [LABEL_FAILED] = "\033[31m",
	    [LABEL_DAMAGED] = "\033[31m",
	};

	return colours[label];
}

#define BOLD "\033[1m"
#define DIM "\033[2m"

static void
paint(const struct screen *s, const char *sequence)
{
	if (s->colour)
		fputs(sequence, stdout);
}

static void
unpaint(const struct screen *s)
{
	paint(s, "\033[0m");
}

static size_t
terminal_width(void)
{
	const char *columns = getenv("COLUMNS"), *wrong = "";
	size_t width = 0;
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0)
		width = w.ws_col;
	if (width == 0 && columns != NULL)
		width = (size_t)strtonum(columns, 0, 10000, &wrong);
	if (width == 0)
		width = WIDTH;
	return width < WIDTH_LEAST ? WIDTH_LEAST : width;
}

static struct screen *
screen_of(struct run *r)
{
	struct screen *s = r->memory;
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	if (s->begun)
		return s;
	s->begun = true;
	s->width = terminal_width();
	s->colour = (none == NULL || *none == '\0') && term != NULL && *term != '\0' &&
		    strcmp(term, "dumb") != 0;
	return s;
}

static void
screen_spool(struct run *r, struct spool *sp)
{
	(void)sp;
	screen_of(r)->owner = r->root;
}

static void
print_owner(struct screen *s, const struct spool *sp)
{
	struct host_user u;

	host_user(&u, (unsigned)sp->owner);
	paint(s, BOLD);
	width_print(u.login, s->width > 20 ? s->width - 20 : s->width);
	printf(" (uid %u)\n", (unsigned)sp->owner);
	unpaint(s);
	s->owner = false;
}

static void
print_header(const struct screen *s)
{
	paint(s, DIM);
	if (s->width >= SENDER_COLUMN)
		puts("ID            STATE      SIZE   AGE  NEXT  SENDER");
	unpaint(s);
}

static void
next_text(char text[TEXT_AGE], const struct run *r, const struct entry *e)
{
	int64_t when;

	if (!entry_next(e, &when))
		snprintf(text, TEXT_AGE, "-");
	else if (e->label == LABEL_ACTIVE || when <= r->now)
		snprintf(text, TEXT_AGE, "now");
	else
		text_age(text, when - r->now);
}

static void
print_message(const struct run *r, const struct screen *s, const struct entry *e)
{
	char size[TEXT_SIZE], age[TEXT_AGE], next[TEXT_AGE], sender[ADDRESS_MAX + 1];

	next_text(next, r, e);
	text_age(age, r->now - (int64_t)(e->arrived / 1000000));
	text_size(size, e->octets);
	entry_sender(sender, e);
	if (e->label == LABEL_DAMAGED)
		snprintf(sender, sizeof(sender), "%s", e->claim.why);
	paint(s, BOLD);
	printf("%s", e->claim.id.s);
	unpaint(s);
	paint(s, colour_of(e->label));
	printf("  %-8s", label_name(e->label));
	unpaint(s);
	if (s->width >= SENDER_COLUMN)
		printf("  %5s  %4s  %4s", size, age, next);
	if (s->width >= SENDER_COLUMN + SENDER_LEAST) {
		fputs("  ", stdout);
		width_print(sender, s->width - SENDER_COLUMN);
	} else {
		fputs("\n  ", stdout);
		width_print(sender, s->width - RECIPIENT_INDENT);
	}
	putchar('\n');
}

static void
print_recipients(const struct screen *s, const struct entry *e)
{
	char reason[OUTCOME_TEXT], last[OUTCOME_TEXT] = "", address[ADDRESS_MAX + 1];
	const struct envelope *v = &e->claim.envelope;

	for (const struct recipient *r = v->rcpt; r < v->rcpt + v->nrcpt; r++) {
		if (!entry_concerns(e, r))
			continue;
		text_clean(address, sizeof(address), r->address, strlen(r->address));
		printf("%*s", RECIPIENT_INDENT, "");
		width_print(address, s->width - RECIPIENT_INDENT);
		putchar('\n');
		reason[0] = '\0';
		if (r->text != NULL)
			text_clean(reason, sizeof(reason), r->text, r->textlen);
		paint(s, DIM);
		if (strcmp(reason, last) != 0)
			width_wrap(reason, REASON_INDENT, s->width);
		unpaint(s);
		memcpy(last, reason, sizeof(last));
	}
}

static void
screen_entry(struct run *r, struct entry *e)
{
	struct screen *s = screen_of(r);
	int64_t when;

	if (r->total->requests > 1 && s->owner)
		putchar('\n');
	if (s->owner)
		print_owner(s, e->claim.spool);
	if (r->total->requests == 1)
		print_header(s);
	s->messages[e->label]++;
	if (entry_next(e, &when) && (s->next == 0 || when < s->next))
		s->next = when;
	print_message(r, s, e);
	if (e->label != LABEL_DAMAGED)
		print_recipients(s, e);
	if (r->options->verbose)
		detail_print(r, e);
}

static int
screen_end(struct run *r)
{
	struct screen *s = screen_of(r);
	char size[TEXT_SIZE], age[TEXT_AGE];
	const char *separator = ": ";

	if (r->total->requests == 0)
		return list_end(r);
	printf("\n%" PRIu64 " message%s, %s", r->total->requests,
	    r->total->requests == 1 ? "" : "s", text_size(size, r->total->octets));
	for (unsigned i = 0; i < LABELS; i++)
		if (s->messages[i] > 0) {
			fputs(separator, stdout);
			paint(s, colour_of(i));
			printf("%" PRIu64 " %s", s->messages[i], label_name(i));
			unpaint(s);
			separator = ", ";
		}
	if (s->next > r->now)
		printf("; next attempt in %s", text_age(age, s->next - r->now));
	putchar('\n');
	return total_listed(r->total);
}

const struct act act_screen = {
    .memory = sizeof(struct screen),
    .spool = screen_spool,
    .entry = screen_entry,
    .end = screen_end,
};
