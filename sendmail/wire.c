/* SPDX-License-Identifier: ISC */
#include "wire.h"

#include <stdio.h>
#include <string.h>

#include "sys/clock.h"

static void
breaks(struct wire *w, const char *what, const char *why)
{
	if (w->broken.status.class == 0)
		w->broken = status_trouble(
		    STAGE_CONFIG, SCOPE_DESTINATION, STATUS(4, 3, 5), "%s: %s", what, why);
}

int
wire_init(struct wire *w, int channel)
{
	memset(w, 0, sizeof(*w));
	outbox_init(&w->outbox, channel);
	w->now = clock_monotonic();
	if (settings_default(&w->settings) == -1)
		return -1;
	w->resolver = resolver_new();
	return w->resolver != NULL ? 0 : -1;
}

/* "section.key" NUL "value" NUL, whatever came. */
void
wire_set(struct wire *w, const struct handoff_setting *s)
{
	char name[128];
	size_t len = strnlen(s->text, sizeof(s->text));
	const char *value = s->text + len + 1, *why = "not a name";
	char *dot;

	if (len >= sizeof(name) || memchr(value, '\0', sizeof(s->text) - len - 1) == NULL) {
		breaks(w, "settings", "malformed");
		return;
	}
	memcpy(name, s->text, len + 1);
	dot = strchr(name, '.');
	if (dot != NULL) {
		*dot = '\0';
		if (settings_set(&w->settings, name, dot + 1, value, "flush", &why) == 0)
			return;
		*dot = '.';
	}
	breaks(w, name, why);
}

/* settings.relay_password is what flush found; the URL's own is the last resort. */
static void
set_relay(struct wire *w)
{
	const struct settings *s = &w->settings;
	const char *why = NULL;

	w->has_relay = s->relay_url[0] != '\0';
	if (!w->has_relay)
		return;
	if (route_parse(&w->relay, s->relay_url, &why) == -1) {
		breaks(w, "relay.url", why);
		return;
	}
	w->account.user = w->relay.user;
	w->account.password = s->relay_password[0] != '\0' ? s->relay_password : w->relay.password;
	if (w->account.user[0] != '\0' && w->account.password[0] == '\0')
		breaks(w, "relay.password", "not set, but relay.url names an account");
}

void
wire_complete(struct wire *w)
{
	char why[TLS_TEXT];

	set_relay(w);
	w->policy =
	    route_policy(w->has_relay ? &w->relay : NULL, (enum tls_policy)w->settings.tls_policy);
	if (w->policy != TLS_POLICY_NONE || (w->has_relay && w->relay.mode == TLS_MODE_IMPLICIT)) {
		w->tls = tls_context_new(w->settings.tls_ca_file, why);
		if (w->tls == NULL)
			breaks(w, "TLS", why);
	}
	w->ready = true;
}

void
wire_free(struct wire *w)
{
	explicit_bzero(&w->relay, sizeof(w->relay));
	settings_free(&w->settings);
	tls_context_free(w->tls);
	outbox_free(&w->outbox);
}
