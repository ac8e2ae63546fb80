/* SPDX-License-Identifier: ISC */
#include "clerk_environment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parcel.h"
#include "remote.h"

#define PREFIX "PILLARBOX_"
#define MORE 5 /* variables that are no settings, and a NULL */

struct list {
	char **entry;
	size_t n, room;
	char *const *carried; /* of the poster */
	size_t ncarried;
};

static int
add(struct list *l, const char *prefix, const char *text)
{
	size_t len = strlen(prefix) + strlen(text) + 1;
	char *entry = l->n + 1 < l->room ? malloc(len) : NULL;

	if (entry == NULL)
		return -1;
	memcpy(entry, prefix, strlen(prefix));
	memcpy(entry + strlen(prefix), text, strlen(text) + 1);
	l->entry[l->n++] = entry;
	return 0;
}

/* Whether the poster has a value of its own for "SECTION_KEY=…". */
static bool
is_carried(const struct list *l, const char *setting)
{
	size_t len = (size_t)(strchr(setting, '=') - setting) + 1;

	for (size_t i = 0; i < l->ncarried; i++)
		if (strncmp(l->carried[i], setting, len) == 0)
			return true;
	return false;
}

static int
add_setting(void *arg, const char *section, const char *key, const char *value)
{
	struct list *l = arg;
	struct buf b = BUF_INIT(64 * 1024);
	int r = 0;

	if (strcmp(section, "mail") != 0 && strcmp(section, "rewrite") != 0 &&
	    strcmp(section, "queue") != 0 && strcmp(section, "log") != 0)
		return 0;
	if (strcmp(section, "log") == 0 && strcmp(key, "to") == 0 && strcmp(value, "stderr") == 0)
		value = "auto";
	/* A sendmail that cannot write to the spool either asks nobody else. */
	if (strcmp(section, "queue") == 0 && strcmp(key, "post_socket") == 0)
		value = "";
	parcel_add_setting(&b, section, key, value);
	if (b.error != 0)
		r = -1;
	else if (!is_carried(l, b.data))
		r = add(l, PREFIX, b.data);
	buf_free(&b);
	return r;
}

static int
fill(struct list *l, const struct settings *s)
{
	const char *tz = getenv("TZ");

	if (add(l, "PATH=", "/usr/bin:/bin") == -1 || add(l, PREFIX "CONFIG=", "") == -1 ||
	    add(l, REMOTE_MARK "=", "1") == -1 || (tz != NULL && add(l, "TZ=", tz) == -1) ||
	    settings_each(s, add_setting, l) == -1)
		return -1;
	for (size_t i = 0; i < l->ncarried; i++)
		if (add(l, PREFIX, l->carried[i]) == -1)
			return -1;
	return 0;
}

char **
clerk_environment(const struct settings *s, char *const *carried, size_t n)
{
	struct list l = {.room = SETTINGS_COUNT + n + MORE, .carried = carried, .ncarried = n};

	if ((l.entry = calloc(l.room, sizeof(char *))) == NULL || fill(&l, s) == 0)
		return l.entry;
	while (l.n > 0)
		free(l.entry[--l.n]);
	free(l.entry);
	return NULL;
}
