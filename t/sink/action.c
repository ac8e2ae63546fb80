/* SPDX-License-Identifier: ISC */
#include "action.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

void
action_ordinary(const struct action *a, const char *ordinary, struct wire *w)
{
	char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);
	if (!f)
		err(EX_OSERR, NULL);
	if (ordinary) {
		for (const char *p = ordinary; *p; p++)
			fprintf(f, *p == '\n' ? "\r\n" : "%c", *p);
		fputs("\r\n", f);
	}
	if (a->length > 0)
		fwrite(a->text, 1, a->length, f);
	fclose(f);
	wire_put(w, text, length);
	free(text);
}

static void
do_reply(const struct action *a, const char *ordinary, struct wire *w)
{
	(void)ordinary;
	char *text = malloc(a->length + 2);
	if (!text)
		err(EX_OSERR, NULL);
	memcpy(text, a->text, a->length);
	memcpy(text + a->length, "\r\n", 2);
	wire_put(w, text, a->length + 2);
	free(text);
}

static void
do_raw(const struct action *a, const char *ordinary, struct wire *w)
{
	(void)ordinary;
	wire_put(w, a->text, a->length);
}

static void
do_repeat(const struct action *a, const char *ordinary, struct wire *w)
{
	(void)ordinary;
	for (unsigned long i = 0; (a->number == 0 || i < a->number) && !w->dead; i++)
		wire_put(w, a->text, a->length);
}

static void
do_delay(const struct action *a, const char *ordinary, struct wire *w)
{
	(void)ordinary;
	wire_stall(w, (unsigned)a->number);
}

static void
do_dribble(const struct action *a, const char *ordinary, struct wire *w)
{
	(void)ordinary;
	w->dribble = (unsigned)a->number;
}

static void
do_quiet(const struct action *a, const char *ordinary, struct wire *w)
{
	(void)a, (void)ordinary, (void)w;
}

static void
do_close(const struct action *a, const char *ordinary, struct wire *w)
{
	(void)a, (void)ordinary;
	wire_close(w);
}

static void
do_cut(const struct action *a, const char *ordinary, struct wire *w)
{
	(void)a, (void)ordinary;
	wire_clear(w, NULL, 0);
	wire_close(w);
}

static void
do_clear(const struct action *a, const char *ordinary, struct wire *w)
{
	(void)ordinary;
	wire_clear(w, a->text, a->length);
}

static void
do_stall(const struct action *a, const char *ordinary, struct wire *w)
{
	wire_stall(w, 0);
	do_close(a, ordinary, w);
}

static void
do_reset(const struct action *a, const char *ordinary, struct wire *w)
{
	(void)a, (void)ordinary;
	wire_reset(w);
}

const struct verb verbs[] = {
    {"reply", TAKES_TEXT, SAYS_OWN, do_reply},
    {"raw", TAKES_TEXT, SAYS_OWN, do_raw},
    {"repeat", TAKES_NUMBER_TEXT, SAYS_OWN, do_repeat},
    {"pass", TAKES_NOTHING, SAYS_ORDINARY, action_ordinary},
    {"inject", TAKES_TEXT, SAYS_ORDINARY, action_ordinary},
    {"quiet", TAKES_NOTHING, SAYS_ORDINARY, do_quiet},
    {"drop", TAKES_NOTHING, SAYS_ORDINARY, do_close},
    {"delay", TAKES_TIME, SAYS_NOTHING, do_delay},
    {"dribble", TAKES_TIME, SAYS_NOTHING, do_dribble},
    {"stall", TAKES_NOTHING, SAYS_END, do_stall},
    {"clear", TAKES_TEXT, SAYS_NOTHING, do_clear},
    {"cut", TAKES_NOTHING, SAYS_END, do_cut},
    {"close", TAKES_NOTHING, SAYS_END, do_close},
    {"reset", TAKES_NOTHING, SAYS_END, do_reset},
    {0},
};
