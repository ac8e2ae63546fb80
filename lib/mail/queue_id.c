/* SPDX-License-Identifier: ISC */
#include "mail/queue_id.h"

#include <string.h>

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#define NUMBER_MASK ((UINT64_C(1) << 59) - 1)

static struct queue_id
print(uint64_t n)
{
	struct queue_id id;

	for (int i = QUEUE_ID_LEN - 1; i >= 0; i--, n >>= 5)
		id.s[i] = digits[n & 31];
	id.s[QUEUE_ID_LEN] = '\0';
	return id;
}

struct queue_id
queue_id_make(uint64_t usec, uint32_t random)
{
	return print(((usec >> 2) << 9 | (random & 0x1ff)) & NUMBER_MASK);
}

struct queue_id
queue_id_add(struct queue_id id, uint32_t n)
{
	uint64_t number = 0;

	for (const char *p = id.s; *p != '\0'; p++)
		number = number << 5 | (uint64_t)(strchr(digits, *p) - digits);
	return print((number + n) & NUMBER_MASK);
}

bool
queue_id_valid(const char *s)
{
	/* strspn stops at the NUL, so nothing behind it is looked at. */
	return strspn(s, digits) == QUEUE_ID_LEN && s[QUEUE_ID_LEN] == '\0' && s[0] <= 'F';
}
