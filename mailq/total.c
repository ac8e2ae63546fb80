/* SPDX-License-Identifier: ISC */
#include "total.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "mail/status.h"

#define LINE_LEN (PATH_MAX + 512) /* of a line on stderr: a path and what is wrong with it */

void
total_trouble(struct total *t, int status, const char *fmt, ...)
{
	char text[LINE_LEN], clean[LINE_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(clean, sizeof(clean), text, strlen(text));
	fprintf(stderr, "mailq: %s\n", clean);
	if (t->status != EX_OK)
		return;
	t->status = status;
	text_clean(t->why, sizeof(t->why), text, strlen(text));
}

int
total_sysexit(int error)
{
	return error == EACCES || error == EPERM || error == ENOTDIR || error == ELOOP ||
		       error == ENAMETOOLONG || error == EINVAL
		   ? EX_UNAVAILABLE
		   : EX_TEMPFAIL;
}

void
total_put(struct total *t, struct buf *b)
{
	if (b->error != 0 && t->output == 0)
		t->output = b->error;
	if (b->error == 0)
		fwrite(b->data, 1, b->len, stdout);
	buf_clear(b);
}

void
total_flush(struct total *t)
{
	if (fflush(stdout) == EOF && t->output == 0)
		t->output = errno;
}

int
total_listed(const struct total *t)
{
	return t->damaged == 0 ? EX_OK : EX_DATAERR;
}
