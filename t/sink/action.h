/* SPDX-License-Identifier: ISC */
/*
 * action: what a rule does, one row a verb.
 */
#ifndef ACTION_H
#define ACTION_H

#include <stddef.h>

#include "wire.h"

enum takes {
	TAKES_NOTHING,
	TAKES_TEXT,
	TAKES_TIME,
	TAKES_NUMBER_TEXT,
};

/* Whose text counts as the reply, by which the sink goes on. */
enum says {
	SAYS_NOTHING,  /* leaves the ordinary reply to be said after it */
	SAYS_ORDINARY, /* goes on as if that had been said */
	SAYS_OWN,
	SAYS_END, /* nothing was said and nothing happens */
};

struct action {
	const struct verb *verb;
	unsigned long number; /* milliseconds; how often */
	char *text;
	size_t length;
};

struct verb {
	const char *name;
	enum takes takes;
	enum says says;
	/* `ordinary` is what would be said without a rule, NULL where nothing would. */
	void (*run)(const struct action *a, const char *ordinary, struct wire *w);
};

/* All of them; the last has no name. */
extern const struct verb verbs[];

/* Say what is ordinary, with the action's text right behind it. */
void action_ordinary(const struct action *a, const char *ordinary, struct wire *w);

#endif
