/* SPDX-License-Identifier: ISC */
#include "lanes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mail/hash.h"

#define ID_BUCKETS 4096
#define SWEEP_FIRST 64 /* lanes, before those that are of no use are looked for */

struct lane {
	struct lane *next; /* in its bucket */
	unsigned jobs;     /* open, … */
	unsigned window;   /* … and how many may be */
	struct rate rate;
	struct rate_window sent;
	bool limited;   /* the rate was reached, and said so */
	int64_t closed; /* others have filled it up until then */
	struct parked *first, **last;
	bool waiting;              /* in the list of lanes with parked messages, … */
	struct lane *next_waiting; /* … and who is next there */
	char name[];
};

void
lanes_init(struct lanes *l)
{
	*l = (struct lanes){.sweep_at = SWEEP_FIRST};
	l->last = &l->first;
}

void
lanes_renew(struct lanes *l)
{
	for (size_t i = 0; i < LANES_BUCKETS; i++)
		for (struct lane *lane = l->bucket[i]; lane != NULL; lane = lane->next) {
			struct rate r = l->rate(l->arg, lane->name);

			if (r.messages == lane->rate.messages && r.interval == lane->rate.interval)
				continue;
			lane->rate = r;
			lane->sent = (struct rate_window){0};
			lane->limited = false;
		}
}

static struct lane *
find(const struct lanes *l, const char *name)
{
	struct lane *lane = l->bucket[hash_text(name) % LANES_BUCKETS];

	while (lane != NULL && strcmp(lane->name, name) != 0)
		lane = lane->next;
	return lane;
}

/* Nothing was begun for so long that its rate would not remember, and as long again. */
static bool
at_rest(const struct lane *lane, int64_t now)
{
	return rate_idle(&lane->rate, &lane->sent, now - lane->rate.interval);
}

/* Nothing would be lost with it. */
static bool
useless(const struct lane *lane, int64_t now)
{
	return lane->jobs == 0 && lane->first == NULL && !lane->waiting && at_rest(lane, now);
}

static void
drop_useless(struct lanes *l, int64_t now)
{
	for (size_t i = 0; i < LANES_BUCKETS; i++)
		for (struct lane **at = &l->bucket[i]; *at != NULL;) {
			struct lane *lane = *at;

			if (!useless(lane, now)) {
				at = &lane->next;
				continue;
			}
			*at = lane->next;
			l->count--;
			free(lane);
		}
}

static struct lane *
add(struct lanes *l, const char *name, int64_t now)
{
	size_t n = strlen(name) + 1;
	struct lane *lane, **bucket = &l->bucket[hash_text(name) % LANES_BUCKETS];

	if (l->count >= l->sweep_at) {
		drop_useless(l, now);
		l->sweep_at = 2 * l->count < SWEEP_FIRST ? SWEEP_FIRST : 2 * l->count;
	}
	if ((lane = calloc(1, sizeof(*lane) + n)) == NULL)
		return NULL;
	memcpy(lane->name, name, n);
	lane->rate = l->rate(l->arg, name);
	lane->window = LANE_FIRST;
	lane->last = &lane->first;
	lane->next = *bucket;
	*bucket = lane;
	l->count++;
	return lane;
}

static bool
slots_left(const struct lanes *l, const struct lane *lane)
{
	if (l->only > 0)
		return lane->jobs < l->only;
	return lane->jobs < lane->window && lane->jobs < HANDOFF_JOBS - l->jobs;
}

/* Milliseconds until its rate lets something go. */
static int64_t
wait_of(const struct lanes *l, const struct lane *lane, int64_t now)
{
	if (l->take == NULL)
		return rate_wait(&lane->rate, &lane->sent, now);
	return lane->closed > now ? lane->closed - now : 0;
}

static bool
room(const struct lanes *l, const struct lane *lane, int64_t now)
{
	return slots_left(l, lane) && wait_of(l, lane, now) == 0;
}

bool
lanes_room(const struct lanes *l, const char *destination, int64_t now)
{
	const struct lane *lane = find(l, destination);

	return lane != NULL ? room(l, lane, now) : l->jobs < HANDOFF_JOBS;
}

static bool
count(struct lane *lane, int64_t now, bool *limited)
{
	if (at_rest(lane, now))
		lane->limited = false;
	rate_take(&lane->rate, &lane->sent, now);
	*limited = !lane->limited && rate_wait(&lane->rate, &lane->sent, now) > 0;
	lane->limited |= *limited;
	return true;
}

/* The same by who counts for all. */
static bool
take(const struct lanes *l, struct lane *lane, int64_t now, bool *limited)
{
	int64_t wait = lane->rate.messages > 0 ? l->take(l->counter, lane->name) : 0;

	*limited = wait > 0 && !lane->limited;
	lane->limited = wait > 0;
	lane->closed = now + wait;
	return wait == 0;
}

int
lanes_begin(struct lanes *l, const char *destination, int64_t now, bool *limited)
{
	struct lane *lane = find(l, destination);

	if (lane == NULL && (lane = add(l, destination, now)) == NULL)
		return -1;
	if (l->take != NULL ? !take(l, lane, now, limited) : !count(lane, now, limited))
		return 1;
	lane->jobs++;
	l->jobs++;
	return 0;
}

void
lanes_end(struct lanes *l, const char *destination, enum lane_end how)
{
	struct lane *lane = find(l, destination);

	assert(lane != NULL); /* the job was counted in it */
	lane->jobs--;
	l->jobs--;
	if (how == LANE_FAILED)
		lane->window = LANE_FIRST;
	else if (how == LANE_ANSWERED && lane->window < LANE_JOBS)
		lane->window++;
	if (how == LANE_ANSWERED)
		return;
	if (l->take == NULL)
		rate_return(&lane->sent);
	else if (lane->rate.messages > 0)
		l->give_back(l->counter, destination);
}

