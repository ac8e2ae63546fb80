/* SPDX-License-Identifier: ISC */
#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "aliases.h"
#include "intake_impl.h"
#include "mail/address.h"
#include "mail/journal.h"
#include "mail/rewrite.h"
#include "sys/log.h"

/* Something that may stand in the envelope for a text that may not; it is never sent to. */
static void
stand_in(char dst[ADDRESS_MAX + 1], const char *text, const char *domain)
{
	char local[65];
	size_t n = 0;

	for (; *text != '\0' && n + 1 < sizeof(local); text++)
		local[n++] =
		    (char)(address_atext(*text) && (unsigned char)*text < 0x80 ? *text : '?');
	local[n] = '\0';
	if (n == 0 || address_qualify(dst, local, domain) == -1)
		snprintf(dst, ADDRESS_MAX + 1, "?@localhost");
}

/* Each bad recipient: in the envelope, with a journal line that it has failed. */
static int
add_bad(struct intake *i)
{
	struct buf lines = BUF_INIT(ENVELOPE_HEAD_MAX);
	int r = EX_OK;

	for (const char *p = i->bad.data; r == EX_OK && p < i->bad.data + i->bad.len;
	     p += strlen(p) + 1) {
		struct outcome o = status_final(status_trouble(STAGE_CONFIG, SCOPE_RECIPIENT,
		    STATUS(5, 1, 3), "this is not an address: %s", p));
		char address[ADDRESS_MAX + 1];
		stand_in(address, p, i->names.domain);
		journal_add(&lines, (int64_t)(i->facts.now / 1000000), i->envelope.nrcpt, &o);
		if (envelope_add(&i->envelope, address) == -1)
			r = intake_fail_memory(i);
	}
	if (r == EX_OK && (lines.error != 0 || draft_journal(&i->draft, &lines) == -1))
		r = intake_fail_memory(i);
	buf_free(&lines);
	return r;
}

/* -V as xtext (RFC 3461 4). */
static char *
xtext(const char *s)
{
	struct buf b = BUF_INIT(512);
	char *copy;

	for (; *s != '\0'; s++)
		if ((unsigned char)*s > 0x20 && (unsigned char)*s < 0x7f && *s != '+' && *s != '=')
			buf_addc(&b, *s);
		else
			buf_addf(&b, "+%02X", (unsigned char)*s);
	copy = b.len > 0 && b.len <= 100 && b.error == 0 ? strdup(b.data) : NULL;
	buf_free(&b);
	return copy;
}

/* -N, -R and -V, where the envelope does not say it already (-bs has it from MAIL and RCPT). */
static void
take_dsn(struct intake *i)
{
	const struct options *o = i->options;
	struct envelope *e = &i->envelope;

	if (i->facts.with != NULL && i->facts.with != i->protocol)
		return;
	e->requiretls = o->requiretls;
	e->ret = o->ret;
	if (o->envid != NULL)
		e->envid = xtext(o->envid);
	for (size_t n = 0; n < e->nrcpt; n++)
		e->rcpt[n].notify = o->notify;
}

/*
 * Whom aliases mean. A file that cannot be used is said and stops no mail; a mistake that loses
 * does, and a file that cannot be read just now: the mail would go where it was never meant to.
 */
static int
expand_aliases(struct intake *i)
{
	struct buf errors = BUF_INIT(64 * 1024);
	int r = i->settings->mail_aliases[0] == '\0' || i->options->no_aliases
		    ? EX_OK
		    : aliases_apply(i->settings->mail_aliases, INTAKE_LOCAL, i->names.hostname,
			  &i->envelope, &errors);

	if (r == EX_DATAERR || r == EX_OSERR || r == EX_TEMPFAIL)
		r = intake_fail(i, r == EX_DATAERR ? EX_NOUSER : r, "%.*s; nothing was queued",
		    (int)strcspn(buf_str(&errors), "\n"), buf_str(&errors));
	else {
		aliases_report(&errors);
		r = EX_OK;
	}
	buf_free(&errors);
	return r;
}

int
intake_complete(char **text, const char *domain)
{
	size_t n = *text != NULL ? strlen(*text) : 0, tail = sizeof(INTAKE_LOCAL);
	char *copy;

	if (n < tail || (*text)[n - tail] != '@' ||
	    strcasecmp(*text + n - tail + 1, INTAKE_LOCAL) != 0)
		return 0;
	if (asprintf(&copy, "%.*s%s", (int)(n - tail + 1), *text, domain) == -1)
		return -1;
	free(*text);
	*text = copy;
	return 1;
}

/* What aliases did not mean goes to mail.domain; the same recipient twice becomes one. */
static int
complete_local(struct intake *i)
{
	struct envelope *e = &i->envelope;
	bool any = false;

	for (size_t n = 0; n < e->nrcpt; n++) {
		struct recipient *r = &e->rcpt[n];
		int completed = intake_complete(&r->address, i->names.domain);
		if (completed == -1 || intake_complete(&r->orcpt, i->names.domain) == -1)
			return intake_fail_memory(i);
		if (!address_valid(r->address))
			return intake_fail(
			    i, EX_CONFIG, "mail.domain is no domain: %s", i->names.domain);
		any = any || completed == 1;
	}
	if (any)
		envelope_unique(e);
	return EX_OK;
}

/* Who gets it, now that the header is known. */
int
intake_settle_recipients(struct intake *i)
{
	const struct buf *bad = &i->submission.bad_list;
	bool any = i->envelope.nrcpt > 0;
	int r;

	buf_add(&i->bad, bad->data, bad->len);
	if (i->bad.error != 0)
		return intake_fail_memory(i);
	if (!any && i->bad.len > 0)
		return intake_fail(
		    i, EX_DATAERR, "this is not an address: %s; nothing was queued", i->bad.data);
	if (!any)
		return intake_fail(i, EX_USAGE,
		    "no recipients in the header (To, Cc, Bcc) nor on the command line");
	if ((r = expand_aliases(i)) != EX_OK || (r = complete_local(i)) != EX_OK)
		return r;
	take_dsn(i);
	if (i->bad.len > 0)
		return i->look ? EX_OK : add_bad(i);
	i->discard = i->envelope.nrcpt == 0;
	return EX_OK;
}

/* Behind the header, which is made from the sender as it was. The null reverse-path stays one. */
int
intake_rewrite_sender(struct intake *i)
{
	char address[ADDRESS_MAX + 1], *copy;

	if (strlcpy(address, i->envelope.from, sizeof(address)) >= sizeof(address))
		return EX_OK;
	rewrite_apply(i->settings->rewrite_envelope_from, address);
	if (strcmp(address, i->envelope.from) == 0)
		return EX_OK;
	if ((copy = strdup(address)) == NULL)
		return intake_fail_memory(i);
	if (!i->look)
		log_info("%s: from=<%s> was <%s>", i->envelope.id.s, copy, i->envelope.from);
	free(i->envelope.from);
	i->envelope.from = copy;
	return EX_OK;
}
