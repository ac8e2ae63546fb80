/* SPDX-License-Identifier: ISC */
/*
 * AUTH (RFC 4954): PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), OAUTHBEARER (RFC 7628), XOAUTH2,
 * EXTERNAL (RFC 4422 A), and in scram.c SCRAM. Others may be offered (-A) and are then refused.
 */
#include <openssl/hmac.h>
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

int
auth_challenge(struct session *s, const char *text, const char *mechanism)
{
	char line[1024] = "334 ";
	EVP_EncodeBlock(
	    (unsigned char *)line + 4, (const unsigned char *)text, (int)strnlen(text, 600));
	return challenge(s, line, mechanism);
}

int
auth_first(struct session *s, char *initial, const char *mechanism)
{
	if (!initial)
		return challenge(s, "334 ", mechanism);
	memmove(s->line, initial, strlen(initial) + 1);
	int n = tls_unbase64(s->line);
	if (n < 0) {
		session_violation(s, "the initial response is not base64");
		session_answer(s, STAGE_AUTH, mechanism, "501 5.5.2 not base64");
	}
	return n;
}

static bool
same(const char *given, size_t length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(given, wanted, length) == 0;
}

void
auth_verdict(struct session *s, const char *mechanism, bool right)
{
	const char *ordinary = right ? "235 2.7.0 welcome" : "535 5.7.8 wrong user or password";
	if (session_answer(s, STAGE_AUTH, mechanism, ordinary) == 235)
		snprintf(s->user, sizeof s->user, "%s", s->sink->user);
}

static void
plain(struct session *s, const char *mechanism, char *initial)
{
	int n = auth_first(s, initial, mechanism);
	if (n < 0)
		return;
	/* [authzid] NUL authcid NUL password */
	const char *user = memchr(s->line, '\0', (size_t)n);
	const char *end = s->line + n;
	const char *password = user ? memchr(user + 1, '\0', (size_t)(end - user - 1)) : NULL;
	if (!password)
		session_violation(s, "AUTH PLAIN without its two NULs");
	auth_verdict(s, mechanism,
	    password && same(user + 1, (size_t)(password - user - 1), s->sink->user) &&
		same(password + 1, (size_t)(end - password - 1), s->sink->password));
}

static void
login(struct session *s, const char *mechanism, char *initial)
{
	int n =
	    initial ? auth_first(s, initial, mechanism) : auth_challenge(s, "Username:", mechanism);
	if (n < 0)
		return;
	bool right = same(s->line, (size_t)n, s->sink->user);
	n = auth_challenge(s, "Password:", mechanism);
	if (n < 0)
		return;
	auth_verdict(s, mechanism, right && same(s->line, (size_t)n, s->sink->password));
}

static void
cram_md5(struct session *s, const char *mechanism, char *initial)
{
	char text[300], wanted[400];
	unsigned char digest[EVP_MAX_MD_SIZE];
	if (initial)
		session_violation(s, "an initial response to CRAM-MD5");
	snprintf(text, sizeof text, "<%u.%d@%.200s>", s->conn, rand(), s->sink->name);
	int n = auth_challenge(s, text, mechanism);
	if (n < 0)
		return;
	HMAC(EVP_md5(), s->sink->password, (int)strlen(s->sink->password),
	    (const unsigned char *)text, strlen(text), digest, NULL);
	int at = snprintf(wanted, sizeof wanted, "%.255s ", s->sink->user);
	for (int i = 0; i < 16; i++)
		at += snprintf(wanted + at, sizeof wanted - (size_t)at, "%02x", digest[i]);
	auth_verdict(s, mechanism, same(s->line, (size_t)n, wanted));
}

/* A wrong token gets an error as a challenge, and only when that is answered the verdict. */
static void
token(
    struct session *s, const char *mechanism, char *initial, const char *wanted, const char *answer)
{
	int n = auth_first(s, initial, mechanism);
	if (n < 0)
		return;
	bool right = same(s->line, (size_t)n, wanted);
	if (!right) {
		n = auth_challenge(s, "{\"status\":\"invalid_token\"}", mechanism);
		if (n < 0)
			return;
		if (!same(s->line, (size_t)n, answer))
			session_violation(s, "a wrong answer to an error of %s", mechanism);
	}
	auth_verdict(s, mechanism, right);
}

static void
oauthbearer(struct session *s, const char *mechanism, char *initial)
{
	char wanted[2048];
	snprintf(wanted, sizeof wanted, "n,a=%s,\001auth=Bearer %s\001\001", s->sink->user,
	    s->sink->password);
	token(s, mechanism, initial, wanted, "\001");
}

static void
xoauth2(struct session *s, const char *mechanism, char *initial)
{
	char wanted[2048];
	snprintf(wanted, sizeof wanted, "user=%s\001auth=Bearer %s\001\001", s->sink->user,
	    s->sink->password);
	token(s, mechanism, initial, wanted, "");
}

/* Whose certificate the client has shown (-C) may act as the user. */
static void
external(struct session *s, const char *mechanism, char *initial)
{
	int n = auth_first(s, initial, mechanism);
	if (n < 0)
		return;
	bool shown = s->wire.ssl && SSL_get0_peer_certificate(s->wire.ssl);
	auth_verdict(s, mechanism, shown && same(s->line, (size_t)n, s->sink->user));
}

static const struct {
	const char *name;
	void (*run)(struct session *s, const char *mechanism, char *initial);
} mechanisms[] = {
    {"PLAIN", plain},
    {"LOGIN", login},
    {"CRAM-MD5", cram_md5},
    {"OAUTHBEARER", oauthbearer},
    {"XOAUTH2", xoauth2},
    {"EXTERNAL", external},
    {"SCRAM-SHA-1", scram_run},
    {"SCRAM-SHA-256", scram_run},
    {"SCRAM-SHA-1-PLUS", scram_run},
    {"SCRAM-SHA-256-PLUS", scram_run},
};

static void
run(struct session *s, const char *name, char *initial)
{
	for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++) {
		if (strcasecmp(name, mechanisms[i].name) == 0) {
			mechanisms[i].run(s, mechanisms[i].name, initial);
			return;
		}
	}
	session_answer(s, STAGE_AUTH, name, "504 5.5.4 mechanism not supported");
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
	} else {
		run(s, arg, initial);
	}
}
