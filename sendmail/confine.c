/* SPDX-License-Identifier: ISC */
#include "confine.h"

#include <signal.h>
#include <sys/wait.h>

#include "sys/log.h"
#include "sys/sandbox.h"

void
confine_tell_lacks(void)
{
	char lacks[SANDBOX_TEXT];

	sandbox_lacks(lacks);
	if (lacks[0] != '\0')
		log_info("this system has no %s: less of a sandbox for flush and smtp", lacks);
}

void
confine_flusher(const struct spool *sp, const struct settings *s)
{
	static const char *const read[] = {
	    "/etc/localtime", "/usr/share/zoneinfo", "/etc/hosts", "/etc/mailname"};
	struct sandbox b;

	sandbox_begin(&b, SANDBOX_FILES, false);
	sandbox_allow_fd(&b, sp->fd, SANDBOX_SPOOL);
	for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++)
		sandbox_allow(&b, read[i], SANDBOX_READ);
	sandbox_allow(&b, s->mail_aliases, SANDBOX_READ);
	sandbox_enter(&b, false);
}

void
confine_tell(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		log_warn("smtp was ended by its sandbox; see smtp.sandbox in pillarbox.ini(5)");
}
