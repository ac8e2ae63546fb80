/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "intake_impl.h"
#include "sys/clock.h"
#include "sys/log.h"

#define LINE_MAX_OCTETS 998           /* of a line without CRLF, RFC 5322 2.1.1 */
#define HEADER_MAX (8U * 1024 * 1024) /* octets of a header, in memory until its end */
#define PIECE (64U * 1024)            /* octets settled at a time */

int
intake_fail(struct intake *i, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(i->error, sizeof(i->error), fmt, ap);
	va_end(ap);
	return status;
}

int
intake_fail_spool(struct intake *i)
{
	return intake_fail(i, EX_TEMPFAIL, "%s; the message was not queued", i->draft.spool->error);
}

int
intake_fail_memory(struct intake *i)
{
	return intake_fail(i, EX_OSERR, "out of memory; the message was not queued");
}

void
names_gather(struct names *n, const struct settings *s)
{
	host_name(n->hostname, s->mail_hostname);
	n->unread = host_domain(n->domain, s->mail_domain, n->hostname) == 0 ? 0 : errno;
	n->user.login[0] = '\0';
}

const struct host_user *
names_user(struct names *n)
{
	if (n->user.login[0] == '\0')
		host_user(&n->user, getuid());
	return &n->user;
}

int
names_sender(struct names *n, char address[ADDRESS_MAX + 1])
{
	char uid[32];

	if (address_qualify(address, names_user(n)->login, n->domain) == 0)
		return 0;
	snprintf(uid, sizeof(uid), "uid%u", (unsigned)getuid());
	return address_qualify(address, uid, n->domain);
}

/* -F, else $NAME as sendmail has it, else the passwd entry. */
static const char *
full_name(struct intake *i)
{
	const char *name = i->options->name != NULL ? i->options->name : getenv("NAME");

	return name != NULL ? name : names_user(&i->names)->full_name;
}

/* What takes a look into files is looked up for a message that needs it. */
static void
complete_facts(struct intake *i)
{
	if (submission_lacks_author(&i->submission)) {
		i->facts.login = names_user(&i->names)->login;
		i->facts.full_name = full_name(i);
	}
	if (submission_lacks_date(&i->submission))
		i->facts.utc_offset = clock_utc_offset(i->facts.now);
}

/* -p protocol:host */
static void
take_protocol(struct intake *i, const struct options *o)
{
	size_t len;

	if (o->protocol == NULL || i->facts.with != NULL)
		return;
	len = strcspn(o->protocol, ":");
	snprintf(i->protocol, sizeof(i->protocol), "%.*s", (int)(len < 64 ? len : 64), o->protocol);
	i->facts.with = i->protocol;
	if (o->protocol[len] == ':')
		i->facts.peer = o->protocol + len + 1;
}

struct intake *
intake_new(const struct options *o, const struct settings *s, struct spool *sp, const char *with)
{
	struct intake *i = calloc(1, sizeof(*i));

	if (i == NULL)
		return NULL;
	i->draft = (struct draft){.spool = sp, .fd = -1};
	i->wire = (struct buf)BUF_INIT(HEADER_FIELD_MAX + 4 * PIECE);
	i->head = (struct buf)BUF_INIT(HEADER_MAX);
	i->bad = (struct buf)BUF_INIT(ENVELOPE_HEAD_MAX);
	names_gather(&i->names, s);
	i->facts = (struct submission_facts){
	    .domain = i->names.domain,
	    .local = INTAKE_LOCAL,
	    .hostname = i->names.hostname,
	    .uid = getuid(),
	    .now = clock_wall(),
	    .from_header = with == NULL && o->from_header,
	    .with = with,
	    .header_from = s->rewrite_header_from,
	    .reply_to = s->rewrite_reply_to,
	    .keep = (enum keep)s->rewrite_keep,
	};
	take_protocol(i, o);
	lines_init(&i->lines, with == NULL && !o->dots);
	header_init(&i->header);
	submission_init(&i->submission, &i->facts);
	i->options = o;
	i->settings = s;
	i->submission.received = o->hops;
	return i;
}

struct names *
intake_names(struct intake *i)
{
	return &i->names;
}

const char *
intake_error(const struct intake *i)
{
	return i->error;
}

