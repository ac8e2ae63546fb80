/* SPDX-License-Identifier: ISC */
#include "mail/reply.h"

#include <stdbool.h>
#include <string.h>

#define CODE 3 /* digits of a reply code */

void
reply_init(struct reply *r)
{
	*r = (struct reply){0};
}

/* The code at the start of a line; 0 when there is none. */
static int
parse_code(const char *line, size_t len)
{
	int code = 0;

	if (len < CODE || line[0] < '2' || line[0] > '5')
		return 0;
	for (size_t i = 0; i < CODE; i++) {
		if (line[i] < '0' || line[i] > '9')
			return 0;
		code = code * 10 + (line[i] - '0');
	}
	if (len > CODE && line[CODE] != ' ' && line[CODE] != '-')
		return 0;
	return code;
}

const char *
reply_line_text(const char *line, size_t len, size_t *textlen)
{
	if (len <= CODE + 1) {
		*textlen = 0;
		return "";
	}
	*textlen = len - (CODE + 1);
	return line + CODE + 1;
}

/* The enhanced status code at the start of a line's text: its octets, or 0. */
static size_t
parse_status(struct status *st, const char *text, size_t len)
{
	char head[STATUS_LEN];
	size_t n = len < sizeof(head) - 1 ? len : sizeof(head) - 1;

	memcpy(head, text, n); /* the longest code and the space behind it fit */
	head[n] = '\0';
	return status_parse(st, head);
}

/* Append cleaned text, a space before it; what is beyond REPLY_TEXT is dropped. */
static void
add_text(struct reply *r, const char *text, size_t len)
{
	if (len == 0 || r->len + 2 >= sizeof(r->text))
		return;
	if (r->len > 0)
		r->text[r->len++] = ' ';
	text_clean(r->text + r->len, sizeof(r->text) - r->len, text, len);
	r->len += strlen(r->text + r->len);
}

static void
add_line(struct reply *r, const char *line, size_t len)
{
	struct status st = {0};
	size_t textlen, n;
	const char *text = reply_line_text(line, len, &textlen);

	n = parse_status(&st, text, textlen);
	if (r->lines == 1) {
		r->status = st;
		add_text(r, line, CODE);
	} else if (n > 0 && st.class == r->status.class && st.subject == r->status.subject &&
		   st.detail == r->status.detail) {
		text += n; /* said once is enough */
		textlen -= n;
		if (textlen > 0) {
			text++;
			textlen--;
		}
	}
	add_text(r, text, textlen);
}

enum reply_event
reply_push(struct reply *r, const char *line, size_t len)
{
	int code = len <= REPLY_LINE ? parse_code(line, len) : 0;

	if (code == 0 || (r->lines > 0 && code != r->code) || r->lines == REPLY_LINES)
		return REPLY_BAD;
	for (size_t i = 0; i < len; i++)
		if (line[i] == '\0' || line[i] == '\r' || line[i] == '\n')
			return REPLY_BAD;
	r->code = code;
	r->lines++;
	add_line(r, line, len);
	return len > CODE && line[CODE] == '-' ? REPLY_MORE : REPLY_DONE;
}
