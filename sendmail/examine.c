/* SPDX-License-Identifier: ISC */
#include "examine.h"

#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "link.h"
#include "mail/diagnose.h"
#include "mail/json.h"

#define STEPS_MAX 256 /* kept for the conclusion: more than a probe takes in its time */

struct findings {
	const struct examine *examine;
	struct probe_step step[STEPS_MAX];
	size_t n;
	bool no_password;
};

static void
print_json(const struct probe_step *s)
{
	struct buf out = BUF_INIT(16 * 1024);
	char status[STATUS_LEN];

	buf_addc(&out, '{');
	json_member(&out, "step", probe_name(s->kind));
	buf_adds(&out, s->status.class == 2 ? ",\"ok\":true" : ",\"ok\":false");
	json_number(&out, "ms", s->ms);
	if (s->port != 0)
		json_number(&out, "port", s->port);
	if (s->code != 0)
		json_number(&out, "code", s->code);
	json_member(&out, "status", status_print(status, s->status));
	json_member(&out, "text", s->text);
	buf_addc(&out, '}');
	puts(buf_str(&out));
	buf_free(&out);
}

static void
print_text(const struct probe_step *s)
{
	if (s->kind == PROBE_HOP && s->status.class == 2)
		printf("%s\n", s->text);
	else
		printf("%c %-9s %6u ms  %s\n", s->status.class == 2 ? ' ' : '!',
		    probe_name(s->kind), (unsigned)s->ms, s->text);
}

static void
show(struct findings *f, const struct probe_step *s)
{
	if (f->n < STEPS_MAX)
		f->step[f->n++] = *s;
	if (f->examine->quiet)
		return;
	if (f->examine->json)
		print_json(s);
	else
		print_text(s);
	fflush(stdout);
}

/* What stops it before a step was taken. */
static void
show_broken(struct findings *f, const char *why)
{
	struct probe_step s = {.kind = PROBE_HOP, .status = STATUS(4, 3, 5)};

	strlcpy(s.text, why, sizeof(s.text));
	s.text[strcspn(s.text, "\n")] = '\0';
	show(f, &s);
}

static void
conclude_json(const struct diagnosis *d)
{
	struct buf out = BUF_INIT(16 * 1024);

	buf_addc(&out, '{');
	json_member(&out, "conclusion", d->text);
	json_member(&out, "kind", d->name);
	json_member(&out, "remedy", d->remedy);
	json_number(&out, "exit", d->status);
	buf_addc(&out, '}');
	puts(buf_str(&out));
	buf_free(&out);
}

static int
conclude(const struct findings *f, enum probe_kind goal)
{
	struct diagnosis d;

	diagnose(&d, f->step, f->n, goal);
	if (f->examine->json) {
		conclude_json(&d);
		return d.status;
	}
	printf("Conclusion: %s.\n", d.text);
	if (f->no_password)
		puts(
		    "The password could not be read, so AUTH was not tried: ask as root, or as who "
		    "delivers.");
	if (d.remedy[0] != '\0')
		printf("Remedy: %s.\n", d.remedy);
	return d.status;
}

/* Where nobody may read the password but root, the rest of the way can be gone all the same. */
static int
start(struct link *l, struct findings *f, const struct settings *s)
{
	struct buf why = BUF_INIT(4096);
	int r = link_open(l, s, &why);

	if (r == -1 && !s->relay_broken) {
		struct buf again = BUF_INIT(4096);

		l->no_password = f->no_password = true;
		r = link_open(l, s, &again);
		buf_free(&again);
	}
	if (r == -1)
		show_broken(f, buf_str(&why));
	buf_free(&why);
	return r;
}

static int
ask(const struct link *l, const struct findings *f)
{
	union handoff_message m = {.probe = {.type = HANDOFF_PROBE}};

	strlcpy(m.probe.destination, f->examine->destination, sizeof(m.probe.destination));
	strlcpy(m.probe.from, f->examine->from, sizeof(m.probe.from));
	strlcpy(m.probe.to, f->examine->to, sizeof(m.probe.to));
	m.probe.no_password = f->no_password;
	return handoff_send(l->fd, &m, -1);
}

/* Until all is told; an end of file before that is smtp's death. */
static int
listen_to(const struct link *l, struct findings *f)
{
	union handoff_message m;
	struct pollfd p = {.fd = l->fd, .events = POLLIN};
	int fd, r;

	for (;;) {
		if (poll(&p, 1, -1) == -1 && errno != EINTR)
			return -1;
		r = handoff_receive(l->fd, &m, &fd);
		if (r == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (r != 1)
			return -1;
		if (m.type == HANDOFF_DONE)
			return 0;
		if (m.type == HANDOFF_STEP)
			show(f, &m.step.step);
	}
}

int
examine(const struct examine *e, const struct settings *s)
{
	struct findings *f = calloc(1, sizeof(*f));
	struct link l = {.fd = -1};
	enum probe_kind goal = e->to[0] != '\0'                    ? PROBE_RCPT
			       : settings_is_relay(e->destination) ? PROBE_QUIT
								   : PROBE_MX;
	int status;

	if (f == NULL)
		return complain(EX_OSERR, "out of memory");
	f->examine = e;
	if (start(&l, f, s) == 0 && (ask(&l, f) == -1 || listen_to(&l, f) == -1))
		show_broken(f, "the network half, smtp, is gone");
	link_close(&l);
	waitpid(-1, NULL, 0);
	status = conclude(f, goal);
	free(f);
	return status;
}
