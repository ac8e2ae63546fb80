/* SPDX-License-Identifier: ISC */
/*
 * The program smtp, driven over its channel as flush drives it, against a small server of our own
 * that is told by a number how to misbehave. The program is ../libexec/pillarbox/smtp from here, or
 * $SMTP.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mail/envelope.h"
#include "sys/handoff.h"
#include "tap.h"

enum manners {
	GOOD,
	OFFER_TLS,       /* STARTTLS works */
	SPOIL_TLS,       /* … and the connection ends instead of the handshake */
	DROP_IN_BODY,    /* the connection ends after the 354, the first time */
	ONE_EACH,        /* a message a connection, then 421 */
	EARLY_250,       /* the reply to the dot before the dot */
	SILENT_CLOSE,    /* a message a connection, then nothing at all */
	REFUSE_GREETING, /* 554 */
};

/* Seen by both processes. */
static struct seen {
	unsigned connections, messages, tls;
	size_t len;
	char message[65536]; /* the last one, as it came, without the dot */
	char auth[256];
} * seen;

static SSL_CTX *server_ctx;
static char cert_file[PATH_MAX];

static void
make_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_EXTENSION *san;
	FILE *fp;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
	X509_add_ext(x, san, -1);
	X509_EXTENSION_free(san);
	X509_sign(x, key, EVP_sha256());
	server_ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(server_ctx, x);
	SSL_CTX_use_PrivateKey(server_ctx, key);
	fp = fopen(cert_file, "w");
	if (fp == NULL || PEM_write_X509(fp, x) != 1 || fclose(fp) != 0)
		err(1, "%s", cert_file);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* The server: one connection at a time. */

struct peer {
	int fd;
	SSL *ssl;
	size_t len, at;
	char data[16384];
};

static void
say(struct peer *p, const char *text)
{
	if (p->ssl != NULL)
		SSL_write(p->ssl, text, (int)strlen(text));
	else if (write(p->fd, text, strlen(text)) == -1)
		return;
}

/* A line without its CRLF. False: the end. */
static bool
hear(struct peer *p, char *line, size_t size)
{
	size_t n = 0;

	for (;;) {
		if (p->at == p->len) {
			ssize_t r = p->ssl != NULL ? SSL_read(p->ssl, p->data, sizeof(p->data))
						   : read(p->fd, p->data, sizeof(p->data));
			if (r <= 0)
				return false;
			p->len = (size_t)r;
			p->at = 0;
		}
		char c = p->data[p->at++];
		if (c == '\n')
			break;
		if (n < size - 1)
			line[n++] = c;
	}
	line[n > 0 && line[n - 1] == '\r' ? n - 1 : n] = '\0';
	return true;
}

static bool
hear_message(struct peer *p)
{
	char line[2048];

	seen->len = 0;
	while (hear(p, line, sizeof(line))) {
		if (strcmp(line, ".") == 0)
			return true;
		seen->len += (size_t)snprintf(
		    seen->message + seen->len, sizeof(seen->message) - seen->len, "%s\r\n", line);
	}
	return false;
}

static bool
start_tls(struct peer *p, enum manners how)
{
	say(p, "220 go\r\n");
	if (how == SPOIL_TLS)
		return false;
	p->ssl = SSL_new(server_ctx);
	SSL_set_fd(p->ssl, p->fd);
	p->len = p->at = 0;
	seen->tls++;
	return SSL_accept(p->ssl) == 1;
}

static void
say_hello(struct peer *p, enum manners how)
{
	say(p, "250-test\r\n250-PIPELINING\r\n250-8BITMIME\r\n");
	if (p->ssl == NULL && (how == OFFER_TLS || how == SPOIL_TLS))
		say(p, "250-STARTTLS\r\n");
	if (p->ssl != NULL || how == GOOD)
		say(p, "250-AUTH PLAIN LOGIN\r\n");
	say(p, "250 SIZE 0\r\n");
}

static bool
data(struct peer *p, enum manners how)
{
	if (how == EARLY_250)
		say(p, "354 go\r\n250 2.0.0 done\r\n");
	else
		say(p, "354 go\r\n");
	if (how == DROP_IN_BODY && seen->connections == 1)
		return false;
	if (!hear_message(p))
		return false;
	seen->messages++;
	say(p, "250 2.0.0 taken\r\n");
	return how != SILENT_CLOSE;
}

