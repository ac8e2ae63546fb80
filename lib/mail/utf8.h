/* SPDX-License-Identifier: ISC */
/*
 * utf8: the one definition of a well-formed character (RFC 3629).
 */
#ifndef MAIL_UTF8_H
#define MAIL_UTF8_H

#include <stddef.h>

/*
 * The octets of the character at the start of s[len], 1 to 4; 0 when there is none: len is 0, or
 * what stands there is overlong, a surrogate, beyond U+10FFFF, or cut off.
 */
size_t utf8_len(const char *s, size_t len);

#endif
