/* SPDX-License-Identifier: ISC */
#include "sys/handoff.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/pass.h"

_Static_assert(sizeof(struct handoff_result) < 4096, "a result fits a channel's buffer many times");

/* Behind the NUL that a string at `at` ends with; NULL: it does not, or `at` is none. */
static const char *
behind(const struct handoff_settings *s, const char *at)
{
	const char *nul =
	    at == NULL ? NULL : memchr(at, '\0', sizeof(s->text) - (size_t)(at - s->text));

	return nul != NULL ? nul + 1 : NULL;
}

/* Octets of names and values, the empty name at the end too; 0: they have no end. */
static size_t
settings_text(const struct handoff_settings *s)
{
	const char *at = s->text, *end = s->text + sizeof(s->text);

	while (at != NULL && at < end && *at != '\0')
		at = behind(s, behind(s, at));
	return at != NULL && at < end ? (size_t)(at + 1 - s->text) : 0;
}

size_t
handoff_len(const union handoff_message *m)
{
	size_t n;

	switch ((enum handoff_type)m->type) {
	case HANDOFF_SETTINGS:
		n = settings_text(&m->settings);
		return n > 0 ? offsetof(struct handoff_settings, text) + n : 0;
	case HANDOFF_READY:
	case HANDOFF_CHANNEL:
	case HANDOFF_PING:
		return sizeof(m->type);
	case HANDOFF_JOB:
		n = m->job.nrcpt;
		if (n < 1 || n > HANDOFF_RCPTS)
			return 0;
		return offsetof(struct handoff_job, rcpt) + n * sizeof(m->job.rcpt[0]);
	case HANDOFF_RESULT:
		return sizeof(m->result);
	case HANDOFF_DONE:
	case HANDOFF_BEGUN:
		return sizeof(m->done);
	case HANDOFF_IDLE:
		return sizeof(m->idle);
	case HANDOFF_PROBE:
		return sizeof(m->probe);
	case HANDOFF_STEP:
		return sizeof(m->step);
	case HANDOFF_PASSED:
		return sizeof(m->passed);
	case HANDOFF_SAID:
		return sizeof(m->said);
	}
	return 0;
}

static bool
brings_descriptor(const union handoff_message *m)
{
	return m->type == HANDOFF_JOB || m->type == HANDOFF_CHANNEL;
}

int
handoff_send(int channel, const union handoff_message *m, int fd)
{
	size_t len = handoff_len(m);

	if (len == 0 || (fd != -1) != brings_descriptor(m)) {
		errno = EINVAL;
		return -1;
	}
	return pass_send(channel, NULL, m, len, fd);
}

/* A text of a message: ended, and made clean in place, which never makes it longer. */
static bool
clean(char *text, size_t size)
{
	char copy[PROBE_TEXT];
	size_t len = strnlen(text, size);

	if (len == size || size > sizeof(copy))
		return false;
	text_clean(copy, sizeof(copy), text, len);
	memcpy(text, copy, strlen(copy) + 1);
	return true;
}

const char *
handoff_setting(const struct handoff_settings *s, const char *before)
{
	const char *name = before == NULL ? s->text : behind(s, behind(s, before));

	return *name != '\0' ? name : NULL;
}

void
handoff_settings_begin(struct handoff_packer *p, int channel)
{
	p->channel = channel;
	p->len = 0;
	memset(&p->m, 0, sizeof(p->m));
	p->m.type = HANDOFF_SETTINGS;
}

static int
send_packed(struct handoff_packer *p)
{
	int r = p->len > 0 ? handoff_send(p->channel, &p->m, -1) : 0;

	explicit_bzero(p->m.settings.text, sizeof(p->m.settings.text));
	p->len = 0;
	return r;
}

int
handoff_settings_add(
    struct handoff_packer *p, const char *section, const char *key, const char *value)
{
	const size_t name = strlen(section) + 1 + strlen(key), all = name + strlen(value) + 2,
		     size = sizeof(p->m.settings.text) - 1; /* the empty name's */
	char *at;

