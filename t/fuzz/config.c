/* SPDX-License-Identifier: ISC */
/*
 * config: a settings file, and behind a form feed variables of the environment ("SECTION_KEY=value").
 * Mistakes are clean lines; what is in force can be set again and is then the same, by name and as it
 * goes over a channel; secrets are not shown.
 */
#include "sys/config.h"

#include <err.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

/* The file, of which each input is the content in turn. */
static int
file(void)
{
	static int fd = -1;
	char link[64];

	if (fd != -1)
		return fd;
	fd = memfd_create("settings", MFD_CLOEXEC);
	if (fd == -1 || fchmod(fd, 0600) == -1)
		err(1, "memfd_create");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	setenv("PILLARBOX_CONFIG", link, 1);
	return fd;
}

static void
write_file(const char *text)
{
	size_t len = strlen(text);

	CHECK(ftruncate(file(), 0) == 0);
	CHECK(pwrite(file(), text, len, 0) == (ssize_t)len);
}

/* One variable a line; they are taken back with set = false. */
static void
environment(const char *text, bool set)
{
	char *copy = strdup(text), *rest = copy, *line;

	CHECK(copy != NULL);
	while ((line = strsep(&rest, "\n")) != NULL) {
		char name[128] = "PILLARBOX_", *value = strchr(line, '=');

		if (value == NULL || value == line || strlen(line) > 4000)
			continue;
		*value++ = '\0';
		snprintf(name, sizeof(name), "PILLARBOX_%s", line);
		/* a file of this machine is no matter of the input's */
		if (strcmp(line, "CONFIG") == 0 || strcasestr(line, "_file") != NULL)
			continue;
		if (set)
			setenv(name, value, 1);
		else
			unsetenv(name);
	}
	free(copy);
}

static int
add_setting(void *arg, const char *section, const char *key, const char *value)
{
	buf_addf(arg, "%s.%s", section, key);
	buf_addc(arg, '\0');
	buf_add(arg, value, strlen(value) + 1);
	return 0;
}

static void
check_same(const struct settings *s)
{
	struct buf all = BUF_INIT(FUZZ_MAX), again = BUF_INIT(FUZZ_MAX);
	struct settings t, u;
	const char *why;

	settings_each(s, add_setting, &all);
	CHECK(all.error == 0);
	CHECK(settings_default(&t) == 0 && settings_default(&u) == 0);
	for (size_t at = 0; at < all.len;) {
		char *name = all.data + at, *value = name + strlen(name) + 1, section[128];
		size_t len = strlen(name) + strlen(value) + 2;
		const char *dot = strrchr(name, '.');

		CHECK(settings_take(&t, name, "here", &why) == 0);
		snprintf(section, sizeof(section), "%.*s", (int)(dot - name), name);
		CHECK(settings_set(&u, section, dot + 1, value, "here", &why) == 0);
		at += len;
	}
	settings_each(&t, add_setting, &again);
	CHECK(fuzz_same(&all, &again));
	buf_clear(&again);
	settings_each(&u, add_setting, &again);
	CHECK(fuzz_same(&all, &again));
	settings_free(&t);
	settings_free(&u);
	buf_free(&all);
	buf_free(&again);
}

/* "section.key = value    ; where from" */
static void
check_line(const char *line, size_t len)
{
	const char *equals = memmem(line, len, " =", 2), *value;

	CHECK(equals != NULL);
	if (equals - line < 8 || memcmp(equals - 8, "password", 8) != 0)
		return;
	value = equals + 2 + strspn(equals + 2, " ");
	CHECK(*value == ';' || strncmp(value, "*** ", 4) == 0);
}

static void
check_shown(struct settings *s)
{
	struct buf out = BUF_INIT(FUZZ_MAX);

	settings_print(&out, s);
	CHECK(out.error == 0 && memchr(out.data, '\0', out.len) == NULL);
	for (size_t at = 0; at < out.len;) {
		const char *line = out.data + at, *lf = memchr(line, '\n', out.len - at);

		CHECK(lf != NULL);
		check_line(line, (size_t)(lf - line));
		at += (size_t)(lf - line) + 1;
	}
	buf_free(&out);
	settings_forget_secrets(s);
	CHECK(s->relay_password[0] == '\0' && s->smtp_proxy_password[0] == '\0');
}

static void
check_relays(const struct settings *s, const char *sender)
{
	const struct settings_relay *r = settings_relay_of(s, sender);
	char destination[HOST_LEN];

	CHECK(s->nrelays <= SETTINGS_RELAYS);
	CHECK(r == NULL || (r >= s->relay && r < s->relay + s->nrelays && sender[0] != '\0'));
	if (settings_by_relay(s, sender, destination))
		CHECK(destination[0] == '\0' || destination[0] == ':');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	char *text = fuzz_string(&f), *variables = strchr(text, '\f');
	struct settings s;

	if (variables != NULL)
		*variables++ = '\0';
	write_file(text);
	environment(variables != NULL ? variables : "", true);
	CHECK(settings_load(&s, 0) == 0);
	environment(variables != NULL ? variables : "", false);
	for (size_t at = 0; at < s.errors.len;) {
		const char *line = s.errors.data + at, *lf = memchr(line, '\n', s.errors.len - at);

		CHECK(lf != NULL && fuzz_is_clean(line, (size_t)(lf - line)));
		at += (size_t)(lf - line) + 1;
	}
	check_same(&s);
	check_relays(&s, "a@x.example");
	check_relays(&s, "");
	check_shown(&s);
	settings_free(&s);
	free(text);
	return 0;
}
