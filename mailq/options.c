/* SPDX-License-Identifier: ISC */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "check.h"
#include "deliver.h"
#include "json.h"
#include "list.h"
#include "metrics.h"
#include "move.h"
#include "show.h"
#include "steer.h"
#include "summary.h"
#include "target.h"

#define LONG_ONLY 256 /* getopt_long()'s value of the first row; letters are below */

/* A handler's complaint is a constant string; NULL: taken. */
typedef const char *handler(struct options *o, const char *value);

/* Two that do not go together: the last one counts, as in `ls -l -C`. */
static const char *
do_list(struct options *o, const char *value)
{
	(void)value;
	o->act = &act_list;
	o->plain = true;
	return NULL;
}

static const char *
do_json(struct options *o, const char *value)
{
	(void)value;
	o->act = &act_json;
	return NULL;
}

static const char *
do_metrics(struct options *o, const char *value)
{
	(void)value;
	o->act = &act_metrics;
	return NULL;
}

static const char *
do_openmetrics(struct options *o, const char *value)
{
	o->openmetrics = true;
	return do_metrics(o, value);
}

static const char *
do_summary(struct options *o, const char *value)
{
	(void)value;
	o->act = &act_summary;
	return NULL;
}

static const char *
do_check(struct options *o, const char *value)
{
	(void)value;
	o->act = &act_check;
	return NULL;
}

static const char *
set_warning(struct options *o, const char *value)
{
	o->levels = true;
	return check_parse(&o->warning, value);
}

static const char *
set_critical(struct options *o, const char *value)
{
	o->levels = true;
	return check_parse(&o->critical, value);
}

/* A level or an ID: what else there is decides. */
static const char *
set_c(struct options *o, const char *value)
{
	if (o->c != NULL)
		return "-c has been given before";
	o->c = value;
	return NULL;
}

static const char *
steer_by(struct options *o, const struct act *act, bool ask, const char *value)
{
	if (o->act != NULL && o->act != act)
		return "only one thing can be done at a time";
	o->act = act;
	o->ask = ask;
	o->target.some = true;
	return target_add(&o->target, value);
}

static const char *
do_delete(struct options *o, const char *value)
{
	return steer_by(o, &act_delete, true, value);
}

static const char *
do_hold(struct options *o, const char *value)
{
	return steer_by(o, &act_hold, true, value);
}

static const char *
do_release(struct options *o, const char *value)
{
	return steer_by(o, &act_release, true, value);
}

static const char *
do_retry(struct options *o, const char *value)
{
	return steer_by(o, &act_retry, true, value);
}

static const char *
do_envelope(struct options *o, const char *value)
{
	return steer_by(o, &act_envelope, false, value);
}

static const char *
do_deliver(struct options *o, const char *value)
{
	return steer_by(o, &act_deliver, true, value);
}

static const char *
do_export(struct options *o, const char *value)
{
	if (o->dir != NULL || o->act != NULL)
		return "only one thing can be done at a time";
	o->act = &act_export;
	o->ask = o->target.some = true;
	o->dir = value;
	return NULL;
}

static const char *
do_import(struct options *o, const char *value)
{
	const char *wrong = do_export(o, value);

	o->import = true;
	return wrong;
}

static const char *
set_dry_run(struct options *o, const char *value)
{
	o->dry_run = value == NULL;
	return NULL;
}

static const char *
set_yes(struct options *o, const char *value)
{
	o->yes = value == NULL;
	return NULL;
}

static const char *
set_verbose(struct options *o, const char *value)
{
	(void)value;
	o->verbose = true;
	return NULL;
}

static const char *
do_flush(struct options *o, const char *value)
{
	(void)value;
	o->flush = true;
	return NULL;
}

static const char *
set_watch(struct options *o, const char *value)
{
	o->watch = value == NULL;
	return NULL;
}

static const char *
do_help(struct options *o, const char *value)
{
	(void)value;
	o->help = true;
	return NULL;
}

static const char *
set_sender(struct options *o, const char *value)
{
	o->selection.sender = value;
	return NULL;
}

static const char *
set_recipient(struct options *o, const char *value)
{
	o->selection.recipient = value;
	return NULL;
}

static const char *
set_destination(struct options *o, const char *value)
{
	o->selection.destination = value;
	return NULL;
}

static const char *
set_older(struct options *o, const char *value)
{
	o->selection.aged = true;
	return select_parse_age(&o->selection.older, value);
}