bool
intake_unwritable(const struct intake *i)
{
	return i->unwritable;
}

const char *
intake_reply(const struct intake *i)
{
	return i->reply;
}

bool
intake_done(const struct intake *i)
{
	return i->lines.done;
}

void
intake_hold(struct intake *i, struct queue_id id)
{
	i->held = true;
	i->facts.id = id;
}

void
intake_look(struct intake *i)
{
	i->look = true;
}

bool
intake_known(const struct intake *i)
{
	return i->in_body;
}

const struct envelope *
intake_envelope(const struct intake *i, const char **from)
{
	*from = i->submission.returned ? i->submission.return_path : NULL;
	return &i->envelope;
}

static int
open_draft(struct intake *i)
{
	struct spool *sp = i->draft.spool;

	if (!i->held)
		return draft_open(&i->draft, sp, i->facts.now);
	if (spool_dir(sp, SPOOL_TMP) != -1)
		unlinkat(spool_dir(sp, SPOOL_TMP), i->facts.id.s, 0);
	if (draft_open_as(&i->draft, sp, i->facts.id) == -1)
		return -1;
	i->draft.into = SPOOL_HOLD;
	return 0;
}

int
intake_begin(struct intake *i, struct envelope *e)
{
	int r;

	i->envelope = *e;
	memset(e, 0, sizeof(*e));
	if (i->names.unread != 0)
		return intake_fail(i, EX_TEMPFAIL,
		    "cannot read /etc/mailname: %s; the message was not queued",
		    strerror(i->names.unread));
	if (!i->look && (r = intake_limit(i)) != EX_OK)
		return r;
	if (!i->look && open_draft(i) == -1) {
		i->unwritable = spool_unwritable(errno);
		return intake_fail_spool(i);
	}
	i->envelope.arrived = i->facts.now;
	i->envelope.uid = i->facts.uid;
	i->facts.id = i->envelope.id = i->draft.id;
	submission_start(&i->submission, &i->head);
	return EX_OK;
}

int
intake_bad_recipient(struct intake *i, const char *text)
{
	buf_add(&i->bad, text, strlen(text) + 1);
	return i->bad.error == 0 ? EX_OK : intake_fail_memory(i);
}

/* The header is over: recipients are known, the head can be written. */
static int
finish_header(struct intake *i)
{
	int r;

	complete_facts(i);
	if (submission_end(&i->submission, &i->envelope, &i->head) == -1)
		return errno == E2BIG || errno == EMSGSIZE
			   ? intake_fail(i, EX_DATAERR,
				 "the header has more than %u recipients or %u octets",
				 ENVELOPE_RCPT_MAX, HEADER_MAX)
			   : intake_fail_memory(i);
	if (i->submission.received > SUBMISSION_HOPS)
		return intake_fail(
		    i, EX_UNAVAILABLE, "mail loop: more than %d Received fields", SUBMISSION_HOPS);
	if ((r = intake_settle_recipients(i)) != EX_OK || (r = intake_rewrite_sender(i)) != EX_OK)
		return r;
	i->in_body = true;
	if (i->discard || i->look)
		return EX_OK;
	if (draft_head(&i->draft, &i->envelope) == -1 ||
	    draft_write(&i->draft, i->head.data, i->head.len) == -1)
		return intake_fail_spool(i);
	buf_free(&i->head);
	return intake_check_room(i);
}

static int
field_done(struct intake *i)
{
	submission_field(&i->submission, &i->header.field, &i->head);
	if (i->head.error == ENOMEM)
		return intake_fail_memory(i);
	return i->head.error == 0
		   ? EX_OK
		   : intake_fail(i, EX_DATAERR, "the header is larger than %u octets", HEADER_MAX);
}

/* One line of the header. *used is false when it turned out to be body. */
static int
header_line(struct intake *i, const char *line, size_t len, bool *used)
{
	*used = true;
	for (;;) {
		int r;
		switch (header_push(&i->header, line, len)) {
		case HEADER_MORE:
			return EX_OK;
		case HEADER_FIELD:
			if ((r = field_done(i)) != EX_OK)
				return r;
			continue;
		case HEADER_END:
			return finish_header(i);
		case HEADER_BODY:
			*used = false;
			return finish_header(i);
		case HEADER_HUGE:
			return intake_fail(i, EX_DATAERR, "a header field is larger than %u octets",
			    HEADER_FIELD_MAX);
		}
	}
}

