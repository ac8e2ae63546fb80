/* SPDX-License-Identifier: ISC */
#include "sys/config.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/route.h"
#include "mail/status.h"
#include "sys/file.h"
#include "sys/settings.h"

#define SYSTEM_FILE SYSCONFDIR "/pillarbox.ini"
#define FILE_SIZE_MAX (64 * 1024)
#define LINE_LEN_MAX 190 /* inih 55 hands a line over 200 octets on in pieces */
#define NAME_LEN_MAX 96  /* of an environment variable of ours */
#define PREFIX "PILLARBOX_"

/* One place that settings are read from. */
struct reading {
	struct settings *s;
	const char *name;    /* of the file, or "environment" */
	const char *p, *end; /* what is left of the file */
	unsigned line;       /* 0: not a file's */
	bool expected;       /* inih has a line that it should hand back as a key and a value */
};

/* Whether a mistake in this section may change where mail goes, or how. */
static bool
grave(const char *section)
{
	return strcmp(section, "mail") != 0 && strcmp(section, "rewrite") != 0 &&
	       strcmp(section, "queue") != 0 && strcmp(section, "log") != 0;
}

__attribute__((format(printf, 3, 4))) static void
mistake(struct reading *r, bool is_grave, const char *fmt, ...)
{
	struct buf line = BUF_INIT(8192);
	char clean[1024];
	va_list ap;

	buf_adds(&line, r->name);
	if (r->line != 0)
		buf_addf(&line, ":%u", r->line);
	buf_adds(&line, ": ");
	va_start(ap, fmt);
	buf_vaddf(&line, fmt, ap);
	va_end(ap);
	text_clean(clean, sizeof(clean), buf_str(&line), line.len);
	buf_addf(&r->s->errors, "%s\n", clean);
	buf_free(&line);
	if (is_grave)
		r->s->relay_broken = true;
}

/* label: how the setting is called where it was read. */
static void
take(struct reading *r, const struct setting_place *p, const char *label, const char *value)
{
	struct settings_source source = {.name = r->name, .line = r->line};
	const char *why;

	if (p->source->name == r->name)
		mistake(r, false, "%s: given twice", label);
	if (p->first != NULL && p->first->name == NULL)
		*p->first = source;
	errno = 0;
	if (settings_store(p, value, source, &why) == 0)
		return;
	if (errno == ENOMEM)
		r->s->errors.error = ENOMEM;
	mistake(r, grave(p->section), "%s: %s", label, why);
}

static void
unknown(struct reading *r, const char *section, const char *key, const char *label, const char *why)
{
	const char *meant = settings_nearest(section, key);

	if (meant != NULL)
		mistake(r, grave(section), "%s: %s (did you mean %s?)", label, why, meant);
	else
		mistake(r, grave(section), "%s: %s", label, why);
}

static int
on_setting(void *arg, const char *section, const char *key, const char *value)
{
	struct reading *r = arg;
	struct setting_place p;
	char label[2 * LINE_LEN_MAX];
	const char *why;

	r->expected = false;
	snprintf(label, sizeof(label), "%s.%s", section, key);
	if (settings_find(r->s, section, key, &p, &why))
		take(r, &p, label, value);
	else
		unknown(r, section, key, label, why);
	return 1;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* "[name]", with nothing but a comment behind it: inih would not say so. */
static bool
section_line(const char *line, size_t len)
{
	const char *end = line + len, *p = memchr(line, ']', len);

	if (p == NULL)
		return false;
	while (++p < end && blank(*p))
		;
	return p == end || *p == ';' || *p == '#';
}

/* What is wrong with the form of a line, or NULL. */
static const char *
line_trouble(const char *line, size_t len)
{
	size_t indent = 0;

	if (len > LINE_LEN_MAX)
		return "line too long";
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f)
			return "control character";
	while (indent < len && blank(line[indent]))
		indent++;
	if (indent == len || line[indent] == ';' || line[indent] == '#')
		return NULL;
	if (indent > 0)
		return "continuation lines are not supported: a line begins without white space";
	if (line[0] == '[' && !section_line(line, len))
		return "not a [section]";
	return NULL;
}

/*
 * inih's fgets(). It counts the lines, which inih keeps to itself, and hands on only those that
 * inih takes as they are meant. Of one that might have been a section it makes a section that is
 * none, so that what follows is not taken for the section before.
 */