static const char *
set_state(struct options *o, const char *value)
{
	return select_parse_states(&o->selection, value);
}

static const char *
set_reason(struct options *o, const char *value)
{
	o->selection.reason = value;
	return NULL;
}

static const struct row {
	char letter;       /* 0: a long name only */
	const char *name;  /* NULL: a letter only */
	const char *value; /* what it takes; NULL: nothing */
	const char *help;
	handler *handle;
} rows[] = {
    {'p', NULL, NULL, "list the queue in Postfix's form, on a terminal too", do_list},
    {'v', "verbose", NULL, "with state, envelope and history of each message", set_verbose},
    {'j', "json", NULL, "an object of JSON a line, with the keys of postqueue -j and more",
	do_json},
    {'f', "flush", NULL, "try to deliver everything now: sendmail -q", do_flush},
    {0, "watch", NULL, "the list on a terminal, anew each second; q quits", set_watch},
    {'m', "metrics", NULL, "figures for Prometheus", do_metrics},
    {0, "openmetrics", NULL, "the same in the form of OpenMetrics", do_openmetrics},
    {0, "summary", NULL, "sums by destination, sender and reason", do_summary},
    {0, "check", NULL, "one line and the exit status of a monitoring plugin", do_check},
    {'w', "warning", "AGE,COUNT", "--check: warn from there on (4h,100)", set_warning},
    {0, "critical", "AGE,COUNT", "--check: critical from there on (1d,1000)", set_critical},
    {'d', "delete", "ID|ALL", "delete", do_delete},
    {'h', "hold", "ID|ALL", "put on hold: no delivery until it is released", do_hold},
    {'H', "release", "ID|ALL", "release what is on hold", do_release},
    {'r', "retry", "ID|ALL", "let it wait no longer: try it now, in the background", do_retry},
    {'i', "deliver", "ID|ALL", "deliver it now, and show what becomes of it", do_deliver},
    {'c', NULL, "ID|AGE,COUNT", "print the message; with --check: --critical", set_c},
    {'e', "envelope", "ID|ALL", "print the envelope", do_envelope},
    {0, "export", "DIR", "move to a directory, for another machine, or to a Maildir", do_export},
    {0, "import", "DIR", "move into the queue what --export put there, or a Maildir has", do_import},
    {0, "dry-run", NULL, "say what would be done, and do nothing", set_dry_run},
    {'y', "yes", NULL, "do not ask before something is done to ALL", set_yes},
    {0, "sender", "PATTERN", "only messages of this sender", set_sender},
    {0, "recipient", "PATTERN", "only those that wait for this recipient", set_recipient},
    {0, "destination", "PATTERN", "only those that wait for this domain", set_destination},
    {0, "older", "AGE", "only those that arrived so long ago: 90s, 5m, 2h, 5d, 1w", set_older},
    {0, "state", "STATE,...", "incoming, active, deferred, hold, failed, damaged", set_state},
    {0, "reason", "TEXT", "only those with this in what the last attempt said", set_reason},
    {0, "help", NULL, "print this", do_help},
};
#define NROWS (sizeof(rows) / sizeof(rows[0]))

/* The table as getopt_long() wants it. */
struct grammar {
	char letters[2 * NROWS + 2];
	struct option names[NROWS + 1];
};

static void
make_grammar(struct grammar *g)
{
	size_t letters = 0, names = 0;

	memset(g, 0, sizeof(*g));
	g->letters[letters++] = ':'; /* a value that lacks is told apart */
	for (size_t i = 0; i < NROWS; i++) {
		const struct row *r = &rows[i];
		if (r->letter != 0) {
			g->letters[letters++] = r->letter;
			if (r->value != NULL)
				g->letters[letters++] = ':';
		}
		if (r->name != NULL)
			g->names[names++] = (struct option){.name = r->name,
			    .has_arg = r->value != NULL ? required_argument : no_argument,
			    .val = LONG_ONLY + (int)i};
	}
}

static const struct row *
find(int value)
{
	if (value >= LONG_ONLY)
		return &rows[value - LONG_ONLY];
	for (size_t i = 0; i < NROWS; i++)
		if (rows[i].letter == value)
			return &rows[i];
	return NULL;
}

