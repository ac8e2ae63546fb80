/* SPDX-License-Identifier: ISC */
/*
 * envelope_value: the pieces that the fields of a head are made of, taken from the front of a
 * line. For envelope.c alone.
 */
#ifndef MAIL_ENVELOPE_VALUE_H
#define MAIL_ENVELOPE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A field's value while it is parsed: s[0 .. len), consumed from the front. */
struct value {
	const char *s;
	size_t len;
};

/* A constant prefix; whether it was there. */
bool value_take(struct value *v, const char *prefix);

/* Decimal digits up to `max`; the count of digits, 0 when there is none or it is too large. */
size_t value_number(struct value *v, uint64_t max, uint64_t *n);

/*
 * Visible ASCII up to a space or the end, `max` octets at most, as a string of its own. NULL: none,
 * too long, or out of memory.
 */
char *value_word(struct value *v, size_t max);

/* <address> as a string of its own; empty only where `null` allows it. NULL as above. */
char *value_path(struct value *v, bool null);

#endif