static void
serve(struct peer *p, enum manners how)
{
	char line[2048];
	unsigned taken = 0;

	say(p, how == REFUSE_GREETING ? "554 no\r\n" : "220 test\r\n");
	while (hear(p, line, sizeof(line))) {
		if (strncmp(line, "EHLO", 4) == 0)
			say_hello(p, how);
		else if (strcmp(line, "STARTTLS") == 0) {
			if (!start_tls(p, how))
				return;
		} else if (strncmp(line, "AUTH", 4) == 0) {
			snprintf(seen->auth, sizeof(seen->auth), "%.255s", line);
			say(p, "235 ok\r\n");
		} else if (strncmp(line, "MAIL", 4) == 0 && how == ONE_EACH && taken > 0) {
			say(p, "421 4.3.2 enough\r\n");
			return;
		} else if (strncmp(line, "RCPT TO:<bad", 12) == 0)
			say(p, "550 5.1.1 nobody\r\n");
		else if (strcmp(line, "DATA") == 0) {
			taken++;
			if (!data(p, how))
				return;
		} else if (strcmp(line, "QUIT") == 0) {
			say(p, "221 bye\r\n");
			return;
		} else
			say(p, "250 ok\r\n");
	}
}

static void
run_server(int sock, enum manners how)
{
	int on = 1;

	for (;;) {
		static struct peer p;

		memset(&p, 0, sizeof(p));
		p.fd = accept(sock, NULL, NULL);
		if (p.fd == -1)
			_exit(1);
		setsockopt(p.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		seen->connections++;
		serve(&p, how);
		if (p.ssl != NULL)
			SSL_free(p.ssl);
		shutdown(p.fd, SHUT_WR);
		close(p.fd);
	}
}

static int
listen_here(uint16_t *port)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (sock == -1 || bind(sock, (struct sockaddr *)&in, len) == -1 || listen(sock, 10) == -1 ||
	    getsockname(sock, (struct sockaddr *)&in, &len) == -1)
		err(1, "listen");
	*port = ntohs(in.sin_port);
	return sock;
}

static pid_t
start_server(uint16_t *port, enum manners how)
{
	int sock = listen_here(port);
	pid_t pid = fork();

	memset(seen, 0, sizeof(*seen));
	if (pid == 0)
		run_server(sock, how);
	close(sock);
	return pid;
}

/* flush's side. */

#ifdef __SANITIZE_ADDRESS__
#define SANDBOX "off" /* the search for leaks looks into /proc */
#else
#define SANDBOX "kill"
#endif

static const char *program;
static pid_t smtp_pid;

static int
start_smtp(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1 ||
	    (smtp_pid = fork()) == -1)
		err(1, "smtp");
	if (smtp_pid == 0) {
		if (fd[1] == 3)
			fcntl(3, F_SETFD, 0);
		else
			dup2(fd[1], 3);
		setenv("ASAN_OPTIONS", "detect_leaks=1", 1);
		execl(program, "smtp", (char *)NULL);
		err(1, "%s", program);
	}
	close(fd[1]);
	return fd[0];
}

static int
smtp_with(const char *scheme, const char *host, uint16_t port, const char *ca)
{
	struct handoff_packer p;
	char url[300];
	int fd = start_smtp();

	snprintf(url, sizeof(url), "%s://%s:%u", scheme, host, port);
	handoff_settings_begin(&p, fd);
	handoff_settings_add(&p, "relay", "url", url);
	handoff_settings_add(&p, "mail", "hostname", "client.example");
	handoff_settings_add(&p, "relay", "password", "geheim");
	handoff_settings_add(&p, "tls", "ca_file", ca);
	handoff_settings_add(&p, "smtp", "sandbox", SANDBOX);
	handoff_settings_end(&p);
	return fd;
}

static void
send_job(int fd, uint32_t number, const char *file, size_t len, uint32_t nrcpt)
{
	union handoff_message m = {.job = {.type = HANDOFF_JOB, .job = number, .nrcpt = nrcpt}};
	char path[] = "/tmp/session-test-XXXXXX";
	int spool = mkostemp(path, O_CLOEXEC);

	if (spool == -1 || write(spool, file, len) != (ssize_t)len)
		err(1, "%s", path);
	unlink(path);
	for (uint32_t i = 0; i < nrcpt; i++)
		m.job.rcpt[i] = i;
	handoff_send(fd, &m, spool);
	close(spool);
}

