/* SPDX-License-Identifier: ISC */
/*
 * params: what stands behind MAIL and RCPT, DSN's parameters above all (RFC 3461). What the server
 * takes is an envelope that a spool file can have, and that a client may say again.
 */
#include "fuzz.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "mail/smtp_server.h"

static const struct smtp_server_config config = {
    .hostname = "box.example", .domain = "example.org", .size = 1000000};

/* Push it all; whether a message began. */
static bool
push(struct smtp_server *s, const char *data, size_t len)
{
	struct smtp_server_event ev;
	bool begun = false;

	for (size_t at = 0; !begun;) {
		at += smtp_server_push(s, data + at, len - at, &ev);
		begun = ev.type == SERVER_BEGIN;
		if (ev.type == SERVER_QUIT || (ev.type == SERVER_MORE && at == len))
			break;
	}
	return begun;
}

/* ORCPT and ENVID as text: decoded, it is printable. */
static void
check_xtext(const char *s)
{
	struct buf text = BUF_INIT(FUZZ_MAX);

	if (s == NULL)
		return;
	dsn_xtext(&text, s);
	CHECK(text.error == 0 && text.len <= strlen(s));
	for (size_t i = 0; i < text.len; i++)
		CHECK(text.data[i] >= ' ' && text.data[i] < 0x7f);
	for (; *s != '\0'; s++)
		CHECK(*s > ' ' && *s < 0x7f);
	buf_free(&text);
}

static void
check_spool(struct envelope *e)
{
	struct buf head = BUF_INIT(FUZZ_MAX), again = BUF_INIT(FUZZ_MAX);
	struct envelope e2;
	const char *why;

	e->id = queue_id_make(1790000000123456, 1);
	envelope_print(&head, e);
	CHECK(envelope_parse(&e2, head.data, head.len, &why) == (long)head.len);
	envelope_print(&again, &e2);
	CHECK(fuzz_same(&head, &again));
	envelope_free(&e2);
	buf_free(&head);
	buf_free(&again);
}

static void
check_envelope(struct envelope *e)
{
	CHECK(e->from != NULL && (e->from[0] == '\0' || address_valid(e->from)));
	CHECK(e->nrcpt > 0 && e->size <= config.size);
	check_xtext(e->envid);
	for (size_t i = 0; i < e->nrcpt; i++) {
		const struct recipient *r = &e->rcpt[i];

		CHECK(address_valid(r->address));
		CHECK((r->notify & NOTIFY_NEVER) == 0 || r->notify == NOTIFY_NEVER);
		check_xtext(r->orcpt);
	}
	check_spool(e);
}

/* ORCPT of our own making. */
static void
check_orcpt(const char *address)
{
	struct buf orcpt = BUF_INIT(FUZZ_MAX), text = BUF_INIT(FUZZ_MAX);

	if (address_valid(address)) {
		dsn_orcpt(&orcpt, address);
		check_xtext(buf_str(&orcpt));
		dsn_xtext(&text, buf_str(&orcpt));
		CHECK(orcpt.error == 0 && text.error == 0);
		CHECK(
		    address_utf8(address) || strcmp(strchr(buf_str(&text), ';') + 1, address) == 0);
	}
	buf_free(&orcpt);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	struct smtp_server *s = smtp_server_new(&config);
	struct buf b = BUF_INIT(FUZZ_MAX);
	char *line = fuzz_line(&f);

	CHECK(s != NULL);
	check_orcpt(line);
	buf_addf(&b, "EHLO c\r\nMAIL FROM:%s\r\n", line);
	free(line);
	do {
		line = fuzz_line(&f);
		buf_addf(&b, "RCPT TO:%s\r\n", line);
		free(line);
	} while (f.len > 0);
	buf_adds(&b, "DATA\r\n");
	if (push(s, b.data, b.len))
		check_envelope(smtp_server_envelope(s));
	smtp_server_free(s);
	buf_free(&b);
	return 0;
}
