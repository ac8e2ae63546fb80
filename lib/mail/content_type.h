/* SPDX-License-Identifier: ISC */
/*
 * content_type: the values of Content-Type and Content-Transfer-Encoding (RFC 2045 5 and 6), read
 * tolerantly: comments, quoted strings, any case, missing semicolons, unquoted boundaries with "="
 * or "/" in them. Only what the walker of mime.h asks for is kept.
 *
 * The text is a field's value with its folds taken out or not: CR and LF are white space.
 */
#ifndef MAIL_CONTENT_TYPE_H
#define MAIL_CONTENT_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#define CONTENT_TYPE_NAME 80      /* octets of a type or subtype that are looked at */
#define CONTENT_TYPE_BOUNDARY 200 /* octets of a boundary; RFC 2046 allows 70 */

struct content_type {
	char type[CONTENT_TYPE_NAME + 1]; /* "multipart", in small letters; "" when there is no */
	char subtype[CONTENT_TYPE_NAME + 1]; /* type/subtype, or one that is longer than that */
	char boundary[CONTENT_TYPE_BOUNDARY + 1];
	size_t boundary_len; /* 0: none, or none that could be used */
};

void content_type_parse(struct content_type *ct, const char *text, size_t len);

enum content_encoding {
	CONTENT_7BIT, /* also: no field, nothing in it */
	CONTENT_WIDE, /* 8bit, binary */
	CONTENT_QP,
	CONTENT_BASE64,
	CONTENT_UNKNOWN,
};

enum content_encoding content_encoding_parse(const char *text, size_t len);

#endif
