/* SPDX-License-Identifier: ISC */
#include "mail/rewrite.h"
#include "mail/route.h"
#include "sys/config.h"
#include "tap.h"

static void
set(struct settings *s, const char *section, const char *key, const char *value)
{
	const char *why;

	if (settings_set(s, section, key, value, "test", &why) == -1)
		ok(false, "%s.%s: %s", section, key, why);
}

static void
defaults(void)
{
	struct settings s;

	is_int(settings_default(&s), 0, "defaults");
	is(s.relay_url, "", "no relay");
	is(s.queue_dir, SPOOLDIR, "the spool");
	is(s.queue_socket, RUNDIR "/socket", "the socket");
	is_int(s.queue_lifetime, 5 * 86400, "lifetime in seconds");
	is_int(s.queue_deliver, DELIVER_BACKGROUND, "deliver");
	is_int(s.tls_policy, TLS_POLICY_AUTO, "policy");
	is_int(s.smtp_connections, 5, "connections");
	is_int((long)s.queue_message_size, 0, "any size of a message");
	is(s.log_to, "auto", "log");
	is(s.rewrite_header_from, "", "no rewriting");
	is_int(s.rewrite_keep, KEEP_REPLY_TO, "keep");
	is(buf_str(&s.errors), "", "the table's defaults are good values");
	ok(!s.relay_broken, "and break nothing");
	settings_free(&s);
}

