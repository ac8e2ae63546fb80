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
#include "intake.h"
#include "options.h"
#include "post.h"
#include "queue_run.h"
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

static int
post_and_trigger(const struct options *o, const struct settings *s)
{
	int deliver = o->deliver != -1 ? o->deliver : s->queue_deliver;
	char home[PATH_MAX];
	struct spool sp;
	struct queue_id id;
	int status;

	if (o->mode == MODE_POST && o->nrecipients == 0 && !o->from_header)
		return complain(EX_USAGE,
		    "no recipients: name them on the command line, or give -t "
		    "to take them from the header");
	if (spool_open(&sp, s->queue_dir, host_state(home), SPOOL_CREATE) == -1)
		return complain(EX_TEMPFAIL, "%s; the message was not queued", sp.error);
	if (sp.notice[0] != '\0')
		log_warn("%s; using %s", sp.notice, sp.path);
	if (o->mode == MODE_SERVE)
		return serve(o, s, &sp, deliver == DELIVER_QUEUE ? NULL : trigger_background);
	if ((status = post(o, s, &sp, STDIN_FILENO, &id)) != EX_OK)
		return status;
	if (id.s[0] == '\0') /* to nobody */
		return EX_OK;
	if (deliver == DELIVER_BACKGROUND)
		trigger_background(&sp, s);
	else if (deliver == DELIVER_FOREGROUND)
		status = trigger_foreground(&sp, s, id);
	return status;
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
exec_program(const char *name, const char *option)
{
	char path[PATH_MAX];

	if (program_path(path, sizeof(path), name) == 0)
		execl(path, name, option, (char *)NULL);
	return complain(EX_OSFILE, "cannot run %s: %s", path, strerror(errno));
}

/* -bd: in the background, as init scripts want it. What goes wrong after this is in the log. */
static int
start_service(void)
{
	pid_t pid = fork();

	if (pid == -1)
		return complain(EX_OSERR, "cannot start the service: %s", strerror(errno));
	if (pid > 0)
		return EX_OK;
	program_detach(-1);
	return exec_program(PROGRAM_FLUSH, "-D");
}

int
main(int argc, char **argv)
{
	struct options o;
	struct settings s;
	char error[512];
	int status;

	program_begin();
	if (options_parse(&o, argc, argv, error, sizeof(error)) == -1)
		return complain(EX_USAGE, "%s", error);
	if (o.mode == MODE_MAILQ)
		return exec_program(PROGRAM_MAILQ, NULL);
	if (o.mode == MODE_SERVICE)
		return exec_program(PROGRAM_FLUSH, "-D");
	if (o.mode == MODE_DAEMON)
		return start_service();
	if (o.mode == MODE_HOSTSTAT) {
		puts("There is no host status: destinations that are out are in the log and in "
		     "mailq.");
		return EX_OK;
	}
	if (settings_load(&s, SETTINGS_OWN) == -1)
		return complain(EX_OSERR, "out of memory");
	log_open(o.tag != NULL ? o.tag : "sendmail", s.log_to, s.mail_hostname, false);
	report_mistakes(&s);
	if (o.mode == MODE_SETTINGS)
		status = show_settings(&s);
	else if (o.mode == MODE_VERIFY)
		status = verify(&o, &s);
	else if (o.mode == MODE_NEWALIASES)
		status = check_aliases(&s);
	else if (o.mode == MODE_QUEUE_RUN)
		status = queue_run(&s, &o);
	else
		status = post_and_trigger(&o, &s);
	settings_free(&s);
	return status;
}
