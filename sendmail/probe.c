/* SPDX-License-Identifier: ISC */
#include "probe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/resolve.h"
#include "net/stream.h"
#include "path.h"
#include "sys/clock.h"

#define PORT_WAIT 5000    /* milliseconds for each of the other ports */
#define MESSAGE_SIZE 2048 /* octets that SIZE= announces */

struct probe {
	struct wire *wire;
	const struct handoff_probe *request;
	int channel;
	bool over; /* nobody listens any more */
	int64_t end;
	int64_t since;          /* the step under way began */
	size_t told_hop;        /* one more than that of the last heading */
	size_t told_ports;      /* one more than the host whose other ports were tried last */
	struct probe_step last; /* that was told */
	struct path path;
	/* one session */
	bool given, closed;
	struct outcome outcome;
	struct session_mail mail;
	struct envelope envelope;
	struct recipient recipient;
	uint32_t zero;
};

static int64_t
now(struct probe *p)
{
	return p->wire->now = clock_monotonic();
}

static void
tell(struct probe *p, const struct probe_step *step)
{
	union handoff_message m = {.step = {.type = HANDOFF_STEP, .step = *step}};
	int64_t t = now(p);

	m.step.step.ms = (uint32_t)(t - p->since);
	p->last = m.step.step;
	p->since = t;
	outbox_put(p->wire->news, &m);
	outbox_flush(p->wire->news);
}

static struct probe_step
step_of(enum probe_kind kind, struct status status, const char *text)
{
	struct probe_step s = {.kind = kind, .status = status};

	text_clean(s.text, sizeof(s.text), text, strlen(text));
	return s;
}

static void
tell_outcome(struct probe *p, enum probe_kind kind, const struct outcome *o)
{
	struct probe_step s = step_of(kind, o->status, o->text);

	tell(p, &s);
}

/* Wait for one descriptor, but no longer than the whole may take. */
static short
wait_for(struct probe *p, int fd, short events, int64_t until)
{
	struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = p->channel, .events = 0}};
	int64_t left = (until < p->end ? until : p->end) - now(p);

	if (poll(fds, 2, left < 0 ? 0 : (int)left) == -1)
		return 0;
	if (fds[1].revents != 0 || now(p) >= p->end)
		p->over = true;
	return fds[0].revents;
}

/* The name of the place that is tried, before its first step. */
static void
tell_hop(struct probe *p)
{
	const struct relay *relay = path_hop(&p->path)->relay;
	char text[2 * HOST_LEN];
	struct probe_step s;

	if (p->told_hop == p->path.hop + 1)
		return;
	p->told_hop = p->path.hop + 1;
	p->told_ports = 0;
	if (relay != NULL)
		snprintf(text, sizeof(text), "relay %s port %u", relay->host, relay->port);
	else
		snprintf(text, sizeof(text), "mail exchangers of %s", p->path.domain);
	s = step_of(PROBE_HOP, STATUS(2, 0, 0), text);
	tell(p, &s);
}

/* Look-ups. */

/* Who answered; nobody is asked about an address. */
static void
add_servers(struct buf *text, const struct lookup *l)
{
	char servers[256];
	struct inet literal;

	if (inet_parse(&literal, l->name))
		return;
	resolve_servers(servers, sizeof(servers));
	buf_addf(text, "%s (by %s)", l->secure ? ", secured by DNSSEC" : "", servers);
}

static void
tell_answer(struct probe *p, const struct lookup *l)
{
	struct buf text = BUF_INIT(PROBE_TEXT);
	char address[INET_TEXT];
	struct probe_step s;

	if (l->outcome.status.class != 2) {
		tell_outcome(p, resolve_names_hosts(l) ? PROBE_MX : PROBE_HOST, &l->outcome);
		return;
	}
	buf_addf(&text, "%s%s", l->name, resolve_names_hosts(l) ? " is served by" : " is");
	for (size_t i = 0; i < l->mx.n; i++)
		buf_addf(&text, " %s (%u)", l->mx.mx[i].host, l->mx.mx[i].preference);
	for (size_t i = 0; i < l->naddress; i++) {
		inet_print(address, &l->address[i]);
		buf_addf(&text, " %s", address);
	}
	add_servers(&text, l);
	s = step_of(
	    resolve_names_hosts(l) ? PROBE_MX : PROBE_HOST, STATUS(2, 0, 0), buf_str(&text));
	buf_free(&text);
	tell(p, &s);
}