	if (all > size) {
		errno = EMSGSIZE;
		return -1;
	}
	if (all > size - p->len && send_packed(p) == -1)
		return -1;
	at = p->m.settings.text + p->len;
	snprintf(at, size - p->len, "%s.%s", section, key);
	memcpy(at + name + 1, value, all - name - 1);
	p->len += all;
	return 0;
}

int
handoff_settings_end(struct handoff_packer *p)
{
	const union handoff_message ready = {.type = HANDOFF_READY};

	return send_packed(p) == 0 ? handoff_send(p->channel, &ready, -1) : -1;
}

/* Values are passwords, too: octets above 0x7f stay as they are. */
static bool
good_settings(const struct handoff_settings *s)
{
	size_t len = settings_text(s);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s->text[i];
		if ((c < 0x20 && c != '\0') || c == 0x7f)
			return false;
	}
	return s->text[0] != '\0';
}

static bool
good_job(struct handoff_job *j)
{
	for (uint32_t i = 0; i < j->nrcpt; i++)
		if (j->rcpt[i] >= ENVELOPE_RCPT_MAX)
			return false;
	return j->watched <= 1 && clean(j->destination, sizeof(j->destination));
}

static bool
good_status(const struct status *st)
{
	return (st->class == 2 || st->class == 4 || st->class == 5) && st->subject <= 999 &&
	       st->detail <= 999;
}

static bool
good_outcome(struct outcome *o)
{
	return good_status(&o->status) && (unsigned)o->scope <= SCOPE_DESTINATION &&
	       (unsigned)o->stage <= STAGE_QUIT && clean(o->text, sizeof(o->text));
}

static bool
good_result(struct handoff_result *r)
{
	return r->rcpt < ENVELOPE_RCPT_MAX && good_outcome(&r->outcome) && r->dsn <= 1 &&
	       r->lmtp <= 1 && clean(r->relay, sizeof(r->relay)) && clean(r->tls, sizeof(r->tls));
}

static bool
good_probe(struct handoff_probe *p)
{
	return clean(p->destination, sizeof(p->destination)) && clean(p->from, sizeof(p->from)) &&
	       clean(p->to, sizeof(p->to));
}

static bool
good_step(struct probe_step *s)
{
	return (unsigned)s->kind < PROBE_KINDS && (unsigned)s->fault <= PROBE_OTHER_FAULT &&
	       good_status(&s->status) && clean(s->text, sizeof(s->text));
}

static bool
good(union handoff_message *m, size_t len, int fd)
{
	if (len < sizeof(m->type) || handoff_len(m) != len || (fd != -1) != brings_descriptor(m))
		return false;
	switch ((enum handoff_type)m->type) {
	case HANDOFF_SETTINGS:
		return good_settings(&m->settings);
	case HANDOFF_JOB:
		return good_job(&m->job);
	case HANDOFF_RESULT:
		return good_result(&m->result);
	case HANDOFF_PROBE:
		return good_probe(&m->probe);
	case HANDOFF_STEP:
		return good_step(&m->step.step);
	case HANDOFF_PASSED:
		return good_outcome(&m->passed.why);
	case HANDOFF_SAID:
		return clean(m->said.text, sizeof(m->said.text));
	case HANDOFF_READY:
	case HANDOFF_DONE:
	case HANDOFF_BEGUN:
	case HANDOFF_CHANNEL:
	case HANDOFF_PING:
	case HANDOFF_IDLE:
		break;
	}
	return true;
}

int
handoff_receive(int channel, union handoff_message *m, int *fd)
{
	ssize_t n;

	memset(
	    m, 0, sizeof(*m)); /* nothing of the message before is taken for part of a short one */
	n = pass_receive(channel, m, sizeof(*m), fd, NULL);
	if (n == 0 && *fd == -1)
		return 0;
	if (n == -1)
		return -1;
	if (good(m, (size_t)n, *fd))
		return 1;
	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = EBADMSG;
	return -1;
}
