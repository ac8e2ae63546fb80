/* SPDX-License-Identifier: ISC */
#include "mail/diagnose.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum verdict {
	VERDICT_OK,
	VERDICT_CONFIG,
	VERDICT_NULL_MX,
	VERDICT_NO_DOMAIN,
	VERDICT_DNS,
	VERDICT_LOOP,
	VERDICT_NO_ROUTE,
	VERDICT_REFUSED,
	VERDICT_BLOCKED,
	VERDICT_DROPPED,
	VERDICT_THROTTLED,
	VERDICT_LISTED,
	VERDICT_TURNED_AWAY,
	VERDICT_NOT_SMTP,
	VERDICT_SILENT,
	VERDICT_CUT,
	VERDICT_NO_STARTTLS,
	VERDICT_TLS,
	VERDICT_CERTIFICATE,
	VERDICT_PASSWORD,
	VERDICT_AUTH,
	VERDICT_SENDER,
	VERDICT_RELAYING,
	VERDICT_RECIPIENT,
	VERDICT_LATER,
	VERDICT_NOTHING,
};

static const struct {
	const char *name;
	int status;
	const char *text, *remedy;
} verdicts[] = {
    /* clang-format off */
    [VERDICT_OK] = {"ok", EX_OK, "mail would be accepted", ""},
    [VERDICT_CONFIG] = {"config", EX_CONFIG, "the settings are wrong",
	"mend the setting that is named; sendmail -bP shows what is in force"},
    [VERDICT_NULL_MX] = {"null-mx", EX_NOHOST, "the domain takes no mail at all (null MX)",
	"there is nothing to mend here: ask for another address"},
    [VERDICT_NO_DOMAIN] = {"no-domain", EX_NOHOST, "there is no such domain or host",
	"check the spelling of the address or of relay.url"},
    [VERDICT_DNS] = {"dns", EX_NOHOST, "names cannot be looked up",
	"see that the name servers in /etc/resolv.conf are right and can be reached (port 53)"},
    [VERDICT_LOOP] = {"loop", EX_UNAVAILABLE,
	"this machine is itself the domain's mail exchanger",
	"set a relay that knows where the mail goes, or change the domain's MX records"},
    [VERDICT_NO_ROUTE] = {"no-route", EX_UNAVAILABLE,
	"this machine has no way to the server's network",
	"see to the network: interface, address, default route"},
    [VERDICT_REFUSED] = {"refused", EX_UNAVAILABLE,
	"the connection is refused: nobody listens there, or a firewall turns it away",
	"check host and port; where port 25 is refused everywhere, set a relay on 587 or 465"},
    [VERDICT_BLOCKED] = {"blocked", EX_UNAVAILABLE,
	"silently dropped: port 25 is blocked by this network or provider while "
	"587 or 465 answer",
	"set a relay: relay.url = smtp+tls://USER@HOST (port 587) or smtps://USER@HOST (465)"},
    [VERDICT_DROPPED] = {"dropped", EX_UNAVAILABLE,
	"no answer: packets are dropped on the way, or the server is down",
	"try another network; where it is so for every domain, the provider blocks the port: "
	"set a relay on 587 or 465"},
    [VERDICT_THROTTLED] = {"throttled", EX_TEMPFAIL,
	"the server wants no more from here for now",
	"wait; smtp.rate and smtp.connections send less"},
    [VERDICT_LISTED] = {"listed", EX_NOPERM, "this machine's address is on a block list",
	"read the server's text, have the address taken off the list, or send through a relay"},
    [VERDICT_TURNED_AWAY] = {"turned-away", EX_UNAVAILABLE, "the server does not want to talk",
	"read the server's text; a relay may be let in where this machine is not"},
    [VERDICT_NOT_SMTP] = {"protocol", EX_PROTOCOL,
	"what answers does not speak SMTP as it should",
	"check host and port: 465 wants smtps://, 25 and 587 do not; "
	"a firewall that meddles with SMTP looks like this, too"},
    [VERDICT_SILENT] = {"silent", EX_TEMPFAIL,
	"the server took the connection, and then it does not answer",
	"try later: it may be overloaded, or let strangers wait; where it is so always, a firewall "
	"may hold what it looks at, and a port that wants TLS at once (465) wants smtps://"},
    [VERDICT_CUT] = {"cut", EX_TEMPFAIL, "the connection breaks before the server has answered",
	"try later; where it is so always, the server, or a firewall on the way, "
	"ends what it does not like"},
    [VERDICT_NO_STARTTLS] = {"no-starttls", EX_PROTOCOL,
	"TLS is demanded, but the server offers no STARTTLS, or somebody on the way takes it out",
	"try from another network; if it is the server's way, use smtps:// or another relay"},
    [VERDICT_TLS] = {"tls", EX_PROTOCOL, "TLS cannot be agreed on",
	"the server's TLS is too old or broken, or port and scheme do not fit: "
	"465 wants smtps://, 587 smtp+tls://"},
    [VERDICT_CERTIFICATE] = {"certificate", EX_PROTOCOL,
	"the certificate is not the one expected, or somebody on the way puts in his own",
	"check the host in relay.url; for a CA of your own set tls.ca_file, "
	"for one certificate tls.fingerprint"},
    [VERDICT_PASSWORD] = {"password", EX_NOPERM, "user or password is refused",
	"check the user in relay.url (an @ in it is %40) and the password; "
	"providers may want an app password"},
    [VERDICT_AUTH] = {"auth", EX_NOPERM, "there is no way to log in that both sides know",
	"see relay.auth; without verified TLS no password is sent"},
    [VERDICT_SENDER] = {"sender", EX_NOPERM, "the sender is not accepted",
	"the relay wants another sender: see rewrite.envelope_from and rewrite.header_from"},
    [VERDICT_RELAYING] = {"relaying", EX_NOPERM, "the server does not take this mail from here",
	"it wants an account (relay.url with a user), or is not the one for this domain"},
    [VERDICT_RECIPIENT] = {"recipient", EX_NOUSER, "the recipient is refused",
	"check the address; all before it works"},
    [VERDICT_LATER] = {"later", EX_TEMPFAIL, "the server says: not now, later",
	"nothing needs to be done; queued mail is tried again by itself"},
    [VERDICT_NOTHING] = {"nothing", EX_SOFTWARE, "the probe found out nothing", "try again"},
    /* clang-format on */
};