static void
wait_for_answer(struct probe *p)
{
	struct lookup *l;

	wait_for(p, resolver_fd(p->wire->resolver), POLLIN, path_deadline(&p->path));
	while ((l = resolver_take(p->wire->resolver)) != NULL) {
		tell_answer(p, l);
		path_answer(&p->path, l, p);
		free(l);
	}
	if (p->path.state == PATH_ASKING && now(p) >= path_deadline(&p->path)) {
		path_late(&p->path, p);
		tell_outcome(p, PROBE_HOST, &p->path.last);
	}
}

/* Sessions. */

static void
on_trace(void *arg, enum stage stage, int code, const char *text)
{
	struct probe *p = arg;
	unsigned char class = (unsigned char)(code < 400 ? 2 : code / 100);
	struct probe_step s = step_of(probe_kind(stage), STATUS(class, 0, 0), text);
	const char *enhanced = strchr(text, ' ');

	s.code = code;
	s.port = inet_port(path_address(&p->path));
	if (code != 0 && enhanced != NULL)
		status_parse(&s.status, enhanced + 1);
	s.status.class = class;
	tell(p, &s);
}

static enum probe_fault
fault_of(int error)
{
	switch (error) {
	case 0:
		return PROBE_NO_FAULT;
	case ETIMEDOUT:
		return PROBE_TIMEOUT;
	case ECONNREFUSED:
		return PROBE_REFUSED;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
		return PROBE_UNREACHABLE;
	default:
		return PROBE_OTHER_FAULT;
	}
}

/* A failure that no reply has told already. */
static void
tell_failure(struct probe *p, const struct outcome *o, int error)
{
	struct probe_step s = step_of(probe_kind(o->stage), o->status, o->text);

	if (o->status.class == 2 || (p->last.kind == s.kind && p->last.status.class != 2))
		return;
	if (s.kind == PROBE_CONNECT)
		s.fault = fault_of(error);
	s.port = inet_port(path_address(&p->path));
	tell(p, &s);
}

static struct session_mail *
next_mail(void *owner)
{
	struct probe *p = owner;

	if (p->given || p->request->to[0] == '\0')
		return NULL;
	p->given = true;
	return &p->mail;
}

static void
take_events(struct probe *p, struct session *s)
{
	struct smtp_event ev;

	while (session_event(s, &ev)) {
		if (ev.type == SMTP_EVENT_RCPT)
			tell_failure(p, &ev.outcome, 0);
		else if (ev.type == SMTP_EVENT_DONE ||
			 (ev.type == SMTP_EVENT_READY && p->request->to[0] == '\0'))
			session_quit(s);
		else if (ev.type == SMTP_EVENT_CLOSED) {
			p->closed = true;
			p->outcome = ev.outcome;
		}
	}
}

static void
prepare(struct probe *p)
{
	p->given = p->closed = false;
	p->recipient = (struct recipient){.address = (char *)(uintptr_t)p->request->to};
	p->envelope = (struct envelope){
	    .size = MESSAGE_SIZE,
	    .from = (char *)(uintptr_t)p->request->from,
	    .rcpt = &p->recipient,
	    .nrcpt = 1,
	};
	p->mail = (struct session_mail){.fd = -1,
	    .transaction = {.envelope = &p->envelope, .rcpt = &p->zero, .nrcpt = 1, .probe = true}};
}

static struct session *
open_session(struct probe *p)
{
	struct session_config config = path_session(&p->path);

	config.next = next_mail;
	config.owner = config.trace_arg = p;
	config.trace = on_trace;
	if (config.connect_timeout > PROBE_CONNECTING)
		config.connect_timeout = PROBE_CONNECTING;
	if (p->request->no_password)
		config.account = NULL;
	return session_new(&config, now(p));
}

/* A server that says nothing is not waited for as long as delivery would. */
static void
give_up(struct probe *p, struct session *s)
{
	enum stage at = session_stage(s);
	struct probe_step step;

	p->outcome = status_trouble(at, SCOPE_DESTINATION, STATUS(4, 4, 2),
	    "no answer from %s within %d seconds", session_name(s), PROBE_SESSION / 1000);
	step = step_of(probe_kind(at), p->outcome.status, p->outcome.text);
	step.fault = PROBE_TIMEOUT;
	step.port = inet_port(path_address(&p->path));
	tell(p, &step);
	p->closed = true;
}

