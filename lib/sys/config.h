/* SPDX-License-Identifier: ISC */
/*
 * config: the settings. One table, lib/sys/settings.def, declares every one: section, key,
 * type, default, help. From it come this struct, the parser's checks, the environment names,
 * `sendmail -bP`, and the test that compares the manual page. A second one, relay.def, has the keys
 * of sections [relay.NAME], of which there may be SETTINGS_RELAYS.
 *
 * Precedence, later wins:
 *	1. the default of the table
 *	2. SYSCONFDIR/pillarbox.ini
 *	3. the user's own file, $XDG_CONFIG_HOME/pillarbox.ini or ~/.config/pillarbox.ini
 *	   (only with SETTINGS_OWN)
 *	4. the environment: PILLARBOX_<SECTION>_<KEY>
 * $PILLARBOX_CONFIG names another file in place of 2 and 3. Never an option: argv is what the
 * attacker of a web application reaches, the environment is not.
 *
 * In the environment also PILLARBOX_<SECTION>_<KEY>_FILE: the value is the first line of that
 * file (unless a setting has that name), which has to be trusted, see sys/file.h; an empty one
 * counts as not set. A secret's that others may read is used, and is a line in `errors`. A name
 * that is no setting is a mistake where its section is one. Nothing of the environment counts in a
 * process that is more than its caller (AT_SECURE).
 * PILLARBOX_RELAY_<NAME>_<KEY> is a key of [relay.NAME], where no setting has that name; "_" in
 * NAME also stands for "-", where the files have such a section.
 *
 * The files: "[section]", "key = value" or "key: value", lines of 190 octets at most, no
 * continuation lines; comments begin with ';' or '#' at the start of a line, or with a ';' that
 * follows white space. Quotes are part of the value. An empty value unsets a text; for all other
 * types, and RETRY, it is the default.
 *
 * A mistake (unknown key, bad value, a line too long, a key given twice, a file that others may
 * write or that cannot be read) is a line in `errors`, "FILE:LINE: section.key: what is wrong" or
 * "environment: NAME: what is wrong"; the setting keeps what it had (of a key given twice the last
 * counts). So a mistake never stops mail from being queued; who needs the setting decides what to
 * do about it.
 *
 * Files 2 and 3 need not be there; $PILLARBOX_CONFIG must, and must be an absolute path; when it
 * is empty, there is no file at all. All have to be trusted, see sys/file.h. A file of the user's
 * own that belongs to somebody else (sudo leaves $HOME behind) is a mistake, but does not make
 * `relay_broken`.
 */
#ifndef SYS_CONFIG_H
#define SYS_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "mail/buf.h"
#include "mail/route.h"

enum { /* [queue] deliver */
	DELIVER_BACKGROUND,
	DELIVER_QUEUE,
	DELIVER_FOREGROUND,
};

enum { /* [smtp] family */
	FAMILY_ANY,
	FAMILY_IPV4,
	FAMILY_IPV6,
};

enum { /* [smtp] sandbox */
	SANDBOX_KILL,
	SANDBOX_REFUSE,
	SANDBOX_OFF,
};

enum { /* [log] format */
	FORMAT_PLAIN,
	FORMAT_JSON,
};

/* Types of the table and how a value is kept. */
#define SETTING_TYPE_TEXT char *      /* "" when unset; never NULL */
#define SETTING_TYPE_URLS char *      /* checked by route_check() */
#define SETTING_TYPE_SECRET char *    /* never shown */
#define SETTING_TYPE_PATH char *      /* absolute, or "" */
#define SETTING_TYPE_SECONDS unsigned /* "90", "90s", "5m", "2h", "5d" */
#define SETTING_TYPE_COUNT unsigned   /* 1 to 1000000 */
#define SETTING_TYPE_OWN unsigned     /* the same, or 0: what holds for all, or no limit */
#define SETTING_TYPE_SIZE uint64_t    /* octets: "5000", "500k", "25M", "2G"; 0: no limit */
#define SETTING_TYPE_RATE char *      /* checked by rate_parse() */
#define SETTING_TYPE_RETRY char *     /* checked by retry_parse(); never "" */
#define SETTING_TYPE_DELIVER int      /* background, queue, foreground */
#define SETTING_TYPE_POLICY int       /* enum tls_policy */
#define SETTING_TYPE_POLICIES char *  /* checked by tls_policies_check() */
#define SETTING_TYPE_PINS char *      /* checked by fingerprints_parse() */
#define SETTING_TYPE_RULES char *     /* checked by rewrite_check() */
#define SETTING_TYPE_AUTH char *      /* checked by sasl_check() */
#define SETTING_TYPE_SENDERS char *   /* checked by rewrite_check_patterns() */
#define SETTING_TYPE_ADDRESSES char * /* checked by route_addresses() */
#define SETTING_TYPE_PROXY char *     /* checked by route_parse_proxy() */
#define SETTING_TYPE_FAMILY int       /* FAMILY_ANY … */
#define SETTING_TYPE_SANDBOX int      /* SANDBOX_KILL … */
#define SETTING_TYPE_FORMAT int       /* FORMAT_PLAIN … */
#define SETTING_TYPE_KEEP int         /* enum keep: reply-to, x-original-from, none */
#define SETTING_TYPE_YESNO int        /* no is 0, yes is 1 */

