/* SPDX-License-Identifier: ISC */
/*
 * poster: what an injector would not say to queue.post_socket (sendmail/parcel.h).
 *
 *	poster SOCKET whole [WORD...]      a request that is well formed; the answers are shown, a
 *	                                   line each: kind, status, text
 *	              setting NAME=VALUE   the same with a setting and no words
 *	              nofds, twofds        too few descriptors
 *	              magic, huge          a head that is none
 *	              short                strings that are not as many as the head says
 *	              half                 half a request, and then nothing
 *	              leave WORD...        the whole of it, and then away
 *	              silent N             N connections that say nothing, until standard input ends
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "parcel.h"
#include "sys/pass.h"

static int
dial(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (sock == -1 || connect(sock, (struct sockaddr *)&to, sizeof(to)) == -1)
		err(1, "%s", path);
	return sock;
}

static void
add(struct buf *b, const char *word)
{
	buf_add(b, word, strlen(word) + 1);
}

/* A packet may be refused before it is read: the answers say why. */
static void
say(int sock, const void *data, size_t len, size_t nfds)
{
	static const int fds[PARCEL_FDS] = {0, 1, 2};

	if (pass_send_all(sock, data, len, fds, nfds) == -1)
		warn("send");
}

static int
show_answers(int sock)
{
	static const char *const kinds[] = {"busy", "ready", "taken", "done"};
	struct parcel_answer a;

	while (parcel_listen(sock, &a) == 1) {
		printf("%s %u %s\n", kinds[a.kind], a.status, a.text);
		if (a.kind == PARCEL_BUSY || a.kind == PARCEL_DONE)
			return a.status;
	}
	puts("ended");
	return 1;
}

static int
stay_silent(const char *path, const char *number)
{
	char c;

	for (long n = strtol(number, NULL, 10); n > 0; n--)
		dial(path);
	puts("connected");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}

static bool
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

int
main(int argc, char **argv)
{
	struct parcel_head head = {.octets = 0};
	struct buf strings = BUF_INIT(PARCEL_OCTETS);
	struct parcel_answer ready;
	const char *how;
	int sock;

	if (argc < 3)
		errx(64, "usage: poster SOCKET HOW [WORD...]; its source has more");
	how = argv[2];
	if (is(how, "silent"))
		return stay_silent(argv[1], argv[3]);
	for (int i = 3; i < argc; i++)
		add(&strings, argv[i]);
	memcpy(head.magic, PARCEL_MAGIC, sizeof(head.magic));
	*(is(how, "setting") ? &head.settings : &head.words) = (uint32_t)(argc - 3);
	head.octets = (uint32_t)strings.len;
	if (is(how, "magic"))
		head.magic[0] = 'P';
	if (is(how, "huge"))
		head.octets = PARCEL_OCTETS + 1;
	if (is(how, "short"))
		head.words++;
	if (is(how, "half"))
		head.octets++;
	sock = dial(argv[1]);
	if (parcel_listen(sock, &ready) != 1 || ready.kind != PARCEL_READY)
		errx(1, "%s: not ready: %s", argv[1], ready.text);
	say(sock, &head, sizeof(head), is(how, "nofds") ? 0 : is(how, "twofds") ? 2 : 3);
	if (strings.len > 0)
		say(sock, strings.data, strings.len, 0);
	return is(how, "leave") ? 0 : show_answers(sock);
}
