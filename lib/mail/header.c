/* SPDX-License-Identifier: ISC */
#include "mail/header.h"

#include <string.h>
#include <strings.h>

#define ROW(spelling, addresses)                          \
	{                                                 \
		spelling, sizeof(spelling) - 1, addresses \
	}

static const struct {
	const char *spelling;
	size_t len;
	bool addresses;
} table[] = {
    [HEADER_OTHER] = ROW("", false),
    [HEADER_APPARENTLY_TO] = ROW("Apparently-To", true),
    [HEADER_BCC] = ROW("Bcc", true),
    [HEADER_CC] = ROW("Cc", true),
    [HEADER_CONTENT_LENGTH] = ROW("Content-Length", false),
    [HEADER_CONTENT_TRANSFER_ENCODING] = ROW("Content-Transfer-Encoding", false),
    [HEADER_CONTENT_TYPE] = ROW("Content-Type", false),
    [HEADER_DATE] = ROW("Date", false),
    [HEADER_FROM] = ROW("From", true),
    [HEADER_MESSAGE_ID] = ROW("Message-ID", false),
    [HEADER_MIME_VERSION] = ROW("MIME-Version", false),
    [HEADER_RECEIVED] = ROW("Received", false),
    [HEADER_REPLY_TO] = ROW("Reply-To", true),
    [HEADER_RESENT_BCC] = ROW("Resent-Bcc", true),
    [HEADER_RESENT_CC] = ROW("Resent-Cc", true),
    [HEADER_RESENT_DATE] = ROW("Resent-Date", false),
    [HEADER_RESENT_FROM] = ROW("Resent-From", true),
    [HEADER_RESENT_MESSAGE_ID] = ROW("Resent-Message-ID", false),
    [HEADER_RESENT_SENDER] = ROW("Resent-Sender", true),
    [HEADER_RESENT_TO] = ROW("Resent-To", true),
    [HEADER_RETURN_PATH] = ROW("Return-Path", false),
    [HEADER_SENDER] = ROW("Sender", true),
    [HEADER_SUBJECT] = ROW("Subject", false),
    [HEADER_TO] = ROW("To", true),
};

enum header_name
header_lookup(const char *name, size_t len)
{
	for (size_t i = 1; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].len == len && strncasecmp(table[i].spelling, name, len) == 0)
			return (enum header_name)i;
	return HEADER_OTHER;
}

const char *
header_spelling(enum header_name name)
{
	return table[name].spelling;
}

bool
header_has_addresses(enum header_name name)
{
	return table[name].addresses;
}

void
header_init(struct header *h)
{
	*h = (struct header){.field.text = BUF_INIT(HEADER_FIELD_MAX), .first = true};
}

void
header_free(struct header *h)
{
	buf_free(&h->field.text);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

size_t
header_parse_name(const char *line, size_t len, size_t *name)
{
	size_t i = 0;

	while (i < len && line[i] > ' ' && line[i] < 0x7f && line[i] != ':')
		i++;
	*name = i;
	while (i < len && is_blank(line[i]))
		i++;
	return *name > 0 && i < len && line[i] == ':' ? i + 1 : 0;
}

bool
header_is_mbox_from(const char *line, size_t len)
{
	size_t name;

	if (len > 0 && line[0] == '>') {
		line++;
		len--;
	}
	return len >= 5 && memcmp(line, "From ", 5) == 0 &&
	       header_parse_name(line, len, &name) == 0;
}

static enum header_event
hand_out(struct header *h)
{
	h->open = false;
	h->given = true;
	return HEADER_FIELD;
}

static enum header_event
begin(struct header *h, const char *line, size_t len)
{
	size_t name, value;

	if (len == 0)
		return HEADER_END;
	value = header_parse_name(line, len, &name);
	if (value == 0)
		return HEADER_BODY;
	buf_add(&h->field.text, line, len);
	h->field.name = header_lookup(line, name);
	h->field.value = value;
	h->open = true;
	return h->field.text.error != 0 ? HEADER_HUGE : HEADER_MORE;
}

enum header_event
header_push(struct header *h, const char *line, size_t len)
{
	bool first = h->first;

	h->first = false;
	if (h->given) {
		buf_clear(&h->field.text);
		h->given = false;
	}
	if (first && header_is_mbox_from(line, len))
		return HEADER_MORE;
	if (!h->open)
		return begin(h, line, len);
	if (len == 0 || !is_blank(line[0]))
		return hand_out(h);
	buf_add(&h->field.text, "\r\n", 2);
	buf_add(&h->field.text, line, len);
	return h->field.text.error != 0 ? HEADER_HUGE : HEADER_MORE;
}

enum header_event
header_finish(struct header *h)
{
	return h->open ? hand_out(h) : HEADER_END;
}