/* Their number: SETTINGS_COUNT. */
enum {
#define SETTING(section, key, type, fallback, help) SETTING_NUMBER_##section##_##key,
#include "sys/settings.def"
#undef SETTING
	SETTINGS_COUNT
};

/* Keys of a [relay.NAME]: SETTINGS_RELAY_COUNT. */
enum {
#define RELAY_SETTING(key, type, fallback, help) SETTING_NUMBER_relay_NAME_##key,
#include "sys/relay.def"
#undef RELAY_SETTING
	SETTINGS_RELAY_COUNT
};

#define SETTINGS_RELAYS 32
#define SETTINGS_SECTION 40 /* octets of "relay.NAME" with its NUL */

struct settings_source {
	const char *name; /* a constant string, or `file` */
	unsigned line;    /* of a file; 0: no line */
};

/* A section [relay.NAME]. NAME has lower-case letters, digits, "-" and "_". */
struct settings_relay {
	char section[SETTINGS_SECTION]; /* "relay.NAME" */
	struct settings_source first;   /* where it was named first */
#define RELAY_SETTING(key, type, fallback, help) SETTING_TYPE_##type key;
#include "sys/relay.def"
#undef RELAY_SETTING
	struct settings_source source[SETTINGS_RELAY_COUNT];
};

struct settings {
#define SETTING(section, key, type, fallback, help) SETTING_TYPE_##type section##_##key;
#include "sys/settings.def"
#undef SETTING
	/* Where each value came from, in the table's order. */
	struct settings_source source[SETTINGS_COUNT];
	struct settings_relay *relay; /* in the order of their first keys; NULL: none */
	size_t nrelays;
	char *file; /* path of $PILLARBOX_CONFIG or of the user's own file; NULL: not looked for */
	/* Mistakes that were found, a line each (see above); empty when all is well. */
	struct buf errors;
	/*
	 * A mistake was found that may change where mail goes and how: in [relay], [tls] or [smtp],
	 * in a section or line that cannot be told, or a file that could
	 * not be read.
	 */
	bool relay_broken;
	int unread; /* private: errno of a file that is there and could not be read this time */
};

enum {
	SETTINGS_OWN = 1, /* read the user's own file too */
};

/*
 * Load. 0; or -1 with errno when the system cannot do it now (ENOMEM, EIO, EMFILE …): what is in the
 * file is not known then, and the built-in queue need not be the right one. Mistakes are in s->errors.
 */
int settings_load(struct settings *s, unsigned flags);

/*
 * When the file that settings_load() without flags reads was changed last, its name and place
 * included. Zeros: there is none.
 */
struct timespec settings_changed(void);

/* Only the defaults: for smtp, which is told the rest over its channel. */
int settings_default(struct settings *s);

/*
 * Set one by name. 0, or -1 with *why a constant string ("unknown key", "not a duration" …). A
 * value is shorter than SECRET_LEN and has no control characters. source: for settings_print(), a
 * string that outlives `s`.
 */
int settings_set(struct settings *s, const char *section, const char *key, const char *value,
    const char *source, const char **why);

/* The same of "section.key" NUL "value" NUL, as it comes over a channel. */
int settings_take(struct settings *s, const char *text, const char *source, const char **why);

/*
 * The relay of a sender: the first whose `from` matches; NULL: [relay], also for the null
 * reverse-path.
 */
const struct settings_relay *settings_relay_of(const struct settings *s, const char *sender);
const char *settings_relay_name(const struct settings_relay *r);

/*
 * Whether mail of a sender goes by relays; then dst is its destination, "" or ":NAME", as struct
 * handoff_job has it. Else each recipient has one of its own.
 */
bool settings_by_relay(const struct settings *s, const char *sender, char dst[HOST_LEN]);

/* Whether this is the destination of relays, and no domain. */
bool settings_is_relay(const char *destination);

/*
 * Call `each` in the table's order with every setting as text, secrets too, for handing them to
 * smtp. Stops when `each` returns non-zero and returns that.
 */
int settings_each(const struct settings *s,
    int (*each)(void *arg, const char *section, const char *key, const char *value), void *arg);

/*
 * "section.key = value    ; where from" a line each (sendmail -bP): where from is "default",
 * "environment" or "FILE:LINE". Secrets, and a password in a URL, are shown as ***.
 */
void settings_print(struct buf *out, const struct settings *s);

/* Empty the secrets, for a process that hands the rest on to others. */
void settings_forget_secrets(struct settings *s);

/* Secrets are wiped. */
void settings_free(struct settings *s);

#endif