static const struct {
	const char *section, *key, *value, *why;
} values[] = {
    {"queue", "wait", "90", NULL},
    {"queue", "wait", "90s", NULL},
    {"queue", "wait", "0", NULL},
    {"queue", "wait", "3650d", NULL},
    {"queue", "wait", "", NULL},
    {"queue", "wait", "3651d", "longer than ten years"},
    {"queue", "wait", "999999999d", "longer than ten years"},
    {"queue", "wait", "9999999999", "not a duration such as 90s, 5m, 2h or 5d"},
    {"queue", "wait", "-1", "not a duration such as 90s, 5m, 2h or 5d"},
    {"queue", "wait", "+1", "not a duration such as 90s, 5m, 2h or 5d"},
    {"queue", "wait", "1.5h", "not a duration such as 90s, 5m, 2h or 5d"},
    {"queue", "wait", "1hour", "not a duration such as 90s, 5m, 2h or 5d"},
    {"queue", "wait", "s", "not a duration such as 90s, 5m, 2h or 5d"},
    {"queue", "wait", "1H", "not a duration such as 90s, 5m, 2h or 5d"},
    {"queue", "retry", "30s, 1m", NULL},
    {"queue", "retry", "", NULL},
    {"queue", "retry", "soon", "not a list of durations such as 1m, 5m, 1h"},
    {"smtp", "connections", "1", NULL},
    {"smtp", "connections", "1000000", NULL},
    {"smtp", "connections", "0", "not a number from 1 to 1000000"},
    {"smtp", "connections", "1000001", "not a number from 1 to 1000000"},
    {"smtp", "connections", "99999999999999999999", "not a number from 1 to 1000000"},
    {"smtp", "connections", "5x", "not a number from 1 to 1000000"},
    {"queue", "message_size", "0", NULL},
    {"queue", "message_size", "500", NULL},
    {"queue", "message_size", "500k", NULL},
    {"queue", "message_size", "999999999999", NULL},
    {"queue", "message_size", "1000000000000", "larger than a message can be"},
    {"queue", "message_size", "99999999999999999999999", "larger than a message can be"},
    {"queue", "message_size", "931G", NULL},
    {"queue", "message_size", "932G", "larger than a message can be"},
    {"queue", "message_size", "M", "not a size such as 500k, 25M or 2G"},
    {"queue", "message_size", "1MB", "not a size such as 500k, 25M or 2G"},
    {"queue", "message_size", "-1", "not a size such as 500k, 25M or 2G"},
    {"queue", "owner_messages", "0", NULL},
    {"queue", "owner_messages", "1000", NULL},
    {"smtp", "chunking", "no", NULL},
    {"smtp", "chunking", "yes", NULL},
    {"smtp", "chunking", "maybe", "not one of no, yes"},
    {"smtp", "connections", " 5", "not a number from 1 to 1000000"},
    {"queue", "deliver", "background", NULL},
    {"queue", "deliver", "queue", NULL},
    {"queue", "deliver", "foreground", NULL},
    {"queue", "deliver", "fore", "not one of background, queue, foreground"},
    {"queue", "deliver", "Queue", "not one of background, queue, foreground"},
    {"tls", "policy", "verify", NULL},
    {"tls", "policy", "dane", NULL},
    {"tls", "policy", "secure", "not one of auto, none, may, encrypt, verify, dane"},
    {"tls", "policies", "a.example = verify, * = may", NULL},
    {"tls", "policies", "a.example", "not a rule such as example.org = verify"},
    {"tls", "fingerprint", "abcd", "not a SHA-256 digest: 64 hexadecimal digits, colons allowed"},
    {"queue", "dir", "/a b", NULL},
    {"queue", "dir", "spool", "not an absolute path"},
    {"rewrite", "envelope_from", "", NULL},
    {"rewrite", "envelope_from", "root@* = cron@example.org, *@example.org", NULL},
    {"rewrite", "header_from", "cron", "not a rule such as root@* = cron@example.org"},
    {"rewrite", "reply_to", "a@b, c@d", "a rule behind one that matches everything"},
    {"rewrite", "keep", "none", NULL},
    {"rewrite", "keep", "", NULL},
    {"rewrite", "keep", "yes", "not one of reply-to, x-original-from, none"},
    {"relay", "auth", "", NULL},
    {"relay", "auth", "scram-sha-256, PLAIN XOAUTH2", NULL},
    {"relay", "auth", "PLAIN GSSAPI",
	"not a list of SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, "
	"LOGIN, CRAM-MD5, OAUTHBEARER, XOAUTH2, EXTERNAL"},
    {"relay", "url", "", NULL},
    {"relay", "url", "smtp://relay.example:2525", NULL},
    {"relay", "url", "smtps://a, smtp+tls://b", NULL},
    {"relay", "url", "smtps://a, b", "not of the form scheme://host"},
    {"smtp", "family", "ipv6", NULL},
    {"smtp", "family", "6", "not one of any, ipv4, ipv6"},
    {"smtp", "sandbox", "refuse", NULL},
    {"smtp", "sandbox", "no", "not one of kill, refuse, off"},
    {"smtp", "bind_address", "::1, 127.0.0.1", NULL},
    {"smtp", "bind_address", "localhost",
	"not an IPv4 address, an IPv6 address, or one of each"},
    {"relay", "fallback", "smtp://a?mx", NULL},
    {"smtp", "proxy", "", NULL},
    {"smtp", "proxy", "socks5://u:p@localhost:9050", NULL},
    {"smtp", "proxy", "SOCKS5://[::1]/", NULL},
    {"smtp", "proxy", "http://localhost", "not socks5://host[:port]"},
    {"smtp", "proxy", "socks5://d.example?mx", "not socks5://host[:port]"},
    {"mail", "domain", "a\nb", "control character"},
    {"mail", "domain", "a\x7f", "control character"},
    {"mail", "domain", "caf\xc3\xa9.example", NULL},
    {"mail", "nothing", "x", "unknown key"},
    {"mail", "", "x", "unknown key"},
    {"mai", "domain", "x", "unknown section"},
    {"", "", "", "unknown section"},
};

static void
each_value(void)
{
	struct settings s;

	settings_default(&s);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		const char *why = NULL, *want = values[i].why;
		int r = settings_set(
		    &s, values[i].section, values[i].key, values[i].value, "test", &why);
		ok(r == (want != NULL ? -1 : 0) &&
			(want == NULL || (why != NULL && strcmp(why, want) == 0)),
		    "value %zu: %s", i, r == 0 ? "taken" : why);
	}
	settings_free(&s);
}