static void
talk(struct probe *p, struct session *s)
{
	int64_t end = now(p) + PROBE_SESSION;

	while (!p->closed && !p->over) {
		int64_t due = session_deadline(s);
		short revents = wait_for(p, session_fd(s), session_wants(s), due < end ? due : end);

		session_read(s, revents, now(p));
		take_events(p, s);
		if (!p->closed)
			session_write(s, now(p));
		take_events(p, s);
		if (!p->closed && now(p) >= end)
			give_up(p, s);
	}
}

/* Other ports, where the one that mail goes to says nothing. */

static void
try_port(struct probe *p, uint16_t port)
{
	const struct session_config config = path_session(&p->path);
	struct inet to = config.address;
	char address[INET_TEXT], text[HOST_LEN + INET_TEXT];
	struct probe_step s;
	struct stream stream;
	bool good;

	inet_set_port(&to, port);
	good = stream_connect(&stream, &to, config.source) == 0 &&
	       wait_for(p, stream.fd, POLLOUT, now(p) + PORT_WAIT) != 0 &&
	       stream_connected(&stream) == 0;
	stream_close(&stream);
	inet_print(address, &to);
	snprintf(text, sizeof(text), "%s[%s]:%u %s", path_host(&p->path), address, port,
	    good ? "answers" : "does not answer");
	s = step_of(PROBE_PORT, good ? STATUS(2, 0, 0) : STATUS(4, 4, 1), text);
	s.port = port;
	tell(p, &s);
}

static void
try_other_ports(struct probe *p)
{
	if (p->last.kind != PROBE_CONNECT || p->last.fault != PROBE_TIMEOUT || p->last.port != 25 ||
	    p->told_ports == p->path.host + 1)
		return;
	p->told_ports = p->path.host + 1;
	try_port(p, 587);
	if (!p->over)
		try_port(p, 465);
}

static void
try_address(struct probe *p)
{
	struct session *s;
	enum path_failure how;

	prepare(p);
	if ((s = open_session(p)) == NULL) {
		p->over = true;
		return;
	}
	talk(p, s);
	if (p->closed)
		tell_failure(p, &p->outcome, session_error(s));
	how = path_failure(s, &p->outcome);
	session_free(s);
	if (p->over)
		return;
	try_other_ports(p);
	/* As delivery does it, see destination.c. */
	if (p->outcome.stage == STAGE_TLS && p->outcome.status.class != 2 && !p->path.plain &&
	    path_may_be_plain(&p->path))
		p->path.plain = true;
	else
		path_next(&p->path, &p->outcome, how, p);
}

static bool
refuse(struct probe *p, const struct outcome *broken)
{
	if (broken->status.class == 0)
		return false;
	tell_outcome(p, PROBE_HOP, broken);
	return true;
}

/* Without a recipient there are no exchangers to talk to: that names can be looked up is all. */
static bool
way_is_known(const struct probe *p)
{
	return p->request->to[0] == '\0' && path_hop(&p->path)->relay == NULL &&
	       p->last.kind == PROBE_MX;
}

static void
go(struct probe *p)
{
	const struct wire *w = p->wire;

	path_init(&p->path, p->wire, p->request->destination);
	if (refuse(p, &w->broken) ||
	    (!p->request->no_password && refuse(p, &p->path.route->broken)))
		return;
	path_start(&p->path, p);
	while (p->path.state != PATH_END && !p->over) {
		tell_hop(p);
		if (way_is_known(p))
			break;
		if (p->path.state == PATH_ASKING)
			wait_for_answer(p);
		else
			try_address(p);
	}
	/* What the path found out without a step: mail would loop, or no address is allowed. */
	if (p->path.state == PATH_END && p->last.status.class == 2 &&
	    p->path.last.status.class > 2)
		tell_outcome(p, probe_kind(p->path.last.stage), &p->path.last);
	path_reset(&p->path);
}

void
probe_run(struct wire *w, int channel, const struct handoff_probe *request)
{
	union handoff_message done = {.done = {.type = HANDOFF_DONE}};
	struct probe *p = calloc(1, sizeof(*p));

	if (p != NULL) {
		p->wire = w;
		p->request = request;
		p->channel = channel;
		p->since = now(p);
		p->end = p->since + PROBE_WHOLE;
		go(p);
	}
	free(p);
	outbox_put(w->news, &done);
}