static char *
next_line(char *dst, int size, void *arg)
{
	struct reading *r = arg;
	const char *line = r->p, *eol, *why;
	size_t len;

	if (r->expected)
		mistake(r, true, "neither [section] nor key = value");
	r->expected = false;
	if (r->p == r->end)
		return NULL;
	eol = memchr(line, '\n', (size_t)(r->end - line));
	len = (size_t)((eol != NULL ? eol : r->end) - line);
	r->p = eol != NULL ? eol + 1 : r->end;
	r->line++;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if ((why = line_trouble(line, len)) != NULL)
		mistake(r, true, "%s", why);
	if (why != NULL || len >= (size_t)size) {
		snprintf(dst, (size_t)size, "%s", len > 0 && line[0] == '[' ? "[?]" : "");
		return dst;
	}
	memcpy(dst, line, len);
	dst[len] = '\0';
	r->expected = dst[strspn(dst, " \t")] != '\0' && strchr(" \t[;#", dst[0]) == NULL;
	return dst;
}

enum need {
	NEED_OPTIONAL,
	NEED_OWN, /* the user's own file */
	NEED_ALWAYS,
};

/* A file that cannot be read may just not be there, or not be meant for us. */
static void
report_unread(struct reading *r, enum need need, const char *why)
{
	int error = errno;
	struct stat st;

	if (need != NEED_ALWAYS && (error == ENOENT || error == ENOTDIR))
		return;
	if (need == NEED_OWN && error == EACCES && stat(r->name, &st) == -1)
		return;
	mistake(r, need != NEED_OWN || error != EPERM, "%s", why);
}

static void
load_file(struct settings *s, const char *path, enum need need)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct buf content = BUF_INIT(FILE_SIZE_MAX);
	struct reading r = {.s = s, .name = path};
	const char *why;

	if (file_load(&content, path, NULL, &why) == -1) {
		if (file_error_passes(errno))
			s->unread = errno;
		report_unread(&r, need, why);
	} else {
		r.p = buf_str(&content);
		r.end = r.p + content.len;
		if (strncmp(r.p, bom, strlen(bom)) == 0)
			r.p += strlen(bom);
		ini_parse_stream(next_line, &r, on_setting, &r);
	}
	buf_wipe(&content);
}

/*
 * PILLARBOX_RELAY_* is also what Kubernetes sets in every container beside a service that somebody
 * called "pillarbox-relay": PILLARBOX_RELAY_PORT_25_TCP_ADDR is nobody's mistake.
 */
static bool
kubernetes(const char *key)
{
	return strncmp(key, "service_", 8) == 0 || strncmp(key, "port", 4) == 0;
}

/* Take the last octets off when they are `tail`. */
static bool
chop(char *s, const char *tail)
{
	size_t len = strlen(s), n = strlen(tail);

	if (len <= n || strcmp(s + len - n, tail) != 0)
		return false;
	s[len - n] = '\0';
	return true;
}

/* Compose files set a variable to nothing where they have no value for it. */
static void
take_line_of_file(
    struct reading *r, const struct setting_place *p, const char *label, const char *path)
{
	char value[SECRET_LEN];
	const char *why = "not an absolute path";
	mode_t mode = 0;

	if (*path == '\0')
		return;
	if (*path == '/' && file_line(value, sizeof(value), path, &mode, &why) == 0) {
		if (settings_is_secret(p) && (mode & S_IROTH) != 0 && !file_given(path))
			mistake(r, false, "%s: %s: readable by others", label, path);
		take(r, p, label, value);
		explicit_bzero(value, sizeof(value));
	} else {
		mistake(r, grave(p->section), "%s: %s: %s", label, path, why);
	}
}

/*
 * A setting by its name in the environment: "section" and "key", or "relay" and "NAME_key", where
 * an underscore may stand for a hyphen of a section of the files.
 */
static bool
find_variable(struct settings *s, const char *section, const char *key, struct setting_place *p,
    const char **why)
{
	char relay[NAME_LEN_MAX + 8];
	int n = snprintf(relay, sizeof(relay), "%s.%s", section, key);
	const char *of_relay;

	if (settings_find(s, section, key, p, why))
		return true;
	if (strcmp(section, "relay") != 0 || n < 0 || (size_t)n >= sizeof(relay) ||
	    (of_relay = settings_relay_key(relay)) == NULL)
		return false;
	return settings_find(s, settings_relay_section(s, relay), of_relay, p, why);
}

