/* SPDX-License-Identifier: ISC */
/*
 * Sessions to be resumed, TLS 1.2 and 1.3. A session is kept under a digest of all that decides
 * what its server is held to be, together with that verdict, for the certificate is not looked at
 * again when it is resumed: so a connection with other demands never finds it. One that did not
 * satisfy its demands is not kept.
 */
#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "net/tls_impl.h"

#define KEPT 3600 /* seconds that a certificate is not looked at again */

static struct tls_cached *
find(struct tls_context *c, const unsigned char key[TLS_KEY])
{
	for (size_t i = 0; i < TLS_CACHED; i++)
		if (c->cached[i].session != NULL && memcmp(c->cached[i].key, key, TLS_KEY) == 0)
			return &c->cached[i];
	return NULL;
}

/* A free place, or the one that was used longest ago. */
static struct tls_cached *
place(struct tls_context *c)
{
	struct tls_cached *best = &c->cached[0];

	for (size_t i = 0; i < TLS_CACHED; i++) {
		if (c->cached[i].session == NULL)
			return &c->cached[i];
		if (c->cached[i].used < best->used)
			best = &c->cached[i];
	}
	return best;
}

static void
forget(struct tls_cached *e)
{
	SSL_SESSION_free(e->session);
	e->session = NULL;
}

/* OpenSSL has a new session for us: 1 when it is kept, and ours. */
static int
keep(SSL *ssl, SSL_SESSION *session)
{
	struct tls *t = SSL_get_app_data(ssl);
	struct tls_context *c = t->context;
	enum tls_verdict verdict = tls_verdict(t);
	struct tls_cached *e = find(c, t->key);

	if (t->verify && verdict == TLS_ANONYMOUS)
		return 0;
	if (e == NULL)
		e = place(c);
	forget(e);
	*e = (struct tls_cached){.session = session, .verdict = verdict, .used = ++c->uses};
	e->since = SSL_session_reused(ssl) ? t->since : (int64_t)time(NULL);
	memcpy(e->key, t->key, TLS_KEY);
	return 1;
}

void
tls_cache_init(struct tls_context *c)
{
	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c->ctx, keep);
}

int
tls_cache_key(struct tls *t, const struct tls_peer *peer)
{
	const char *also = peer->also != NULL ? peer->also : "";
	const unsigned char demands[] = {t->verify, t->pinned, t->dane};
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int done;

	done = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	       EVP_DigestUpdate(md, demands, sizeof(demands)) == 1 &&
	       EVP_DigestUpdate(md, peer->name, strlen(peer->name) + 1) == 1 &&
	       EVP_DigestUpdate(md, t->host, strlen(t->host) + 1) == 1 &&
	       EVP_DigestUpdate(md, also, strlen(also) + 1) == 1 &&
	       (!t->dane || EVP_DigestUpdate(md, peer->tlsa->octets, peer->tlsa->len) == 1) &&
	       EVP_DigestFinal_ex(md, t->key, NULL) == 1;
	EVP_MD_CTX_free(md);
	return done;
}

/* One of TLS 1.3 serves once (RFC 8446 C.4): the server sends new ones. */
void
tls_cache_offer(struct tls *t)
{
	struct tls_cached *e = find(t->context, t->key);
	int64_t age;

	if (e == NULL)
		return;
	age = (int64_t)time(NULL) - e->since;
	if (age < 0 || age > KEPT || SSL_SESSION_is_resumable(e->session) != 1 ||
	    SSL_set_session(t->ssl, e->session) != 1) {
		forget(e);
		return;
	}
	t->resumed = e->verdict;
	t->since = e->since;
	e->used = ++t->context->uses;
	if (SSL_SESSION_get_protocol_version(e->session) >= TLS1_3_VERSION)
		forget(e);
}

void
tls_cache_drop(struct tls *t)
{
	struct tls_cached *e = find(t->context, t->key);

	if (e != NULL)
		forget(e);
}

void
tls_cache_free(struct tls_context *c)
{
	for (size_t i = 0; i < TLS_CACHED; i++)
		forget(&c->cached[i]);
}
