/* SPDX-License-Identifier: ISC */
#include "mail/rate.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS (RATE_SLOTS + 1) /* one more: the oldest is not over yet */
#define DAY (86400 * (int64_t)1000)
#define MESSAGES_MAX 1000000
#define INTERVAL_MAX (366 * DAY)

/* Digits at *s, which moves behind them: 1 to `max`; `none` where there are none; else -1. */
static long
number(const char **s, long none, long max)
{
	size_t len = strspn(*s, "0123456789");
	long n = len > 0 && len < 10 ? strtol(*s, NULL, 10) : len == 0 ? none : -1;

	*s += len;
	return n >= 1 && n <= max ? n : -1;
}

static int64_t
unit(const char *s)
{
	static const struct {
		char name[2];
		int64_t length;
	} units[] = {{"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {"d", DAY}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(s, units[i].name) == 0)
			return units[i].length;
	return -1;
}

int
rate_parse(struct rate *r, const char *text, const char **why)
{
	struct rate got = {0};
	long n = -1, times = -1;

	if (*text != '\0') {
		n = number(&text, -1, MESSAGES_MAX);
		if (n != -1 && *text++ == '/')
			times = number(&text, 1, INTERVAL_MAX / 1000);
		if (times == -1 || unit(text) == -1 || times > INTERVAL_MAX / unit(text)) {
			*why = "not a rate such as 100/1h, 10/s or 500/1d";
			return -1;
		}
		got = (struct rate){.messages = (uint32_t)n, .interval = times * unit(text)};
	}
	*r = got;
	return 0;
}

/* Milliseconds of a slot; rounded up, so that all together are no shorter than the interval. */
static int64_t
slot_length(const struct rate *r)
{
	return (r->interval + RATE_SLOTS - 1) / RATE_SLOTS;
}

static uint32_t
sent_in(const struct rate_window *w, int64_t slot)
{
	return slot > w->slot || slot <= w->slot - SLOTS || slot < 0 ? 0 : w->sent[slot % SLOTS];
}

/* The oldest slot that counts at `now`. */
static int64_t
oldest(const struct rate *r, int64_t now)
{
	return now / slot_length(r) - RATE_SLOTS;
}

/* Messages in the slots that count at `now`. */
static uint64_t
sent(const struct rate *r, const struct rate_window *w, int64_t now)
{
	uint64_t n = 0;

	for (int64_t slot = oldest(r, now); slot <= w->slot; slot++)
		n += sent_in(w, slot);
	return n;
}

int64_t
rate_wait(const struct rate *r, const struct rate_window *w, int64_t now)
{
	uint64_t over;
	int64_t slot;

	if (r->messages == 0 || (over = sent(r, w, now)) < r->messages)
		return 0;
	/* Slot after slot is left behind until there is room. */
	for (slot = oldest(r, now); over >= r->messages; slot++)
		over -= sent_in(w, slot);
	return (slot + RATE_SLOTS) * slot_length(r) - now;
}

void
rate_take(const struct rate *r, struct rate_window *w, int64_t now)
{
	int64_t slot;

	if (r->messages == 0)
		return;
	slot = now / slot_length(r);
	if (slot - w->slot >= SLOTS)
		memset(w->sent, 0, sizeof(w->sent));
	else
		for (int64_t i = w->slot + 1; i <= slot; i++)
			w->sent[i % SLOTS] = 0;
	if (slot > w->slot)
		w->slot = slot;
	w->sent[w->slot % SLOTS]++;
}

void
rate_return(struct rate_window *w)
{
	for (int64_t slot = w->slot; slot >= 0 && slot > w->slot - SLOTS; slot--)
		if (w->sent[slot % SLOTS] > 0) {
			w->sent[slot % SLOTS]--;
			return;
		}
}

bool
rate_idle(const struct rate *r, const struct rate_window *w, int64_t now)
{
	return r->messages == 0 || sent(r, w, now) == 0;
}
