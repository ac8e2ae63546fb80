/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "sys/log_json.h"
#include "tap.h"

#define HEAD                                                                                    \
	"{\"time\":\"2026-11-25T15:06:12.000042Z\",\"host\":\"host.example\",\"program\":\"pil" \
	"larbox/test\",\"pid\":125,\"level\":"

static struct log_line
line_of(const char *text)
{
	return (struct log_line){.when = 1795619172000042,
	    .host = "host.example",
	    .program = "pillarbox/test",
	    .pid = 125,
	    .text = text};
}

static const struct {
	const char *text;
	bool warning;
	const char *wanted;
} lines[] = {
    {"started", false, HEAD "\"info\",\"text\":\"started\"}"},
    {"trouble", true, HEAD "\"warning\",\"text\":\"trouble\"}"},
    {"0QK3ZP7V2M9X: uid=7 from=<a@x>", false,
	HEAD "\"info\",\"queue_id\":\"0QK3ZP7V2M9X\",\"text\":\"uid=7 from=<a@x>\"}"},
    {"NOQUEUE: reject: RCPT", false, HEAD "\"info\",\"text\":\"NOQUEUE: reject: RCPT\"}"},
    {"0QK3ZP7V2M9X", false, HEAD "\"info\",\"text\":\"0QK3ZP7V2M9X\"}"},
    {"a\n\"b\"\\\033\xff\xc3(\xed\xa0\x80 é", true,
	HEAD "\"warning\",\"text\":\"a\\u000a\\\"b\\\"\\\\\\u001b\\ufffd\\ufffd("
	     "\\ufffd\\ufffd\\ufffd é\"}"},
};

static struct outcome sent = {.status = {2, 0, 0}, .text = "250 2.0.0 Ok \"x\""},
		      later = {.status = {4, 4, 1}, .text = "connect to x: timed out"};

static const struct {
	struct log_delivery d;
	const char *wanted;
} deliveries[] = {
    {{.id = {"0QK3ZP7V2M9X"},
	 .from = "",
	 .to = "r@x.example",
	 .relay = "mx.x[192.0.2.1]:25",
	 .delay = 0.5,
	 .delays = {0.1, 0, 0.2, 0.2},
	 .tls = "",
	 .outcome = &sent},
	"\"from\":\"\",\"to\":\"r@x.example\",\"relay\":\"mx.x[192.0.2.1]:25\",\"delay\":0.5,"
	"\"delays\":[0.1,0,0.2,0.2],\"dsn\":\"2.0.0\",\"status\":\"sent\","
	"\"text\":\"250 2.0.0 Ok \\\"x\\\"\"}"},
    {{.id = {"0QK3ZP7V2M9X"},
	 .from = "\xff@x",
	 .to = "r@x.example",
	 .orig_to = "root",
	 .relay = "none",
	 .delay = 352.4,
	 .tls = "TLSv1.3 verified",
	 .outcome = &later},
	"\"from\":\"\\ufffd@x\",\"to\":\"r@x.example\",\"orig_to\":\"root\",\"relay\":\"none\","
	"\"delay\":352,\"delays\":[0,0,0,0],\"tls\":\"TLSv1.3 verified\",\"dsn\":\"4.4.1\","
	"\"status\":\"deferred\",\"text\":\"connect to x: timed out\"}"},
};

int
main(void)
{
	struct buf out = BUF_INIT(4096);

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct log_line l = line_of(lines[i].text);
		l.warning = lines[i].warning;
		buf_clear(&out);
		log_json(&out, &l);
		is(buf_str(&out), lines[i].wanted, lines[i].text);
	}
	for (size_t i = 0; i < sizeof(deliveries) / sizeof(deliveries[0]); i++) {
		const char *head = HEAD "\"info\",\"queue_id\":\"0QK3ZP7V2M9X\",";
		struct log_line l = line_of("unused");
		l.delivery = &deliveries[i].d;
		buf_clear(&out);
		log_json(&out, &l);
		ok(strncmp(buf_str(&out), head, strlen(head)) == 0, "delivery %zu begins", i);
		is(buf_str(&out) + strlen(head), deliveries[i].wanted, "and goes on");
	}
	buf_free(&out);
	return done();
}