/* One variable that begins with our prefix: label is its name, name the rest of it in lower case.
 */
static void
take_variable(struct reading *r, const char *label, char *name, const char *value)
{
	char *key = strchr(name, '_');
	struct setting_place p;
	const char *why;

	if (key == NULL)
		return; /* PILLARBOX_CONFIG, and others' */
	*key++ = '\0';
	if (kubernetes(key))
		return;
	if (find_variable(r->s, name, key, &p, &why))
		take(r, &p, label, value);
	else if (strcmp(why, "unknown section") == 0)
		return;
	else if (chop(key, "_file") && find_variable(r->s, name, key, &p, &why))
		take_line_of_file(r, &p, label, value);
	else
		unknown(r, name, key, label, why);
}

static void
load_environment(struct settings *s)
{
	struct reading r = {.s = s, .name = "environment"};

	for (char **e = environ; e != NULL && *e != NULL; e++) {
		char label[NAME_LEN_MAX], name[NAME_LEN_MAX];
		const char *equals;
		size_t i, len;
		if (strncmp(*e, PREFIX, strlen(PREFIX)) != 0 || (equals = strchr(*e, '=')) == NULL)
			continue;
		len = (size_t)(equals - *e);
		if (len >= sizeof(label))
			continue;
		memcpy(label, *e, len);
		label[len] = '\0';
		for (i = 0; label[strlen(PREFIX) + i] != '\0'; i++) {
			char c = label[strlen(PREFIX) + i];
			name[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		}
		name[i] = '\0';
		take_variable(&r, label, name, equals + 1);
	}
}

static char *
own_path(void)
{
	const char *config = secure_getenv("XDG_CONFIG_HOME"), *home = secure_getenv("HOME");
	char *path = NULL;
	int n = 0;

	if (config != NULL && *config == '/')
		n = asprintf(&path, "%s/pillarbox.ini", config);
	else if (home != NULL && *home == '/')
		n = asprintf(&path, "%s/.config/pillarbox.ini", home);
	return n == -1 ? NULL : path;
}

/* The file that $PILLARBOX_CONFIG names, in place of all others. */
static void
load_named(struct settings *s, const char *path)
{
	struct reading r = {.s = s, .name = "environment"};

	if (*path == '\0')
		return;
	if (*path != '/')
		mistake(&r, true, PREFIX "CONFIG: not an absolute path");
	else if ((s->file = strdup(path)) != NULL)
		load_file(s, s->file, NEED_ALWAYS);
	else
		s->errors.error = ENOMEM;
}

/* A relay that nobody's mail goes by: its name was misspelt, or its `from` forgotten. */
static void
check_relays(struct settings *s)
{
	for (size_t i = 0; i < s->nrelays; i++) {
		const struct settings_relay *relay = &s->relay[i];
		struct reading r = {.s = s, .name = relay->first.name, .line = relay->first.line};

		if (relay->from[0] == '\0')
			mistake(&r, true, "%s.from: not set", relay->section);
	}
}

struct timespec
settings_changed(void)
{
	const char *named = secure_getenv(PREFIX "CONFIG");
	struct stat st;

	if (stat(named != NULL ? named : SYSTEM_FILE, &st) == -1)
		return (struct timespec){0};
	return st.st_ctim;
}

int
settings_load(struct settings *s, unsigned flags)
{
	const char *named = secure_getenv(PREFIX "CONFIG");
	int error;

	if (settings_default(s) == -1)
		return -1;
	if (named != NULL) {
		load_named(s, named);
	} else {
		load_file(s, SYSTEM_FILE, NEED_OPTIONAL);
		if ((flags & SETTINGS_OWN) != 0 && (s->file = own_path()) != NULL)
			load_file(s, s->file, NEED_OWN);
	}
	if (getauxval(AT_SECURE) == 0)
		load_environment(s);
	check_relays(s);
	error = s->errors.error == ENOMEM ? ENOMEM : s->unread;
	if (error != 0) {
		settings_free(s);
		errno = error;
		return -1;
	}
	return 0;
}
