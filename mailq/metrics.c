/* SPDX-License-Identifier: ISC */
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "spool/tally.h"
#include "sys/poke.h"

#define OWNERS 8192
#define SUCCESSES 8192

struct owner {
	uid_t uid;
	bool flusher;
	uint64_t messages[LABELS], octets[LABELS];
	int64_t oldest; /* seconds of the oldest message; 0: there is none */
	uint64_t attempts;
	struct counted_since {
		int64_t since;
		uint64_t total[COUNTED];
		uint64_t failures[2][COUNTS_SUBJECTS];
	} counts;
};

struct success {
	uid_t owner;
	struct counts_destination destination;
};

/* Shared by the processes; what is not used is never touched. */
struct metrics {
	unsigned nowners, nsuccesses, at;
	struct owner owner[OWNERS];
	struct success success[SUCCESSES];
};

static void
add_success(struct run *r, uid_t owner, const struct counts_destination *d)
{
	struct metrics *m = r->memory;

	for (unsigned i = 0; i < m->nsuccesses; i++) {
		struct success *s = &m->success[i];
		if (s->owner != owner || strcmp(s->destination.name, d->name) != 0)
			continue;
		if (s->destination.success < d->success)
			s->destination.success = d->success;
		return;
	}
	if (m->nsuccesses < SUCCESSES)
		m->success[m->nsuccesses++] = (struct success){owner, *d};
	else
		total_trouble(r->total, EX_OK,
		    "more than %d destinations: %s of uid %u is left out", SUCCESSES, d->name,
		    (unsigned)owner);
}

static void
add_counts(struct run *r, struct owner *o, struct spool *sp)
{
	struct counts c;

	if (tally_read(&c, sp) == -1)
		return;
	if (o->counts.since == 0 || c.since < o->counts.since)
		o->counts.since = c.since;
	for (unsigned i = 0; i < COUNTED; i++)
		o->counts.total[i] += c.total[i];
	for (unsigned i = 0; i < COUNTS_SUBJECTS; i++) {
		o->counts.failures[0][i] += c.failures[0][i];
		o->counts.failures[1][i] += c.failures[1][i];
	}
	for (unsigned i = 0; i < c.ndestinations; i++)
		add_success(r, sp->owner, &c.destination[i]);
}

static void
metrics_spool(struct run *r, struct spool *sp)
{
	struct metrics *m = r->memory;
	struct owner *o;

	for (m->at = 0; m->at < m->nowners && m->owner[m->at].uid != sp->owner; m->at++)
		;
	if (m->at == OWNERS) {
		total_trouble(r->total, EX_OK, "more than %d owners: uid %u is left out", OWNERS,
		    (unsigned)sp->owner);
		return;
	}
	o = &m->owner[m->at];
	if (m->at == m->nowners) {
		m->nowners++;
		o->uid = sp->owner;
	}
	o->flusher |= spool_flusher_alive(sp);
	add_counts(r, o, sp);
}

static void
metrics_entry(struct run *r, struct entry *e)
{
	struct metrics *m = r->memory;
	struct owner *o = &m->owner[m->at];
	int64_t arrived = (int64_t)(e->arrived / 1000000);

	if (m->at == OWNERS)
		return;
	o->messages[e->label]++;
	o->octets[e->label] += e->octets;
	if (e->label == LABEL_DAMAGED)
		return;
	o->attempts += entry_attempts(e);
	if (o->oldest == 0 || arrived < o->oldest)
		o->oldest = arrived;
}

/* "name{owner="1000"": the rest of the labels and the value follow. */
static void
begin(const char *name, const struct owner *o)
{
	printf("%s{owner=\"%u\"", name, (unsigned)o->uid);
}

static void
value(uint64_t n)
{
	printf("} %" PRIu64 "\n", n);
}

static void
print_messages(const char *name, const struct run *r, const struct owner *o)
{
	(void)r;
	for (unsigned i = 0; i < LABELS; i++) {
		begin(name, o);
		printf(",state=\"%s\"", label_name(i));
		value(o->messages[i]);
	}
}

static void
print_octets(const char *name, const struct run *r, const struct owner *o)
{
	(void)r;
	for (unsigned i = 0; i < LABELS; i++) {
		begin(name, o);
		printf(",state=\"%s\"", label_name(i));
		value(o->octets[i]);
	}
}

static void
print_oldest(const char *name, const struct run *r, const struct owner *o)
{
	begin(name, o);
	value(o->oldest != 0 && o->oldest < r->now ? (uint64_t)(r->now - o->oldest) : 0);
}

static void
print_attempts(const char *name, const struct run *r, const struct owner *o)
{
	(void)r;
	begin(name, o);
	value(o->attempts);
}

static void
print_flusher(const char *name, const struct run *r, const struct owner *o)
{
	(void)r;
	begin(name, o);
	value(o->flusher);
}

