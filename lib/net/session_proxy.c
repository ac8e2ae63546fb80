/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "net/session_impl.h"

bool
session_reached(const struct session *s)
{
	return s->reached;
}

bool
session_without_proxy(const struct session *s)
{
	return s->config.proxy.address.len != 0 && !s->proxied;
}

void
session_proxy_start(struct session *s)
{
	const struct inet *a = &s->config.address;
	const struct session_proxy *proxy = &s->config.proxy;
	struct socks_target target = {.name = a->len == 0 ? s->host : NULL, .port = inet_port(a)};

	if (a->any.sa_family == AF_INET6) {
		target.address_len = sizeof(a->v6.sin6_addr);
		memcpy(target.address, &a->v6.sin6_addr, target.address_len);
	} else {
		target.address_len = sizeof(a->v4.sin_addr);
		memcpy(target.address, &a->v4.sin_addr, target.address_len);
	}
	s->proxied = true;
	s->phase = PHASE_PROXY;
	socks_start(&s->socks, &target, proxy->user, proxy->password);
	session_proxy_go_on(s);
}

/* Write or read once. False: not now, or never again. */
static bool
exchange(struct session *s)
{
	unsigned char data[64];
	size_t len;
	const unsigned char *out = socks_output(&s->socks, &len);
	ssize_t n;

	if (out != NULL)
		n = stream_write(&s->stream, out, len);
	else {
		len = socks_wants(&s->socks);
		n = stream_read(&s->stream, data, len < sizeof(data) ? len : sizeof(data));
	}
	if (n == -1 && errno == EAGAIN)
		return false;
	if (n == -1 || (n == 0 && out == NULL)) {
		session_failed(
		    s, n == -1 ? stream_why(&s->stream) : "the proxy ended the connection");
		return false;
	}
	if (out != NULL)
		socks_wrote(&s->socks, (size_t)n);
	else
		socks_input(&s->socks, data, (size_t)n);
	return true;
}

void
session_proxy_go_on(struct session *s)
{
	while (!socks_over(&s->socks))
		if (!exchange(s))
			return;
	if (s->socks.state == SOCKS_DONE)
		session_connected(s);
	else
		session_failed(s, socks_why(&s->socks));
}