static const struct {
	const char *name;
	enum verdict verdict; /* of a failure that says nothing more */
} kinds[PROBE_KINDS] = {
    [PROBE_HOP] = {"route", VERDICT_CONFIG},
    [PROBE_MX] = {"MX", VERDICT_DNS},
    [PROBE_HOST] = {"look-up", VERDICT_DNS},
    [PROBE_CONNECT] = {"connect", VERDICT_DROPPED},
    [PROBE_PORT] = {"port", VERDICT_DROPPED},
    [PROBE_GREETING] = {"greeting", VERDICT_NOT_SMTP},
    [PROBE_EHLO] = {"EHLO", VERDICT_NOT_SMTP},
    [PROBE_STARTTLS] = {"STARTTLS", VERDICT_NO_STARTTLS},
    [PROBE_TLS] = {"TLS", VERDICT_TLS},
    [PROBE_AUTH] = {"AUTH", VERDICT_AUTH},
    [PROBE_MAIL] = {"MAIL", VERDICT_SENDER},
    [PROBE_RCPT] = {"RCPT", VERDICT_RECIPIENT},
    [PROBE_RSET] = {"RSET", VERDICT_NOT_SMTP},
    [PROBE_QUIT] = {"QUIT", VERDICT_NOT_SMTP},
};

const char *
probe_name(enum probe_kind kind)
{
	return kinds[kind].name;
}

enum probe_kind
probe_kind(enum stage stage)
{
	static const enum probe_kind of[] = {
	    [STAGE_CONFIG] = PROBE_HOP,
	    [STAGE_LOOKUP] = PROBE_HOST,
	    [STAGE_CONNECT] = PROBE_CONNECT,
	    [STAGE_GREETING] = PROBE_GREETING,
	    [STAGE_EHLO] = PROBE_EHLO,
	    [STAGE_STARTTLS] = PROBE_STARTTLS,
	    [STAGE_TLS] = PROBE_TLS,
	    [STAGE_AUTH] = PROBE_AUTH,
	    [STAGE_MAIL] = PROBE_MAIL,
	    [STAGE_RCPT] = PROBE_RCPT,
	    [STAGE_DATA] = PROBE_RCPT,
	    [STAGE_BODY] = PROBE_RCPT,
	    [STAGE_DOT] = PROBE_RCPT,
	    [STAGE_RSET] = PROBE_RSET,
	    [STAGE_QUIT] = PROBE_QUIT,
	};

	return of[stage];
}

/* Texts of servers that keep a list, or consult one, have one of these in them. */
static bool
names_list(const char *text)
{
	static const char *const words[] = {"block list", "blocklist", "blacklist", "dnsbl", "rbl",
	    "spamhaus", "barracuda", "spamcop", "sorbs", "listed", "reputation"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(text, words[i]) != NULL)
			return true;
	return false;
}

static bool
names_relaying(const char *text)
{
	return strcasestr(text, "relay") != NULL || strcasestr(text, "authentic") != NULL;
}

/* DNS: which of its failures. A relay's name that does not exist is temporary, and only said. */
static enum verdict
judge_lookup(const struct probe_step *s)
{
	bool missing = strstr(s->text, ": Host not found") != NULL &&
		       strstr(s->text, "try again") == NULL;

	if (s->status.class == 5 && s->status.detail == 10)
		return VERDICT_NULL_MX;
	if (s->status.subject == 4 && s->status.detail == 6)
		return VERDICT_LOOP;
	return s->status.subject == 1 || missing ? VERDICT_NO_DOMAIN : VERDICT_DNS;
}