static void
print_since(const char *name, const struct run *r, const struct owner *o)
{
	(void)r;
	if (o->counts.since == 0)
		return;
	begin(name, o);
	value((uint64_t)o->counts.since);
}

static void
print_all_attempts(const char *name, const struct run *r, const struct owner *o)
{
	uint64_t sum = 0;

	(void)r;
	for (unsigned i = 0; i < COUNTED; i++)
		sum += o->counts.total[i];
	begin(name, o);
	value(sum);
}

static void
print_results(const char *name, const struct run *r, const struct owner *o)
{
	(void)r;
	for (unsigned i = 0; i < COUNTED; i++) {
		begin(name, o);
		printf(",result=\"%s\"", counted_name(i));
		value(o->counts.total[i]);
	}
}

static void
print_failures(const char *name, const struct run *r, const struct owner *o)
{
	/* RFC 3463 4 */
	static const char *const subjects[COUNTS_SUBJECTS] = {
	    "other", "address", "mailbox", "system", "network", "protocol", "content", "policy"};

	(void)r;
	for (unsigned i = 0; i < 2 * COUNTS_SUBJECTS; i++) {
		begin(name, o);
		printf(",class=\"%u\",subject=\"%s\"", 4 + i / COUNTS_SUBJECTS,
		    subjects[i % COUNTS_SUBJECTS]);
		value(o->counts.failures[i / COUNTS_SUBJECTS][i % COUNTS_SUBJECTS]);
	}
}

/* A label's value: \, " and line ends are escaped. The last cannot be: the text is clean. */
static void
print_label(const char *text)
{
	char clean[HOST_LEN];

	text_clean(clean, sizeof(clean), text, strnlen(text, HOST_LEN));
	for (const char *p = clean; *p != '\0'; p++) {
		if (*p == '\\' || *p == '"')
			putchar('\\');
		putchar(*p);
	}
}

static void
print_successes(const char *name, const struct run *r, const struct owner *o)
{
	const struct metrics *m = r->memory;

	for (unsigned i = 0; i < m->nsuccesses; i++) {
		const struct success *s = &m->success[i];
		if (s->owner != o->uid)
			continue;
		begin(name, o);
		fputs(",destination=\"", stdout);
		print_label(s->destination.name);
		putchar('"');
		value((uint64_t)s->destination.success);
	}
}

static const struct family {
	const char *name; /* of its samples; a counter's ends in "_total" */
	const char *help;
	void (*print)(const char *name, const struct run *r, const struct owner *o);
} families[] = {
    {"pillarbox_queue_messages", "Messages in the queue, by the way they wait.", print_messages},
    {"pillarbox_queue_bytes", "Their size.", print_octets},
    {"pillarbox_queue_oldest_age_seconds", "Age of the oldest message; 0 for none.", print_oldest},
    {"pillarbox_queue_attempts", "Attempts at the messages in the queue so far.", print_attempts},
    {"pillarbox_flusher_alive", "Whether a flusher works for this owner now.", print_flusher},
    {"pillarbox_attempts_total", "Attempts at recipients.", print_all_attempts},
    {"pillarbox_results_total", "Attempts at recipients, by what came of them.", print_results},
    {"pillarbox_failures_total", "Those without success, by class and subject of the status.",
	print_failures},
    {"pillarbox_counting_since_timestamp_seconds", "When the counting began.", print_since},
    {"pillarbox_last_success_timestamp_seconds", "When a destination took something last.",
	print_successes},
};

static void
print_head(const struct run *r, const char *name, const char *help)
{
	size_t len = strlen(name), total = sizeof("_total") - 1;
	bool counter = len > total && strcmp(name + len - total, "_total") == 0;

	if (counter && r->options->openmetrics)
		len -= total;
	printf("# HELP %.*s %s\n# TYPE %.*s %s\n", (int)len, name, help, (int)len, name,
	    counter ? "counter" : "gauge");
}

static int
by_uid(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	return (x->uid > y->uid) - (x->uid < y->uid);
}

static int
metrics_end(struct run *r)
{
	struct metrics *m = r->memory;

	qsort(m->owner, m->nowners, sizeof(m->owner[0]), by_uid);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		print_head(r, families[i].name, families[i].help);
		for (unsigned j = 0; j < m->nowners; j++)
			families[i].print(families[i].name, r, &m->owner[j]);
	}
	print_head(r, "pillarbox_service_alive", "Whether the system flusher listens.");
	printf("pillarbox_service_alive %d\n# EOF\n",
	    poke_heard(-1, r->settings->queue_socket) ? 1 : 0);
	return EX_OK;
}

const struct act act_metrics = {
    .memory = sizeof(struct metrics),
    .spool = metrics_spool,
    .entry = metrics_entry,
    .end = metrics_end,
};
