/* SPDX-License-Identifier: ISC */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "selection.h"
#include "spool/claim.h"
#include "sys/clock.h"
#include "sys/wake.h"

#define EVERY 200 /* milliseconds between drawings */

static int
count(void *arg, const struct claim *c)
{
	struct progress *p = arg;

	p->total += claim_pending(c);
	return 0;
}

/* What cannot be read is told when it is to be delivered. */
void
progress_begin(struct progress *p, struct spool *sp, const struct options *o)
{
	*p = (struct progress){.shown = isatty(STDERR_FILENO), .began = clock_monotonic()};
	if (p->shown)
		selection_each(sp, o, count, p);
}

void
progress_clear(const struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
}

static void
draw(struct progress *p)
{
	uint64_t done = p->sent + p->deferred + p->failed;
	uint64_t total = done > p->total ? done : p->total;
	int64_t ms = clock_monotonic() - p->began;
	double rate = ms > 0 ? (double)done * 1000 / (double)ms : 0;

	progress_clear(p);
	fprintf(stderr, "sendmail: %llu of %llu: %llu sent, %llu deferred, %llu failed",
	    (unsigned long long)done, (unsigned long long)total, (unsigned long long)p->sent,
	    (unsigned long long)p->deferred, (unsigned long long)p->failed);
	if (done > 0)
		fprintf(stderr, "; %.3g/s", rate);
	if (done > 0 && done < total)
		fprintf(stderr, ", %.0fs left", (double)(total - done) / rate);
	if (p->destination[0] != '\0' && done < total)
		fprintf(stderr, "; %s", p->destination);
	p->drawn = clock_monotonic();
}

static void
take_destination(struct progress *p, const char *line)
{
	const char *end = strchr(line, '>'), *at = end;

	while (at != NULL && at > line && *at != '@')
		at--;
	if (at != NULL && *at == '@')
		text_clean(p->destination, sizeof(p->destination), at + 1, (size_t)(end - at - 1));
}

void
progress_line(struct progress *p, const char *line)
{
	struct status st = line != NULL ? wake_status(line) : STATUS(0, 0, 0);

	p->sent += st.class == 2;
	p->deferred += st.class == 4;
	p->failed += st.class == 5;
	if (st.class != 0)
		take_destination(p, line);
	if (p->shown && p->total > 0 && clock_monotonic() >= p->drawn + EVERY)
		draw(p);
}

void
progress_end(struct progress *p)
{
	if (!p->shown || p->total == 0)
		return;
	p->destination[0] = '\0';
	draw(p);
	fputc('\n', stderr);
}