static void
keeping(void)
{
	static char longest[SECRET_LEN + 1];
	struct settings s;
	const char *why;

	settings_default(&s);
	settings_set(&s, "queue", "lifetime", "2h", "test", &why);
	is_int(s.queue_lifetime, 7200, "2h");
	settings_set(&s, "queue", "lifetime", "never", "test", &why);
	is_int(s.queue_lifetime, 7200, "a bad value changes nothing");
	settings_set(&s, "queue", "retry", "5m", "test", &why);
	settings_set(&s, "queue", "retry", "", "test", &why);
	is(s.queue_retry, "1m, 2m, 5m, 10m, 20m, 40m, 1h", "an empty list is the default, too");
	settings_set(&s, "queue", "lifetime", "", "test", &why);
	is_int(s.queue_lifetime, 5 * 86400, "an empty one is the default");
	settings_set(&s, "queue", "socket", "", "test", &why);
	is(s.queue_socket, "", "but for a text it is no text");
	settings_set(&s, "tls", "policy", "encrypt", "test", &why);
	is_int(s.tls_policy, TLS_POLICY_ENCRYPT, "encrypt");
	settings_set(&s, "queue", "deliver", "foreground", "test", &why);
	is_int(s.queue_deliver, DELIVER_FOREGROUND, "foreground");
	settings_set(&s, "rewrite", "keep", "none", "test", &why);
	is_int(s.rewrite_keep, KEEP_NONE, "none");
	settings_set(&s, "rewrite", "header_from", "*@* = a@b", "test", &why);
	settings_set(&s, "rewrite", "header_from", "a@b@c", "test", &why);
	is(s.rewrite_header_from, "*@* = a@b", "rules stay when others are bad");
	ok(settings_set(&s, "relay", "url", "gopher://x", "test", &why) == -1 && why != NULL,
	    "a URL is parsed: %s", why);
	memset(longest, 'x', sizeof(longest) - 2);
	is_int(settings_set(&s, "relay", "password", longest, "test", &why), 0, "a long password");
	longest[sizeof(longest) - 2] = 'x';
	is_int(settings_set(&s, "relay", "password", longest, "test", &why), -1, "one too long");
	is(why, "too long", "says so");
	settings_free(&s);
}

static int
copy(void *arg, const char *section, const char *key, const char *value)
{
	const char *why;

	return settings_set(arg, section, key, value, "copy", &why);
}

static int
stop(void *arg, const char *section, const char *key, const char *value)
{
	(void)section, (void)key, (void)value;
	return ++*(int *)arg == 3 ? 42 : 0;
}

static void
handing_over(void)
{
	struct settings s, t;
	struct buf b = BUF_INIT(64 * 1024);
	int calls = 0;

	settings_default(&s);
	set(&s, "relay", "password", "p  w");
	set(&s, "queue", "lifetime", "2h");
	set(&s, "queue", "deliver", "foreground");
	set(&s, "tls", "policy", "encrypt");
	set(&s, "smtp", "connections", "9");
	set(&s, "rewrite", "reply_to", "a@* = b@*, *@c");
	set(&s, "rewrite", "keep", "x-original-from");
	set(&s, "relay.work", "from", "*@work.example");
	set(&s, "relay.work", "password", "secret");
	settings_default(&t);
	is_int(settings_each(&s, copy, &t), 0, "each value is taken again");
	is(t.relay_password, "p  w", "a secret");
	is_int(t.queue_lifetime, 7200, "seconds");
	is_int(t.queue_deliver, DELIVER_FOREGROUND, "a choice");
	is_int(t.tls_policy, TLS_POLICY_ENCRYPT, "another");
	is_int(t.smtp_connections, 9, "a number");
	is(t.rewrite_reply_to, "a@* = b@*, *@c", "rules");
	is_int(t.rewrite_keep, KEEP_X_ORIGINAL_FROM, "keep");
	is_int((long long)t.nrelays, 1, "a relay with a name");
	is(t.relay[0].from, "*@work.example", "… its senders");
	is(t.relay[0].password, "secret", "… its password");
	settings_print(&b, &t);
	ok(strstr(buf_str(&b), "smtp.connections = 9    ; copy\n") != NULL, "source");
	is_int(settings_each(&s, stop, &calls), 42, "stops");
	is_int(calls, 3, "at once");
	settings_free(&s);
	settings_free(&t);
	buf_free(&b);
}

int
main(void)
{
	defaults();
	each_value();
	keeping();
	handing_over();
	return done();
}
