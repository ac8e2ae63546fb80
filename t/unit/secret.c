/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sys/secret.h"
#include "tap.h"

static char dir[] = "/tmp/pillarbox-secret.XXXXXX";
static char file[sizeof(dir) + 16];
static struct settings s;

static void
set(const char *key, const char *value)
{
	const char *why;

	if (settings_set(&s, "relay", key, value, "test", &why) == -1)
		ok(false, "relay.%s: %s", key, why);
}

/* A relay with a name has a password of its own. */
static void
of_a_relay(void)
{
	struct buf why = BUF_INIT(8192);
	char got[SECRET_LEN];
	const char *wrong;

	settings_set(&s, "relay.work", "password", "theirs", "test", &wrong);
	is_int(secret_read(got, &s, &s.relay[0], &why), 0, "a relay's own");
	is(got, "theirs", "… password");
	settings_set(&s, "relay.work", "password_command", "printf command", "test", &wrong);
	is_int(secret_read(got, &s, &s.relay[0], &why), 0, "a relay's own");
	is(got, "command", "… command");
	buf_free(&why);
}

/* The secret, and what is said: one of them is "" most of the time. */
static void
expect(int result, const char *secret, const char *said, const char *what)
{
	struct buf why = BUF_INIT(8192);
	char got[SECRET_LEN], *at;
	int r = secret_read(got, &s, NULL, &why);

	is_int(r, result, what);
	if (result != -1)
		is(got, secret, what);
	at = strstr(buf_str(&why), file);
	if (at != NULL) {
		char line[1024];
		snprintf(line, sizeof(line), "%.*sF%s", (int)(at - why.data), why.data,
		    at + strlen(file));
		is(line, said, what);
	} else {
		is(buf_str(&why), said, what);
	}
	buf_free(&why);
}

static void
write_file(const char *data, size_t len, mode_t mode)
{
	FILE *f;

	unlink(file);
	if ((f = fopen(file, "w")) == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0 ||
	    chmod(file, mode) == -1)
		ok(false, "cannot write %s: %s", file, strerror(errno));
}

static void
write_text(const char *text, mode_t mode)
{
	write_file(text, strlen(text), mode);
}

static void
from_settings(void)
{
	expect(0, "", "", "none");
	set("url", "smtps://user@relay.example");
	expect(0, "", "", "a URL without one");
	set("url", "smtps://user:p%40ss@relay.example");
	expect(0, "", "", "the URL's own is its own");
	set("password", "setting");
	expect(0, "setting", "", "relay.password");
	set("password_command", "printf command");
	expect(0, "command", "", "the command before that");
	write_text("file\n", 0600);
	set("password_file", file);
	expect(0, "file", "", "and the file before all");
}

static void
from_file(void)
{
	char big[SECRET_LEN + 2];

	write_text(" \tpass word \r\nsecond\n", 0400);
	expect(0, "pass word", "", "the first line");
	write_text("p\xc3\xa4ss", 0640);
	expect(0, "p\xc3\xa4ss", "", "without its end, readable by a group");
	write_text("open\n", 0644);
	expect(1, "open", "password_file F: readable by others", "readable by others");
	write_text("open\n", 0622);
	expect(-1, "", "password_file F: writable by others", "writable by others");
	write_text("\nsecond\n", 0600);
	expect(-1, "", "password_file F: first line is empty", "an empty line");
	write_text("", 0600);
	expect(-1, "", "password_file F: first line is empty", "an empty file");
	write_file("a\0b\n", 4, 0600);
	expect(-1, "", "password_file F: control character", "NUL");
	write_text("a\tb\n", 0600);
	expect(-1, "", "password_file F: control character", "a tab");
	memset(big, 'x', sizeof(big));
	write_file(big, SECRET_LEN, 0600);
	expect(-1, "", "password_file F: line too long", "too long");
	big[SECRET_LEN - 1] = '\n';
	write_file(big, sizeof(big), 0600);
	big[SECRET_LEN - 1] = '\0';
	expect(0, big, "", "the longest");
	unlink(file);
	expect(-1, "", "password_file F: No such file or directory", "missing");
	set("password_file", "/dev/null");
	expect(-1, "", "password_file /dev/null: not a regular file", "a device");
	set("password_file", "");
}

