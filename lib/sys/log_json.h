/* SPDX-License-Identifier: ISC */
/*
 * log_json: a line of the log as a JSON object (RFC 8259), for collectors of containers' output.
 *
 *	{"time":"2026-11-25T15:06:12.123456Z","host":"client.example","program":"pillarbox/smtp",
 *	"pid":125,"level":"info","queue_id":"0QK3ZP7V2M9X","from":"a@x","to":"r@x",
 *	"orig_to":"root","relay":"mx.x[192.0.2.1]:25","delay":0.5,"delays":[0.1,0,0.2,0.2],
 *	"tls":"TLSv1.3 …","dsn":"2.0.0","status":"sent","text":"250 2.0.0 Ok"}
 *
 * in one line, without the line end. level is info or warning. From "from" to "status" only where
 * the line is a recipient's; queue_id wherever the line is about a message; orig_to and tls where
 * there is something to say. Always ASCII controls escaped and valid UTF-8.
 */
#ifndef SYS_LOG_JSON_H
#define SYS_LOG_JSON_H

#include "mail/buf.h"
#include "sys/log.h"

struct log_line {
	uint64_t when; /* microseconds since 1970 */
	const char *host;
	const char *program;
	pid_t pid;
	bool warning;
	const char *text;                    /* "ID: …" is taken apart */
	const struct log_delivery *delivery; /* or NULL; then text is not looked at */
};

void log_json(struct buf *out, const struct log_line *l);

/* Of log.c: how both forms of the line of a recipient write a time and the outcome. */
const char *log_seconds(char dst[24], double t);
const char *log_status_word(const struct log_delivery *d);

#endif