static void
send_mail(int fd, uint32_t number, const char *text, bool dots, const char *second)
{
	struct envelope e = {.id = {"0QK3ZP7V2M9X"},
	    .size = strlen(text),
	    .body = BODY_8BITMIME,
	    .dots = dots,
	    .from = strdup("me@client.example")};
	struct buf file = BUF_INIT(1 << 20);

	envelope_add(&e, "good@example.org");
	if (second != NULL)
		envelope_add(&e, second);
	envelope_print(&file, &e);
	buf_adds(&file, text);
	send_job(fd, number, file.data, file.len, (uint32_t)e.nrcpt);
	buf_free(&file);
	envelope_free(&e);
}

/* The next message from smtp, within ten seconds, but for that a job has begun. */
static bool
next(int fd, union handoff_message *m)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int passed = -1;

	do {
		memset(m, 0, sizeof(*m));
		if (poll(&p, 1, 10000) != 1 || handoff_receive(fd, m, &passed) != 1)
			return false;
	} while (m->type == HANDOFF_BEGUN);
	return true;
}

static void
expect(int fd, uint32_t job, const char *status, const char *text)
{
	union handoff_message m;
	char got[STATUS_LEN];

	if (!ok(next(fd, &m) && m.type == HANDOFF_RESULT, "a result of job %u", job))
		return;
	is_int(m.result.job, job, "of that job");
	is(status_print(got, m.result.outcome.status), status, "its status");
	if (!ok(strstr(m.result.outcome.text, text) != NULL, "its text has: %s", text))
		printf("# got: %s\n", m.result.outcome.text);
	printf("# relay=%s tls=%s %u/%u/%u %s\n", m.result.relay, m.result.tls, m.result.waited,
	    m.result.connected, m.result.sent, m.result.outcome.text);
}

static void
expect_done(int fd, uint32_t job)
{
	union handoff_message m;

	ok(next(fd, &m) && m.type == HANDOFF_DONE && m.done.job == job, "job %u is over", job);
}

static void
stop(int fd, pid_t server)
{
	int status = -1;

	close(fd);
	waitpid(smtp_pid, &status, 0);
	is_int(status, 0, "smtp ends well");
	if (server > 0) {
		kill(server, SIGTERM);
		waitpid(server, NULL, 0);
	}
}

#define TEXT "Subject: x\r\n\r\nhello\r\n"

static void
test_plain(void)
{
	uint16_t port;
	pid_t server = start_server(&port, GOOD);
	int fd = smtp_with("smtp", "127.0.0.1", port, "");

	send_mail(fd, 1, TEXT, false, NULL);
	expect(fd, 1, "2.0.0", "250 2.0.0 taken");
	expect_done(fd, 1);
	send_mail(fd, 2, TEXT ".dot\r\n..\r\n", true, "bad@example.org");
	expect(fd, 2, "5.1.1", "550 5.1.1 nobody");
	expect(fd, 2, "2.0.0", "taken");
	expect_done(fd, 2);
	is_mem(seen->message, seen->len, TEXT "..dot\r\n...\r\n", strlen(TEXT) + 12, "stuffed");
	is_int(seen->connections, 1, "one connection");
	stop(fd, server);
}

static void
test_many(void)
{
	uint16_t port;
	pid_t server = start_server(&port, GOOD);
	int fd = smtp_with("smtp+notls", "user@127.0.0.1", port, "");
	static char large[50001];
	union handoff_message m;
	unsigned good = 0, over = 0;

	memset(large, 'x', sizeof(large) - 1);
	for (size_t i = 60; i < sizeof(large); i += 60)
		memcpy(large + i - 2, "\r\n", 2);
	strcpy(large + sizeof(large) - 3, "\r\n");
	for (uint32_t i = 0; i < HANDOFF_JOBS; i++)
		send_mail(fd, i, i == 7 ? large : TEXT, false, NULL);
	while (over < HANDOFF_JOBS && next(fd, &m)) {
		good += m.type == HANDOFF_RESULT && m.result.outcome.status.class == 2;
		over += m.type == HANDOFF_DONE;
	}
	is_int(good, HANDOFF_JOBS, "all delivered");
	is_int(seen->messages, HANDOFF_JOBS, "… and seen");
	is(seen->auth, "AUTH PLAIN AHVzZXIAZ2VoZWlt", "account used on loopback");
	stop(fd, server);
}

