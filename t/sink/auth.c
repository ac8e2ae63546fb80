/* SPDX-License-Identifier: ISC */
/*
 * AUTH PLAIN (RFC 4616) and LOGIN, RFC 4954. Others may be offered (-A) and are then refused.
 */
#include <string.h>
#include <strings.h>

#include "sink.h"

/*
 * Send a challenge and read the response to it into s->line, decoded. Its length; -1 when the
 * exchange is over: given up, not base64, told otherwise by the script, or the connection has
 * ended.
 */
static int
challenge(struct session *s, const char *text, const char *arg)
{
	if (session_answer(s, STAGE_CHALLENGE, arg, text) != 334 || session_line(s) < 0)
		return -1;
	if (strcmp(s->line, "*") == 0) {
		session_answer(s, STAGE_AUTH, arg, "501 5.7.0 given up");
		return -1;
	}
	int n = tls_unbase64(s->line);
	if (n < 0) {
		session_violation(s, "a response in AUTH is not base64");
		session_answer(s, STAGE_AUTH, arg, "501 5.5.2 not base64");
	}
	return n;
}

static bool
same(const char *given, size_t length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(given, wanted, length) == 0;
}

static void
verdict(struct session *s, const char *mechanism, bool right)
{
	const char *ordinary = right ? "235 2.7.0 welcome" : "535 5.7.8 wrong user or password";
	if (session_answer(s, STAGE_AUTH, mechanism, ordinary) == 235)
		snprintf(s->user, sizeof s->user, "%s", s->sink->user);
}

static void
plain(struct session *s, char *initial)
{
	int n = -1;
	if (initial) {
		memmove(s->line, initial, strlen(initial) + 1);
		n = tls_unbase64(s->line);
		if (n < 0)
			session_violation(s, "the initial response is not base64");
	} else {
		n = challenge(s, "334 ", "PLAIN");
		if (n < 0)
			return;
	}
	/* [authzid] NUL authcid NUL password */
	const char *user = n < 0 ? NULL : memchr(s->line, '\0', (size_t)n);
	const char *end = s->line + (n < 0 ? 0 : n);
	const char *password = user ? memchr(user + 1, '\0', (size_t)(end - user - 1)) : NULL;
	if (!password)
		session_violation(s, "AUTH PLAIN without its two NULs");
	verdict(s, "PLAIN",
	    password && same(user + 1, (size_t)(password - user - 1), s->sink->user) &&
		same(password + 1, (size_t)(end - password - 1), s->sink->password));
}

static void
login(struct session *s, char *initial)
{
	int n;
	if (initial) {
		memmove(s->line, initial, strlen(initial) + 1);
		n = tls_unbase64(s->line);
	} else {
		n = challenge(s, "334 VXNlcm5hbWU6", "LOGIN");
		if (n < 0)
			return;
	}
	bool right = n >= 0 && same(s->line, (size_t)n, s->sink->user);
	n = challenge(s, "334 UGFzc3dvcmQ6", "LOGIN");
	if (n < 0)
		return;
	verdict(s, "LOGIN", right && same(s->line, (size_t)n, s->sink->password));
}

void
auth_run(struct session *s, char *arg)
{
	char *initial = strchr(arg, ' ');
	if (initial)
		*initial++ = '\0';
	if (initial && strcmp(initial, "=") == 0)
		*initial = '\0';
	if (!(s->offered & EXT_AUTH)) {
		session_violation(s, "AUTH was not offered");
		session_answer(s, STAGE_AUTH, arg, "503 5.5.1 not offered");
	} else if (s->user[0]) {
		session_violation(s, "AUTH a second time");
		session_answer(s, STAGE_AUTH, arg, "503 5.5.1 you have been here");
	} else if (strcasecmp(arg, "PLAIN") == 0) {
		plain(s, initial);
	} else if (strcasecmp(arg, "LOGIN") == 0) {
		login(s, initial);
	} else {
		session_answer(s, STAGE_AUTH, arg, "504 5.5.4 mechanism not supported");
	}
}