static bool
other_port_answers(const struct probe_step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (steps[i].kind == PROBE_PORT && steps[i].status.class == 2)
			return true;
	return false;
}

static enum verdict
judge_connect(const struct probe_step *s, const struct probe_step *steps, size_t n)
{
	switch (s->fault) {
	case PROBE_REFUSED:
		return VERDICT_REFUSED;
	case PROBE_UNREACHABLE:
		return VERDICT_NO_ROUTE;
	case PROBE_TIMEOUT:
		if (s->port == 25 && other_port_answers(steps, n))
			return VERDICT_BLOCKED;
		break;
	case PROBE_NO_FAULT:
	case PROBE_OTHER_FAULT:
		break;
	}
	return VERDICT_DROPPED;
}

/* A reply of a server: what its code, its enhanced code and its text say. */
static enum verdict
judge_reply(const struct probe_step *s)
{
	bool policy = s->status.subject == 7;

	if (s->code / 100 == 5 && s->kind != PROBE_AUTH && names_list(s->text))
		return VERDICT_LISTED;
	if (s->kind == PROBE_GREETING)
		return s->code / 100 == 4 ? VERDICT_THROTTLED : VERDICT_TURNED_AWAY;
	if (s->code == 421 || (s->code / 100 == 4 && policy && s->kind >= PROBE_MAIL))
		return VERDICT_THROTTLED;
	if (s->kind == PROBE_AUTH)
		return s->code / 100 == 4 ? VERDICT_LATER : VERDICT_PASSWORD;
	if (s->code / 100 == 4)
		return VERDICT_LATER;
	if (s->kind >= PROBE_MAIL && (s->code == 530 || (policy && names_relaying(s->text))))
		return VERDICT_RELAYING;
	if (s->kind == PROBE_RCPT && names_relaying(s->text))
		return VERDICT_RELAYING;
	return kinds[s->kind].verdict;
}

/* No reply, and nothing was wrong with what was to be said: that tells nothing of the step itself. */
static bool
unanswered(const struct probe_step *s)
{
	return s->kind >= PROBE_GREETING && s->kind != PROBE_TLS && s->code == 0 &&
	       (s->status.subject == 4 || s->status.subject == 5);
}

/* Who is cut off at once may be at the wrong port. */
static enum verdict
judge_unanswered(const struct probe_step *s)
{
	if (s->fault == PROBE_TIMEOUT)
		return VERDICT_SILENT;
	return s->status.subject == 4 && s->kind > PROBE_EHLO ? VERDICT_CUT : VERDICT_NOT_SMTP;
}

static enum verdict
judge(const struct probe_step *s, const struct probe_step *steps, size_t n)
{
	if (s->kind == PROBE_MX || s->kind == PROBE_HOST)
		return judge_lookup(s);
	if (s->kind == PROBE_CONNECT)
		return judge_connect(s, steps, n);
	if (s->code != 0)
		return judge_reply(s);
	if (unanswered(s))
		return judge_unanswered(s);
	if (s->kind == PROBE_TLS && strstr(s->text, "certificate") != NULL)
		return VERDICT_CERTIFICATE;
	if (s->kind == PROBE_STARTTLS && strstr(s->text, "attack") != NULL)
		return VERDICT_NOT_SMTP;
	return kinds[s->kind].verdict;
}

/* What matters of an attempt: where it failed. Ports and the farewell are no part of the way. */
static bool
counts(const struct probe_step *s)
{
	return s->status.class != 2 && s->kind != PROBE_PORT && s->kind < PROBE_RSET;
}

/* It went on all the same: by HELO after EHLO, or with the next mechanism. */
static bool
recovered(const struct probe_step *s, const struct probe_step *next)
{
	return s->kind > PROBE_PORT && next->status.class == 2 && next->kind >= s->kind &&
	       next->kind < PROBE_RSET;
}

void
diagnose(struct diagnosis *d, const struct probe_step *steps, size_t n, enum probe_kind goal)
{
	const struct probe_step *worst = NULL;
	enum verdict v = VERDICT_NOTHING;
	bool reached = false;

	for (size_t i = 0; i < n; i++) {
		if (steps[i].kind == goal && steps[i].status.class == 2)
			reached = true;
		else if (i + 1 < n && recovered(&steps[i], &steps[i + 1]))
			continue;
		else if (counts(&steps[i]) && (worst == NULL || steps[i].kind >= worst->kind))
			worst = &steps[i];
	}
	if (reached)
		v = VERDICT_OK;
	else if (worst != NULL)
		v = judge(worst, steps, n);
	d->name = verdicts[v].name;
	d->status = verdicts[v].status;
	d->remedy = verdicts[v].remedy;
	if (worst == NULL)
		snprintf(d->text, sizeof(d->text), "%s", verdicts[v].text);
	else if (reached)
		snprintf(d->text, sizeof(d->text), "%s; but at another server: %s",
		    verdicts[v].text, worst->text);
	else
		snprintf(d->text, sizeof(d->text), "%s: %s", verdicts[v].text, worst->text);
}
