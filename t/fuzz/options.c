/* SPDX-License-Identifier: ISC */
/*
 * options: a command line of sendmail, a word a line, as the attacker of a web application may have
 * it. What is refused is refused with a reason; what is left are its own words.
 */
#include "../../sendmail/options.h"

#include "fuzz.h"

#define WORDS 32

static const char *const names[] = {"sendmail", "mailq", "newaliases", "runq", "hoststat", "-bs"};

static bool
is_one_of(const char *s, char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (s >= words[i] && s <= words[i] + strlen(words[i]))
			return true;
	return false;
}

static void
check(const struct options *o, char *const *words, int n)
{
	CHECK((unsigned)o->mode <= MODE_HOSTSTAT && (unsigned)o->select <= SELECT_SENDER);
	CHECK(o->nrecipients >= 0 && o->nrecipients < n);
	for (int i = 0; i < o->nrecipients; i++)
		CHECK(is_one_of(o->recipients[i], words, n));
	CHECK(o->from == NULL || is_one_of(o->from, words, n));
	CHECK(o->name == NULL || is_one_of(o->name, words, n));
	CHECK((o->notify & NOTIFY_NEVER) == 0 || o->notify == NOTIFY_NEVER);
	CHECK(o->notify < 16 && (unsigned)o->ret <= RET_HDRS && o->deliver >= -1);
	CHECK(o->envid == NULL || is_one_of(o->envid, words, n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	char *words[WORDS + 2], *argv[WORDS + 2], error[256] = "";
	struct options o;
	int n = 0;

	words[n++] = strdup(names[fuzz_choose(&f, sizeof(names) / sizeof(names[0]))]);
	CHECK(words[0] != NULL);
	while (f.len > 0 && n <= WORDS)
		words[n++] = fuzz_line(&f);
	words[n] = NULL;
	memcpy(argv, words, sizeof(argv[0]) * (size_t)(n + 1));
	if (options_parse(&o, n, argv, error, sizeof(error)) == 0)
		check(&o, words, n);
	else
		CHECK(error[0] != '\0' && strlen(error) < sizeof(error));
	for (int i = 0; i < n; i++)
		free(words[i]);
	return 0;
}
