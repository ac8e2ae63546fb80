/* SPDX-License-Identifier: ISC */
#include "sys/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/duration.h"
#include "mail/envelope.h"
#include "mail/fingerprint.h"
#include "mail/rate.h"
#include "mail/retry.h"
#include "mail/rewrite.h"
#include "mail/route.h"
#include "mail/sasl.h"
#include "mail/tls_policy.h"

#define ERRORS_MAX (64 * 1024)
#define COUNT_MAX 1000000U
#define OCTETS_MAX ENVELOPE_SIZE_MAX
#define TEXT_OF_NUMBER 24

enum type {
	TYPE_TEXT,
	TYPE_URLS,
	TYPE_SECRET,
	TYPE_PATH,
	TYPE_SECONDS,
	TYPE_COUNT,
	TYPE_OWN,
	TYPE_SIZE,
	TYPE_RATE,
	TYPE_RETRY,
	TYPE_DELIVER,
	TYPE_POLICY,
	TYPE_POLICIES,
	TYPE_PINS,
	TYPE_RULES,
	TYPE_AUTH,
	TYPE_SENDERS,
	TYPE_ADDRESSES,
	TYPE_FAMILY,
	TYPE_SANDBOX,
	TYPE_PROXY,
	TYPE_FORMAT,
	TYPE_KEEP,
	TYPE_YESNO,
};

