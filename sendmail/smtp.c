/* SPDX-License-Identifier: ISC */
/*
 * smtp: the wire half: takes messages from flush over descriptor 3 and speaks SMTP to servers. It
 * has the network and no file system: messages come as descriptors, results go back the same way.
 */
#include <bsd/unistd.h>
#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "loop.h"
#include "sys/program.h"

#define CHANNEL 3

static bool
is_channel(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

/* A password will be in memory: no core, no ptrace by others of our uid. */
static void
harden(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int
main(void)
{
	program_begin();
	if (!is_channel(CHANNEL))
		errx(EX_USAGE, "this is the network half of Pillarbox; flush starts it and hands "
			       "it messages over descriptor 3, and by hand it does nothing");
	closefrom(CHANNEL + 1);
	harden();
	clearenv(); /* LOCALDOMAIN, RES_OPTIONS, HOSTALIASES, OPENSSL_CONF, SSL_CERT_FILE */
	return loop_run(CHANNEL);
}
