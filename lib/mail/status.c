/* SPDX-License-Identifier: ISC */
#include "mail/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mail/reply.h"
#include "mail/utf8.h"

#define HOST_SHOWN 256 /* octets of a server's name in a text */

/*
 * The policy, one row a stage: what its replies speak of, whether a 5xx there may be final, and the
 * subject and detail (RFC 3463) of a reply that names none and whose code says nothing.
 */
static const struct stage_row {
	const char *words;
	enum scope scope;
	bool final;
	unsigned char subject, detail;
} stages[] = {
    [STAGE_CONFIG] = {"settings", SCOPE_DESTINATION, false, 3, 5},
    [STAGE_LOOKUP] = {"DNS look-up", SCOPE_DESTINATION, false, 4, 3},
    [STAGE_CONNECT] = {"connection", SCOPE_DESTINATION, false, 4, 1},
    [STAGE_GREETING] = {"connection", SCOPE_DESTINATION, false, 3, 2},
    [STAGE_EHLO] = {"EHLO command", SCOPE_DESTINATION, false, 5, 0},
    [STAGE_STARTTLS] = {"STARTTLS command", SCOPE_DESTINATION, false, 7, 0},
    [STAGE_TLS] = {"TLS handshake", SCOPE_DESTINATION, false, 7, 5},
    [STAGE_AUTH] = {"AUTH command", SCOPE_DESTINATION, false, 7, 0},
    [STAGE_MAIL] = {"MAIL FROM command", SCOPE_MESSAGE, true, 0, 0},
    [STAGE_RCPT] = {"RCPT TO command", SCOPE_RECIPIENT, true, 0, 0},
    [STAGE_DATA] = {"DATA command", SCOPE_MESSAGE, true, 0, 0},
    [STAGE_BODY] = {"message content", SCOPE_MESSAGE, true, 0, 0},
    [STAGE_BDAT] = {"BDAT command", SCOPE_MESSAGE, true, 0, 0},
    [STAGE_DOT] = {"end of DATA command", SCOPE_MESSAGE, true, 0, 0},
    [STAGE_RSET] = {"RSET command", SCOPE_DESTINATION, false, 5, 0},
    [STAGE_QUIT] = {"QUIT command", SCOPE_DESTINATION, false, 5, 0},
};

/* 5xx that mean "later" where the stage would let them be final. */
static const struct {
	enum stage stage;
	int code;
	enum scope scope;
} later[] = {
    {STAGE_RCPT, 552, SCOPE_RECIPIENT},   /* too many recipients, RFC 5321 4.5.3.1.10 */
    {STAGE_MAIL, 503, SCOPE_DESTINATION}, /* no verdict on the mail: it wants to be asked … */
    {STAGE_RCPT, 503, SCOPE_MESSAGE},     /* … in another order, … */
    {STAGE_DATA, 503, SCOPE_MESSAGE},
    {STAGE_MAIL, 530, SCOPE_DESTINATION}, /* … or a login first, RFC 4954 6, RFC 3207 4 */
    {STAGE_RCPT, 530, SCOPE_DESTINATION},
    {STAGE_DATA, 530, SCOPE_DESTINATION},
    {STAGE_BDAT, 500, SCOPE_MESSAGE}, /* offered, but not understood */
    {STAGE_BDAT, 501, SCOPE_MESSAGE},
    {STAGE_BDAT, 502, SCOPE_MESSAGE},
    {STAGE_BDAT, 503, SCOPE_MESSAGE},
    {STAGE_BDAT, 504, SCOPE_MESSAGE},
    {STAGE_BDAT, 530, SCOPE_DESTINATION},
};

