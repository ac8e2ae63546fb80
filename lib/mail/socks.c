/* SPDX-License-Identifier: ISC */
#include "mail/socks.h"

#include <string.h>

#define SOCKS_VERSION 5
#define LOGIN_VERSION 1
#define NO_LOGIN 0
#define USER_PASSWORD 2
#define CMD_CONNECT 1

enum { /* kinds of address */
	IPV4 = 1,
	NAME = 3,
	IPV6 = 4,
};

static void
fail(struct socks *s, const char *why)
{
	s->state = SOCKS_FAILED;
	s->why = why;
}

static void
add(struct socks *s, const void *data, size_t len)
{
	memcpy(s->out + s->outlen, data, len);
	s->outlen += len;
}

static void
add_octet(struct socks *s, size_t octet)
{
	s->out[s->outlen++] = (unsigned char)octet;
}

/* With its length in front. */
static void
add_field(struct socks *s, const char *text)
{
	size_t len = strlen(text);

	add_octet(s, len);
	add(s, text, len);
}

static void
begin(struct socks *s, enum socks_state state)
{
	s->state = state;
	s->outat = s->outlen = s->inlen = 0;
}

static void
ask_connect(struct socks *s)
{
	const struct socks_target *t = &s->target;

	begin(s, SOCKS_CONNECT);
	add_octet(s, SOCKS_VERSION);
	add_octet(s, CMD_CONNECT);
	add_octet(s, 0);
	if (t->name != NULL) {
		add_octet(s, NAME);
		add_field(s, t->name);
	} else {
		add_octet(s, t->address_len == 4 ? IPV4 : IPV6);
		add(s, t->address, t->address_len);
	}
	add_octet(s, t->port >> 8);
	add_octet(s, t->port & 0xff);
}

static void
log_in(struct socks *s)
{
	begin(s, SOCKS_LOGIN);
	add_octet(s, LOGIN_VERSION);
	add_field(s, s->user);
	add_field(s, s->password);
}

void
socks_start(
    struct socks *s, const struct socks_target *target, const char *user, const char *password)
{
	*s = (struct socks){.target = *target, .user = user, .password = password};
	begin(s, SOCKS_METHOD);
	add_octet(s, SOCKS_VERSION);
	add_octet(s, 1);
	add_octet(s, user[0] != '\0' ? USER_PASSWORD : NO_LOGIN);
	if ((target->name != NULL && strlen(target->name) > SOCKS_FIELD) ||
	    strlen(user) > SOCKS_FIELD || strlen(password) > SOCKS_FIELD)
		fail(s, "name, user or password too long");
}

const unsigned char *
socks_output(const struct socks *s, size_t *len)
{
	*len = socks_over(s) ? 0 : s->outlen - s->outat;
	return *len > 0 ? s->out + s->outat : NULL;
}

void
socks_wrote(struct socks *s, size_t len)
{
	s->outat += len;
	if (s->outat == s->outlen)
		explicit_bzero(s->out, sizeof(s->out));
}

/* Octets of a reply before it is known how long the rest is. */
static size_t
head_len(const struct socks *s)
{
	return s->state == SOCKS_CONNECT ? 5 : 2;
}

size_t
socks_wants(const struct socks *s)
{
	if (socks_over(s))
		return 0;
	return s->state == SOCKS_BOUND ? s->skip : head_len(s) - s->inlen;
}

static void
on_method(struct socks *s)
{
	if (s->in[0] != SOCKS_VERSION)
		fail(s, "not a SOCKS5 proxy");
	else if (s->in[1] == NO_LOGIN)
		ask_connect(s);
	else if (s->in[1] == USER_PASSWORD && s->user[0] != '\0')
		log_in(s);
	else
		fail(s, s->user[0] != '\0' ? "the proxy takes no password"
					   : "the proxy wants a user and password");
}

static void
on_connect(struct socks *s)
{
	static const char *const replies[] = {
	    [1] = "general failure of the proxy",
	    [2] = "not allowed by the proxy",
	    [3] = "Network is unreachable",
	    [4] = "No route to host",
	    [5] = "Connection refused",
	    [6] = "Connection timed out",
	    [7] = "the proxy does not know CONNECT",
	    [8] = "the proxy does not know such addresses",
	};
	size_t code = s->in[1];

	if (s->in[0] != SOCKS_VERSION)
		fail(s, "not a SOCKS5 proxy");
	else if (code >= sizeof(replies) / sizeof(replies[0]))
		fail(s, "unknown reply of the proxy");
	else if (code != 0)
		fail(s, replies[code]);
	else {
		/* of the address one octet came already, which is a name's length; and the port */
		s->skip = s->in[3] == IPV4 ? 3 + 2 : s->in[3] == IPV6 ? 15 + 2 : s->in[4] + 2U;
		s->state = SOCKS_BOUND;
		if (s->in[3] != IPV4 && s->in[3] != IPV6 && s->in[3] != NAME)
			fail(s, "unknown reply of the proxy");
	}
}

static void
on_head(struct socks *s)
{
	if (s->state == SOCKS_METHOD)
		on_method(s);
	else if (s->state == SOCKS_CONNECT)
		on_connect(s);
	else if (s->in[1] == 0)
		ask_connect(s);
	else
		fail(s, "the proxy refused user or password");
}

void
socks_input(struct socks *s, const unsigned char *data, size_t len)
{
	for (; len > 0 && !socks_over(s); len--) {
		if (s->state == SOCKS_BOUND) {
			data++;
			if (--s->skip == 0)
				s->state = SOCKS_DONE;
			continue;
		}
		s->in[s->inlen++] = *data++;
		if (s->inlen == head_len(s))
			on_head(s);
	}
}

bool
socks_over(const struct socks *s)
{
	return s->state == SOCKS_DONE || s->state == SOCKS_FAILED;
}

const char *
socks_why(const struct socks *s)
{
	return s->why;
}
