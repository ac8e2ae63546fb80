/* SPDX-License-Identifier: ISC */
#include "options.h"

#include <bsd/stdlib.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sys/config.h"

#define INTERVAL_MAX (10UL * 365 * 86400)

/* How an option takes its value. */
enum takes {
	NOTHING,  /* a flag: more may be bundled behind it */
	VALUE,    /* -fa@b or -f a@b */
	ATTACHED, /* -q or -q30m: only what is attached */
};

/* A handler's complaint is a constant string; NULL: taken. */
typedef const char *handler(struct options *o, const char *value);

static const char *
inert(struct options *o, const char *value)
{
	(void)o;
	(void)value;
	return NULL;
}

static const struct {
	const char *value;
	enum mode mode;
} modes[] = {
    {"m", MODE_POST},
    {"s", MODE_SERVE},
    {"v", MODE_VERIFY},
    {"p", MODE_MAILQ},
    {"i", MODE_NEWALIASES},
    {"D", MODE_SERVICE},
    {"d", MODE_DAEMON},
    {"P", MODE_SETTINGS},
};

static const char *
set_mode(struct options *o, const char *value)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].value, value) == 0) {
			o->mode = modes[i].mode;
			return NULL;
		}
	return "there is no such mode here; known are -bm, -bs, -bv, -bp, -bi, -bd, -bD and -bP";
}

/* "15m", "1h30m", "30", which is minutes: seconds into *t. False: it is none of these. */
static bool
parse_interval(unsigned *t, const char *value)
{
	static const struct {
		char unit;
		unsigned seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	unsigned long total = 0;

	while (isdigit((unsigned char)*value)) {
		char *end;
		unsigned long n = strtoul(value, &end, 10);
		size_t i = 1;
		if (*end != '\0')
			for (i = 0; i < 5 && units[i].unit != *end; i++)
				;
		if (i == 5 || n > INTERVAL_MAX || (total += n * units[i].seconds) > INTERVAL_MAX)
			return false;
		value = end + (*end != '\0');
	}
	*t = (unsigned)total;
	return *value == '\0';
}

/* -q15m, -qp15m, -qp: a service, unless there is nothing to repeat: -q0. */
static const char *
set_interval(struct options *o, const char *value)
{
	bool persistent = *value == 'p';

	if (!parse_interval(&o->every, value + persistent))
		return "not a time such as 15m or 1h30m, ten years at most";
	if (o->mode == MODE_POST)
		o->mode = o->every != 0 || persistent ? MODE_DAEMON : MODE_QUEUE_RUN;
	return NULL;
}

/* -q, -q30m, -qf, -qIid, -qRpart, -qSpart, -q!Rpart. */
static const char *
set_queue_run(struct options *o, const char *value)
{
	bool others = *value == '!';

	if (isdigit((unsigned char)*value) || *value == 'p')
		return set_interval(o, value);
	if (o->mode == MODE_POST)
		o->mode = MODE_QUEUE_RUN;
	value += others;
	if (*value != 'I' && *value != 'R' && *value != 'S')
		return others ? "expected I, R or S behind -q!" : NULL;
	if (value[1] == '\0')
		return "-qI, -qR and -qS need what is to be looked for right behind them";
	o->select = *value == 'I' ? SELECT_ID : *value == 'R' ? SELECT_RECIPIENT : SELECT_SENDER;
	o->select_others = others;
	o->selected = value + 1;
	return NULL;
}

/* Words of a list, any case; the bit of each is or'ed. A word that is none: the whole is ignored.
 */
static const char *
set_notify(struct options *o, const char *value)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {{"never", NOTIFY_NEVER}, {"success", NOTIFY_SUCCESS},
	    {"failure", NOTIFY_FAILURE}, {"delay", NOTIFY_DELAY}};
	unsigned bits = 0;

	while (*value != '\0') {
		size_t len = strcspn(value, ","), i = 0;
		while (i < 4 && (strlen(words[i].word) != len ||
				    strncasecmp(words[i].word, value, len) != 0))
			i++;
		if (i == 4)
			return NULL;
		bits |= words[i].bit;
		value += len + (value[len] == ',');
	}
	/* RFC 3461 4.1: NEVER stands alone. */
	o->notify = (bits & NOTIFY_NEVER) != 0 ? NOTIFY_NEVER : bits;
	return NULL;
}

static const char *
set_ret(struct options *o, const char *value)
{
	if (strcasecmp(value, "full") == 0)
		o->ret = RET_FULL;
	else if (strcasecmp(value, "hdrs") == 0)
		o->ret = RET_HDRS;
	return NULL;
}

static const char *
set_envid(struct options *o, const char *value)
{
	o->envid = value;
	return NULL;
}

static const char *
set_hops(struct options *o, const char *value)
{
	const char *why;
	unsigned n = (unsigned)strtonum(value, 0, 1000, &why);

	if (why != NULL)
		return "not a hop count";
	o->hops = n;
	return NULL;
}

static const char *
set_tag(struct options *o, const char *value)
{
	o->tag = value;
	return NULL;
}

static const char *
set_protocol(struct options *o, const char *value)
{
	o->protocol = value;
	return NULL;
}

static const char *
set_smtputf8(struct options *o, const char *value)
{
	(void)value;
	o->smtputf8 = true;
	return NULL;
}

/* Long options. All others than these are inert: argv chooses no files, queues or programs. */
static const char *
set_long(struct options *o, const char *value)
{
	if (strcasecmp(value, "smtputf8") == 0 || strcasecmp(value, "smtputf8=yes") == 0)
		o->smtputf8 = true;
	else if (strcasecmp(value, "requiretls") == 0 || strcasecmp(value, "requiretls=yes") == 0)
		o->requiretls = true;
	return NULL;
}

