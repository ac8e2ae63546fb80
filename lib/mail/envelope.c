/* SPDX-License-Identifier: ISC */
#include "mail/envelope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mail/envelope_value.h"

#define FORMAT "pillarbox 1\n"
#define XTEXT_MAX 500 /* octets of an ENVID or ORCPT; RFC 3461 4.4 allows 100, 4.2 allows 500 */

static const char *const body_names[] = {"7BIT", "8BITMIME", "SMTPUTF8"};
static const char *const ret_names[] = {"", "FULL", "HDRS"};

static const struct {
	const char *name;
	unsigned bit;
} notify_names[] = {
    {"NEVER", NOTIFY_NEVER},
    {"SUCCESS", NOTIFY_SUCCESS},
    {"FAILURE", NOTIFY_FAILURE},
    {"DELAY", NOTIFY_DELAY},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *
body_name(enum body body)
{
	return body_names[body];
}

static bool
parse_id(struct envelope *e, struct value *v)
{
	char *s = value_word(v, QUEUE_ID_LEN);
	bool good = s != NULL && queue_id_valid(s);

	if (good)
		memcpy(e->id.s, s, sizeof(e->id.s));
	free(s);
	return good;
}

static bool
parse_arrived(struct envelope *e, struct value *v)
{
	uint64_t sec, usec;

	if (value_number(v, UINT32_MAX, &sec) == 0 || !value_take(v, ".") ||
	    value_number(v, 999999, &usec) != 6)
		return false;
	e->arrived = sec * 1000000 + usec;
	e->age = (struct retry_age){.at = (int64_t)sec};
	return true;
}

static bool
parse_uid(struct envelope *e, struct value *v)
{
	uint64_t n;

	if (value_number(v, UINT32_MAX, &n) == 0)
		return false;
	e->uid = (unsigned)n;
	return true;
}

static bool
parse_size(struct envelope *e, struct value *v)
{
	return value_number(v, ENVELOPE_SIZE_MAX, &e->size) == 12;
}

static bool
parse_body(struct envelope *e, struct value *v)
{
	for (size_t i = 0; i < COUNT(body_names); i++)
		if (value_take(v, body_names[i])) {
			e->body = (enum body)i;
			while (value_take(v, " "))
				;
			return true;
		}
	return false;
}

static bool
parse_dots(struct envelope *e, struct value *v)
{
	e->dots = value_take(v, "1");
	return e->dots || value_take(v, "0");
}

static bool
parse_requiretls(struct envelope *e, struct value *v)
{
	(void)v;
	return e->requiretls = true;
}

static bool
parse_envid(struct envelope *e, struct value *v)
{
	return (e->envid = value_word(v, XTEXT_MAX)) != NULL;
}

static bool
parse_ret(struct envelope *e, struct value *v)
{
	for (size_t i = RET_FULL; i < COUNT(ret_names); i++)
		if (value_take(v, ret_names[i])) {
			e->ret = (enum ret)i;
			return true;
		}
	return false;
}

static bool
parse_from(struct envelope *e, struct value *v)
{
	return (e->from = value_path(v, true)) != NULL;
}

static bool
parse_notify(struct recipient *r, struct value *v)
{
	do {
		size_t i = 0;
		while (i < COUNT(notify_names) && !value_take(v, notify_names[i].name))
			i++;
		if (i == COUNT(notify_names))
			return false;
		r->notify |= notify_names[i].bit;
	} while (value_take(v, ","));
	return true;
}

/* Room for one more; doubles. */
static struct recipient *
grow(struct envelope *e)
{
	struct recipient *r;

	if (e->nrcpt >= ENVELOPE_RCPT_MAX) {
		errno = E2BIG;
		return NULL;
	}
	if ((e->nrcpt & (e->nrcpt - 1)) == 0) { /* 0 or a power of two: full */
		size_t n = e->nrcpt == 0 ? 1 : e->nrcpt * 2;
		if ((r = reallocarray(e->rcpt, n, sizeof(*r))) == NULL)
			return NULL;
		e->rcpt = r;
	}
	r = &e->rcpt[e->nrcpt];
	memset(r, 0, sizeof(*r));
	return r;
}

static bool
parse_rcpt(struct envelope *e, struct value *v)
{
	struct recipient *r = grow(e);

	if (r == NULL || (r->address = value_path(v, false)) == NULL)
		return false;
	e->nrcpt++;
	if (value_take(v, " NOTIFY=") && !parse_notify(r, v))
		return false;
	if (value_take(v, " ORCPT=") && (r->orcpt = value_word(v, XTEXT_MAX)) == NULL)
		return false;
	return true;
}

static void
print_arrived(struct buf *out, const struct envelope *e)
{
	buf_addf(out, "arrived %llu.%06llu\n", (unsigned long long)(e->arrived / 1000000),
	    (unsigned long long)(e->arrived % 1000000));
}

static void
print_id(struct buf *out, const struct envelope *e)
{
	buf_addf(out, "id %s\n", e->id.s);
}

static void
print_uid(struct buf *out, const struct envelope *e)
{
	buf_addf(out, "uid %u\n", e->uid);
}

static void
print_size(struct buf *out, const struct envelope *e)
{
	buf_addf(out, "size %012llu\n", (unsigned long long)e->size);
}

static void
print_body(struct buf *out, const struct envelope *e)
{
	buf_addf(out, "body %-8s\n", body_name(e->body));
}

static void
print_dots(struct buf *out, const struct envelope *e)
{
	buf_addf(out, "dots %d\n", e->dots ? 1 : 0);
}

static void
print_requiretls(struct buf *out, const struct envelope *e)
{
	if (e->requiretls)
		buf_adds(out, "requiretls\n");
}

static void
print_envid(struct buf *out, const struct envelope *e)
{
	if (e->envid != NULL)
		buf_addf(out, "envid %s\n", e->envid);
}

static void
print_ret(struct buf *out, const struct envelope *e)
{
	if (e->ret != RET_NONE)
		buf_addf(out, "ret %s\n", ret_names[e->ret]);
}

static void
print_from(struct buf *out, const struct envelope *e)
{
	buf_addf(out, "from <%s>\n", e->from);
}

static void
print_rcpt(struct buf *out, const struct envelope *e)
{
	for (const struct recipient *r = e->rcpt; r < e->rcpt + e->nrcpt; r++) {
		buf_adds(out, "rcpt <");
		buf_adds(out, r->address);
		buf_addc(out, '>');
		const char *sep = " NOTIFY=";
		for (size_t i = 0; i < COUNT(notify_names); i++)
			if (r->notify & notify_names[i].bit) {
				buf_adds(out, sep);
				buf_adds(out, notify_names[i].name);
				sep = ",";
			}
		if (r->orcpt != NULL) {
			buf_adds(out, " ORCPT=");
			buf_adds(out, r->orcpt);
		}
		buf_addc(out, '\n');
	}
}

enum often {
	ONCE,
	OPTIONAL,
	MANY,
};

/* The grammar of the head behind its first line: fields in this order. */
static const struct field {
	const char *name;
	enum often often;
	bool (*parse)(struct envelope *e, struct value *v);
	void (*print)(struct buf *out, const struct envelope *e);
	const char *bad;
} fields[] = {
    {"id ", ONCE, parse_id, print_id, "bad or missing id"},
    {"arrived ", ONCE, parse_arrived, print_arrived, "bad or missing arrived"},
    {"uid ", ONCE, parse_uid, print_uid, "bad or missing uid"},
    {"size ", ONCE, parse_size, print_size, "bad or missing size"},
    {"body ", ONCE, parse_body, print_body, "bad or missing body"},
    {"dots ", ONCE, parse_dots, print_dots, "bad or missing dots"},
    {"requiretls", OPTIONAL, parse_requiretls, print_requiretls, "bad requiretls"},
    {"envid ", OPTIONAL, parse_envid, print_envid, "bad envid"},
    {"ret ", OPTIONAL, parse_ret, print_ret, "bad ret"},
    {"from ", ONCE, parse_from, print_from, "bad or missing from"},
    {"rcpt ", MANY, parse_rcpt, print_rcpt, "bad or missing rcpt"},
};

int
envelope_add(struct envelope *e, const char *address)
{
	struct recipient *r = grow(e);

	if (r == NULL || (r->address = strdup(address)) == NULL)
		return -1;
	e->nrcpt++;
	return 0;
}

void
envelope_print(struct buf *out, const struct envelope *e)
{
	buf_adds(out, FORMAT);
	for (size_t i = 0; i < COUNT(fields); i++)
		fields[i].print(out, e);
	buf_addc(out, '\n');
}

/* size, body and dots stand in a row and have a fixed width, so one overwrite seals a head. */
int
envelope_seal(char *head, const struct envelope *e, size_t *offset, size_t *len)
{
	struct buf b = BUF_INIT(256);

	buf_adds(&b, FORMAT);
	print_id(&b, e);
	print_arrived(&b, e);
	print_uid(&b, e);
	*offset = b.len;
	print_size(&b, e);
	print_body(&b, e);
	print_dots(&b, e);
	*len = b.len - *offset;
	if (b.error == 0)
		memcpy(head + *offset, b.data + *offset, *len);
	errno = b.error;
	buf_free(&b);
	return errno == 0 ? 0 : -1;
}

/* The next line into *v; false when it is not whole yet. */
static bool
next_line(struct value *rest, struct value *v)
{
	const char *end = memchr(rest->s, '\n', rest->len);

	if (end == NULL)
		return false;
	v->s = rest->s;
	v->len = (size_t)(end - rest->s);
	rest->len -= v->len + 1;
	rest->s = end + 1;
	return true;
}

/* One field's line: 1 taken, 0 it is another field, -1 it is bad. */
static int
parse_field(struct envelope *e, const struct field *f, struct value line)
{
	if (!value_take(&line, f->name))
		return 0;
	return f->parse(e, &line) && line.len == 0 ? 1 : -1;
}

long
envelope_parse(struct envelope *e, const char *data, size_t len, const char **why)
{
	struct value rest = {data, len}, line;
	size_t n = strlen(FORMAT);

	errno = 0;
	memset(e, 0, sizeof(*e));
	*why = "not a spool file";
	if (len > 0 && memcmp(data, FORMAT, len < n ? len : n) != 0)
		return -1;
	if (len < n)
		return 0;
	rest.s += n;
	rest.len -= n;
	for (const struct field *f = fields;;) {
		if (!next_line(&rest, &line))
			break;
		if (line.len == 0) {
			*why = "no recipient";
			return e->nrcpt > 0 ? (long)(rest.s - data) : -1;
		}
		int took = f < fields + COUNT(fields) ? parse_field(e, f, line) : 0;
		while (took == 0 && f < fields + COUNT(fields) &&
		       (f->often != ONCE && (f->often != MANY || e->nrcpt > 0))) {
			if (++f == fields + COUNT(fields))
				break;
			took = parse_field(e, f, line);
		}
		if (took != 1) {
			if (errno == ENOMEM)
				*why = NULL;
			else
				*why = f < fields + COUNT(fields) ? f->bad : "unknown field";
			return -1;
		}
		if (f->often != MANY)
			f++;
	}
	*why = len >= ENVELOPE_HEAD_MAX ? "the head is too large" : "the head is not whole";
	return len >= ENVELOPE_HEAD_MAX ? -1 : 0;
}

static void
free_recipients(struct envelope *e)
{
	for (size_t i = 0; i < e->nrcpt; i++) {
		free(e->rcpt[i].address);
		free(e->rcpt[i].orcpt);
	}
	free(e->rcpt);
}

int
envelope_keep(struct envelope *e, const uint32_t *which, size_t n)
{
	struct recipient *kept;
	size_t cap = 1, k = 0; /* cap: see grow() */

	while (cap < n)
		cap *= 2;
	if ((kept = calloc(cap, sizeof(*kept))) == NULL)
		return -1;
	while (k < n && which[k] < e->nrcpt && e->rcpt[which[k]].address != NULL) {
		kept[k] = e->rcpt[which[k]];
		e->rcpt[which[k++]] = (struct recipient){0};
	}
	free_recipients(e);
	e->rcpt = kept;
	e->nrcpt = k;
	if (k == n)
		return 0;
	errno = EINVAL;
	return -1;
}

void
envelope_free(struct envelope *e)
{
	free_recipients(e);
	free(e->envid);
	free(e->from);
	memset(e, 0, sizeof(*e));
}
