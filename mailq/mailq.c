/* SPDX-License-Identifier: ISC */
/*
 * mailq: the window. Looks at the caller's spool, or everybody's for root.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"
#include "everybody.h"
#include "import.h"
#include "list.h"
#include "options.h"
#include "screen.h"
#include "steer.h"
#include "sys/clock.h"
#include "sys/config.h"
#include "sys/host.h"
#include "sys/log.h"
#include "sys/program.h"
#include "walk.h"
#include "watch.h"

#define OUTPUT_BUFFER (64 * 1024)

static int
usage(const char *error)
{
	char clean[512];

	text_clean(clean, sizeof(clean), error, strlen(error));
	fprintf(stderr, "mailq: %s\n", clean);
	return EX_USAGE;
}

/*
 * A notice (a name that somebody else took, a directory that is open to others) may be why there
 * is no spool: then it is not certain that no mail waits.
 */
static void
walk_own(struct run *r)
{
	char home_state[PATH_MAX];
	struct spool sp;
	bool open = spool_open(&sp, r->settings->queue_dir, host_state(home_state), 0) == 0;

	if (!open && errno != ENOENT)
		total_trouble(r->total, total_sysexit(errno), "%s", sp.error);
	else if (sp.notice[0] != '\0')
		total_trouble(r->total, open ? EX_OK : EX_UNAVAILABLE, "%s", sp.notice);
	if (open) {
		walk_spool(r, &sp);
		spool_close(&sp);
	}
}

/* Settings decide where to look: what is wrong with them is worth a line, not the list. */
static void
show_mistakes(const struct run *r)
{
	const char *line = buf_str(&r->settings->errors), *end;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		total_trouble(r->total, EX_OK, "%.*s", (int)(end - line), line);
}

/* The memory that parent and children share: r->total, r->found, r->memory. */
static int
share(struct run *r, const struct options *o)
{
	struct shared {
		struct total total;
		max_align_t memory[];
	} * s;
	size_t size = sizeof(*s) + r->act->memory + o->selection.nids;

	s = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return -1;
	r->total = &s->total;
	r->memory = s->memory;
	r->found = (bool *)s->memory + r->act->memory;
	return 0;
}

static int
finish(const struct run *r, int status)
{
	const struct total *t = r->total;

	if (t->stuck && isatty(STDERR_FILENO))
		fputs("mailq: nobody is delivering: start `sendmail -bD`, or run `sendmail -q`\n",
		    stderr);
	if (t->output == EPIPE) /* the reader has seen enough */
		return EX_OK;
	if (t->output != 0) {
		fprintf(stderr, "mailq: standard output: %s\n", strerror(t->output));
		return EX_IOERR;
	}
	return t->status != EX_OK && !r->act->own_status ? t->status : status;
}

static void
walk(struct run *r)
{
	if (r->root)
		everybody_walk(r);
	if (!r->root || !r->total->root)
		walk_own(r);
}

/* Before something is done to all: whether a person wants that. Nobody is asked without a terminal. */
static bool
confirmed(struct run *r)
{
	const struct options *o = r->options;
	const struct act *act = r->act;
	char answer[16] = "";
	uint64_t n;

	if (!o->ask || !o->target.all || o->yes || o->dry_run || !isatty(STDIN_FILENO))
		return true;
	r->act = &act_count;
	walk(r);
	r->act = act;
	n = r->total->requests;
	*r->total = (struct total){0};
	fprintf(stderr, "mailq: that is for %llu message%s. Go on? [y/N] ", (unsigned long long)n,
	    n == 1 ? "" : "s");
	return fgets(answer, sizeof(answer), stdin) != NULL &&
	       (answer[0] == 'y' || answer[0] == 'Y');
}

static int
run(struct run *r)
{
	int status;

	show_mistakes(r);
	if (!confirmed(r)) {
		fputs("mailq: nothing was done\n", stderr);
		return EX_OK;
	}
	walk(r);
	walk_missing(r, "in the queue");
	status = r->act->end(r);
	total_flush(r->total);
	return finish(r, status);
}

/* Postfix's `postqueue -f`: what sendmail -q does, and says. */
static int
run_queue(void)
{
	char path[PATH_MAX];

	if (program_path(path, sizeof(path), PROGRAM_SENDMAIL) == 0)
		execl(path, PROGRAM_SENDMAIL, "-q", (char *)NULL);
	fprintf(stderr, "mailq: cannot run %s: %s\n", path, strerror(errno));
	return EX_OSFILE;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct settings s;
	struct run r = {.options = &o, .settings = &s, .root = geteuid() == 0};
	char error[512];
	int status;

	program_begin();
	if (options_parse(&o, argc, argv, error, sizeof(error)) == -1)
		return o.act == &act_check ? check_unknown(error) : usage(error);
	if (o.help) {
		options_help();
		return EX_OK;
	}
	if (o.flush)
		return run_queue();
	r.act = o.act == &act_list && !o.plain && isatty(STDOUT_FILENO) ? &act_screen : o.act;
	r.now = clock_seconds();
	if (settings_load(&s, r.root ? 0 : SETTINGS_OWN) == -1 || share(&r, &o) == -1) {
		int e = errno;
		snprintf(error, sizeof(error), "cannot read the settings: %s", strerror(e));
		if (o.act == &act_check)
			return check_unknown(error);
		fprintf(stderr, "mailq: %s\n", error);
		return EX_TEMPFAIL;
	}
	log_open("mailq", s.log_to, s.log_format, s.mail_hostname, false);
	if (o.target.some)
		log_ready(); /* before we become anybody else, who could not open it */
	setvbuf(stdout, NULL, _IOFBF, OUTPUT_BUFFER);
	status = o.import ? import_run(&r) : o.watch ? watch(&r, run) : run(&r);
	settings_free(&s);
	return status;
}
