/* SPDX-License-Identifier: ISC */
/*
 * alias: recipients (the first line), and an aliases file, whose text behind a form feed is what an
 * include file says. Each address comes out once and is one that an envelope may have; what no alias
 * applies to stays; mistakes are clean lines.
 */
#include "mail/alias.h"

#include "fuzz.h"
#include "mail/address.h"

#define RCPTS 16

static int
include(void *arg, const char *path, struct buf *text, const char **why)
{
	*why = "cannot be read";
	if (strcmp(path, "/missing") == 0)
		return -1;
	buf_adds(text, arg);
	return 0;
}

static void
check_errors(const struct buf *errors)
{
	for (size_t at = 0; at < errors->len;) {
		const char *line = errors->data + at, *lf = memchr(line, '\n', errors->len - at);

		CHECK(lf != NULL && fuzz_is_clean(line, (size_t)(lf - line)));
		at += (size_t)(lf - line) + 1;
	}
}

static void
check_results(const struct alias_results *r, const struct alias_place *place,
    const char *const *rcpt, size_t n)
{
	for (size_t i = 0; i < r->n; i++) {
		CHECK(address_valid(r->result[i].address) && r->result[i].origin < n);
		CHECK(i == 0 || r->result[i - 1].origin <= r->result[i].origin);
		for (size_t j = 0; j < i; j++)
			CHECK(!address_equal(r->result[i].address, r->result[j].address));
	}
	for (size_t i = 0; i < n; i++) {
		bool there = alias_local(place, rcpt[i]);

		for (size_t j = 0; j < r->n && !there; j++)
			there = address_equal(r->result[j].address, rcpt[i]);
		CHECK(there);
	}
}

static void
check(const char *text, const struct alias_place *place, const char *const *rcpt, size_t n)
{
	struct buf errors = BUF_INIT(64 * 1024);
	struct alias_results r = {0}, again = {0};
	struct aliases a;

	CHECK(alias_parse(&a, text, strlen(text), "aliases", &errors) == 0);
	CHECK(alias_expand(&a, place, rcpt, n, &r, &errors) == 0);
	check_errors(&errors);
	check_results(&r, place, rcpt, n);
	CHECK(alias_expand(&a, place, rcpt, n, &again, NULL) == 0);
	CHECK(r.n == again.n && r.nobody == again.nobody && r.nobody <= n);
	for (size_t i = 0; i < r.n; i++)
		CHECK(strcmp(r.result[i].address, again.result[i].address) == 0);
	buf_clear(&errors);
	CHECK(alias_check(&a, place, &errors) == 0);
	check_errors(&errors);
	alias_results_free(&r);
	alias_results_free(&again);
	alias_free(&a);
	buf_free(&errors);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	struct alias_place place = {.domain = "x.example", .hostname = "h.x.example"};
	char *line, *text, *rest, *word, *save;
	const char *rcpt[RCPTS];
	char full[RCPTS][ADDRESS_MAX + 1];
	size_t n = 0;

	if (fuzz_choose(&f, 2) != 0)
		place.domain = place.hostname;
	save = line = fuzz_line(&f);
	text = fuzz_string(&f);
	rest = strchr(text, '\f');
	if (rest != NULL)
		*rest++ = '\0';
	place.include = include;
	place.arg = rest != NULL ? rest : text;
	while (n < RCPTS && (word = strsep(&line, " ")) != NULL)
		if (address_qualify(full[n], word, place.domain) == 0) {
			rcpt[n] = full[n];
			n++;
		}
	check(text, &place, rcpt, n);
	free(save);
	free(text);
	return 0;
}
