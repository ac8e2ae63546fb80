/* SPDX-License-Identifier: ISC */
/*
 * flush: the collector. Delivers what lies in a spool, and bounces what cannot be delivered.
 *
 *	flush         the caller's spool, until it is empty; started by sendmail
 *	flush -D      a service: the caller's spool, or as root every owner's; until SIGTERM
 *	flush -q      everything is tried now; answers to descriptor 3, see sys/poke.h
 *	flush -iID    the same for one message
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "run.h"
#include "supervise.h"
#include "sys/host.h"
#include "sys/log.h"
#include "sys/program.h"

#define ANSWERS 3 /* the descriptor that sendmail leaves open */

struct arguments {
	bool service;
	struct request request;
};

static int
parse(struct arguments *a, int argc, char **argv)
{
	*a = (struct arguments){.request = {.fd = -1}};
	if (argc == 1)
		return 0;
	if (argc != 2 || argv[1][0] != '-')
		return -1;
	if (strcmp(argv[1], "-D") == 0)
		a->service = true;
	else if (strcmp(argv[1], "-q") == 0)
		a->request.poke.type = POKE_ALL;
	else if (strncmp(argv[1], "-i", 2) == 0 && queue_id_valid(argv[1] + 2)) {
		a->request.poke.type = POKE_ONE;
		memcpy(a->request.poke.id.s, argv[1] + 2, sizeof(a->request.poke.id.s));
	} else
		return -1;
	if (!a->service && fcntl(ANSWERS, F_SETFD, FD_CLOEXEC) == 0)
		a->request.fd = ANSWERS;
	return 0;
}

static int
run_own(const struct arguments *a, const struct settings *s)
{
	char home[PATH_MAX];
	struct spool sp;
	struct run_facts facts = {.spool = &sp, .resident = a->service, .supervisor = -1};

	if (spool_open(&sp, s->queue_dir, host_state(home), a->service ? SPOOL_CREATE : 0) == -1) {
		if (errno == ENOENT && !a->service)
			return EX_OK; /* nothing was ever posted */
		log_warn("%s", sp.error);
		return EX_TEMPFAIL;
	}
	return run_spool(&facts, a->request.fd != -1 ? &a->request : NULL);
}

/* A password passes through this process: no core file, no debugger. */
static void
protect(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	prctl(PR_SET_DUMPABLE, 0);
}

int
main(int argc, char **argv)
{
	bool root = geteuid() == 0;
	struct arguments a;
	struct settings s;
	int status;

	program_begin();
	protect();
	if (parse(&a, argc, argv) == -1) {
		fprintf(stderr, "usage: flush [-D | -q | -iID] (sendmail starts it)\n");
		return EX_USAGE;
	}
	if (settings_load(&s, root && a.service ? 0 : SETTINGS_OWN) == -1)
		return EX_OSERR;
	log_open("flush", s.log_to, s.mail_hostname, a.service);
	if (s.errors.len > 0)
		log_warn("%s", buf_str(&s.errors));
	status = root && a.service ? supervise() : run_own(&a, &s);
	settings_free(&s);
	return status;
}
