/* SPDX-License-Identifier: ISC */
#include "show.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define PIECE (64 * 1024)

void
show_clean(const char *s, size_t len)
{
	char clean[1024];
	size_t n;

	for (; len > 0; s += n, len -= n) {
		n = len < sizeof(clean) / 2 ? len : sizeof(clean) / 2;
		text_clean(clean, sizeof(clean), s, n);
		fputs(clean, stdout);
	}
}

/* A damaged one has nothing that can be shown. */
static bool
begin(struct run *r, const struct entry *e)
{
	if (e->label == LABEL_DAMAGED) {
		total_trouble(r->total, EX_DATAERR, "%s: damaged: %s", e->claim.id.s, e->claim.why);
		return false;
	}
	if (r->options->selection.nids != 1)
		printf("%s==> %s <==\n", r->total->requests > 1 ? "\n" : "", e->claim.id.s);
	return true;
}

/* Wire form has CRLF line ends, and no CR elsewhere. */
static void
print_piece(const char *s, size_t len, bool terminal)
{
	const char *end;

	for (; len > 0; len -= (size_t)(end - s), s = end) {
		const char *lf = memchr(s, '\n', len);
		size_t n;
		end = lf != NULL ? lf + 1 : s + len;
		n = (size_t)((lf != NULL ? lf : end) - s);
		if (n > 0 && s[n - 1] == '\r')
			n--;
		if (terminal)
			show_clean(s, n);
		else
			fwrite(s, 1, n, stdout);
		if (lf != NULL)
			putchar('\n');
	}
}

static void
print_message(struct run *r, struct entry *e)
{
	static char piece[PIECE];
	bool terminal = isatty(STDOUT_FILENO);
	uint64_t at = 0;
	ssize_t n = 0;

	if (!begin(r, e))
		return;
	while (!ferror(stdout) && (n = claim_read(&e->claim, piece, sizeof(piece), at)) > 0) {
		print_piece(piece, (size_t)n, terminal);
		at += (uint64_t)n;
	}
	if (n == -1)
		total_trouble(
		    r->total, EX_IOERR, "cannot read %s: %s", e->claim.id.s, strerror(errno));
}

static void
print_envelope(struct run *r, struct entry *e)
{
	struct buf b = BUF_INIT(ENVELOPE_HEAD_MAX);
	const char *end;

	if (!begin(r, e))
		return;
	envelope_print(&b, &e->claim.envelope);
	for (const char *s = buf_str(&b); (end = strchr(s, '\n')) != NULL && end > s; s = end + 1) {
		show_clean(s, (size_t)(end - s));
		putchar('\n');
	}
	buf_free(&b);
}

static int
end(struct run *r)
{
	r->total->stuck = false;
	return EX_OK;
}

const struct act act_message = {.entry = print_message, .end = end};
const struct act act_envelope = {.entry = print_envelope, .end = end};
