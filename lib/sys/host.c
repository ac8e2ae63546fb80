/* SPDX-License-Identifier: ISC */
#include "sys/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "mail/buf.h"
#include "mail/status.h"
#include "sys/command.h"
#include "sys/file.h"

#define PASSWD_LEN 1024 /* octets of a line; a longer one is nobody's */
#define GETENT_WAIT 3   /* seconds; a directory service may be down */

/* What may stand in EHLO and behind an "@": a name, or an address literal in brackets. */
static bool
usable(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < HOST_LEN &&
	       strspn(name,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_[]:") == len;
}

/* A file of /etc, a line at a time, in two system calls less than stdio's. */
struct reader {
	int fd;    /* -1: all is read */
	int error; /* an errno that stopped it before its end; 0: none */
	size_t at, len;
	bool broken; /* what comes next is the rest of a line that was too long */
	char data[4096];
};

static bool
reader_open(struct reader *r, const char *path)
{
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	r->error = r->fd == -1 ? errno : 0;
	r->at = r->len = 0;
	r->broken = false;
	return r->fd != -1;
}

static void
reader_close(struct reader *r)
{
	if (r->fd != -1)
		close(r->fd);
	r->fd = -1;
}

/* Move what is left to the front and read behind it. */
static void
fill(struct reader *r)
{
	size_t room;
	ssize_t n;

	r->len -= r->at;
	memmove(r->data, r->data + r->at, r->len);
	r->at = 0;
	room = sizeof(r->data) - r->len;
	while ((n = read(r->fd, r->data + r->len, room)) == -1 && errno == EINTR)
		;
	if (n > 0)
		r->len += (size_t)n;
	else {
		r->error = n == -1 ? errno : 0;
		reader_close(r);
	}
}

/*
 * The next line without its end. One that does not fit is passed over whole, since its end might
 * look like another.
 */
static bool
reader_line(struct reader *r, char *line, size_t size)
{
	for (;;) {
		char *start = r->data + r->at, *end = memchr(start, '\n', r->len - r->at);
		size_t n = end != NULL ? (size_t)(end - start) : r->len - r->at;
		bool whole = !r->broken && n < size;
		if (end == NULL && r->fd != -1 && n < sizeof(r->data)) {
			fill(r);
			continue;
		}
		if (end == NULL && n == 0 && r->fd == -1)
			return false;
		r->at += n + (end != NULL);
		r->broken = end == NULL && r->fd != -1;
		if (!whole || r->broken)
			continue;
		memcpy(line, start, n);
		line[n] = '\0';
		return true;
	}
}

/* The first name of a line of /etc/hosts that begins with "name.", or NULL. The line is cut up. */
static const char *
complete(char *line, const char *name)
{
	static const char space[] = " \t\r\n";
	size_t len = strlen(name);
	char *save = NULL;

	line[strcspn(line, "#")] = '\0';
	if (strtok_r(line, space, &save) == NULL) /* the address */
		return NULL;
	for (const char *p; (p = strtok_r(NULL, space, &save)) != NULL;)
		if (strncasecmp(p, name, len) == 0 && p[len] == '.' && p[len + 1] != '\0' &&
		    usable(p))
			return p;
	return NULL;
}

static void
complete_from_hosts(char dst[HOST_LEN])
{
	const char *full = NULL;
	struct reader hosts;
	char line[1024];

	if (!reader_open(&hosts, "/etc/hosts"))
		return;
	while (full == NULL && reader_line(&hosts, line, sizeof(line)))
		full = complete(line, dst);
	if (full != NULL)
		snprintf(dst, HOST_LEN, "%s", full);
	reader_close(&hosts);
}

void
host_name(char dst[HOST_LEN], const char *set)
{
	char name[HOST_LEN] = "";

	if (usable(set)) {
		snprintf(dst, HOST_LEN, "%s", set);
		return;
	}
	if (gethostname(name, sizeof(name) - 1) == -1 || !usable(name))
		snprintf(name, sizeof(name), "localhost");
	snprintf(dst, HOST_LEN, "%s", name);
	if (strchr(dst, '.') == NULL && strcasecmp(dst, "localhost") != 0)
		complete_from_hosts(dst);
}

int
host_domain(char dst[HOST_LEN], const char *set, const char *hostname)
{
	char line[HOST_LEN] = "";
	struct reader mailname;

	if (usable(set)) {
		snprintf(dst, HOST_LEN, "%s", set);
		return 0;
	}
	if (reader_open(&mailname, "/etc/mailname")) {
		if (!reader_line(&mailname, line, sizeof(line)))
			line[0] = '\0';
		reader_close(&mailname);
	}
	line[strcspn(line, " \t\r\n")] = '\0';
	snprintf(dst, HOST_LEN, "%s", usable(line) ? line : hostname);
	if (!file_error_passes(mailname.error))
		return 0;
	errno = mailname.error;
	return -1;
}

const char *
host_state(char *dst)
{
	const char *state = secure_getenv("XDG_STATE_HOME"), *home = secure_getenv("HOME");
	int n = -1;

	if (state != NULL && *state == '/')
		n = snprintf(dst, PATH_MAX, "%s/pillarbox", state);
	else if (home != NULL && *home == '/')
		n = snprintf(dst, PATH_MAX, "%s/.local/state/pillarbox", home);
	return n >= 0 && n < PATH_MAX ? dst : NULL;
}

/* Whether a line of passwd(5) is that of `uid`; its fields are then cut apart. */
static bool
take_fields(char *line, unsigned uid, const char **login, const char **gecos)
{
	enum { LOGIN, PASSWORD, UID, GID, GECOS, HOME, NFIELDS };
	char *field[NFIELDS], number[16];

	snprintf(number, sizeof(number), "%u", uid);
	for (size_t i = 0; i < NFIELDS; i++)
		if ((field[i] = strsep(&line, ":")) == NULL)
			return false;
	*login = field[LOGIN];
	*gecos = field[GECOS];
	return strcmp(field[UID], number) == 0;
}

static bool
find_in_passwd(char line[PASSWD_LEN], unsigned uid, const char **login, const char **gecos)
{
	struct reader passwd;
	bool found = false;

	if (!reader_open(&passwd, "/etc/passwd"))
		return false;
	while (!found && reader_line(&passwd, line, PASSWD_LEN))
		found = take_fields(line, uid, login, gecos);
	reader_close(&passwd);
	return found;
}

/*
 * The line of passwd(5), by ourselves and not by getpwuid(): in a static program that one loads
 * shared objects (libnss_systemd, libnss_sss), and crashes in them. Who is not in /etc/passwd is
 * asked for by getent(1), which is linked as the system wants it.
 */
static bool
find_user(char line[PASSWD_LEN], unsigned uid, const char **login, const char **gecos)
{
	char number[16], tmp[COMMAND_TMP];
	char *getent[] = {(char *)"/usr/bin/getent", (char *)"passwd", number, NULL};

	if (find_in_passwd(line, uid, login, gecos))
		return true;
	snprintf(number, sizeof(number), "%u", uid);
	return command_line(line, PASSWD_LEN, getent, GETENT_WAIT, tmp) == NULL &&
	       take_fields(line, uid, login, gecos);
}

/* A login that an address can have as its local part; a domain is cut off ("alice@ad.example"). */
static bool
take_login(char dst[USER_LEN], const char *login)
{
	size_t len = strcspn(login, "@");

	if (len == 0 || len >= USER_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)login[i] <= 0x20 ||
		    strchr("()<>[]:;,\\\"\x7f", login[i]) != NULL)
			return false;
	text_clean(dst, USER_LEN, login, len);
	return true;
}

static void
take_full_name(char dst[USER_LEN], const char *gecos, const char *login)
{
	struct buf name = BUF_INIT(4 * USER_LEN);

	for (; *gecos != '\0' && *gecos != ','; gecos++) {
		size_t at = name.len;
		if (*gecos != '&') {
			buf_addc(&name, *gecos);
			continue;
		}
		buf_adds(&name, login);
		if (name.len > at && name.data[at] >= 'a' && name.data[at] <= 'z')
			name.data[at] = (char)(name.data[at] - 'a' + 'A');
	}
	text_clean(dst, USER_LEN, buf_str(&name), name.len);
	buf_free(&name);
}

void
host_user(struct host_user *u, unsigned uid)
{
	char line[PASSWD_LEN];
	const char *login, *gecos;
	bool found = find_user(line, uid, &login, &gecos);

	if (!found || !take_login(u->login, login))
		snprintf(u->login, sizeof(u->login), "uid%u", uid);
	u->full_name[0] = '\0';
	if (found)
		take_full_name(u->full_name, gecos, u->login);
}
