/* SPDX-License-Identifier: ISC */
#include "mail/json.h"

#include <string.h>

#include "mail/utf8.h"

void
json_string(struct buf *out, const char *text)
{
	size_t len = strlen(text), n;

	buf_addc(out, '"');
	for (size_t i = 0; i < len; i += n) {
		unsigned char c = (unsigned char)text[i];

		n = utf8_len(text + i, len - i);
		if (n == 0) {
			buf_adds(out, "\\ufffd");
			n = 1;
		} else if (c < 0x20 || c == 0x7f) {
			buf_addf(out, "\\u%04x", c);
		} else {
			if (c == '"' || c == '\\')
				buf_addc(out, '\\');
			buf_add(out, text + i, n);
		}
	}
	buf_addc(out, '"');
}

void
json_key(struct buf *out, const char *key)
{
	if (out->len > 0 && out->data[out->len - 1] != '{')
		buf_addc(out, ',');
	json_string(out, key);
	buf_addc(out, ':');
}

void
json_member(struct buf *out, const char *key, const char *value)
{
	json_key(out, key);
	json_string(out, value);
}

void
json_number(struct buf *out, const char *key, long long value)
{
	json_key(out, key);
	buf_addf(out, "%lld", value);
}
