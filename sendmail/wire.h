/* SPDX-License-Identifier: ISC */
/*
 * wire: what all destinations of smtp have in common: the settings as flush sent them, the relay
 * with its account, TLS, the resolver, the way back to flush, and the time.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/route.h"
#include "mail/sasl.h"
#include "mail/status.h"
#include "net/resolver.h"
#include "net/tls.h"
#include "outbox.h"
#include "sys/config.h"

struct wire {
	int64_t now;   /* milliseconds, monotonic; of this turn of the loop */
	unsigned jobs; /* open */
	bool ready;    /* the settings are complete */
	bool ending;   /* no more mail is begun */
	struct outbox outbox;
	struct resolver *resolver;
	struct settings settings;
	bool has_relay;
	struct relay relay;
	struct sasl_account account; /* of the relay, in settings; user "": none */
	enum tls_policy policy;
	struct tls_context *tls; /* NULL: not needed */
	struct outcome broken;   /* class 0: all is well; else what every message gets */
};

/* 0, or -1 with errno: no memory, or no threads. */
int wire_init(struct wire *w, int channel);

/* One setting as it came. What is not understood makes the wire broken, which later says so. */
void wire_set(struct wire *w, const struct handoff_setting *s);

/* The settings are complete: work out the rest. */
void wire_complete(struct wire *w);

/* Secrets are wiped. */
void wire_free(struct wire *w);

#endif
