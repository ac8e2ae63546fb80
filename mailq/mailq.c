/* SPDX-License-Identifier: ISC */
/*
 * mailq: the window. Lists the caller's spool, or everybody's for root.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "everybody.h"
#include "list.h"
#include "sys/config.h"
#include "sys/host.h"
#include "sys/program.h"

#define OUTPUT_BUFFER (64 * 1024)

/* -p is what postqueue must be told and mailq may be. */
static int
parse(int argc, char **argv)
{
	const char *name = argc > 0 ? argv[0] : "mailq", *slash = strrchr(name, '/');
	bool postqueue = strcmp(slash != NULL ? slash + 1 : name, "postqueue") == 0;
	bool list = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-p") != 0)
			return -1;
		list = true;
	}
	return postqueue && !list ? -1 : 0;
}

static int
usage(void)
{
	fputs("usage: mailq [-p]\n       postqueue -p\n", stderr);
	return EX_USAGE;
}

/*
 * A notice (a name that somebody else took, a directory that is open to others) may be why there
 * is no spool: then it is not certain that no mail waits.
 */
static void
list_own(struct list_total *t, const char *queue_dir, const char *home_state)
{
	struct spool sp;
	bool open = spool_open(&sp, queue_dir, home_state, 0) == 0;

	if (!open && errno != ENOENT)
		list_trouble(t, list_sysexit(errno), "%s", sp.error);
	else if (sp.notice[0] != '\0')
		list_trouble(t, open ? EX_OK : EX_UNAVAILABLE, "%s", sp.notice);
	if (open) {
		list_spool(t, &sp);
		spool_close(&sp);
	}
}

/* Settings decide where to look: what is wrong with them is worth a line, not the list. */
static void
show_mistakes(struct list_total *t, const struct settings *s)
{
	const char *line = buf_str(&s->errors), *end;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		list_trouble(t, EX_OK, "%.*s", (int)(end - line), line);
}

static int
finish(const struct list_total *t)
{
	if (t->stuck && isatty(STDERR_FILENO))
		fputs("mailq: nobody is delivering: start `sendmail -bD`, or run `sendmail -q`\n",
		    stderr);
	if (t->output == 0)
		return t->status;
	if (t->output == EPIPE) /* the reader has seen enough */
		return EX_OK;
	fprintf(stderr, "mailq: standard output: %s\n", strerror(t->output));
	return EX_IOERR;
}

int
main(int argc, char **argv)
{
	bool root = geteuid() == 0;
	struct list_total total = {.status = EX_OK};
	char home_state[PATH_MAX];
	struct settings s;

	program_begin();
	if (parse(argc, argv) == -1)
		return usage();
	if (settings_load(&s, root ? 0 : SETTINGS_OWN) == -1)
		return EX_TEMPFAIL;
	show_mistakes(&total, &s);
	setvbuf(stdout, NULL, _IOFBF, OUTPUT_BUFFER);
	if (!root || !everybody_list(&total, s.queue_dir))
		list_own(&total, s.queue_dir, host_state(home_state));
	list_end(&total);
	list_flush(&total);
	settings_free(&s);
	return finish(&total);
}
