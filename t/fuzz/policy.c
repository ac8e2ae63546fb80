/* SPDX-License-Identifier: ISC */
/*
 * policy: settings that are little languages: TLS policies, fingerprints, waits, rates, durations. The
 * first line is the text, the second a name. What is accepted is within its bounds and means one thing.
 */
#include "fuzz.h"
#include "mail/duration.h"
#include "mail/fingerprint.h"
#include "mail/rate.h"
#include "mail/retry.h"
#include "mail/tls_policy.h"

static void
check_policies(const char *rules, const char *name)
{
	const char *why = NULL;
	enum tls_policy found = tls_policies_find(rules, name, TLS_POLICY_VERIFY);
	char *upper = strdup(name), *more;

	CHECK(tls_policies_check(rules, &why) == 0 || why != NULL);
	CHECK((unsigned)found <= TLS_POLICY_DANE && upper != NULL);
	for (char *c = upper; *c != '\0'; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	CHECK(tls_policies_find(rules, upper, TLS_POLICY_VERIFY) == found);
	/* what no rule matches, "*" does */
	CHECK(asprintf(&more, "%s%s*=encrypt", rules, rules[0] != '\0' ? "," : "") > 0);
	if (name[0] != '\0' && tls_policies_check(more, &why) == 0) {
		enum tls_policy other = tls_policies_find(rules, name, TLS_POLICY_NONE);

		if (found == other)
			CHECK(tls_policies_find(more, name, TLS_POLICY_VERIFY) == found);
		else
			CHECK(
			    tls_policies_find(more, name, TLS_POLICY_VERIFY) == TLS_POLICY_ENCRYPT);
	}
	free(upper);
	free(more);
}

static void
check_fingerprints(const char *text)
{
	struct fingerprints set, again;
	struct buf b = BUF_INIT(FUZZ_MAX);
	const char *why = NULL;

	if (fingerprints_parse(&set, text, &why) == -1) {
		CHECK(why != NULL);
		return;
	}
	CHECK(set.n <= FINGERPRINTS_MAX);
	for (size_t i = 0; i < set.n; i++) {
		char line[FINGERPRINT_TEXT];

		CHECK(fingerprints_have(&set, set.digest[i]));
		fingerprint_print(line, set.digest[i]);
		buf_addf(&b, "%s ", line);
	}
	CHECK(fingerprints_parse(&again, buf_str(&b), &why) == 0 && again.n == set.n);
	CHECK(memcmp(again.digest, set.digest, set.n * sizeof(set.digest[0])) == 0);
	buf_free(&b);
}

static void
check_retry(const char *text, uint32_t seed)
{
	struct retry_policy p = {{7}, 1, 5, 5};
	const char *why = NULL;

	if (retry_parse(&p, text, &why) == -1) {
		CHECK(why != NULL && p.waits == 1 && p.wait[0] == 7);
		return;
	}
	CHECK(p.waits >= 1 && p.waits <= RETRY_WAITS && p.lifetime == 5);
	for (unsigned n = 1; n < RETRY_WAITS + 3; n++) {
		unsigned wait = p.wait[n < p.waits ? n - 1 : p.waits - 1];
		int64_t next = retry_next(&p, n, 1000, seed) - 1000;

		CHECK(wait >= 1 && wait <= DURATION_MAX);
		CHECK(next >= wait && next <= wait + wait / RETRY_JITTER);
		CHECK(next <= retry_longest(&p));
	}
}

/* Four numbers: what a message has used up, when, when it was due, and the clock. */
static void
check_age(const char *numbers)
{
	struct retry_policy p = {{60, 3600}, 2, 432000, 86400};
	long long used = 0, at = 0, due = 0, now = 0, passed;
	struct retry_age age;
	int64_t then;

	if (sscanf(numbers, "%lld %lld %lld %lld", &used, &at, &due, &now) != 4 || used < 0)
		return;
	age = (struct retry_age){.used = used, .at = at};
	then = retry_used(&p, &age, due, now);
	CHECK(then >= used);
	if (now >= at && !__builtin_sub_overflow(now, at, &passed))
		CHECK(then - used <= passed);
	CHECK(retry_expired(&p, false, then) || !retry_expired(&p, false, used));
	CHECK(retry_expired(&p, true, then) || !retry_expired(&p, false, then));
	(void)retry_differs(&age, then, now);
}

static void
check_rate(const char *text)
{
	struct rate_window w = {0};
	const char *why = NULL;
	struct rate r;
	int64_t now = 1;

	if (rate_parse(&r, text, &why) == -1) {
		CHECK(why != NULL);
		return;
	}
	if (r.messages == 0) {
		CHECK(rate_wait(&r, &w, now) == 0);
		return;
	}
	CHECK(r.interval > 0);
	for (unsigned i = 0; i < 50; i++) {
		int64_t wait = rate_wait(&r, &w, now);

		CHECK(wait >= 0 && wait <= 2 * r.interval);
		CHECK(i >= r.messages || wait == 0);
		now += wait;
		CHECK(rate_wait(&r, &w, now) == 0);
		rate_take(&r, &w, now);
	}
	CHECK(rate_idle(&r, &w, now + 2 * r.interval + RATE_SLOTS));
}

static void
check_duration(const char *text)
{
	unsigned seconds = 12345;
	const char *why = NULL;

	if (duration_parse(&seconds, text, strlen(text), &why) == -1)
		CHECK(why != NULL && seconds == 12345);
	else
		CHECK(seconds <= DURATION_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	uint32_t seed = fuzz_choose(&f, 256) * 0x01010101U;
	char *text = fuzz_line(&f), *name = fuzz_line(&f);

	check_policies(text, name);
	check_fingerprints(text);
	check_retry(text, seed);
	check_age(name);
	check_rate(text);
	check_duration(text);
	free(text);
	free(name);
	return 0;
}
