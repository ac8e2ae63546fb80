/* SPDX-License-Identifier: ISC */
/*
 * watched: stands where flush or smtp is looked for, PREFIX/libexec/pillarbox/NAME, and runs the one that
 * is below PREFIX/real under valgrind, whose findings go to PREFIX/findings. A script would not do: they
 * are executed by descriptor. Nor would an environment: they get none.
 */
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { ARGUMENTS = 32 };

int
main(int argc, char **argv)
{
	static char findings[PATH_MAX + 64], program[PATH_MAX + 64];
	char own[PATH_MAX], *name,
	    *run[ARGUMENTS] = {(char *)"valgrind", (char *)"-q", (char *)"--leak-check=full",
		(char *)"--show-leak-kinds=definite", (char *)"--errors-for-leak-kinds=definite",
		(char *)"--track-fds=yes", (char *)"--trace-children=no", findings, program};
	size_t n = 9;
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);

	own[len > 0 ? len : 0] = '\0';
	if ((name = strstr(own, "/libexec/")) == NULL)
		errx(EX_SOFTWARE, "%s: not below a libexec", own);
	snprintf(program, sizeof(program), "%.*s/real%s", (int)(name - own), own, name);
	snprintf(findings, sizeof(findings), "--log-file=%.*s/findings/%s.%%p", (int)(name - own),
	    own, strrchr(name, '/') + 1);
	for (int i = 1; i < argc && n < ARGUMENTS - 1; i++)
		run[n++] = argv[i];
	execvp(run[0], run); /* found without a PATH, too */
	err(EX_OSFILE, "valgrind");
}
