/* SPDX-License-Identifier: ISC */
/*
 * sendmail: the mouth. Takes a message from standard input and commits it to the caller's
 * spool; never touches the network. Its other names and modes hand over to the programs that do
 * the work.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "aliases.h"
#include "complain.h"
#include "daemon.h"
#include "intake.h"
#include "options.h"
#include "post.h"
#include "queue_run.h"
#include "remote.h"
#include "serve.h"
#include "spool/spool.h"
#include "sys/config.h"
#include "sys/host.h"
#include "sys/log.h"
#include "sys/program.h"
#include "trigger.h"
#include "verify.h"

/* Mistakes in the settings are said, and mail is queued all the same. */
static void
report_mistakes(const struct settings *s)
{
	const char *line = buf_str(&s->errors), *end;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		warn_user("%.*s", (int)(end - line), line);
}

/* Into a spool that is open. -1: it cannot be written to, and sp->error says why. */
static int
post_here(const struct options *o, const struct settings *s, struct spool *sp)
{
	int deliver = o->deliver != -1 ? o->deliver : s->queue_deliver;
	struct queue_id id;
	int status;

	if (sp->notice[0] != '\0')
		log_warn("%s; using %s", sp->notice, sp->path);
	if (o->mode == MODE_SERVE) {
		if (spool_writable(sp) == -1 && spool_unwritable(errno))
			return -1;
		return serve(o, s, sp, deliver == DELIVER_QUEUE ? NULL : trigger_background);
	}
	if ((status = post(o, s, sp, STDIN_FILENO, &id)) != EX_OK)
		return status;
	if (id.s[0] == '\0') /* to nobody */
		return EX_OK;
	if (deliver == DELIVER_BACKGROUND)
		trigger_background(sp, s);
	else if (deliver == DELIVER_FOREGROUND)
		status = trigger_foreground(sp, s, id, o->deliver == -1);
	return status;
}

/*
 * The system flusher's socket, where that helps, else the spool in the caller's home. Not inlined:
 * every post would page in the room that this takes on the stack.
 */
__attribute__((noinline)) static int
post_elsewhere(const struct options *o, const struct settings *s, const struct spool *machine,
    char *const *words, bool opened, bool helps)
{
	char home[PATH_MAX], elsewhere[PATH_MAX + 128] = "";
	struct spool own;
	int status = -1;

	if (helps)
		status = remote_post(o, s, words, elsewhere, sizeof(elsewhere));
	if (status == -1 && !opened &&
	    spool_open(&own, s->queue_dir, host_state(home), SPOOL_CREATE) == 0)
		status = post_here(o, s, &own);
	if (status != -1)
		return status;
	return complain(EX_TEMPFAIL, "%s%s%s; the message was not queued", machine->error,
	    elsewhere[0] != '\0' ? "; " : "", elsewhere);
}

/* Into the machine's spool, or elsewhere. words: the command line as it was given. */
static int
post_and_trigger(const struct options *o, const struct settings *s, char *const *words)
{
	bool opened, helps = true;
	struct spool sp;
	int status = -1;

	if (o->mode == MODE_POST && o->nrecipients == 0 && !o->from_header)
		return complain(EX_USAGE,
		    "no recipients: name them on the command line, or give -t "
		    "to take them from the header");
	if ((opened = spool_open(&sp, s->queue_dir, NULL, SPOOL_CREATE) == 0))
		status = post_here(o, s, &sp);
	else
		helps = spool_unwritable(errno);
	return status != -1 ? status : post_elsewhere(o, s, &sp, words, opened, helps);
}

/* argv as it is before options_parse() sorts it, without its first word. */
static char **
copy_words(int argc, char **argv)
{
	size_t n = argc > 0 ? (size_t)argc - 1 : 0;
	char **words = malloc((n + 1) * sizeof(*words));

	if (words == NULL)
		return NULL;
	memcpy(words, argv + (argc > 0), n * sizeof(*words));
	words[n] = NULL;
	return words;
}

static int
show_settings(const struct settings *s)
{
	struct buf b = BUF_INIT(1024 * 1024);

	settings_print(&b, s);
	fputs(buf_str(&b), stdout);
	buf_free(&b);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int
check_aliases(const struct settings *s)
{
	char hostname[HOST_LEN];

	host_name(hostname, s->mail_hostname);
	return s->mail_aliases[0] == '\0' ? EX_OK
					  : aliases_check(s->mail_aliases, INTAKE_LOCAL, hostname);
}

static int
list_queue(const struct options *o)
{
	static char path[PATH_MAX]; /* not on the stack of every post */

	if (program_path(path, sizeof(path), PROGRAM_MAILQ) == 0)
		execl(path, PROGRAM_MAILQ, o->verbose ? "-v" : (char *)NULL, (char *)NULL);
	return complain(EX_OSFILE, "cannot run %s: %s", path, strerror(errno));
}

/* What the options ask for. words: the command line as it was given. */
static int
run(const struct options *o, char *const *words)
{
	struct settings s;
	int status;

	if (o->mode == MODE_MAILQ)
		return list_queue(o);
	if (o->mode == MODE_SERVICE)
		return daemon_foreground(o);
	if (o->mode == MODE_DAEMON)
		return daemon_background(o);
	if (o->mode == MODE_HOSTSTAT) {
		puts("There is no host status: destinations that are out are in the log and in "
		     "mailq.");
		return EX_OK;
	}
	if (settings_load(&s, SETTINGS_OWN) == -1)
		return complain(EX_TEMPFAIL, "cannot read the settings: %s; nothing was queued",
		    strerror(errno));
	log_open(
	    o->tag != NULL ? o->tag : "sendmail", s.log_to, s.log_format, s.mail_hostname, false);
	report_mistakes(&s);
	if (o->mode == MODE_SETTINGS)
		status = show_settings(&s);
	else if (o->mode == MODE_VERIFY)
		status = verify(o, &s);
	else if (o->mode == MODE_NEWALIASES)
		status = check_aliases(&s);
	else if (o->mode == MODE_QUEUE_RUN)
		status = queue_run(&s, o);
	else
		status = post_and_trigger(o, &s, words);
	settings_free(&s);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o;
	char error[512], **words;
	int status;

	program_begin();
	if ((words = copy_words(argc, argv)) == NULL)
		return complain(EX_OSERR, "out of memory");
	if (options_parse(&o, argc, argv, error, sizeof(error)) == 0)
		status = run(&o, words);
	else
		status = complain(EX_USAGE, "%s", error);
	free(words);
	return status;
}
