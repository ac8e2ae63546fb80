/* SPDX-License-Identifier: ISC */
#include "mail/queue_id.h"
#include "tap.h"

static const struct {
	const char *name, *expected;
	uint64_t usec;
	uint32_t random;
} made[] = {
    {"all zero", "000000000000", 0, 0},
    {"the random bits", "0000000000FZ", 0, 511},
    {"only nine of them", "0000000000FZ", 0, UINT32_MAX},
    {"less than four microseconds", "000000000000", 3, 0},
    {"four microseconds", "0000000000G0", 4, 0},
    {"2026", "6BFZDM9F0005", UINT64_C(1790000000000000), 5},
    {"the last microsecond", "FZZZZZZZZZZZ", (UINT64_C(1) << 52) - 1, 511},
    {"time beyond", "000000000000", UINT64_C(1) << 52, 0},
};

static const struct {
	const char *id;
	bool expected;
} valid[] = {
    {"000000000000", true},
    {"FZZZZZZZZZZZ", true},
    {"0QK3ZP7V2M9X", true},
    {"", false},
    {"0QK3ZP7V2M9", false},
    {"0QK3ZP7V2M9XX", false},
    {"0qk3zp7v2m9x", false},
    {"0QK3ZP7V2M9I", false},
    {"0QK3ZP7V2M9L", false},
    {"0QK3ZP7V2M9O", false},
    {"0QK3ZP7V2M9U", false},
    {"GZZZZZZZZZZZ", false},
    {"0QK3ZP7V2M9\n", false},
    {"../../../etc", false},
};

int
main(void)
{
	struct queue_id last = queue_id_make(UINT64_C(1790000000000000), 511);
	bool sorted = true, good = true;

	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
		is(queue_id_make(made[i].usec, made[i].random).s, made[i].expected, made[i].name);
	for (size_t i = 0; i < sizeof(valid) / sizeof(*valid); i++)
		is_int(queue_id_valid(valid[i].id), valid[i].expected, valid[i].id);

	for (uint32_t i = 1; i < 100000; i++) {
		struct queue_id id = queue_id_make(UINT64_C(1790000000000000) + 4 * (uint64_t)i, i);

		sorted = sorted && strcmp(last.s, id.s) < 0;
		good = good && queue_id_valid(id.s);
		last = id;
	}
	ok(sorted, "they sort by time");
	ok(good, "and all are valid");
	return done();
}
