/* SPDX-License-Identifier: ISC */
/*
 * parcel: what a poster says over the post socket: a head, and the strings that it announces. What is
 * cut apart is all there is, in that order, and settings are those that may travel.
 */
#include "../../sendmail/parcel.h"

#include "fuzz.h"

static bool
travels(const char *setting)
{
	static const char *const names[] = {"MAIL_DOMAIN", "MAIL_HOSTNAME", "REWRITE_ENVELOPE_FROM",
	    "REWRITE_HEADER_FROM", "REWRITE_REPLY_TO", "REWRITE_KEEP", "QUEUE_DELIVER",
	    "QUEUE_WAIT"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(setting, names[i], strlen(names[i])) == 0 &&
		    setting[strlen(names[i])] == '=')
			return true;
	return false;
}

static void
check(const struct parcel_head *h, char *data, size_t len)
{
	size_t n = (size_t)h->settings + h->words, at = 0;
	char **strings = calloc(n + 1, sizeof(*strings));

	CHECK(strings != NULL);
	if (parcel_cut(h, data, len, strings)) {
		for (size_t i = 0; i < n; i++) {
			CHECK(strings[i] == data + at);
			CHECK(i >= h->settings || travels(strings[i]));
			at += strlen(strings[i]) + 1;
		}
		CHECK(at == len && strings[n] == NULL);
	}
	free(strings);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	struct parcel_head h = {.settings = fuzz_choose(&f, 12), .words = fuzz_choose(&f, 40)};
	bool raw = fuzz_choose(&f, 4) == 3;
	struct fuzz_pieces p;

	memcpy(h.magic, PARCEL_MAGIC, sizeof(h.magic));
	if (raw && f.len >= sizeof(h)) {
		memcpy(&h, f.data, sizeof(h));
		f.data += sizeof(h);
		f.len -= sizeof(h);
	} else {
		h.octets = (uint32_t)f.len;
	}
	p = fuzz_pieces(f.data, f.len, 0);
	if (parcel_head_valid(&h) && fuzz_piece(&p))
		check(&h, p.piece, p.len);
	free(p.piece);
	return 0;
}