/* How an option was spelled that getopt_long() has just read. */
static const char *
spelling(char tmp[3], int value, char **argv)
{
	int letter = value == ':' || value == '?' ? optopt : value;

	if (letter <= 0 || letter >= LONG_ONLY)
		return argv[optind - 1];
	snprintf(tmp, 3, "-%c", letter);
	return tmp;
}

static int
take(struct options *o, int value, char **argv, char *error, size_t size)
{
	const struct row *row = find(value);
	const char *wrong;
	char tmp[3];

	if (value == ':')
		snprintf(error, size, "%s needs a value", spelling(tmp, value, argv));
	else if (value == '?' || row == NULL)
		snprintf(error, size, "unknown option %s; mailq --help has all",
		    spelling(tmp, value, argv));
	else if ((wrong = row->handle(o, optarg)) != NULL)
		snprintf(error, size, "%s: %s", optarg, wrong);
	else
		return 0;
	return -1;
}

/* What is left are IDs; and -c is what the others make it. */
static int
take_operands(struct options *o, int argc, char **argv, char *error, size_t size)
{
	const char *wrong = NULL, *what = o->c;

	if (o->c != NULL && o->act == &act_check)
		wrong = set_critical(o, o->c);
	else if (o->c != NULL)
		wrong = steer_by(o, &act_message, false, o->c);
	for (int i = optind; wrong == NULL && i < argc; i++)
		wrong = target_add(&o->target, what = argv[i]);
	if (wrong != NULL)
		snprintf(error, size, "%s: %s", what, wrong);
	else if ((wrong = target_use(&o->target, &o->selection)) != NULL)
		snprintf(error, size, "%s", wrong);
	return wrong == NULL ? 0 : -1;
}

static bool
called(const char *argv0, const char *name)
{
	const char *slash = strrchr(argv0, '/');

	return strcmp(slash != NULL ? slash + 1 : argv0, name) == 0;
}

/* What does not go together. */
static const char *
disagreement(const struct options *o, int argc, char **argv)
{
	if (o->flush && (o->act != NULL || select_some(&o->selection) || o->target.all))
		return "-f goes alone: it means all of the queue";
	if (o->act == NULL && !o->flush && !o->help && argc > 0 && called(argv[0], "postqueue"))
		return "postqueue must be told what to do, as by -p, -j or -f";
	if (o->levels && o->act != &act_check)
		return "-w and --critical go with --check";
	if ((o->dry_run || o->yes) && !o->target.some)
		return "--dry-run and -y go with -d, -h, -H, -r and the like";
	if (o->watch && ((o->act != NULL && o->act != &act_list) || o->flush))
		return "--watch goes with the list";
	if (o->act == &act_export && !o->import && !o->target.all && !select_some(&o->selection))
		return "--export must be told what: IDs, selections, or ALL";
	if (o->target.all && !o->target.some)
		return "ALL goes with -d, -h, -H, -r and the like";
	return NULL;
}

int
options_parse(struct options *o, int argc, char **argv, char *error, size_t size)
{
	struct grammar g;
	const char *wrong;
	int value;

	*o = (struct options){.warning = CHECK_WARNING, .critical = CHECK_CRITICAL};
	make_grammar(&g);
	opterr = 0;
	while ((value = getopt_long(argc, argv, g.letters, g.names, NULL)) != -1)
		if (take(o, value, argv, error, size) == -1)
			return -1;
	if (take_operands(o, argc, argv, error, size) == -1)
		return -1;
	if ((wrong = disagreement(o, argc, argv)) != NULL) {
		snprintf(error, size, "%s", wrong);
		return -1;
	}
	if (o->act == NULL)
		o->act = &act_list;
	return 0;
}

void
options_help(void)
{
	char left[64];

	puts("usage: mailq [OPTION]... [ID]...\n"
	     "Lists the queue of mail, one's own, and for root everybody's, and steers it.\n");
	for (size_t i = 0; i < NROWS; i++) {
		const struct row *r = &rows[i];
		snprintf(left, sizeof(left), "%c%c%s%s%s%s%s", r->letter != 0 ? '-' : ' ',
		    r->letter != 0 ? r->letter : ' ', r->letter != 0 && r->name != NULL ? ", " : "",
		    r->name != NULL ? "--" : "", r->name != NULL ? r->name : "",
		    r->value != NULL ? " " : "", r->value != NULL ? r->value : "");
		printf("  %-26s %s\n", left, r->help);
	}
}
