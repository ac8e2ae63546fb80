/* SPDX-License-Identifier: ISC */
/*
 * server: a client's octets into the dialogue of -bs. In whatever pieces they come, the replies are
 * the same and are SMTP, the events the same and in a legal order.
 */
#include "../unit/server_play.h"
#include "fuzz.h"

static const struct script scripts[] = {
    {.size = 1000000},
    {.size = 20, .answer = {"451 4.3.0 later", "554 5.6.0 never"}, .answers = 2},
    {.size = 100, .begin = "451 4.3.0 not now"},
    {.size = 1000000, .local = "local.example"},
};

static void
play(struct play *p, const struct script *s, const struct fuzz *f, unsigned seed)
{
	struct fuzz_pieces pieces = fuzz_pieces(f->data, f->len, seed);

	start(p, s);
	CHECK(p->server != NULL);
	collect(p);
	while (fuzz_piece(&pieces))
		push(p, pieces.piece, pieces.len);
	show_content(p);
	CHECK(p->wrong == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	unsigned seed = fuzz_choose(&f, 32);
	const struct script *s = &scripts[fuzz_choose(&f, sizeof(scripts) / sizeof(scripts[0]))];
	struct play whole, parts;

	play(&whole, s, &f, 0);
	play(&parts, s, &f, seed == 0 ? 1 : seed);
	CHECK(fuzz_same(&whole.replies, &parts.replies));
	CHECK(fuzz_same(&whole.events, &parts.events));
	CHECK(replies_are_smtp(&whole.replies));
	CHECK(whole.in_message == parts.in_message && whole.over == parts.over);
	finish(&whole);
	finish(&parts);
	return 0;
}