/* Reply codes in RFC 3463's terms, first match; stage -1: any. */
static const struct {
	int code;
	int stage;
	unsigned char subject, detail;
} codes[] = {
    {421, -1, 3, 2},
    {432, -1, 7, 12},
    {450, STAGE_RCPT, 2, 0},
    {451, -1, 3, 0},
    {452, STAGE_RCPT, 5, 3},
    {452, -1, 3, 1},
    {454, -1, 7, 0},
    {455, -1, 5, 4},
    {500, -1, 5, 2},
    {501, -1, 5, 4},
    {502, -1, 5, 1},
    {503, -1, 5, 1},
    {504, -1, 5, 4},
    {523, -1, 3, 4},
    {530, -1, 7, 0},
    {534, -1, 7, 9},
    {535, -1, 7, 8},
    {538, -1, 7, 11},
    {551, STAGE_RCPT, 1, 6},
    {552, STAGE_RCPT, 5, 3},
    {552, -1, 3, 4},
    {553, STAGE_RCPT, 1, 3},
    {553, STAGE_MAIL, 1, 7},
    {555, -1, 5, 4},
    {556, STAGE_RCPT, 1, 10},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A run of one to three digits at *s, which moves behind it; -1 when there is none. */
static int
number(const char **s)
{
	const char *p = *s;
	int n = 0;

	while (*p >= '0' && *p <= '9' && p - *s < 3)
		n = n * 10 + (*p++ - '0');
	if (p == *s)
		return -1;
	*s = p;
	return n;
}

size_t
status_parse(struct status *st, const char *s)
{
	const char *p = s;
	int class = *p - '0', subject, detail;

	if (class != 2 && class != 4 && class != 5)
		return 0;
	if (*++p != '.')
		return 0;
	p++;
	if ((subject = number(&p)) < 0 || *p != '.')
		return 0;
	p++;
	if ((detail = number(&p)) < 0 || (*p != ' ' && *p != '\0'))
		return 0;
	*st = STATUS((unsigned char)class, (unsigned short)subject, (unsigned short)detail);
	return (size_t)(p - s);
}

char *
status_print(char dst[STATUS_LEN], struct status st)
{
	snprintf(
	    dst, STATUS_LEN, "%u.%u.%u", st.class % 10U, st.subject % 1000U, st.detail % 1000U);
	return dst;
}

const char *
stage_words(enum stage stage)
{
	return stages[stage].words;
}

/* Class and scope, by the tables. */
static void
judge_class(struct outcome *o, int code)
{
	o->scope = code == 421 ? SCOPE_DESTINATION : stages[o->stage].scope;
	o->status.class = code / 100 == 2 ? 2 : 4;
	if (code / 100 != 5 || !stages[o->stage].final)
		return;
	for (size_t i = 0; i < COUNT(later); i++) {
		if (later[i].stage == o->stage && later[i].code == code) {
			o->scope = later[i].scope;
			return;
		}
	}
	o->status.class = 5;
}

/* Subject and detail are the server's when its enhanced code agrees with the reply's digit. */
static struct status
judge_status(enum stage stage, const struct reply *r, unsigned char class)
{
	if (r->status.class != 0 && r->status.class == r->code / 100)
		return STATUS(class, r->status.subject, r->status.detail);
	if (class == 2)
		return STATUS(2, 0, 0);
	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i].code == r->code &&
		    (codes[i].stage < 0 || codes[i].stage == (int)stage))
			return STATUS(class, codes[i].subject, codes[i].detail);
	return STATUS(class, stages[stage].subject, stages[stage].detail);
}

/* "host H said: R (in reply to W)"; a long reply is cut, what surrounds it stays. */
static void
judge_text(struct outcome *o, const struct reply *r, const char *host)
{
	char name[HOST_SHOWN], reply[OUTCOME_TEXT], tail[64] = "";
	const char *says = o->stage == STAGE_GREETING ? "refused to talk to me" : "said";
	size_t around;

	text_clean(name, sizeof(name), host, strlen(host));
	if (o->stage != STAGE_GREETING)
		snprintf(tail, sizeof(tail), " (in reply to %s)", stages[o->stage].words);
	around = strlen("host  : ") + strlen(name) + strlen(says) + strlen(tail);
	text_clean(reply, OUTCOME_TEXT - around, r->text, r->len);
	if (snprintf(o->text, OUTCOME_TEXT, "host %s %s: %s%s", name, says, reply, tail) < 0)
		o->text[0] = '\0';
}

struct outcome
status_judge(enum stage stage, const struct reply *r, const char *host)
{
	struct outcome o = {.stage = stage};

	judge_class(&o, r->code);
	o.status = judge_status(stage, r, o.status.class);
	if (o.status.class == 2)
		text_clean(o.text, OUTCOME_TEXT, r->text, r->len);
	else
		judge_text(&o, r, host);
	return o;
}

struct outcome
status_trouble(enum stage stage, enum scope scope, struct status st, const char *fmt, ...)
{
	struct outcome o = {.stage = stage, .scope = scope, .status = st};
	char text[2 * OUTCOME_TEXT];
	va_list ap;

	o.status.class = 4;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	text_clean(o.text, OUTCOME_TEXT, text, strlen(text));
	return o;
}

bool
status_throttled(const struct outcome *o)
{
	struct status st = o->status;

	if (st.class != 4 || o->stage < STAGE_MAIL)
		return false;
	return st.subject == 7 || (st.subject == 4 && st.detail == 5);
}

struct outcome
status_final(struct outcome o)
{
	o.status.class = 5;
	return o;
}

/*
 * C0, DEL and C1 at the start of a character, and what ends a line or turns the direction of the text
 * behind it: U+2028 to 202E, 2066 to 2069. The character is whole.
 */
static bool
is_control(const char *s)
{
	unsigned char c = (unsigned char)s[0], d;

	if (c < 0x80)
		return c < 0x20 || c == 0x7f;
	d = (unsigned char)s[1];
	if (c == 0xc2)
		return d < 0xa0;
	if (c != 0xe2 || (d != 0x80 && d != 0x81))
		return false;
	c = (unsigned char)s[2];
	return d == 0x80 ? c >= 0xa8 && c <= 0xae : c >= 0xa6 && c <= 0xa9;
}

void
text_clean(char *dst, size_t size, const char *src, size_t len)
{
	size_t out = 0, n;

	if (size == 0)
		return;
	for (size_t at = 0; at < len; at += n) {
		const char *s = src + at;
		bool crlf = s[0] == '\r' && at + 1 < len && s[1] == '\n';
		bool plain = (n = utf8_len(s, len - at)) > 0 && !is_control(s);

		if (out + (plain ? n : 1) >= size)
			break;
		if (plain)
			memcpy(dst + out, s, n);
		else
			dst[out] = crlf ? ' ' : '?';
		out += plain ? n : 1;
		n = crlf ? 2 : n == 0 ? 1 : n;
	}
	dst[out] = '\0';
}
