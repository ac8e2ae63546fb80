/* SPDX-License-Identifier: ISC */
#include "net/content.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mail/lines.h"

#define ENCODE_PIECE 4096U                       /* octets encoded at a time */
#define ENCODED_MOST (16 * ENCODE_PIECE + 8192U) /* see mail/recode.h */

void
content_start(
    struct content *b, int fd, uint64_t at, uint64_t size, bool raw, struct recode *recode)
{
	*b = (struct content){
	    .fd = fd,
	    .at = at,
	    .left = size,
	    .raw = raw && recode == NULL,
	    .recode = recode,
	    .bol = true,
	    .last = '\n',
	};
	if (recode != NULL)
		recode_start(recode);
}

/* Every LF stands behind a CR, and nothing but an LF behind one. last: the octet before p. */
static bool
ends_ok(char last, const char *p, size_t len)
{
	const char *end = p + len;

	if (last == '\r' && *p++ != '\n')
		return false;
	while (p < end) {
		const char *cr = memchr(p, '\r', (size_t)(end - p));
		const char *stop = cr != NULL ? cr : end;

		if (memchr(p, '\n', (size_t)(stop - p)) != NULL)
			return false;
		if (cr == NULL || cr + 1 == end)
			return true;
		if (cr[1] != '\n')
			return false;
		p = cr + 2;
	}
	return true;
}

static const char *
check(const struct content *b, const char *p, size_t len)
{
	if (b->raw)
		return NULL;
	if (memchr(p, '\0', len) != NULL)
		return "NUL in the message";
	if (!ends_ok(b->last, p, len))
		return "bare CR or LF in the message";
	return NULL;
}

static ssize_t
read_piece(struct content *b, char *data, size_t len)
{
	ssize_t n;

	do
		n = pread(b->fd, data, len, (off_t)b->at);
	while (n == -1 && errno == EINTR);
	return n;
}

/* It ends with CRLF, or is empty: else the final dot would not stand alone in its line. */
static bool
end_ok(char before, const char *p, size_t len)
{
	if (p[len - 1] != '\n')
		return false;
	return (len > 1 ? p[len - 2] : before) == '\r';
}

static void
encode(struct content *b, const char *piece, size_t len, struct buf *out)
{
	struct buf encoded = BUF_INIT(ENCODED_MOST);

	recode_run(b->recode, piece, len, &encoded);
	if (len == b->left)
		recode_end(b->recode, &encoded);
	lines_stuff(&b->bol, encoded.data, encoded.len, out);
	if (encoded.error != 0)
		out->error = encoded.error;
	buf_free(&encoded);
}

int
content_read(struct content *b, struct buf *out, const char **why)
{
	char piece[CONTENT_PIECE];
	size_t most = b->recode != NULL ? ENCODE_PIECE : sizeof(piece);
	size_t want = b->left < most ? (size_t)b->left : most;
	ssize_t n;

	if (want == 0)
		return 0;
	n = read_piece(b, piece, want);
	if (n <= 0) {
		*why = n == 0 ? "the spool file is too short" : strerror(errno);
		return -1;
	}
	if ((*why = check(b, piece, (size_t)n)) != NULL)
		return -1;
	if ((uint64_t)n == b->left && !end_ok(b->last, piece, (size_t)n)) {
		*why = "no line end at the end of the message";
		return -1;
	}
	if (b->recode != NULL)
		encode(b, piece, (size_t)n, out);
	else if (b->raw || b->bare)
		buf_add(out, piece, (size_t)n);
	else
		lines_stuff(&b->bol, piece, (size_t)n, out);
	b->last = piece[n - 1];
	b->at += (uint64_t)n;
	b->left -= (uint64_t)n;
	*why = "out of memory";
	return out->error != 0 ? -1 : b->left > 0;
}

uint64_t
content_skippable(const struct content *b)
{
	return b->raw && b->left > CONTENT_PIECE ? b->left - CONTENT_PIECE : 0;
}

void
content_skip(struct content *b, uint64_t n)
{
	b->at += n;
	b->left -= n;
}
