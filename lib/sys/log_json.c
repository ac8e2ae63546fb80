/* SPDX-License-Identifier: ISC */
#include "sys/log_json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mail/json.h"

static void
add_time(struct buf *out, uint64_t when)
{
	time_t seconds = (time_t)(when / 1000000);
	struct tm tm = {0};

	gmtime_r(&seconds, &tm);
	json_key(out, "time");
	buf_addf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%06uZ\"", tm.tm_year + 1900, tm.tm_mon + 1,
	    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(when % 1000000));
}

static void
add_delays(struct buf *out, const struct log_delivery *d)
{
	char t[5][24];

	json_key(out, "delay");
	buf_adds(out, log_seconds(t[0], d->delay));
	json_key(out, "delays");
	buf_addf(out, "[%s,%s,%s,%s]", log_seconds(t[1], d->delays[0]),
	    log_seconds(t[2], d->delays[1]), log_seconds(t[3], d->delays[2]),
	    log_seconds(t[4], d->delays[3]));
}

static void
add_delivery(struct buf *out, const struct log_delivery *d)
{
	char dsn[STATUS_LEN];

	json_member(out, "queue_id", d->id.s);
	json_member(out, "from", d->from);
	json_member(out, "to", d->to);
	if (d->orig_to != NULL)
		json_member(out, "orig_to", d->orig_to);
	json_member(out, "relay", d->relay);
	add_delays(out, d);
	if (d->tls[0] != '\0')
		json_member(out, "tls", d->tls);
	json_member(out, "dsn", status_print(dsn, d->outcome->status));
	json_member(out, "status", log_status_word(d));
	json_member(out, "text", d->outcome->text);
}

/* "ID: text" */
static void
add_text(struct buf *out, const char *text)
{
	struct queue_id id = {""};

	if (strlen(text) > QUEUE_ID_LEN + 2 && strncmp(text + QUEUE_ID_LEN, ": ", 2) == 0)
		memcpy(id.s, text, QUEUE_ID_LEN);
	if (queue_id_valid(id.s)) {
		json_member(out, "queue_id", id.s);
		text += QUEUE_ID_LEN + 2;
	}
	json_member(out, "text", text);
}

void
log_json(struct buf *out, const struct log_line *l)
{
	buf_addc(out, '{');
	add_time(out, l->when);
	json_member(out, "host", l->host);
	json_member(out, "program", l->program);
	json_number(out, "pid", l->pid);
	json_member(out, "level", l->warning ? "warning" : "info");
	if (l->delivery != NULL)
		add_delivery(out, l->delivery);
	else
		add_text(out, l->text);
	buf_addc(out, '}');
}