static void
test_tls(void)
{
	uint16_t port;
	pid_t server = start_server(&port, OFFER_TLS);
	int fd = smtp_with("smtp", "localhost", port, "");

	send_mail(fd, 1, TEXT, false, NULL);
	expect(fd, 1, "2.0.0", "taken");
	expect_done(fd, 1);
	is_int(seen->tls, 1, "STARTTLS is used when offered");
	stop(fd, server);

	server = start_server(&port, OFFER_TLS);
	fd = smtp_with("smtp+tls", "user@localhost", port, cert_file);
	send_mail(fd, 1, TEXT, false, NULL);
	expect(fd, 1, "2.0.0", "taken");
	expect_done(fd, 1);
	is(seen->auth, "AUTH PLAIN AHVzZXIAZ2VoZWlt", "account used over verified TLS");
	stop(fd, server);

	server = start_server(&port, OFFER_TLS);
	fd = smtp_with("smtp+tls", "user@localhost", port, "");
	send_mail(fd, 1, TEXT, false, NULL);
	expect(fd, 1, "4.7.5", "certificate verify failed: self-signed certificate");
	expect_done(fd, 1);
	is(seen->auth, "", "no password without verification");
	stop(fd, server);

	server = start_server(&port, OFFER_TLS);
	fd = smtp_with("smtp+tls", "127.0.0.1", port, cert_file);
	send_mail(fd, 1, TEXT, false, NULL);
	expect(fd, 1, "4.7.5", "it is not for 127.0.0.1 but for localhost");
	expect_done(fd, 1);
	stop(fd, server);

	server = start_server(&port, SPOIL_TLS);
	fd = smtp_with("smtp", "127.0.0.1", port, "");
	send_mail(fd, 1, TEXT, false, NULL);
	expect(fd, 1, "2.0.0", "taken");
	expect_done(fd, 1);
	is_int(seen->connections, 2, "a failed handshake: again in plain");
	stop(fd, server);
}

static void
test_trouble(void)
{
	uint16_t port;
	pid_t server = start_server(&port, DROP_IN_BODY);
	int fd = smtp_with("smtp", "127.0.0.1", port, "");

	send_mail(fd, 1, TEXT, false, NULL);
	send_mail(fd, 2, TEXT, false, NULL);
	expect(fd, 1, "4.4.2", "lost connection with 127.0.0.1[127.0.0.1]");
	expect_done(fd, 1);
	expect(fd, 2, "2.0.0", "taken");
	expect_done(fd, 2);
	stop(fd, server);

	for (enum manners how = ONE_EACH; how <= SILENT_CLOSE; how++) {
		if (how == EARLY_250)
			continue;
		server = start_server(&port, how);
		fd = smtp_with("smtp", "127.0.0.1", port, "");
		for (uint32_t i = 1; i <= 5; i++)
			send_mail(fd, i, TEXT, false, NULL);
		for (uint32_t i = 1; i <= 5; i++) {
			expect(fd, i, "2.0.0", "taken");
			expect_done(fd, i);
		}
		is_int(seen->connections, 5, "a connection each");
		stop(fd, server);
	}

	server = start_server(&port, EARLY_250);
	fd = smtp_with("smtp", "127.0.0.1", port, "");
	send_mail(fd, 1, TEXT, false, NULL);
	expect(fd, 1, "4.5.0", "protocol error");
	expect_done(fd, 1);
	stop(fd, server);

	server = start_server(&port, REFUSE_GREETING);
	fd = smtp_with("smtp", "127.0.0.1", port, "");
	send_mail(fd, 1, TEXT, false, NULL);
	expect(fd, 1, "4.3.2", "refused to talk to me: 554 no");
	expect_done(fd, 1);
	stop(fd, server);
}

static void
test_nobody(void)
{
	uint16_t port;
	int sock = listen_here(&port), fd;

	close(sock);
	fd = smtp_with("smtp", "127.0.0.1", port, "");
	send_mail(fd, 1, TEXT, false, NULL);
	expect(fd, 1, "4.4.1", "Connection refused");
	expect_done(fd, 1);
	stop(fd, 0);

	fd = smtp_with("smtp+tls", "127.0.0.1", port, "/nonexistent/ca.pem");
	send_mail(fd, 1, TEXT, false, NULL);
	expect(fd, 1, "4.3.5", "/nonexistent/ca.pem: No such file");
	expect_done(fd, 1);
	stop(fd, 0);

	fd = smtp_with("gopher", "127.0.0.1", port, "");
	send_mail(fd, 1, TEXT, false, NULL);
	expect(fd, 1, "4.3.5", "relay.url");
	expect_done(fd, 1);
	stop(fd, 0);
}

