/* SPDX-License-Identifier: ISC */
/*
 * json: text as a JSON string (RFC 8259 7), pure.
 */
#ifndef MAIL_JSON_H
#define MAIL_JSON_H

#include "mail/buf.h"

/* Append `text` in quotes. Octets that are not UTF-8, and controls, become \ufffd and \u00XX. */
void json_string(struct buf *out, const char *text);

/* Append `"key":"value"`, with a comma before it unless the object has just been opened. */
void json_member(struct buf *out, const char *key, const char *value);

/* The same for a number. */
void json_number(struct buf *out, const char *key, long long value);

/* Append `"key":` alone, with the comma; the caller appends the value. */
void json_key(struct buf *out, const char *key);

#endif
