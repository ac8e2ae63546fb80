/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/host.h"
#include "tap.h"

static char dir[] = "/tmp/pillarbox-host.XXXXXX";

/* Write a file of the /etc that we see, which is `dir`; NULL takes it away. */
static void
etc(const char *name, const char *text)
{
	char path[sizeof(dir) + 32];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	if (text != NULL &&
	    ((f = fopen(path, "w")) == NULL || fputs(text, f) < 0 || fclose(f) != 0))
		ok(false, "cannot write %s", path);
}

static const struct {
	const char *hostname, *hosts, *name;
} names[] = {
    {"h", NULL, "h"},
    {"h", "127.0.0.1 localhost\n", "h"},
    {"h", "127.0.1.1\th.example.org h\n", "h.example.org"},
    {"h", "127.0.1.1 h h.example.org\n", "h.example.org"},
    {"h", "# 10.0.0.1 h.wrong.example\n10.0.0.2 h.example.org # h.x\n", "h.example.org"},
    {"h", "10.0.0.1 h2.example.org h\n10.0.0.2 H.Example.org\n", "H.Example.org"},
    {"h", "127.0.0.1 localhost.localdomain localhost h\n", "h"},
    {"h", "h.example.org\n10.0.0.1 h. h\n", "h"},
    {"h", "10.0.0.1 h.<evil> h.example.org", "h.example.org"},
    {"h.example.net", "10.0.0.1 h.example.org\n", "h.example.net"},
    {"localhost", "127.0.0.1 localhost.localdomain localhost\n", "localhost"},
    {"a b", NULL, "localhost"},
    {"x>\r\n", NULL, "localhost"},
};

static void
each_name(void)
{
	char got[HOST_LEN];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		etc("hosts", names[i].hosts);
		if (sethostname(names[i].hostname, strlen(names[i].hostname)) == -1)
			ok(false, "sethostname: %s", strerror(errno));
		host_name(got, "");
		is(got, names[i].name, names[i].hosts != NULL ? names[i].hosts : "no /etc/hosts");
	}
	etc("mailname", "mail.example.org\nsecond\n");
	host_domain(got, "", "h");
	is(got, "mail.example.org", "/etc/mailname");
	host_domain(got, "set.example", "h");
	is(got, "set.example", "the setting goes before");
	etc("mailname", "\n");
	host_domain(got, "", "h");
	is(got, "h", "an empty one");
	etc("mailname", "a@b <c>\n");
	host_domain(got, "", "h");
	is(got, "h", "one that is no domain");
	etc("mailname", NULL);
	host_domain(got, "", "h");
	is(got, "h", "none");
}

static const struct {
	unsigned uid;
	const char *login, *full_name;
} users[] = {
    {0, "root", "root"},
    {1000, "alice", "Alice Example"},
    {1001, "bob", "Bob the Bob"},
    {1002, "carol", ""},
    {1003, "uid1003", "No Login"},
    {1004, "dave", "D?ve"},
    {1005, "erin", "\xc3\x89rin"},
    {1006, "uid1006", ""},
};

static void
each_user(void)
{
	struct host_user u;
	char longest[1100];

	etc("passwd", "root:x:0:0:root:/root:/bin/sh\n"
		      "alice:x:1000:1000:Alice Example,Room 1,,:/home/alice:/bin/sh\n"
		      "alias:x:1000:1000:not her:/home/alice:/bin/sh\n"
		      "bob:x:1001:1001:& the &:/:/bin/sh\n"
		      "carol:x:1002:1002::/:/bin/sh\n"
		      "a<b:x:1003:1003:No Login:/:/bin/sh\n"
		      "dave@ad.example:x:1004:1004:D\033ve:/:/bin/sh\n"
		      "erin:x:1005:1005:\xc3\x89rin:/:/bin/sh\n");
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		host_user(&u, users[i].uid);
		is(u.login, users[i].login, users[i].login);
		is(u.full_name, users[i].full_name, "  and the full name");
	}
	memset(longest, 'x', sizeof(longest));
	memcpy(longest + 1023, "mallory:x:1000:0:Me:/:\n", 24);
	etc("passwd", longest);
	host_user(&u, 1000);
	is(u.login, "uid1000", "the end of a long line is no line");
	etc("passwd", "alice:x:1000:1000:A:/:");
	host_user(&u, 1000);
	is(u.login, "alice", "a last line without its end");
	etc("passwd", NULL);
	host_user(&u, 1000);
	is(u.login, "uid1000", "no passwd");
	is(u.full_name, "", "  and no full name");
}

static void
settings(void)
{
	char got[HOST_LEN], longest[HOST_LEN + 1];

	host_name(got, "set.example.org");
	is(got, "set.example.org", "the name that is set");
	host_name(got, "[192.0.2.1]");
	is(got, "[192.0.2.1]", "an address");
	host_name(got, "a b");
	ok(got[0] != '\0' && strchr(got, ' ') == NULL, "not one that cannot be: %s", got);
	memset(longest, 'x', sizeof(longest));
	longest[HOST_LEN] = '\0';
	host_name(got, longest);
	ok(strlen(got) < HOST_LEN && strncmp(got, "xx", 2) != 0, "nor one too long");
	longest[HOST_LEN - 1] = '\0';
	host_name(got, longest);
	is(got, longest, "the longest");
}

static void
state(void)
{
	char got[PATH_MAX], longest[PATH_MAX];

	clearenv();
	ok(host_state(got) == NULL, "no home");
	setenv("HOME", "relative", 1);
	ok(host_state(got) == NULL, "a relative one");
	setenv("HOME", "/home/alice", 1);
	is(host_state(got), "/home/alice/.local/state/pillarbox", "$HOME");
	setenv("XDG_STATE_HOME", "/state", 1);
	is(host_state(got), "/state/pillarbox", "$XDG_STATE_HOME");
	setenv("XDG_STATE_HOME", "", 1);
	is(host_state(got), "/home/alice/.local/state/pillarbox", "an empty one does not count");
	memset(longest, '/', sizeof(longest));
	longest[PATH_MAX - 1] = '\0';
	setenv("HOME", longest, 1);
	ok(host_state(got) == NULL, "too long");
}

/* A host and an /etc of our own. */
static bool
alone(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS) == -1 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS) == -1)
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount(dir, "/etc", NULL, MS_BIND, NULL) == 0;
}

int
main(void)
{
	if (mkdtemp(dir) == NULL || chmod(dir, 0755) == -1)
		return 1;
	settings();
	state();
	if (alone()) {
		each_name();
		each_user();
	} else {
		ok(true, "names and users # SKIP no namespaces: %s", strerror(errno));
	}
	etc("hosts", NULL);
	rmdir(dir);
	return done();
}
