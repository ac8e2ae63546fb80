/* SPDX-License-Identifier: ISC */
/*
 * flush: the collector. Delivers what lies in a spool, and bounces what cannot be delivered.
 *
 *	flush         the caller's spool, until it is empty; started by sendmail
 *	flush -D      a service: the caller's spool, or as root every owner's; until SIGTERM.
 *	              -D900: everything is tried every 900 seconds
 *	flush -d      the same, and who started it waits at descriptor 3, see service.h
 *	flush -q      everything is tried now; answers to descriptor 3, see sys/poke.h
 *	flush -iID    the same for one message
 *	flush -vq, -viID  the same for who wants to watch the dialogue
 */
#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "confine.h"
#include "run.h"
#include "service.h"
#include "starter.h"
#include "supervise.h"
#include "sys/host.h"
#include "sys/log.h"
#include "sys/program.h"

#define ANSWERS 3 /* the descriptor that sendmail leaves open */
#define EVERY_MAX (10LL * 365 * 86400)

struct arguments {
	bool service;
	bool background; /* a service that somebody waits for */
	unsigned every;  /* seconds; 0: none */
	struct request request;
};

/* "D", "d900" */
static int
parse_service(struct arguments *a, const char *option)
{
	const char *wrong = NULL;

	a->service = true;
	a->background = *option == 'd' && fcntl(ANSWERS, F_SETFD, FD_CLOEXEC) == 0;
	if (option[1] != '\0')
		a->every = (unsigned)strtonum(option + 1, 1, EVERY_MAX, &wrong);
	return wrong == NULL ? 0 : -1;
}

/* "q", "iID", "vq", "viID" */
static int
parse_request(struct poke *p, const char *option)
{
	if ((p->watch = *option == 'v'))
		option++;
	if (strcmp(option, "q") == 0)
		p->type = POKE_ALL;
	else if (*option == 'i' && queue_id_valid(option + 1)) {
		p->type = POKE_ONE;
		memcpy(p->id.s, option + 1, sizeof(p->id.s));
	} else
		return -1;
	return 0;
}

static int
parse(struct arguments *a, int argc, char **argv)
{
	*a = (struct arguments){.request = {.fd = -1}};
	if (argc == 1)
		return 0;
	if (argc != 2 || argv[1][0] != '-')
		return -1;
	if (argv[1][1] == 'D' || argv[1][1] == 'd')
		return parse_service(a, argv[1] + 1);
	if (parse_request(&a->request.poke, argv[1] + 1) == -1)
		return -1;
	if (fcntl(ANSWERS, F_SETFD, FD_CLOEXEC) == 0)
		a->request.fd = ANSWERS;
	return 0;
}

static int
run_own(const struct arguments *a, const struct settings *s, struct service *service)
{
	char home[PATH_MAX], pidfile[SERVICE_PATH];
	struct spool sp;
	struct run_facts facts = {
	    .spool = &sp, .service = service, .supervisor = -1, .starter = -1};

	if (s->errors.len > 0)
		log_warn("%s", buf_str(&s->errors));
	if (spool_open(&sp, s->queue_dir, host_state(home), service != NULL ? SPOOL_CREATE : 0) ==
	    -1) {
		if (errno == ENOENT && service == NULL)
			return EX_OK; /* nothing was ever posted */
		log_warn("%s", sp.error);
		return EX_TEMPFAIL;
	}
	if (service != NULL) {
		snprintf(pidfile, sizeof(pidfile), "%s/" SERVICE_PIDFILE, sp.path);
		if (service_lock(service, pidfile) == -1)
			return EX_TEMPFAIL;
	}
	if (service != NULL)
		confine_tell_lacks();
	log_ready();
	if ((facts.starter = starter_begin(sp.fd, service != NULL)) != -1)
		confine_flusher(&sp, s);
	return run_spool(&facts, a->request.fd != -1 ? &a->request : NULL);
}

/* A password passes through this process: no core file, no debugger. */
static void
protect(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	prctl(PR_SET_DUMPABLE, 0);
}

static int
run(const struct arguments *a, const struct settings *s)
{
	struct service service;
	int status;

	if (!a->service)
		return run_own(a, s, NULL);
	service_begin(&service, a->every, a->background ? ANSWERS : -1);
	status = geteuid() == 0 ? supervise(&service) : run_own(a, s, &service);
	service_end(&service);
	return status;
}

int
main(int argc, char **argv)
{
	struct arguments a;
	struct settings s;
	int status;

	program_begin();
	protect();
	if (parse(&a, argc, argv) == -1) {
		fprintf(
		    stderr, "usage: flush [-D[seconds] | -[v]q | -[v]iID] (sendmail starts it)\n");
		return EX_USAGE;
	}
	if (a.service && geteuid() == 0)
		program_keep_settings();
	if (settings_load(&s, a.service && geteuid() == 0 ? 0 : SETTINGS_OWN) == -1)
		return EX_OSERR;
	log_open("flush", s.log_to, s.log_format, s.mail_hostname, a.service);
	status = run(&a, &s);
	settings_free(&s);
	return status;
}
