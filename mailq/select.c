/* SPDX-License-Identifier: ISC */
#include "select.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "mail/route.h"
#include "mail/status.h"

#define AGE_MAX (100LL * 366 * 86400)

bool
select_some(const struct selection *s)
{
	return s->sender != NULL || s->recipient != NULL || s->destination != NULL ||
	       s->reason != NULL || s->aged || s->states != 0 || s->nids > 0;
}

static bool
find_label(unsigned *states, const char *name, size_t len)
{
	for (unsigned i = 0; i < LABELS; i++)
		if (strlen(label_name(i)) == len && memcmp(label_name(i), name, len) == 0) {
			*states |= 1U << i;
			return true;
		}
	return false;
}

const char *
select_parse_states(struct selection *s, const char *list)
{
	for (;;) {
		size_t len = strcspn(list, ",");
		if (!find_label(&s->states, list, len))
			return "states are incoming, active, deferred, hold, failed, damaged";
		if (list[len] == '\0')
			return NULL;
		list += len + 1;
	}
}

const char *
select_parse_age(int64_t *seconds, const char *text)
{
	static const char units[] = "smhdw";
	static const int64_t factors[] = {1, 60, 3600, 86400, 7 * 86400};
	const char *p = text, *unit;
	int64_t n = 0;

	while (*p >= '0' && *p <= '9' && n <= AGE_MAX)
		n = n * 10 + (*p++ - '0');
	unit = *p != '\0' ? strchr(units, *p) : units;
	if (p == text || unit == NULL || (*p != '\0' && p[1] != '\0') ||
	    n > AGE_MAX / factors[unit - units])
		return "not an age such as 90s, 5m, 2h, 5d or 1w";
	*seconds = n * factors[unit - units];
	return NULL;
}

/* Literally first: "[" is a pattern's, and an address literal's. */
static bool
fits(const char *wanted, const char *text)
{
	return strcasecmp(wanted, text) == 0 ||
	       (strpbrk(wanted, "*?[") != NULL && fnmatch(wanted, text, FNM_CASEFOLD) == 0);
}

static bool
fits_sender(const char *wanted, const char *from)
{
	if (from[0] == '\0' &&
	    (strcmp(wanted, "<>") == 0 || strcasecmp(wanted, "MAILER-DAEMON") == 0))
		return true;
	return fits(wanted, from);
}

static bool
fits_reason(const char *wanted, const struct recipient *r)
{
	char text[OUTCOME_TEXT] = "";

	if (r->text != NULL)
		text_clean(text, sizeof(text), r->text, r->textlen);
	return strcasestr(text, wanted) != NULL;
}

static bool
fits_recipient(const struct selection *s, const struct recipient *r)
{
	char domain[HOST_LEN];

	if (s->recipient != NULL && !fits(s->recipient, r->address))
		return false;
	if (s->destination != NULL &&
	    (route_domain(domain, r->address) == -1 || !fits(s->destination, domain)))
		return false;
	return s->reason == NULL || fits_reason(s->reason, r);
}

static bool
fits_some_recipient(const struct selection *s, const struct entry *e)
{
	const struct envelope *v = &e->claim.envelope;

	for (const struct recipient *r = v->rcpt; r < v->rcpt + v->nrcpt; r++)
		if (entry_concerns(e, r) && fits_recipient(s, r))
			return true;
	return false;
}

bool
select_entry(const struct selection *s, const struct entry *e, int64_t now)
{
	bool of_recipient = s->recipient != NULL || s->destination != NULL || s->reason != NULL;

	if (s->states != 0 && (s->states & (1U << e->label)) == 0)
		return false;
	if (s->aged && now - (int64_t)(e->arrived / 1000000) < s->older)
		return false;
	if (e->label == LABEL_DAMAGED)
		return s->sender == NULL && !of_recipient;
	if (s->sender != NULL && !fits_sender(s->sender, e->claim.envelope.from))
		return false;
	return !of_recipient || fits_some_recipient(s, e);
}
