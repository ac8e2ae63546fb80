/* SPDX-License-Identifier: ISC */
/* What the supervisor counts for all owners together, with as many destinations as it keeps. */
#include <stdlib.h>

#include "rates.h"
#include "sys/settings.h"
#include "tap.h"

#define HOUR 3600000
#define LATER (HOUR + HOUR / 20 + 20) /* it counts for a slot more: mail/rate.h */

static struct settings settings;
static struct rates rates = {.settings = &settings};

static int64_t
take(unsigned n, int64_t now)
{
	char name[32];

	snprintf(name, sizeof(name), "d%u.example", n);
	return rates_take(&rates, name, now);
}

static bool
all_may(unsigned first, unsigned end, int64_t now)
{
	while (first < end)
		if (take(first++, now) != 0)
			return false;
	return true;
}

int
main(void)
{
	setenv("PILLARBOX_CONFIG", "", 1);
	setenv("PILLARBOX_SMTP_RATE", "2/1h", 1);
	setenv("PILLARBOX_RELAY_WORK_FROM", "*@work.example", 1);
	setenv("PILLARBOX_RELAY_WORK_URL", "smtp://work.example", 1);
	setenv("PILLARBOX_RELAY_WORK_RATE", "1/1m", 1);
	setenv("PILLARBOX_RELAY_HOME_FROM", "*@home.example", 1);
	setenv("PILLARBOX_RELAY_HOME_URL", "smtp://home.example", 1);
	if (settings_load(&settings, 0) == -1)
		return 1;
	is(rates_text(&settings, "x.example"), "2/1h", "a domain has the rate of all");
	is(rates_text(&settings, ":work"), "1/1m", "a relay its own");
	is(rates_text(&settings, ":home"), "2/1h", "or that of all");
	is(rates_text(&settings, ":none"), "2/1h", "as one that is no more");

	ok(take(0, 0) == 0 && take(0, 1) == 0, "two in an hour");
	ok(take(0, 2) > HOUR - 10 && take(0, 2) < LATER, "the third waits for the rest of it");
	rates_return(&rates, "d0.example");
	ok(take(0, 3) == 0 && take(0, 4) > 0, "one that came to nothing is given back, once");
	rates_return(&rates, "unknown.example");
	ok(rates_take(&rates, ":work", 0) == 0 && rates_take(&rates, ":work", 1) > 0,
	    "a relay's is counted beside");

	ok(all_may(1, RATES_MAX - 1, 10), "as many destinations as are kept");
	is_int(take(RATES_MAX, 11), RATES_FULL, "one more waits, counted or not");
	ok(take(1, 12) == 0 && take(1, 13) > 0, "who is known does not");
	ok(all_may(RATES_MAX, RATES_MAX + 100, LATER),
	    "those of which nothing counts any more make room");
	ok(take(0, LATER) == 0 && take(0, LATER + 1) == 0 && take(0, LATER + 2) > 0,
	    "and begin anew");
	*settings.smtp_rate = '\0';
	ok(take(0, LATER + 3) == 0 && take(RATES_MAX, LATER + 3) == 0, "no rate, no count");
	settings_free(&settings);
	return done();
}