static const char *
set_newaliases(struct options *o, const char *value)
{
	(void)value;
	o->mode = MODE_NEWALIASES;
	return NULL;
}

static const char *
set_dots(struct options *o, const char *value)
{
	(void)value;
	o->dots = true;
	return NULL;
}

static const char *
set_from_header(struct options *o, const char *value)
{
	(void)value;
	o->from_header = true;
	return NULL;
}

static const char *
set_no_aliases(struct options *o, const char *value)
{
	(void)value;
	o->no_aliases = true;
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
set_from(struct options *o, const char *value)
{
	o->from = value;
	return NULL;
}

static const char *
set_name(struct options *o, const char *value)
{
	o->name = value;
	return NULL;
}

/* -o and a letter: sendmail's short options. All others than these are inert. */
static const char *
set_short(struct options *o, const char *value)
{
	if (strcmp(value, "i") == 0)
		o->dots = true;
	else if (strcmp(value, "di") == 0)
		o->deliver = DELIVER_FOREGROUND;
	else if (strcmp(value, "db") == 0)
		o->deliver = DELIVER_BACKGROUND;
	else if (strcmp(value, "dq") == 0 || strcmp(value, "dd") == 0)
		o->deliver = DELIVER_QUEUE;
	return NULL;
}

static const struct row {
	char letter;
	enum takes takes;
	handler *handle;
} rows[] = {
    {'A', VALUE, inert}, /* -Ac, -Am: which configuration */
    {'B', VALUE, inert}, /* body type: seen from the message itself */
    {'b', VALUE, set_mode},
    {'C', VALUE, inert}, /* configuration file: never from argv */
    {'c', NOTHING, inert},
    {'D', VALUE, inert},    /* debug file: never from argv */
    {'d', ATTACHED, inert}, /* debug level */
    {'E', ATTACHED, inert},
    {'e', VALUE, inert}, /* error mode: the exit status stays the truth */
    {'F', VALUE, set_name},
    {'f', VALUE, set_from},
    {'G', NOTHING, inert}, /* gateway submission */
    {'h', VALUE, set_hops},
    {'I', NOTHING, set_newaliases},
    {'i', NOTHING, set_dots},
    {'J', ATTACHED, inert},
    {'L', VALUE, set_tag},
    {'M', VALUE, inert},
    {'m', NOTHING, inert}, /* "me too" */
    {'N', VALUE, set_notify},
    {'n', NOTHING, set_no_aliases},
    {'O', VALUE, set_long},
    {'o', VALUE, set_short},
    {'p', VALUE, set_protocol},
    {'Q', VALUE, inert},
    {'q', ATTACHED, set_queue_run},
    {'R', VALUE, set_ret},
    {'r', VALUE, set_from},
    {'S', NOTHING, inert},
    {'s', NOTHING, inert},
    {'T', NOTHING, inert},
    {'t', NOTHING, set_from_header},
    {'U', NOTHING, set_smtputf8},
    {'V', VALUE, set_envid},
    {'v', NOTHING, set_verbose},
    {'X', VALUE, inert}, /* traffic log: never from argv */
    {'x', NOTHING, inert},
};

static const struct row *
find(char letter)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* One argument "-xyz"; *next is the argument behind it, or NULL. Whether *next was its value: 1. */
static int
parse_word(struct options *o, const char *word, const char *next, char *error, unsigned size)
{
	for (const char *p = word + 1; *p != '\0'; p++) {
		const struct row *row = find(*p);
		const char *value = p + 1, *wrong;
		int used = 0;

		if (row == NULL) {
			snprintf(error, size, "unknown option -%c", *p);
			return -1;
		}
		if (row->takes == NOTHING) {
			row->handle(o, "");
			continue;
		}
		if (row->takes == VALUE && *value == '\0') {
			if (next == NULL) {
				snprintf(error, size, "option -%c needs a value", *p);
				return -1;
			}
			value = next;
			used = 1;
		}
		if ((wrong = row->handle(o, value)) != NULL) {
			snprintf(error, size, "-%c%s: %s", *p, value, wrong);
			return -1;
		}
		return used;
	}
	return 0;
}

static const struct {
	const char *name;
	enum mode mode;
} names[] = {
    {"mailq", MODE_MAILQ},
    {"newaliases", MODE_NEWALIASES},
    {"runq", MODE_QUEUE_RUN},
    {"hoststat", MODE_HOSTSTAT},
    {"purgestat", MODE_HOSTSTAT},
};

/* The name we were called by; any that is not in the table posts. */
static void
mode_from_name(struct options *o, const char *argv0)
{
	const char *slash = strrchr(argv0, '/'), *name = slash != NULL ? slash + 1 : argv0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, name) == 0)
			o->mode = names[i].mode;
}

int
options_parse(struct options *o, int argc, char **argv, char *error, unsigned size)
{
	int operands = 0, i;

	*o = (struct options){.deliver = -1};
	if (argc > 0)
		mode_from_name(o, argv[0]);
	o->recipients = argv + (argc > 0);
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			break;
		if (strcmp(argv[i], "--json") == 0) {
			o->json = true;
			continue;
		}
		if (argv[i][0] != '-' || argv[i][1] == '\0') {
			o->recipients[operands++] = argv[i];
			continue;
		}
		int used = parse_word(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL, error, size);
		if (used == -1)
			return -1;
		i += used;
	}
	for (i++; i < argc; i++)
		o->recipients[operands++] = argv[i];
	o->nrecipients = operands;
	return 0;
}
