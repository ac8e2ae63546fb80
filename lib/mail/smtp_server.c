/* SPDX-License-Identifier: ISC */
#include "mail/smtp_server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/smtp_server_impl.h"

#define REPLIES_MAX (16U * 1024 * 1024) /* octets; a caller that writes them comes to thousands */

struct smtp_server *
smtp_server_new(const struct smtp_server_config *config)
{
	struct smtp_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->config = *config;
	s->at = AT_START;
	s->first = true;
	s->doing = "CONNECT";
	s->verb = SMTP_UNKNOWN;
	s->replies = (struct buf)BUF_INIT(REPLIES_MAX);
	buf_addf(&s->replies, "220 %s ESMTP Pillarbox\r\n", config->hostname);
	return s;
}

void
smtp_server_free(struct smtp_server *s)
{
	if (s == NULL)
		return;
	envelope_free(&s->envelope);
	buf_free(&s->replies);
	free(s);
}

struct buf *
smtp_server_replies(struct smtp_server *s)
{
	return &s->replies;
}

struct envelope *
smtp_server_envelope(struct smtp_server *s)
{
	return &s->envelope;
}

bool
smtp_server_in_message(const struct smtp_server *s)
{
	return s->begun || s->input == INPUT_DATA || s->input == INPUT_CHUNK;
}

const char *
smtp_server_doing(const struct smtp_server *s)
{
	return s->doing;
}

const char *
smtp_server_protocol(const struct smtp_server *s)
{
	return s->utf8 ? "UTF8SMTP" : s->extended ? "ESMTP" : "SMTP";
}

const char *
smtp_server_helo(const struct smtp_server *s)
{
	return s->helo;
}

/* Replies. */

void
smtp_reply(struct smtp_server *s, const char *text)
{
	char line[SMTP_SERVER_REPLY - 1]; /* room for CRLF, and a NUL here */

	text_clean(line, sizeof(line), text, strlen(text));
	buf_addf(&s->replies, "%s\r\n", line);
	if (line[0] >= '4') {
		s->refused = true;
		memcpy(s->refusal, line, sizeof(line));
	}
}

static void
shut(struct smtp_server *s, const char *reply)
{
	smtp_reply(s, reply);
	smtp_reset(s);
	s->input = INPUT_CLOSED;
}

/* Addresses that are none are no mistake of the client's; grammar and order are. */
void
smtp_refuse(struct smtp_server *s, const char *text)
{
	if (strncmp(text + 4, "5.5.", 4) == 0 && ++s->errors >= SMTP_SERVER_ERRORS)
		shut(s, "421 4.7.0 Too many errors, closing the connection");
	else if (strncmp(text, "421", 3) == 0)
		shut(s, text);
	else
		smtp_reply(s, text);
}

void
smtp_server_close(struct smtp_server *s, const char *text)
{
	char reply[SMTP_SERVER_REPLY];

	snprintf(reply, sizeof(reply), "421 %s", text);
	shut(s, reply);
	s->refused = false;
}

/* The transaction, and the fate of what came in it. */

void
smtp_reset(struct smtp_server *s)
{
	if (s->begun)
		s->event = SERVER_RESET;
	s->begun = s->skip = s->utf8 = false;
	s->head = 0;
	envelope_free(&s->envelope);
	if (s->at != AT_START)
		s->at = AT_READY;
}

void
smtp_begin(struct smtp_server *s)
{
	envelope_unique(&s->envelope);
	s->begun = true;
	s->size = 0;
	s->event = SERVER_BEGIN;
}

void
smtp_skip(struct smtp_server *s, const char *verdict)
{
	snprintf(s->verdict, sizeof(s->verdict), "%s", verdict);
	s->skip = true;
	s->begun = false;
}

void
smtp_server_answer(struct smtp_server *s, unsigned code, const char *text)
{
	char reply[SMTP_SERVER_REPLY];

	assert(s->begun && code <= 599 && code >= (s->input == INPUT_ANSWER ? 200 : 400));
	snprintf(reply, sizeof(reply), "%u %s", code, text);
	if (s->input != INPUT_ANSWER) {
		smtp_skip(s, reply);
		return;
	}
	s->begun = false;
	s->input = INPUT_COMMAND;
	if (code / 100 == 2)
		s->errors = 0;
	smtp_reply(s, reply);
	smtp_reset(s);
}

/* Content. */

static void
give(struct smtp_server *s, const char *data, size_t len, struct smtp_server_event *ev)
{
	if (s->skip || len == 0)
		return;
	s->size += len;
	if (s->size > s->config.size) {
		smtp_skip(s, "552 5.3.4 The message is larger than this server takes");
		s->event = SERVER_RESET;
	} else {
		*ev = (struct smtp_server_event){.type = SERVER_DATA, .data = data, .len = len};
	}
}

static void
end_of_data(struct smtp_server *s)
{
	if (s->skip) {
		s->input = INPUT_COMMAND;
		smtp_refuse(s, s->verdict);
		smtp_reset(s);
	} else {
		s->input = INPUT_ANSWER;
		s->event = SERVER_END;
	}
}

/* Content up to a dot that begins a line. A bare LF ends no line here. */
static size_t
span(struct smtp_server *s, const char *data, size_t len)
{
	size_t i = 0;

	while (i < len) {
		const char *cr;
		if (s->place == PLACE_START && data[i] == '.')
			break;
		if (s->place == PLACE_CR && data[i] == '\n') {
			s->place = PLACE_START;
			i++;
			continue;
		}
		cr = memchr(data + i, '\r', len - i);
		s->place = cr != NULL ? PLACE_CR : PLACE_MIDDLE;
		i = cr != NULL ? (size_t)(cr - data) + 1 : len;
	}
	return i;
}