static struct parked **
id_place(const struct lanes *l, const char *id)
{
	struct parked **p = &l->ids[hash_text(id) % ID_BUCKETS];

	while (*p != NULL && strcmp((*p)->id.s, id) != 0)
		p = &(*p)->chain;
	return p;
}

bool
lanes_has(const struct lanes *l, const char *id)
{
	return l->nparked > 0 && *id_place(l, id) != NULL;
}

bool
lanes_none(const struct lanes *l)
{
	return l->nparked == 0;
}

bool
lanes_run_over(const struct lanes *l, unsigned run)
{
	if (l->owed_run != 0 && l->owed_run <= run)
		return false;
	for (size_t i = 0; l->nparked > 0 && i < ID_BUCKETS; i++)
		for (const struct parked *p = l->ids[i]; p != NULL; p = p->chain)
			if (p->run <= run)
				return false;
	return true;
}

static void
enlist(struct lanes *l, struct lane *lane)
{
	lane->waiting = true;
	lane->next_waiting = NULL;
	*l->last = lane;
	l->last = &lane->next_waiting;
}

int
lanes_park(struct lanes *l, const char *destination, const struct queue_id *id,
    enum spool_state state, unsigned run)
{
	struct lane *lane = find(l, destination);
	struct parked *p, **place;

	if (lane == NULL || l->nparked >= LANES_PARKED ||
	    (l->ids == NULL && (l->ids = calloc(ID_BUCKETS, sizeof(struct parked *))) == NULL) ||
	    (p = malloc(sizeof(*p))) == NULL)
		return -1;
	*p = (struct parked){.id = *id, .state = state, .run = run};
	place = id_place(l, id->s);
	*place = p;
	*lane->last = p;
	lane->last = &p->next;
	l->nparked++;
	if (!lane->waiting)
		enlist(l, lane);
	return 0;
}

/* Take out a lane's first. */
static void
unpark(struct lanes *l, struct lane *lane, struct parked *copy)
{
	struct parked *p = lane->first, **place = id_place(l, p->id.s);

	*copy = *p;
	*place = p->chain;
	if ((lane->first = p->next) == NULL)
		lane->last = &lane->first;
	l->nparked--;
	free(p);
}

bool
lanes_next(struct lanes *l, int64_t now, struct parked *p)
{
	struct lane *end = NULL; /* the first that had no room: all have had their turn */

	while (l->first != NULL && l->first != end) {
		struct lane *lane = l->first;
		bool take = room(l, lane, now);

		if ((l->first = lane->next_waiting) == NULL)
			l->last = &l->first;
		if (take)
			unpark(l, lane, p);
		else if (end == NULL)
			end = lane;
		lane->waiting = false;
		if (lane->first != NULL)
			enlist(l, lane);
		if (take)
			return true;
	}
	return false;
}

int64_t
lanes_overflow(struct lanes *l, int64_t now, unsigned run)
{
	/* It is past. Further away: there are very many, or the clock was set back. */
	if (l->overflow <= now || l->overflow > now + LANES_OVERFLOW_MAX) {
		l->overflow = now + LANES_OVERFLOW;
		l->overflows = 0;
		if (l->recalled >= l->overflow)
			l->recalled = now;
	} else if (l->overflows >= LANES_OVERFLOWS) {
		l->overflow += LANES_OVERFLOW;
		l->overflows = 0;
	}
	l->overflows++;
	if (run != 0 && (l->owed_run == 0 || run < l->owed_run))
		l->owed_run = run;
	if (run != 0 && l->overflow > l->owed)
		l->owed = l->overflow;
	return l->overflow;
}

int64_t
lanes_recall(struct lanes *l, int64_t now)
{
	if (l->recalled >= l->owed || l->recalled >= l->overflow)
		l->owed_run = 0;
	if (l->recalled >= l->overflow || l->nparked > LANES_PARKED - LANES_OVERFLOWS)
		return 0;
	if (l->recalled < now)
		l->recalled = now;
	l->recalled += LANES_OVERFLOW;
	if (l->recalled >= l->overflow) {
		l->recalled = l->overflow;
		l->overflows = LANES_OVERFLOWS; /* whoever is sent away now would not be seen */
	}
	return l->recalled;
}

int64_t
lanes_wait(const struct lanes *l, const char *destination, int64_t now)
{
	const struct lane *own = destination != NULL ? find(l, destination) : NULL;
	int64_t least = INT64_MAX, wait;

	if (own != NULL && (wait = wait_of(l, own, now)) > 0)
		least = wait;
	for (const struct lane *lane = l->first; lane != NULL; lane = lane->next_waiting) {
		if (!slots_left(l, lane))
			continue;
		wait = wait_of(l, lane, now);
		if (wait < least)
			least = wait;
	}
	return least;
}

bool
lanes_idle(const struct lanes *l, int64_t now)
{
	for (size_t i = 0; i < LANES_BUCKETS; i++)
		for (const struct lane *lane = l->bucket[i]; lane != NULL; lane = lane->next)
			if (!rate_idle(&lane->rate, &lane->sent, now))
				return false;
	return true;
}

void
lanes_free(struct lanes *l)
{
	struct parked p;

	for (size_t i = 0; i < LANES_BUCKETS; i++)
		while (l->bucket[i] != NULL) {
			struct lane *lane = l->bucket[i];

			while (lane->first != NULL)
				unpark(l, lane, &p);
			l->bucket[i] = lane->next;
			free(lane);
		}
	free(l->ids);
	lanes_init(l);
}
