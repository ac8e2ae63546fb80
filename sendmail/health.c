/* SPDX-License-Identifier: ISC */
#include "health.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sysexits.h>
#include <unistd.h>

#include "examine.h"
#include "mail/json.h"
#include "mail/route.h"
#include "mail/status.h"
#include "spool/scan.h"
#include "spool/spool.h"
#include "sys/clock.h"
#include "sys/host.h"
#include "sys/poke.h"

#define OVERDUE 600 /* seconds behind its time at which a message says that nobody works */
#define SPACE_LEAST (16U << 20) /* octets free */

struct health {
	const struct options *options;
	const struct settings *settings;
	int status;
};

static void __attribute__((format(printf, 4, 5)))
say(struct health *h, int status, const char *what, const char *fmt, ...)
{
	char text[PATH_MAX + 512], clean[sizeof(text)];
	struct buf out = BUF_INIT(16 * 1024);
	va_list ap;

	if (h->status == EX_OK)
		h->status = status;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	text_clean(clean, sizeof(clean), text, strlen(text));
	if (!h->options->json) {
		printf("%c %-9s %s\n", status == EX_OK ? ' ' : '!', what, clean);
		return;
	}
	buf_addc(&out, '{');
	json_member(&out, "check", what);
	buf_adds(&out, status == EX_OK ? ",\"ok\":true" : ",\"ok\":false");
	json_member(&out, "text", clean);
	buf_addc(&out, '}');
	puts(buf_str(&out));
	buf_free(&out);
}

static void
check_settings(struct health *h)
{
	const struct settings *s = h->settings;
	size_t mistakes = 0;

	for (const char *p = buf_str(&s->errors); (p = strchr(p, '\n')) != NULL; p++)
		mistakes++;
	if (mistakes == 0)
		say(h, EX_OK, "settings", "no mistakes");
	else
		say(h, EX_CONFIG, "settings", "%zu %s, see above%s", mistakes,
		    mistakes == 1 ? "mistake" : "mistakes",
		    s->relay_broken ? "; nothing is delivered until they are mended" : "");
}

/* As a post would find it. 0, or -1. */
static int
check_spool(struct health *h, struct spool *sp)
{
	char home[PATH_MAX];
	struct statvfs fs;
	uint64_t space;

	if (spool_open(sp, h->settings->queue_dir, host_state(home), SPOOL_CREATE) == -1) {
		say(h, EX_CANTCREAT, "spool", "%s", sp->error);
		return -1;
	}
	if (spool_dir(sp, SPOOL_NEW) == -1 ||
	    faccessat(sp->fd, ".", W_OK | X_OK, AT_EACCESS) == -1 || fstatvfs(sp->fd, &fs) == -1) {
		say(h, EX_CANTCREAT, "spool", "%s: %s", sp->path, strerror(errno));
		return -1;
	}
	space = (uint64_t)fs.f_bavail * fs.f_frsize;
	if ((fs.f_flag & ST_RDONLY) != 0)
		say(h, EX_CANTCREAT, "spool", "%s is on a read-only file system", sp->path);
	else if (space < SPACE_LEAST || (fs.f_files > 0 && fs.f_favail < 16))
		say(h, EX_CANTCREAT, "spool", "%s: the disk is full", sp->path);
	else
		say(h, EX_OK, "spool", "%s is writable, %llu MB free", sp->path,
		    (unsigned long long)(space >> 20));
	return 0;
}

/* Messages that wait, and by how many seconds the most belated of them is behind its time. */
static size_t
count_waiting(struct spool *sp, int64_t *late)
{
	static const enum spool_state states[] = {SPOOL_NEW, SPOOL_CUR};
	int64_t now = clock_seconds();
	size_t n = 0;

	*late = 0;
	for (size_t i = 0; i < 2; i++) {
		struct scan_entry entry;
		struct scan scan;

		if (scan_open(&scan, sp, states[i]) == -1)
			continue;
		while (scan_next(&scan, &entry) == 1) {
			n++;
			if (now - entry.due > *late)
				*late = now - entry.due;
		}
		scan_close(&scan);
	}
	return n;
}

/* A poke does no harm: it says that there may be new mail. */
static const char *
flusher_of(const struct health *h, struct spool *sp)
{
	const struct poke p = {.type = POKE_NEW};

	if (spool_flusher_alive(sp))
		return "is running";
	if (h->settings->queue_socket[0] != '\0' &&
	    (poke_send(-1, h->settings->queue_socket, &p, -1) == 0 || errno == EAGAIN))
		return "is running, as a service";
	return NULL;
}

static void
check_flusher(struct health *h, struct spool *sp)
{
	int64_t late;
	size_t n = count_waiting(sp, &late);
	const char *running = flusher_of(h, sp);

	if (late > OVERDUE)
		say(h, EX_UNAVAILABLE, "flusher", "%s; %zu waiting, %lld minutes overdue: %s",
		    running != NULL ? running : "is not running", n, (long long)late / 60,
		    running != NULL ? "see the log" : "try sendmail -q");
	else if (running != NULL)
		say(h, EX_OK, "flusher", "%s; %zu waiting", running, n);
	else if (n == 0)
		say(h, EX_OK, "flusher", "starts with the next message; nothing waits");
	else
		say(h, EX_UNAVAILABLE, "flusher", "is not running; %zu waiting: try sendmail -q",
		    n);
}

static void
check_relay(struct health *h, const char *from)
{
	const struct settings *s = h->settings;
	char relay[HOST_LEN];
	bool by_relay = settings_by_relay(s, from, relay);
	struct examine e = {
	    .destination = by_relay ? relay : s->mail_domain,
	    .from = from,
	    .to = "",
	    .json = h->options->json,
	    .quiet = !h->options->verbose,
	};
	int status = EX_OK;

	if (!by_relay && s->mail_domain[0] == '\0')
		say(h, EX_OK, "relay", "none: straight to the exchangers of each recipient");
	else
		status = examine(&e, s);
	if (h->status == EX_OK)
		h->status = status;
}

int
health(const struct options *o, const struct settings *s, const char *from)
{
	struct health h = {.options = o, .settings = s, .status = EX_OK};
	struct spool sp;

	check_settings(&h);
	if (check_spool(&h, &sp) == 0) {
		check_flusher(&h, &sp);
		spool_close(&sp);
	}
	fflush(stdout);
	check_relay(&h, from);
	return fflush(stdout) == 0 ? h.status : EX_IOERR;
}