static void
test_damaged(void)
{
	uint16_t port;
	pid_t server = start_server(&port, GOOD);
	int fd = smtp_with("smtp", "127.0.0.1", port, "");

	send_job(fd, 1, "pillarbox 1\nwhat is this", 24, 2);
	expect(fd, 1, "4.3.0", "damaged");
	expect(fd, 1, "4.3.0", "damaged");
	expect_done(fd, 1);
	send_job(fd, 2, "", 0, 1);
	expect(fd, 2, "4.3.0", "damaged");
	expect_done(fd, 2);
	send_mail(fd, 3, "no line end", false, NULL);
	expect(fd, 3, "4.3.0", "no line end");
	expect_done(fd, 3);
	send_mail(fd, 4, TEXT ".\r\nMAIL FROM:<>\r\n", true, NULL);
	expect(fd, 4, "2.0.0", "taken");
	expect_done(fd, 4);
	stop(fd, server);
}

/* A hundred recipients in each of twenty messages, and nobody reads the results for a while. */
static void
test_full_channel(void)
{
	uint16_t port;
	pid_t server = start_server(&port, GOOD);
	int fd = smtp_with("smtp", "127.0.0.1", port, "");
	struct envelope e = {.id = {"0QK3ZP7V2M9X"}, .size = strlen(TEXT), .from = strdup("")};
	struct buf file = BUF_INIT(1 << 20);
	union handoff_message m;
	unsigned good = 0, over = 0;

	for (int i = 0; i < HANDOFF_RCPTS; i++)
		envelope_add(&e, "good@example.org");
	envelope_print(&file, &e);
	buf_adds(&file, TEXT);
	for (uint32_t i = 0; i < 20; i++)
		send_job(fd, i, file.data, file.len, HANDOFF_RCPTS);
	for (int i = 0; i < 100 && seen->messages < 20; i++)
		usleep(20000);
	while (over < 20 && next(fd, &m)) {
		good += m.type == HANDOFF_RESULT && m.result.outcome.status.class == 2;
		over += m.type == HANDOFF_DONE;
	}
	is_int(good, 20 * HANDOFF_RCPTS, "every result comes through a full channel");
	buf_free(&file);
	envelope_free(&e);
	stop(fd, server);
}

/* SIGTERM: as the end of file. The channel's death in the middle of a message: the end at once. */
static void
test_ends(void)
{
	uint16_t port;
	pid_t server = start_server(&port, GOOD);
	int fd = smtp_with("smtp", "127.0.0.1", port, ""), sock;

	send_mail(fd, 1, TEXT, false, NULL);
	expect(fd, 1, "2.0.0", "taken");
	expect_done(fd, 1);
	kill(smtp_pid, SIGTERM);
	stop(fd, server);

	sock = listen_here(&port); /* takes connections, and says nothing */
	fd = smtp_with("smtp", "127.0.0.1", port, "");
	send_mail(fd, 1, TEXT, false, NULL);
	close(accept(sock, NULL, NULL));
	expect(fd, 1, "4.4.2", "lost connection");
	expect_done(fd, 1);
	send_mail(fd, 2, TEXT, false, NULL);
	expect(fd, 2, "4.4.2", "lost connection"); /* sent too soon: no attempt of its own */
	expect_done(fd, 2);
	stop(fd, 0);

	fd = smtp_with("smtp", "127.0.0.1", port, "");
	send_mail(fd, 1, TEXT, false, NULL);
	accept(sock, NULL, NULL);
	stop(fd, 0);
	close(sock);
}

int
main(void)
{
	char self[PATH_MAX] = "", path[PATH_MAX + 32];

	signal(SIGPIPE, SIG_IGN);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) == -1)
		err(1, "/proc/self/exe");
	snprintf(path, sizeof(path), "%s/../libexec/pillarbox/smtp", dirname(self));
	program = getenv("SMTP") != NULL ? getenv("SMTP") : path;
	snprintf(cert_file, sizeof(cert_file), "/tmp/session-test-%d.pem", getpid());
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED)
		err(1, "mmap");
	make_certificate();
	test_plain();
	test_many();
	test_tls();
	test_trouble();
	test_nobody();
	test_damaged();
	test_full_channel();
	test_ends();
	unlink(cert_file);
	SSL_CTX_free(server_ctx);
	return done();
}
