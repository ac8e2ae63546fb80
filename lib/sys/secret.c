/* SPDX-License-Identifier: ISC */
#include "sys/secret.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/command.h"
#include "sys/file.h"

#define WORDS_MAX 64

/*
 * Cut a command into words, in place: white space separates, backslash and single quotes take what
 * follows as it is, double quotes all but a backslash before \ or ". NULL, or what is wrong.
 */
static const char *
split(char *command, char *argv[WORDS_MAX + 1])
{
	char *to = command, quote = '\0';
	bool in_word = false;
	size_t n = 0;

	for (const char *p = command; *p != '\0'; p++) {
		if (quote == '\0' && (*p == ' ' || *p == '\t')) {
			if (in_word)
				*to++ = '\0';
			in_word = false;
			continue;
		}
		if (!in_word) {
			if (n == WORDS_MAX)
				return "too many words";
			argv[n++] = to;
			in_word = true;
		}
		if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == quote) {
			quote = '\0';
		} else if (*p == '\\' &&
			   (quote == '\0' || (quote == '"' && strchr("\"\\", p[1])))) {
			if (*++p == '\0')
				return "backslash at the end";
			*to++ = *p;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	argv[n] = NULL;
	return quote != '\0' ? "quote without its end" : n == 0 ? "no command" : NULL;
}

static int
from_command(char dst[SECRET_LEN], const char *command, struct buf *why)
{
	char *copy = strdup(command), *argv[WORDS_MAX + 1] = {NULL}, tmp[COMMAND_TMP];
	const char *wrong = copy != NULL ? split(copy, argv) : strerror(ENOMEM);

	if (wrong == NULL)
		wrong = command_line(dst, SECRET_LEN, argv, SECRET_WAIT, tmp);
	if (wrong != NULL)
		buf_addf(why, "password_command %s: %s", argv[0] != NULL ? argv[0] : "", wrong);
	free(copy);
	return wrong == NULL ? 0 : -1;
}

static int
from_file(char dst[SECRET_LEN], const char *path, struct buf *why)
{
	const char *wrong;
	mode_t mode = 0;
	int r = file_line(dst, SECRET_LEN, path, &mode, &wrong);

	if (r == 0 && dst[0] == '\0') {
		wrong = "first line is empty";
		r = -1;
	} else if (r == 0 && (mode & S_IROTH) != 0 && !file_given(path)) {
		wrong = "readable by others";
		r = 1;
	}
	if (r != 0)
		buf_addf(why, "password_file %s: %s", path, wrong);
	return r;
}

int
secret_read(
    char dst[SECRET_LEN], const struct settings *s, const struct settings_relay *r, struct buf *why)
{
	const char *file = r != NULL ? r->password_file : s->relay_password_file;
	const char *command = r != NULL ? r->password_command : s->relay_password_command;
	const char *password = r != NULL ? r->password : s->relay_password;

	dst[0] = '\0';
	if (file[0] != '\0')
		return from_file(dst, file, why);
	if (command[0] != '\0')
		return from_command(dst, command, why);
	memcpy(dst, password, strlen(password) + 1); /* shorter: settings_set() */
	return 0;
}
