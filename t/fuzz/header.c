/* SPDX-License-Identifier: ISC */
/*
 * header: fields are what the lines were, in their order, and nothing is lost between them.
 */
#include "mail/header.h"

#include "fuzz.h"

static void
check_field(const struct header_field *f)
{
	size_t name, value = header_parse_name(f->text.data, f->text.len, &name);

	CHECK(f->text.error == 0 && f->text.len > 0);
	CHECK(value > 0 && value == f->value && value <= f->text.len && name < value);
	CHECK(f->name == header_lookup(f->text.data, name));
	CHECK(f->name == HEADER_OTHER ||
	      strncasecmp(header_spelling(f->name), f->text.data, name) == 0);
	/* every line behind the first is a continuation */
	for (size_t i = 0; i + 1 < f->text.len; i++)
		if (f->text.data[i] == '\n')
			CHECK(f->text.data[i + 1] == ' ' || f->text.data[i + 1] == '\t');
}

/* Lines of wire form; those that were taken, and the fields that came of them. */
static void
play(struct header *h, const char *text, size_t len, struct buf *taken, struct buf *fields)
{
	for (size_t at = 0, n; at < len; at += n + 1) {
		const char *lf = memchr(text + at, '\n', len - at);
		enum header_event ev;
		char *line;

		n = lf != NULL ? (size_t)(lf - text) - at : len - at;
		line = malloc(n + 1); /* never empty */
		CHECK(line != NULL);
		memcpy(line, text + at, n);
		while ((ev = header_push(h, line, n)) == HEADER_FIELD) {
			check_field(&h->field);
			buf_add(fields, h->field.text.data, h->field.text.len);
			buf_adds(fields, "\r\n");
		}
		if (ev == HEADER_MORE && (at > 0 || h->open)) {
			buf_add(taken, line, n);
			buf_adds(taken, "\r\n");
		}
		CHECK(ev == HEADER_MORE || !h->open);
		CHECK((ev == HEADER_END) == (n == 0 && ev != HEADER_MORE) || ev == HEADER_BODY);
		free(line);
		if (ev != HEADER_MORE)
			return;
	}
	if (header_finish(h) == HEADER_FIELD) {
		check_field(&h->field);
		buf_add(fields, h->field.text.data, h->field.text.len);
		buf_adds(fields, "\r\n");
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf taken = BUF_INIT(FUZZ_MAX), fields = BUF_INIT(FUZZ_MAX);
	struct header h;

	header_init(&h);
	play(&h, (const char *)data, size, &taken, &fields);
	CHECK(fuzz_same(&taken, &fields));
	header_free(&h);
	buf_free(&taken);
	buf_free(&fields);
	return 0;
}
