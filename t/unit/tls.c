/* SPDX-License-Identifier: ISC */
/* Contexts that cannot be had, and why; and which connections resume the session of which. */
#include "net/tls.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mail/fingerprint.h"

#include "tap.h"

static const struct {
	struct tls_settings settings;
	const char *why; /* the beginning of it; "": none */
} cases[] = {
    {{"", "", "", "", ""}, ""},
    {{"/nonexistent", "", "", "", ""}, "CA certificates /nonexistent: No such file or directory"},
    {{"/dev/null", "", "", "", ""}, "CA certificates /dev/null: "},
    {{"", "/nonexistent", "", "", ""}, "CA certificates /nonexistent: No such file or directory"},
    {{"", "/dev/null", "", "", ""}, "CA certificates /dev/null: Not a directory"},
    {{"", "/", "", "", ""}, ""},
    {{"", "", "abcd", "", ""}, "fingerprint: not a SHA-256 digest"},
    {{"", "", "", "/nonexistent", ""}, "client certificate /nonexistent: No such file"},
    {{"", "", "", "/dev/null", ""}, "client certificate /dev/null: nothing of that kind in it"},
    {{"", "", "", "", "/nonexistent"}, "client key /nonexistent: a client certificate belongs to"},
};

static void
test_contexts(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char why[TLS_TEXT] = "";
		struct tls_context *ctx = tls_context_new(&cases[i].settings, why);

		ok((ctx != NULL) == (cases[i].why[0] == '\0'), "case %zu: %s", i, cases[i].why);
		is_mem(why, strnlen(why, strlen(cases[i].why)), cases[i].why, strlen(cases[i].why),
		    "… why");
		tls_context_free(ctx);
	}
}

/* In a process of its own, since OpenSSL reads its settings once. */
static void
test_broken_settings(void)
{
	char path[] = "/tmp/openssl.XXXXXX", why[TLS_TEXT] = "";
	int status = -1, fd = mkstemp(path);
	pid_t pid;

	dprintf(fd, "config_diagnostics = 1\nopenssl_conf = all\n[all]\nssl_conf = missing\n");
	close(fd);
	if ((pid = fork()) == 0) {
		const struct tls_settings settings = {"", "", "", "", ""};
		const struct tls_peer peer = {.name = "a:25", .host = "mx.example"};
		struct tls_context *ctx;
		struct tls *t;
		bool fails;

		setenv("OPENSSL_CONF", path, 1);
		ctx = tls_context_new(&settings, why);
		t = tls_new(ctx, -1, &peer);
		fails = !tls_pending(t) && tls_handshake(t) == -1 && errno == EPROTO &&
			*tls_why(t) != '\0';
		tls_free(t);
		tls_context_free(ctx);
		_exit(fails ? 0 : 1);
	}
	ok(waitpid(pid, &status, 0) == pid && status == 0,
	    "with bad settings of OpenSSL's a handshake fails, and says why");
	unlink(path);
}

/* A server whose certificate nobody has issued. */
static SSL_CTX *
make_server(unsigned char digest[FINGERPRINT_OCTETS])
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	SSL_CTX_use_certificate(ctx, x);
	SSL_CTX_use_PrivateKey(ctx, key);
	X509_digest(x, EVP_sha256(), digest, NULL);
	X509_free(x);
	EVP_PKEY_free(key);
	return ctx;
}

/* Both sides in turn; then a word of the server's, behind which its tickets have come. */
static bool
shake_hands(struct tls *t, SSL *server)
{
	char word[4];
	int there = -1, here = -1;

	for (int i = 0; i < 20 && (there == -1 || here != 1); i++) {
		if (there == -1 && (there = tls_handshake(t)) == -1 && errno != EAGAIN)
			return false;
		if (here != 1)
			here = SSL_accept(server);
	}
	return there == 0 && here == 1 && SSL_write(server, "word", 4) == 4 &&
	       tls_read(t, word, sizeof(word)) == 4;
}

/*
 * "failed", or what tls_describe() says last, and " again" where the session was resumed. breaks:
 * the server hangs up instead of a handshake.
 */