/* Take what lines_push() settled: header lines one by one, then body as it is. */
static int
take_wire(struct intake *i)
{
	size_t at = 0;
	const char *end;
	int r = EX_OK;

	while (!i->in_body && r == EX_OK && at < i->wire.len &&
	       (end = memchr(i->wire.data + at, '\n', i->wire.len - at)) != NULL) {
		size_t next = (size_t)(end - i->wire.data) + 1;
		bool used;
		r = header_line(i, i->wire.data + at, next - at - 2, &used); /* without CRLF */
		if (used)
			at = next;
	}
	if (r == EX_OK && i->in_body && at < i->wire.len) {
		if (!i->discard && !i->look)
			r = draft_write(&i->draft, i->wire.data + at, i->wire.len - at) == 0
				? intake_check_room(i)
				: intake_fail_spool(i);
		at = i->wire.len;
	}
	buf_drop(&i->wire, at);
	return r;
}

int
intake_push(struct intake *i, const char *data, size_t len)
{
	int r = EX_OK;

	while (len > 0 && r == EX_OK && !i->lines.done) {
		size_t n = len < PIECE ? len : PIECE;
		lines_push(&i->lines, data, n, &i->wire);
		if (i->wire.error == ENOMEM)
			return intake_fail_memory(i);
		if (i->wire.error != 0)
			return intake_fail(i, EX_DATAERR, "a header field is larger than %u octets",
			    HEADER_FIELD_MAX);
		r = take_wire(i);
		data += n;
		len -= n;
	}
	return r;
}

/* End of input: an unfinished line, an unfinished header. */
int
intake_finish(struct intake *i)
{
	int r;

	lines_end(&i->lines, &i->wire);
	if ((r = take_wire(i)) != EX_OK || i->in_body)
		return r;
	if (header_finish(&i->header) == HEADER_FIELD && (r = field_done(i)) != EX_OK)
		return r;
	return finish_header(i);
}

/*
 * SMTPUTF8 for addresses that need it, of the sender or in the header; a recipient asks for itself
 * when its turn comes, so that it does not keep the others from their mail. Other 8-bit text in a
 * header travels as 8BITMIME, as it always did: to ask for SMTPUTF8 would have relays refuse what
 * they have taken for decades.
 */
static enum body
body_needed(const struct intake *i)
{
	const struct envelope *e = &i->envelope;
	bool asked = i->options->smtputf8 || e->body == BODY_SMTPUTF8;

	if (address_utf8(e->from) || i->submission.utf8_address ||
	    (asked && i->submission.eightbit_header))
		return BODY_SMTPUTF8;
	return i->lines.facts.eightbit || i->submission.eightbit_header ? BODY_8BITMIME : BODY_7BIT;
}

int
intake_commit(struct intake *i, struct queue_id *id)
{
	struct envelope *e = &i->envelope;
	int r;

	if ((r = intake_finish(i)) != EX_OK)
		return r;
	if (i->discard) {
		log_info("%s: discarded: its recipients are aliases of /dev/null", e->id.s);
		id->s[0] = '\0';
		return EX_OK;
	}
	if (i->lines.facts.longest > LINE_MAX_OCTETS && (r = intake_recode(i)) != EX_OK)
		return r;
	e->body = body_needed(i);
	e->dots = i->lines.facts.dots;
	if (draft_commit(&i->draft, e) == -1)
		return intake_fail_spool(i);
	log_info("%s: uid=%u from=<%s>", e->id.s, e->uid, e->from);
	log_info("%s: message-id=%s", e->id.s, buf_str(&i->submission.message_id));
	if (i->lines.facts.nuls)
		log_warn("%s: NUL octets were taken out", e->id.s);
	*id = e->id;
	return EX_OK;
}

void
intake_free(struct intake *i)
{
	if (i == NULL)
		return;
	draft_abandon(&i->draft);
	submission_free(&i->submission);
	header_free(&i->header);
	envelope_free(&i->envelope);
	buf_free(&i->wire);
	buf_free(&i->head);
	buf_free(&i->bad);
	free(i);
}