static size_t
take_data(struct smtp_server *s, const char *data, size_t len, struct smtp_server_event *ev)
{
	size_t n;

	if (len == 0)
		return 0;
	if (s->place == PLACE_START && data[0] == '.') {
		s->place = PLACE_DOT;
		return 1;
	}
	if (s->place == PLACE_DOT && data[0] == '\r') {
		s->place = PLACE_DOT_CR;
		return 1;
	}
	if (s->place == PLACE_DOT_CR && data[0] == '\n') {
		end_of_data(s);
		return 1;
	}
	if (s->place == PLACE_DOT_CR) { /* the CR was content after all, the dot before it none */
		s->place = PLACE_CR;
		give(s, "\r", 1, ev);
		return 0;
	}
	if (s->place == PLACE_DOT)
		s->place = PLACE_MIDDLE;
	n = span(s, data, len);
	give(s, data, n, ev);
	return n;
}

static void
end_of_chunk(struct smtp_server *s)
{
	s->input = INPUT_COMMAND;
	if (s->skip) {
		smtp_refuse(s, s->verdict);
		s->skip = false;
		if (s->last)
			smtp_reset(s);
		else if (s->at > AT_READY)
			s->at = AT_BROKEN;
	} else if (s->last) {
		s->input = INPUT_ANSWER;
		s->event = SERVER_END;
	} else {
		buf_addf(&s->replies, "250 2.0.0 %llu octets received\r\n",
		    (unsigned long long)s->chunk_size);
	}
}

static size_t
take_chunk(struct smtp_server *s, const char *data, size_t len, struct smtp_server_event *ev)
{
	size_t n = len < s->chunk ? len : (size_t)s->chunk;

	s->chunk -= n;
	give(s, data, n, ev);
	return n;
}

/* Commands. */

/*
 * The end of a line was found: line[len] is the LF's place. *whole: it is one. Where it is not, the
 * answer is given at once, for the client may wait for it, and the rest is skipped.
 */
static bool
line_ended(struct smtp_server *s)
{
	bool crlf = s->len > 0 && s->line[s->len - 1] == '\r';

	if (s->first)
		s->lf_too = !crlf;
	s->first = false;
	if (crlf)
		s->len--;
	s->line[s->len] = '\0';
	return crlf || s->lf_too;
}

static size_t
take_skipped(struct smtp_server *s, const char *data, size_t len)
{
	const char *lf = memchr(data, '\n', len);
	size_t n = lf != NULL ? (size_t)(lf - data) + 1 : len;
	bool cr = n > 1 ? data[n - 2] == '\r' : s->place == PLACE_CR;

	s->place = n > 0 && data[n - 1] == '\r' ? PLACE_CR : PLACE_MIDDLE;
	if (lf == NULL || !(cr || s->lf_too))
		return n;
	s->input = INPUT_COMMAND;
	s->verb = SMTP_UNKNOWN;
	if (s->overlong)
		smtp_refuse(s, "500 5.5.2 The line is too long");
	s->overlong = false;
	return n;
}

static size_t
take_line(struct smtp_server *s, const char *data, size_t len)
{
	size_t room = SMTP_SERVER_LINE - s->len, n = len < room ? len : room;
	const char *lf = memchr(data, '\n', n);

	if (lf != NULL)
		n = (size_t)(lf - data);
	memcpy(s->line + s->len, data, n);
	s->len += n;
	s->line[s->len] = '\0';
	if (lf == NULL && s->len == SMTP_SERVER_LINE) {
		s->place = s->line[s->len - 1] == '\r' ? PLACE_CR : PLACE_MIDDLE;
		s->input = INPUT_SKIP;
		s->overlong = true;
		s->len = 0;
	}
	if (lf == NULL)
		return n;
	s->verb = SMTP_UNKNOWN;
	if (line_ended(s)) {
		smtp_command(s);
	} else {
		s->input = INPUT_SKIP;
		s->place = PLACE_MIDDLE;
		smtp_refuse(s, "500 5.5.2 A line ends with CR LF; this one has a LF alone");
	}
	s->len = 0;
	return n + 1;
}

static size_t
consume(struct smtp_server *s, const char *data, size_t len, struct smtp_server_event *ev)
{
	switch (s->input) {
	case INPUT_COMMAND:
		return len > 0 ? take_line(s, data, len) : 0;
	case INPUT_SKIP:
		return len > 0 ? take_skipped(s, data, len) : 0;
	case INPUT_DATA:
		return take_data(s, data, len, ev);
	case INPUT_CHUNK:
		return take_chunk(s, data, len, ev);
	case INPUT_ANSWER:
		return 0;
	case INPUT_CLOSED:
		break;
	}
	return len;
}

size_t
smtp_server_push(struct smtp_server *s, const char *data, size_t len, struct smtp_server_event *ev)
{
	size_t used = 0;

	assert(s->input != INPUT_ANSWER); /* smtp_server_answer() is owed */
	*ev = (struct smtp_server_event){.type = SERVER_MORE};
	s->event = SERVER_MORE;
	if (!s->refused)
		used = consume(s, data, len, ev);
	if (ev->type == SERVER_MORE && s->event == SERVER_MORE && s->input == INPUT_CHUNK &&
	    s->chunk == 0)
		end_of_chunk(s);
	if (ev->type == SERVER_MORE)
		ev->type = s->event;
	if (ev->type != SERVER_MORE)
		return used;
	if (s->refused) {
		ev->type = SERVER_REFUSED;
		ev->data = s->line;
		ev->len = strlen(s->line);
		ev->verb = s->verb;
		ev->reply = s->refusal;
		s->refused = false;
	} else if (s->input == INPUT_CLOSED) {
		ev->type = SERVER_QUIT;
	}
	return used;
}