static const char *
meet(struct tls_context *ctx, SSL_CTX *server_ctx, const struct tls_peer *peer, bool breaks)
{
	static char text[128];
	char said[96];
	int fd[2];
	SSL *server = SSL_new(server_ctx);
	struct tls *t;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		return "no socket";
	SSL_set_fd(server, fd[1]);
	if (breaks)
		shutdown(fd[1], SHUT_RDWR);
	t = tls_new(ctx, fd[0], peer);
	snprintf(text, sizeof(text), "failed");
	if (shake_hands(t, server)) {
		tls_describe(t, said, sizeof(said));
		snprintf(text, sizeof(text), "%s%s", strrchr(said, ' ') + 1,
		    SSL_session_reused(server) ? " again" : "");
	}
	tls_free(t);
	SSL_free(server);
	close(fd[0]);
	close(fd[1]);
	return text;
}

static void
test_resumption(int version)
{
	static struct tlsa_set good = {.base = "mx.example"}, bad = {.base = "mx.example"};
	unsigned char record[3 + FINGERPRINT_OCTETS] = {3, 0, 1};
	char why[TLS_TEXT], pin[FINGERPRINT_TEXT];
	SSL_CTX *server = make_server(record + 3);
	struct tls_settings settings = {"", "", pin, "", ""};
	struct tls_context *ctx;
	const struct {
		struct tls_peer peer;
		const char *want;
	} meetings[] = {
	    {{"a:25", "mx.example", NULL, false, false, NULL}, "anonymous"},
	    {{"a:25", "mx.example", NULL, false, false, NULL}, "anonymous again"},
	    {{"a:25", "mx.example", NULL, true, false, NULL}, "failed"},
	    {{"a:25", "mx.example", NULL, true, false, NULL}, "failed"},
	    {{"a:25", "mx.example", NULL, false, false, NULL}, "anonymous again"},
	    {{"b:25", "mx.example", NULL, false, false, NULL}, "anonymous"},
	    {{"a:25", "mx.example", "example", false, false, NULL}, "anonymous"},
	    {{"a:25", "mx.example", NULL, true, true, NULL}, "pinned"},
	    {{"a:25", "mx.example", NULL, true, true, NULL}, "pinned again"},
	    {{"a:25", "mx.example", NULL, true, false, NULL}, "failed"},
	    {{"a:25", "mx.example", NULL, true, false, &good}, "dane"},
	    {{"a:25", "mx.example", NULL, true, false, &bad}, "failed"},
	    {{"a:25", "mx.example", NULL, true, false, &good}, "dane again"},
	    {{"a:25", "mx.example", NULL, true, false, &bad}, "failed"},
	    {{"a:25", "mx.example", NULL, true, false, NULL}, "failed"},
	};

	fingerprint_print(pin, record + 3);
	tlsa_add(&good, record, sizeof(record));
	record[3] ^= 1;
	tlsa_add(&bad, record, sizeof(record));
	ctx = tls_context_new(&settings, why);
	SSL_CTX_set_max_proto_version(server, version);
	for (size_t i = 0; i < sizeof(meetings) / sizeof(meetings[0]); i++) {
		const char *got = meet(ctx, server, &meetings[i].peer, false);

		ok(strcmp(got, meetings[i].want) == 0, "%x, meeting %zu: %s, wanted %s",
		    (unsigned)version, i, got, meetings[i].want);
	}
	is(meet(ctx, server, &meetings[0].peer, true), "failed", "a session that does not work");
	is(meet(ctx, server, &meetings[0].peer, false), "anonymous", "… is not tried again");
	tls_context_free(ctx);
	SSL_CTX_free(server);
}

/* Servers without end: the oldest session goes. */
static void
test_bound(void)
{
	unsigned char digest[FINGERPRINT_OCTETS];
	const struct tls_settings settings = {"", "", "", "", ""};
	char why[TLS_TEXT], name[16];
	struct tls_context *ctx = tls_context_new(&settings, why);
	SSL_CTX *server = make_server(digest);
	struct tls_peer peer = {.name = name, .host = "mx.example"};

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "%d:25", i);
		meet(ctx, server, &peer, false);
	}
	is(meet(ctx, server, &peer, false), "anonymous again", "the last of many servers is known");
	snprintf(name, sizeof(name), "0:25");
	is(meet(ctx, server, &peer, false), "anonymous", "the first is forgotten");
	tls_context_free(ctx);
	SSL_CTX_free(server);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_broken_settings(); /* first: OpenSSL has not begun yet */
	test_contexts();
	test_resumption(TLS1_2_VERSION);
	test_resumption(TLS1_3_VERSION);
	test_bound();
	return done();
}