const struct setting settings_table[SETTINGS_COUNT] = {
#define SETTING(section, key, type, fallback, help) \
	{#section, #key, TYPE_##type, offsetof(struct settings, section##_##key), fallback},
#include "sys/settings.def"
#undef SETTING
};

const struct setting settings_relay_table[SETTINGS_RELAY_COUNT] = {
#define RELAY_SETTING(key, type, fallback, help) \
	{NULL, #key, TYPE_##type, offsetof(struct settings_relay, key), fallback},
#include "sys/relay.def"
#undef RELAY_SETTING
};

const struct settings_source settings_by_default = {.name = "default"};

/* The names of an enum's values, in its order, and what to say to another. */
struct choices {
	const char *refusal;
	const char *name[7];
};

#define DELIVER_CHOICES(first, more) first("background") more("queue") more("foreground")
#define KEEP_CHOICES(first, more) first("reply-to") more("x-original-from") more("none")
#define YESNO_CHOICES(first, more) first("no") more("yes")
#define FAMILY_CHOICES(first, more) first("any") more("ipv4") more("ipv6")
#define SANDBOX_CHOICES(first, more) first("kill") more("refuse") more("off")
#define FORMAT_CHOICES(first, more) first("plain") more("json")
#define ITEM(name) name,
#define WORD(name) name
#define COMMA_WORD(name) ", " name
#define CHOICES(list)                                 \
	{                                             \
		"not one of " list(WORD, COMMA_WORD), \
		{                                     \
			list(ITEM, ITEM)              \
		}                                     \
	}

static const struct choices delivers = CHOICES(DELIVER_CHOICES),
			    policies = CHOICES(TLS_POLICY_WORDS), keeps = CHOICES(KEEP_CHOICES),
			    families = CHOICES(FAMILY_CHOICES), formats = CHOICES(FORMAT_CHOICES),
			    sandboxes = CHOICES(SANDBOX_CHOICES), yesnos = CHOICES(YESNO_CHOICES);

static int
refuse(const char *text, const char **why)
{
	*why = text;
	return -1;
}

/* What most texts are, in each process that starts: one for all, that nobody writes to. */
static const char nothing[] = "";

static void
free_text(char *text)
{
	if (text == NULL || text == nothing)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}

static int
parse_text(void *field, const char *value, const struct choices *c, const char **why)
{
	char **text = field, *copy = *value != '\0' ? strdup(value) : (char *)nothing;

	(void)c;
	if (copy == NULL)
		return refuse("out of memory", why);
	free_text(*text);
	*text = copy;
	return 0;
}

static int
parse_urls(void *field, const char *value, const struct choices *c, const char **why)
{
	return route_check(value, why) == -1 ? -1 : parse_text(field, value, c, why);
}

static int
parse_rules(void *field, const char *value, const struct choices *c, const char **why)
{
	return rewrite_check(value, why) == -1 ? -1 : parse_text(field, value, c, why);
}

static int
parse_mechanisms(void *field, const char *value, const struct choices *c, const char **why)
{
	return sasl_check(value, why) == -1 ? -1 : parse_text(field, value, c, why);
}

static int
parse_policies(void *field, const char *value, const struct choices *c, const char **why)
{
	return tls_policies_check(value, why) == -1 ? -1 : parse_text(field, value, c, why);
}

static int
parse_fingerprint(void *field, const char *value, const struct choices *c, const char **why)
{
	struct fingerprints set;

	return fingerprints_parse(&set, value, why) == -1 ? -1 : parse_text(field, value, c, why);
}

static int
parse_senders(void *field, const char *value, const struct choices *c, const char **why)
{
	return rewrite_check_patterns(value, why) == -1 ? -1 : parse_text(field, value, c, why);
}

static int
parse_addresses(void *field, const char *value, const struct choices *c, const char **why)
{
	char text[2][ROUTE_ADDRESS];

	return route_addresses(text, value, why) == -1 ? -1 : parse_text(field, value, c, why);
}

static int
parse_rate(void *field, const char *value, const struct choices *c, const char **why)
{
	struct rate r;

	return rate_parse(&r, value, why) == -1 ? -1 : parse_text(field, value, c, why);
}

static int
parse_retry(void *field, const char *value, const struct choices *c, const char **why)
{
	struct retry_policy p = {0};

	return retry_parse(&p, value, why) == -1 ? -1 : parse_text(field, value, c, why);
}

static int
parse_proxy(void *field, const char *value, const struct choices *c, const char **why)
{
	struct relay r;
	int result = *value == '\0' ? 0 : route_parse_proxy(&r, value, why);

	explicit_bzero(&r, sizeof(r));
	return result == -1 ? -1 : parse_text(field, value, c, why);
}

static int
parse_path(void *field, const char *value, const struct choices *c, const char **why)
{
	if (*value != '\0' && *value != '/')
		return refuse("not an absolute path", why);
	if (strlen(value) >= PATH_MAX)
		return refuse("too long", why);
	return parse_text(field, value, c, why);
}

/* The digits at the start: their number, 0 when there are none or too many for a number. */
static size_t
digits(const char *s, unsigned long *n)
{
	size_t len = strspn(s, "0123456789");

	if (len == 0 || len > 9)
		return 0;
	*n = strtoul(s, NULL, 10);
	return len;
}

static int
parse_seconds(void *field, const char *value, const struct choices *c, const char **why)
{
	(void)c;
	return duration_parse(field, value, strlen(value), why);
}

static int
parse_count(void *field, const char *value, const struct choices *c, const char **why)
{
	unsigned long n;
	size_t len = digits(value, &n);

	(void)c;
	if (len == 0 || value[len] != '\0' || n < 1 || n > COUNT_MAX)
		return refuse("not a number from 1 to 1000000", why);
	*(unsigned *)field = (unsigned)n;
	return 0;
}

static int
parse_own(void *field, const char *value, const struct choices *c, const char **why)
{
	if (strcmp(value, "0") != 0)
		return parse_count(field, value, c, why);
	*(unsigned *)field = 0;
	return 0;
}

static int
parse_size(void *field, const char *value, const struct choices *c, const char **why)
{
	static const char units[] = "kMG";
	size_t len = strspn(value, "0123456789");
	const char *unit = value[len] != '\0' ? strchr(units, value[len]) : NULL;
	unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
	uint64_t n = strtoull(value, NULL, 10);

	(void)c;
	if (len == 0 || (value[len] != '\0' && (unit == NULL || value[len + 1] != '\0')))
		return refuse("not a size such as 500k, 25M or 2G", why);
	if (n > OCTETS_MAX >> shift)
		return refuse("larger than a message can be", why);
	*(uint64_t *)field = n << shift;
	return 0;
}

static int
parse_choice(void *field, const char *value, const struct choices *c, const char **why)
{
	for (int i = 0; c->name[i] != NULL; i++) {
		if (strcmp(value, c->name[i]) != 0)
			continue;
		*(int *)field = i;
		return 0;
	}
	return refuse(c->refusal, why);
}

static const struct kind {
	int (*parse)(void *field, const char *value, const struct choices *c, const char **why);
	enum { KEPT_TEXT, KEPT_NUMBER, KEPT_SIZE, KEPT_CHOICE } kept;
	const struct choices *choices;
} kinds[] = {
    [TYPE_TEXT] = {parse_text, KEPT_TEXT, NULL},
    [TYPE_URLS] = {parse_urls, KEPT_TEXT, NULL},
    [TYPE_SECRET] = {parse_text, KEPT_TEXT, NULL},
    [TYPE_PATH] = {parse_path, KEPT_TEXT, NULL},
    [TYPE_SECONDS] = {parse_seconds, KEPT_NUMBER, NULL},
    [TYPE_COUNT] = {parse_count, KEPT_NUMBER, NULL},
    [TYPE_OWN] = {parse_own, KEPT_NUMBER, NULL},
    [TYPE_SIZE] = {parse_size, KEPT_SIZE, NULL},
    [TYPE_RATE] = {parse_rate, KEPT_TEXT, NULL},
    [TYPE_RETRY] = {parse_retry, KEPT_TEXT, NULL},
    [TYPE_DELIVER] = {parse_choice, KEPT_CHOICE, &delivers},
    [TYPE_POLICY] = {parse_choice, KEPT_CHOICE, &policies},
    [TYPE_POLICIES] = {parse_policies, KEPT_TEXT, NULL},
    [TYPE_PINS] = {parse_fingerprint, KEPT_TEXT, NULL},
    [TYPE_RULES] = {parse_rules, KEPT_TEXT, NULL},
    [TYPE_AUTH] = {parse_mechanisms, KEPT_TEXT, NULL},
    [TYPE_SENDERS] = {parse_senders, KEPT_TEXT, NULL},
    [TYPE_ADDRESSES] = {parse_addresses, KEPT_TEXT, NULL},
    [TYPE_PROXY] = {parse_proxy, KEPT_TEXT, NULL},
    [TYPE_FAMILY] = {parse_choice, KEPT_CHOICE, &families},
    [TYPE_SANDBOX] = {parse_choice, KEPT_CHOICE, &sandboxes},
    [TYPE_FORMAT] = {parse_choice, KEPT_CHOICE, &formats},
    [TYPE_KEEP] = {parse_choice, KEPT_CHOICE, &keeps},
    [TYPE_YESNO] = {parse_choice, KEPT_CHOICE, &yesnos},
};

int
settings_store(const struct setting_place *p, const char *value, struct settings_source source,
    const char **why)
{
	const struct kind *k = &kinds[p->row->type];

	if (*value == '\0' && (k->kept != KEPT_TEXT || p->row->type == TYPE_RETRY))
		value = p->row->fallback;
	if (strlen(value) >= SECRET_LEN)
		return refuse("too long", why);
	for (const char *c = value; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return refuse("control character", why);
	/* Nothing is right for every text; most settings are nothing, in each process that starts. */
	if ((*value == '\0' ? parse_text : k->parse)(p->field, value, k->choices, why) == -1)
		return -1;
	*p->source = source;
	return 0;
}

int
settings_set(struct settings *s, const char *section, const char *key, const char *value,
    const char *source, const char **why)
{
	struct setting_place p;

	if (!settings_find(s, section, key, &p, why))
		return -1;
	return settings_store(&p, value, (struct settings_source){.name = source}, why);
}

int
settings_default(struct settings *s)
{
	struct setting_place p;
	const char *why;

	memset(s, 0, sizeof(*s));
	s->errors = (struct buf)BUF_INIT(ERRORS_MAX);
	for (size_t i = 0; settings_at(s, i, &p); i++)
		if (settings_store(&p, p.row->fallback, settings_by_default, &why) == -1) {
			settings_free(s);
			return -1;
		}
	return 0;
}

bool
settings_is_secret(const struct setting_place *p)
{
	return p->row->type == TYPE_SECRET;
}

/* The text that a field holds: NULL when it is of another type, or was never set. */
static char *
kept_text(const struct setting_place *p)
{
	return kinds[p->row->type].kept == KEPT_TEXT ? *(char **)p->field : NULL;
}

void
settings_forget_secrets(struct settings *s)
{
	struct setting_place p;

	for (size_t i = 0; settings_at(s, i, &p); i++) {
		char *text = kept_text(&p);

		if (text != NULL && settings_is_secret(&p))
			explicit_bzero(text, strlen(text));
		if (text != NULL && (p.row->type == TYPE_URLS || p.row->type == TYPE_PROXY))
			settings_hide_passwords(text);
	}
}

/* From the i-th on. */
static void
free_texts(struct settings *s, size_t i)
{
	struct setting_place p;

	for (; settings_at(s, i, &p); i++) {
		if (kept_text(&p) == NULL)
			continue;
		free_text(*(char **)p.field);
		*(char **)p.field = NULL;
	}
}

void
settings_drop_relay(struct settings *s)
{
	free_texts(s, SETTINGS_COUNT + (s->nrelays - 1) * SETTINGS_RELAY_COUNT);
	memset(&s->relay[--s->nrelays], 0, sizeof(*s->relay));
}

void
settings_free(struct settings *s)
{
	free_texts(s, 0);
	free(s->relay);
	s->relay = NULL;
	s->nrelays = 0;
	free(s->file);
	s->file = NULL;
	buf_free(&s->errors);
}

/* A value as text, which may be in tmp[TEXT_OF_NUMBER]. */
static const char *
value_text(const struct setting_place *p, char tmp[TEXT_OF_NUMBER])
{
	const struct kind *k = &kinds[p->row->type];

	switch (k->kept) {
	case KEPT_TEXT:
		return *(char *const *)p->field;
	case KEPT_CHOICE:
		return k->choices->name[*(const int *)p->field];
	case KEPT_SIZE:
		snprintf(tmp, TEXT_OF_NUMBER, "%" PRIu64, *(const uint64_t *)p->field);
		return tmp;
	case KEPT_NUMBER:
		break;
	}
	snprintf(tmp, TEXT_OF_NUMBER, "%u", *(const unsigned *)p->field);
	return tmp;
}

int
settings_each(const struct settings *s,
    int (*each)(void *arg, const char *section, const char *key, const char *value), void *arg)
{
	struct setting_place p;
	char tmp[TEXT_OF_NUMBER];
	int r = 0;

	for (size_t i = 0; r == 0 && settings_at((struct settings *)s, i, &p); i++)
		r = each(arg, p.section, p.row->key, value_text(&p, tmp));
	return r;
}

void
settings_print(struct buf *out, const struct settings *s)
{
	struct setting_place p;
	char tmp[TEXT_OF_NUMBER];

	for (size_t i = 0; settings_at((struct settings *)s, i, &p); i++) {
		const char *value = value_text(&p, tmp);

		buf_addf(out, "%s.%s = ", p.section, p.row->key);
		if (p.row->type == TYPE_URLS || p.row->type == TYPE_PROXY)
			settings_print_urls(out, value);
		else if (settings_is_secret(&p) && *value != '\0')
			buf_adds(out, "***");
		else
			buf_adds(out, value);
		buf_addf(out, "    ; %s", p.source->name);
		if (p.source->line != 0)
			buf_addf(out, ":%u", p.source->line);
		buf_addc(out, '\n');
	}
}
