/* SPDX-License-Identifier: ISC */
#include "sys/host.h"

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
	FILE *hosts = fopen("/etc/hosts", "re");
	const char *full = NULL;
	char line[1024];

	if (hosts == NULL)
		return;
	while (full == NULL && fgets(line, sizeof(line), hosts) != NULL)
		full = complete(line, dst);
	if (full != NULL)
		snprintf(dst, HOST_LEN, "%s", full);
	fclose(hosts);
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

void
host_domain(char dst[HOST_LEN], const char *set, const char *hostname)
{
	char line[HOST_LEN] = "";
	FILE *mailname;

	if (usable(set)) {
		snprintf(dst, HOST_LEN, "%s", set);
		return;
	}
	if ((mailname = fopen("/etc/mailname", "re")) != NULL) {
		if (fgets(line, sizeof(line), mailname) == NULL)
			line[0] = '\0';
		fclose(mailname);
	}
	line[strcspn(line, " \t\r\n")] = '\0';
	snprintf(dst, HOST_LEN, "%s", usable(line) ? line : hostname);
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

/* Read a line; one that is too long is passed over whole, since its end might look like another. */
static bool
read_line(char line[PASSWD_LEN], FILE *f)
{
	for (bool rest = false; fgets(line, PASSWD_LEN, f) != NULL;) {
		bool whole = !rest;
		rest = strchr(line, '\n') == NULL && !feof(f);
		if (whole && !rest)
			return true;
	}
	return false;
}

static bool
find_in_passwd(char line[PASSWD_LEN], unsigned uid, const char **login, const char **gecos)
{
	FILE *passwd = fopen("/etc/passwd", "re");
	bool found = false;

	if (passwd == NULL)
		return false;
	while (!found && read_line(line, passwd))
		found = take_fields(line, uid, login, gecos);
	fclose(passwd);
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