static const struct {
	const char *command, *secret, *said;
} commands[] = {
    {"printf one", "one", ""},
    {"printf 'one two'", "one two", ""},
    {"  printf  \"a\"'b'c  ", "abc", ""},
    {"printf 'one\\ntwo\\n'", "one", ""},
    {"printf \\$HOME", "$HOME", ""},
    {"printf $HOME;", "$HOME;", ""},
    {"printf %s '\\'", "\\", ""},
    {"printf %s \"\\\"\\\\\\x\"", "\"\\\\x", ""},
    {"printf %s-%s '' x", "-x", ""},
    {"printf ' spaces  '", "spaces", ""},
    {"sh -c 'echo $0' arg", "arg", ""},
    {"sh -c 'echo ${PILLARBOX_RELAY_PASSWORD-unset}'", "unset", ""},
    {"sh -c 'read x; echo got${x}nothing'", "gotnothing", ""},
    {"sh -c 'printf slow; sleep 0.2; echo ly'", "slowly", ""},
    {"sh -c 'echo first; sleep 0.1; echo second'", "first", ""},
    {"sh -c 'echo closed; exec >&-; sleep 0.1'", "closed", ""},
    {"sh -c 'echo first; yes | head -n 200000'", "first", ""},
    {"sh -c 'ls /proc/self/fd | wc -l'", "4", ""}, /* ls has one of its own */
    {"sh -c 'sleep 60 2>/dev/null & echo background'", "background", ""},
    {"true", NULL, "password_command true: first line is empty"},
    {"false", NULL, "password_command false: exit status 1"},
    {"sh -c 'echo secret; exit 3'", NULL, "password_command sh: exit status 3"},
    {"sh -c 'kill -9 $$'", NULL, "password_command sh: killed by signal 9"},
    {"/nonexistent/x y", NULL, "password_command /nonexistent/x: cannot be run (exit status 127)"},
    {"printf 'a\\tb'", NULL, "password_command printf: control character"},
    {"printf '%05000d' 1", NULL, "password_command printf: line too long"},
    {"printf 'open", NULL, "password_command printf: quote without its end"},
    {"printf x\\", NULL, "password_command printf: backslash at the end"},
    {"printf \"x\\", NULL, "password_command printf: backslash at the end"},
    {"  ", NULL, "password_command : no command"},
};

static void
from_command(void)
{
	char many[2 * 65 + 8];
	struct timespec a, b;

	setenv("PILLARBOX_RELAY_PASSWORD", "in the environment", 1);
	fcntl(STDERR_FILENO, F_DUPFD, 50); /* one that no O_CLOEXEC closes */
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		set("password_command", commands[i].command);
		expect(commands[i].secret != NULL ? 0 : -1, commands[i].secret, commands[i].said,
		    commands[i].command);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	ok(b.tv_sec - a.tv_sec < 20, "none of them waits for a grandchild");
	unsetenv("PATH");
	set("password_command", "printf found");
	expect(0, "found", "", "without a PATH");
	for (size_t i = 0; i < 65; i++)
		memcpy(many + 2 * i, "x ", 3);
	set("password_command", many);
	expect(-1, "", "password_command x: too many words", "65 words");
	is_int(access("/proc/self/fd/50", F_OK), 0, "our own descriptors are as they were");
	set("password_command", "");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL || settings_default(&s) == -1)
		return 1;
	snprintf(file, sizeof(file), "%s/secret", dir);
	from_settings();
	from_file();
	from_command();
	of_a_relay();
	settings_free(&s);
	unlink(file);
	rmdir(dir);
	return done();
}
