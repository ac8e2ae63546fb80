/* SPDX-License-Identifier: ISC */
/*
 * What a transcript cannot say of the client: lengths, times, what is left behind.
 */
#include "mail/smtp_client.h"

#include "mail/reply.h"
#include "tap.h"
#include "transcript.h"

static const uint32_t first;
static const struct smtp_client_config simple = {
    .hostname = "client.example", .host = HOST, .policy = TLS_POLICY_NONE};

static void
say(struct smtp_client *c, const char *text)
{
	struct smtp_output w;

	smtp_client_output(c, &w);
	smtp_client_wrote(c, w.len);
	smtp_client_input(c, text, strlen(text));
}

/* The outcome of the session, "" when it goes on. */
static const char *
end(struct smtp_client *c)
{
	static struct smtp_event ev;

	while (smtp_client_event(c, &ev))
		if (ev.type == SMTP_EVENT_CLOSED)
			return ev.outcome.text;
	return "";
}

static void
test_limits(void)
{
	static char line[REPLY_LINE + 2];
	struct smtp_client *c = smtp_client_new(&simple);

	memset(line, 'x', sizeof(line));
	memcpy(line, "220 ", 4);
	smtp_client_input(c, line, REPLY_LINE);
	smtp_client_input(c, "\r\n", 2);
	is(end(c), "", "longest line");
	smtp_client_free(c);
	c = smtp_client_new(&simple);
	smtp_client_input(c, line, REPLY_LINE + 1);
	is(end(c), "", "one octet more may be a CR");
	smtp_client_input(c, "x", 1);
	ok(strstr(end(c), "malformed") != NULL, "… or not: no line is awaited without end");
	smtp_client_free(c);
	c = smtp_client_new(&simple);
	smtp_client_input(c, "220 a\0b\r\n", 9);
	ok(strstr(end(c), "malformed") != NULL, "NUL");
	smtp_client_free(c);
	c = smtp_client_new(&simple);
	for (int i = 0; i <= REPLY_LINES; i++)
		smtp_client_input(c, "220-x\r\n", 7);
	ok(strstr(end(c), "malformed") != NULL, "endless greeting");
	smtp_client_free(c);
}

static void
test_command(void)
{
	struct smtp_client_config config = simple;
	struct smtp_client *c;
	struct smtp_output w;

	config.hostname = "client\r\nRSET";
	c = smtp_client_new(&config);
	smtp_client_input(c, "220 hi\r\n", 8);
	smtp_client_output(c, &w);
	is_int((long long)w.len, 0, "no command with a line end in it");
	ok(strstr(end(c), "control characters") != NULL, "… but the end of the session");
	smtp_client_free(c);
}

/* A password for which one line is too short; nothing of it stays in the output. */
static void
test_long_password(void)
{
	static char password[9501];
	struct sasl_account account = {"joe", password, ""};
	struct smtp_client_config config = simple;
	struct smtp_client *c;
	struct smtp_output w;

	memset(password, 'p', sizeof(password) - 1);
	config.account = &account;
	config.crypto = &crypto_sasl;
	config.nonce = "nonce";
	config.plain_auth = true;
	c = smtp_client_new(&config);
	say(c, "220 hi\r\n");
	say(c, "250-hi\r\n250 AUTH PLAIN\r\n");
	smtp_client_output(c, &w);
	is_mem(w.data, w.len, "AUTH PLAIN\r\n", 12, "no initial response that does not fit");
	say(c, "334 \r\n");
	smtp_client_output(c, &w);
	is_int((long long)w.len, (9500 + 5 + 2) / 3 * 4 + 2, "it answers the empty challenge");
	smtp_client_wrote(c, 5000);
	smtp_client_output(c, &w);
	smtp_client_wrote(c, w.len);
	smtp_client_output(c, &w);
	ok(w.len == 0 && w.data[0] == '\0', "written, it is gone");
	say(c, "235 ok\r\n");
	is(end(c), "", "… and good");
	ok(smtp_client_idle(c) && smtp_client_room(c), "… and the session is ready");
	smtp_client_free(c);
}

static const struct {
	const char *says, *doing;
	enum stage stage;
	int seconds;
} steps[] = {
    {"", "waiting for the greeting", STAGE_GREETING, 300},
    {"220 hi\r\n", "sending EHLO", STAGE_EHLO, 300},
    {"250 hi\r\n", "sending MAIL FROM", STAGE_MAIL, 300},
    {"250 ok\r\n", "sending RCPT TO", STAGE_RCPT, 300},
    {"250 ok\r\n", "sending DATA", STAGE_DATA, 120},
    {"354 ok\r\n", "sending the message", STAGE_BODY, 180},
    {"250 ok\r\n", "waiting for more mail", STAGE_QUIT, 0},
    {"421 bye\r\n", "closed", STAGE_QUIT, 0},
};

static void
test_steps(void)
{
	struct recipient rcpt = {.address = (char[]){"b@example.org"}};
	struct envelope e = {.from = (char[]){""}, .rcpt = &rcpt, .nrcpt = 1};
	struct smtp_transaction t = {.envelope = &e, .rcpt = &first, .nrcpt = 1};
	struct smtp_client *c = smtp_client_new(&simple);
	struct smtp_output w;
	struct smtp_event ev;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (smtp_client_stage(c) == STAGE_BODY) {
			smtp_client_body_done(c);
			is_int(smtp_client_timeout(c), 180000, "the dot is still to be written");
			smtp_client_output(c, &w);
			smtp_client_wrote(c, w.len);
			is_int(smtp_client_timeout(c), 600000, "it is written");
			is_int(smtp_client_stage(c), STAGE_DOT, "… stage");
		}
		say(c, steps[i].says);
		while (smtp_client_event(c, &ev))
			if (ev.type == SMTP_EVENT_READY)
				smtp_client_begin(c, &t);
		is(smtp_client_doing(c), steps[i].doing, steps[i].doing);
		is_int(smtp_client_stage(c), steps[i].stage, "… stage");
		is_int(smtp_client_timeout(c), steps[i].seconds * 1000, "… timeout");
	}
	ok(!smtp_client_room(c) && !smtp_client_idle(c), "over");
	smtp_client_body_done(c);
	smtp_client_secured(c, true);
	smtp_client_quit(c);
	smtp_client_lost(c, &ev.outcome);
	ok(!smtp_client_event(c, &ev), "… and nothing wakes it");
	smtp_client_free(c);
}

/* With transactions under way and events to come. */
static void
test_freed(void)
{
	struct recipient rcpt = {.address = (char[]){"b@example.org"}};
	struct envelope e = {.from = (char[]){""}, .rcpt = &rcpt, .nrcpt = 1};
	struct smtp_transaction t[3];
	struct smtp_client *c = smtp_client_new(&simple);

	for (size_t i = 0; i < 3; i++)
		t[i] = (struct smtp_transaction){.envelope = &e, .rcpt = &first, .nrcpt = 1};
	say(c, "220 hi\r\n");
	say(c, "250-hi\r\n250 PIPELINING\r\n");
	smtp_client_begin(c, &t[0]);
	say(c, "250 ok\r\n250 ok\r\n354 go\r\n");
	smtp_client_begin(c, &t[1]);
	ok(!smtp_client_room(c), "two at a time");
	smtp_client_body_done(c);
	say(c, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
	ok(smtp_client_room(c), "… and then one more");
	smtp_client_begin(c, &t[2]);
	smtp_client_free(c);
	smtp_client_free(NULL);
	ok(true, "freed before its events were taken");
}

int
main(void)
{
	test_limits();
	test_command();
	test_long_password();
	test_steps();
	test_freed();
	return done();
}
