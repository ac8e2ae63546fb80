/* SPDX-License-Identifier: ISC */
#include "complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mail/status.h"
#include "sys/log.h"

#define LINE 2048

static const char *name = "sendmail";

void
complain_as(const char *program)
{
	name = program;
}

/* A caller that closed stderr, or whose pipe is full, loses the line, nothing else. */
__attribute__((format(printf, 1, 0))) static void
say(const char *fmt, va_list ap)
{
	char raw[LINE], clean[LINE], line[LINE + 32];
	int n;

	vsnprintf(raw, sizeof(raw), fmt, ap);
	text_clean(clean, sizeof(clean), raw, strlen(raw));
	n = snprintf(line, sizeof(line), "%s: %s\n", name, clean);
	if (write(STDERR_FILENO, line, (size_t)n) == -1) {
		/* nothing to be done about it */
	}
	log_warn("%s", clean);
}

int
complain(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return status;
}

void
warn_user(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}
