/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "mail/header.h"

enum { TYPE, ENCODING };

/* The first row that fits; "*" is the rest. */
static const struct {
	const char *type, *subtype;
	enum mime_kind kind;
	bool fixed;
} kinds[] = {
    {"multipart", "signed", MIME_MULTIPART, true},
    {"multipart", "*", MIME_MULTIPART, false},
    {"message", "rfc822", MIME_MESSAGE, false},
    {"message", "news", MIME_MESSAGE, false},
    /* RFC 6532 3.5, RFC 6533: these may be encoded */
    {"message", "global", MIME_LEAF, false},
    {"message", "global-headers", MIME_LEAF, false},
    {"message", "global-delivery-status", MIME_LEAF, false},
    {"message", "global-disposition-notification", MIME_LEAF, false},
    {"message", "*", MIME_LEAF, true},
    {"*", "*", MIME_LEAF, false},
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct mime_entity *
mime_top(struct mime *m)
{
	return &m->stack[m->open_n - 1];
}

struct mime_entity *
mime_over(struct mime *m)
{
	return &m->stack[m->open_n];
}

unsigned
mime_depth(const struct mime *m)
{
	return m->open_n;
}

void
mime_flatten(struct mime *m)
{
	mime_top(m)->kind = MIME_LEAF;
}

static void
begin_part(struct mime *m, bool message)
{
	const struct mime_entity *parent = m->open_n > 0 ? mime_top(m) : NULL;
	struct mime_entity *e = &m->stack[m->open_n++];

	*e = (struct mime_entity){
	    .part = m->parts,
	    .message = message,
	    .fixed = m->parts == MIME_PARTS || (parent != NULL && parent->fixed),
	};
	if (m->parts < MIME_PARTS)
		m->parts++;
	m->state = MIME_IN_HEADER;
	m->first = true;
	m->open = false;
	for (size_t i = 0; i < 2; i++) {
		m->value[i].on = false;
		m->value[i].len = 0;
	}
}

void
mime_init(struct mime *m)
{
	m->field = HEADER_OTHER;
	m->dkim = false;
	m->open_n = 0;
	m->parts = 0;
	begin_part(m, true);
}

static bool
fits(const char *pattern, const char *name)
{
	return strcmp(pattern, "*") == 0 || strcmp(pattern, name) == 0;
}

/* A container that is encoded as a whole, against RFC 2045 6.4, cannot be looked into. */
static void
set_kind(struct mime *m, struct mime_entity *e, const char *type, const char *subtype)
{
	bool encoded = e->encoding == CONTENT_QP || e->encoding == CONTENT_BASE64;
	size_t i = 0;

	while (!fits(kinds[i].type, type) || !fits(kinds[i].subtype, subtype))
		i++;
	e->kind = kinds[i].kind;
	if (e->kind == MIME_MESSAGE && encoded)
		e->kind = MIME_LEAF;
	else if (e->kind != MIME_LEAF || !encoded)
		e->fixed = e->fixed || kinds[i].fixed;
	if (e->kind == MIME_MULTIPART && e->boundary_len == 0)
		e->kind = MIME_LEAF;
	else if (e->kind == MIME_MULTIPART && e->encoding == CONTENT_UNKNOWN)
		e->encoding = CONTENT_7BIT; /* as readers do */
	else if (e->kind == MIME_MESSAGE && e->encoding == CONTENT_UNKNOWN)
		e->kind = MIME_LEAF;
	if (e->kind != MIME_LEAF && m->open_n > MIME_DEPTH) {
		e->kind = MIME_LEAF;
		e->fixed = true;
	}
}

static enum mime_event
header_over(struct mime *m)
{
	struct mime_entity *e = mime_top(m);
	bool in_digest = m->open_n > 1 && m->stack[m->open_n - 2].digest;
	struct content_type ct;

	m->state = MIME_BEHIND_HEADER;
	m->open = false;
	e->encoding = content_encoding_parse(m->value[ENCODING].text, m->value[ENCODING].len);
	if (!e->has_type && in_digest) {
		set_kind(m, e, "message", "rfc822");
		return MIME_HEADER_OVER;
	}
	content_type_parse(&ct, m->value[TYPE].text, m->value[TYPE].len);
	e->boundary_len = ct.boundary_len;
	memcpy(e->boundary, ct.boundary, sizeof(e->boundary));
	e->digest = strcmp(ct.type, "multipart") == 0 && strcmp(ct.subtype, "digest") == 0;
	set_kind(m, e, ct.type, ct.subtype);
	return MIME_HEADER_OVER;
}

static enum mime_event
part_over(struct mime *m)
{
	m->open_n--;
	m->state = MIME_IN_BODY;
	return MIME_PART_OVER;
}

void
mime_more(struct mime *m, const char *data, size_t len)
{
	for (size_t i = 0; i < 2; i++) {
		size_t room = sizeof(m->value[i].text) - m->value[i].len;
		size_t n = len < room ? len : room;

		if (!m->value[i].on)
			continue;
		memcpy(m->value[i].text + m->value[i].len, data, n);
		m->value[i].len += n;
	}
}

static bool
is_dkim(const char *line, size_t name)
{
	static const char dkim[] = "DKIM-Signature";

	return name == sizeof(dkim) - 1 && strncasecmp(line, dkim, name) == 0;
}

static void
begin_field(struct mime *m, const char *line, size_t name)
{
	struct mime_entity *e = mime_top(m);

	m->open = true;
	m->value[TYPE].on = m->value[ENCODING].on = false;
	m->field = header_lookup(line, name);
	switch (m->field) {
	case HEADER_CONTENT_TYPE: /* of several the first counts, as with most readers */
		m->value[TYPE].on = !e->has_type;
		e->has_type = true;
		break;
	case HEADER_CONTENT_TRANSFER_ENCODING:
		m->value[ENCODING].on = !e->has_encoding;
		e->has_encoding = true;
		break;
	case HEADER_MIME_VERSION:
		e->has_version = true;
		break;
	default:
		m->field = HEADER_OTHER;
		m->dkim = m->dkim || (e->part == 0 && is_dkim(line, name));
	}
}

static enum mime_event
header_line(struct mime *m, const char *line, size_t len)
{
	bool first = m->first;
	size_t name, value;

	m->first = false;
	if (m->open && len > 0 && is_blank(line[0])) {
		mime_more(m, line, len);
		return MIME_FIELD;
	}
	if (first && mime_top(m)->message && header_is_mbox_from(line, len)) {
		m->field = HEADER_OTHER;
		return MIME_FIELD;
	}
	value = header_parse_name(line, len, &name);
	if (value == 0)
		return header_over(m);
	begin_field(m, line, name);
	mime_more(m, line + value, len - value);
	return MIME_FIELD;
}

/* "--boundary", "--" or not, padding (RFC 2046 5.1.1). More behind it, and it is another's. */
static bool
is_delimiter(const struct mime_entity *e, const char *line, size_t len, bool *closing)
{
	size_t n = e->boundary_len + 2;

	if (e->kind != MIME_MULTIPART || e->closed || len < n ||
	    memcmp(line + 2, e->boundary, e->boundary_len) != 0)
		return false;
	*closing = len >= n + 2 && line[n] == '-' && line[n + 1] == '-';
	n += *closing ? 2 : 0;
	while (n < len && is_blank(line[n]))
		n++;
	return n == len;
}

/* How many parts stay open at this line: those up to the multipart it delimits. 0: no delimiter. */
static unsigned
delimits(const struct mime *m, const char *line, size_t len, bool *closing)
{
	if (len < 3 || line[0] != '-' || line[1] != '-')
		return 0;
	for (unsigned n = m->open_n; n > 0; n--)
		if (is_delimiter(&m->stack[n - 1], line, len, closing))
			return n;
	return 0;
}

static enum mime_event
delimiter(struct mime *m, unsigned keep, bool closing)
{
	struct mime_entity *e = &m->stack[keep - 1];

	if (m->state == MIME_IN_HEADER)
		return header_over(m);
	if (m->open_n > keep)
		return part_over(m);
	e->delimited = true;
	e->closed = closing;
	m->state = MIME_IN_BODY;
	if (!closing)
		begin_part(m, false);
	return MIME_DELIMITER;
}

enum mime_event
mime_push(struct mime *m, const char *line, size_t len, bool whole)
{
	bool closing = false;
	unsigned keep;

	assert(m->open_n > 0);
	keep = whole ? delimits(m, line, len, &closing) : 0;

	if (keep > 0)
		return delimiter(m, keep, closing);
	if (m->state == MIME_IN_HEADER)
		return header_line(m, line, len);
	if (m->state == MIME_BEHIND_HEADER) {
		m->state = MIME_IN_BODY;
		if (mime_top(m)->kind == MIME_MESSAGE) {
			begin_part(m, true);
			return len == 0 ? MIME_BLANK : header_line(m, line, len);
		}
		if (len == 0)
			return MIME_BLANK;
	}
	return mime_top(m)->kind == MIME_LEAF ? MIME_TEXT : MIME_OUTSIDE;
}

enum mime_event
mime_finish(struct mime *m)
{
	if (m->open_n == 0)
		return MIME_DONE;
	if (m->state == MIME_IN_HEADER)
		return header_over(m);
	return part_over(m);
}
