/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/config.h"
#include "tap.h"

static char dir[] = "/tmp/pillarbox-config.XXXXXX";
static char file[sizeof(dir) + 16];
static char tmp[64 * 1024];

static const char *
in_dir(const char *name)
{
	static char path[sizeof(dir) + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
write_file(const char *path, const char *data, size_t len, mode_t mode)
{
	FILE *f;

	unlink(path);
	if ((f = fopen(path, "w")) == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0 ||
	    chmod(path, mode) == -1)
		ok(false, "cannot write %s: %s", path, strerror(errno));
}

static void
write_text(const char *path, const char *text)
{
	write_file(path, text, strlen(text), 0600);
}

/* The mistakes with our folder's name as "D", so that they can be compared. */
static const char *
mistakes(const struct settings *s)
{
	const char *p = buf_str(&s->errors);
	size_t n = strlen(dir), out = 0;

	while (*p != '\0' && out < sizeof(tmp) - 1) {
		bool here = strncmp(p, dir, n) == 0;
		tmp[out++] = here ? 'D' : *p;
		p += here ? n : 1;
	}
	tmp[out] = '\0';
	return tmp;
}

static void
load(struct settings *s, unsigned flags)
{
	if (settings_load(s, flags) == -1) {
		printf("Bail out! settings_load: %s\n", strerror(errno));
		exit(1);
	}
}

/* A file, and what is said about it. */
static const struct {
	const char *name, *text, *mistakes;
	bool broken;
} files[] = {
    {"empty", "", "", false},
    {"comments", "; one\n# two\n \t; three\n   \n[queue]\n;dir = x\n", "", false},
    {"plain", "[mail]\ndomain = example.org\n", "", false},
    {"no end of the last line", "[mail]\ndomain = example.org", "", false},
    {"colon", "[mail]\ndomain: example.org\n", "", false},
    {"no spaces, CRLF", "[mail]\r\ndomain=example.org\r\n", "", false},
    {"inline comment", "[mail] ; here\ndomain = example.org\t; there\n", "", false},
    {"byte order mark", "\xef\xbb\xbf[mail]\ndomain = example.org\n", "", false},
    {"spaces around", "[mail]\ndomain \t = \t example.org \t\n", "", false},
    {"empty value", "[mail]\ndomain =\n[queue]\nwait =\n", "", false},
    {"unknown key", "[queue]\n\nfrob = 1\n", "D/c.ini:3: queue.frob: unknown key\n", false},
    {"near miss", "[relay]\nulr = smtp://x\n",
	"D/c.ini:2: relay.ulr: unknown key (did you mean url?)\n", true},
    {"unknown section", "[relais]\nurl = smtp://x\n", "D/c.ini:2: relais.url: unknown section\n",
	true},
    {"before any section", "url = smtp://x\n", "D/c.ini:1: .url: unknown section\n", true},
    {"bad value", "[queue]\nwait = soon\n",
	"D/c.ini:2: queue.wait: not a duration such as 90s, 5m, 2h or 5d\n", false},
    {"bad value that matters", "[tls]\npolicy = yes\n",
	"D/c.ini:2: tls.policy: not one of auto, none, may, encrypt, verify, dane\n", true},
    {"a bad rule", "[tls]\npolicies = a.example = secure\n",
	"D/c.ini:2: tls.policies: no policy: auto, none, may, encrypt, verify or dane\n", true},
    {"hash is no inline comment", "[queue]\ndeliver = queue # really\n",
	"D/c.ini:2: queue.deliver: not one of background, queue, foreground\n", false},
    {"given twice", "[mail]\ndomain = one.example\ndomain = example.org\n",
	"D/c.ini:3: mail.domain: given twice\n", false},
    {"two sections of a name", "[mail]\ndomain = example.org\n[mail]\nhostname = h\n", "", false},
    {"no equals sign", "[mail]\ndomain\n", "D/c.ini:2: neither [section] nor key = value\n", true},
    {"no equals sign at the end", "[mail]\nverify",
	"D/c.ini:2: neither [section] nor key = value\n", true},
    {"equals sign in a comment", "[mail]\nverify ;=\n",
	"D/c.ini:2: neither [section] nor key = value\n", true},
    {"continuation", "[mail]\ndomain = one.example\n  two.example\n",
	"D/c.ini:3: continuation lines are not supported: a line begins without white space\n",
	true},
    {"indented", "[mail]\n\thostname = h\n",
	"D/c.ini:2: continuation lines are not supported: a line begins without white space\n",
	true},
    {"open section", "[mail]\n[queue\nwait = 1\n",
	"D/c.ini:2: not a [section]\nD/c.ini:3: ?.wait: unknown section\n", true},
    {"text behind a section", "[queue] wait = 1\n", "D/c.ini:1: not a [section]\n", true},
    {"space in a section", "[queue ]\nwait = 1\n", "D/c.ini:2: queue .wait: unknown section\n",
	true},
    {"control character", "[mail]\ndomain = a\033[2Jb\n", "D/c.ini:2: control character\n", true},
    {"bare CR", "[mail]\rdomain = a\n", "D/c.ini:1: control character\n", true},
    {"not UTF-8", "[m\xff]\nx = 1\n", "D/c.ini:2: m?.x: unknown section\n", true},
};

/* [relay.NAME]: the file, what is said about it, and the relay of each of two senders. */
static const struct {
	const char *name, *text, *mistakes, *of_a, *of_b;
} relays[] = {
    {"two", "[relay.a]\nfrom = a@*\nurl = smtp://r\n[relay.b-2_x]\nfrom = *@x.example\n", "", "a",
	"b-2_x"},
    {"the first in the file that matches", "[relay.z]\nfrom=*@x.example\n[relay.a]\nfrom=a@*\n", "",
	"z", "z"},
    {"none matches", "[relay.z]\nfrom = c@x.example, *@*.x.example\n", "", "", ""},
    {"a section in two parts", "[relay.z]\nfrom=b@*\n[queue]\nwait=1\n[relay.z]\nurl=smtp://r\n",
	"", "", "z"},
    {"no from", "[relay.z]\n\nurl = smtp://r\n", "D/c.ini:3: relay.z.from: not set\n", "", ""},
    {"a pattern that is none", "[relay.z]\nfrom = a\n",
	"D/c.ini:2: relay.z.from: not a pattern such as user@domain, *@domain or user@*\n"
	"D/c.ini:2: relay.z.from: not set\n",
	"", ""},
    {"near miss", "[relay.z]\nform = a@*\n",
	"D/c.ini:2: relay.z.form: unknown key (did you mean from?)\n", "", ""},
    {"a name that is none", "[relay.Z]\nfrom = a@*\n",
	"D/c.ini:2: relay.Z.from: a relay's name has lower-case letters, digits, - and _\n", "",
	""},
    {"no name", "[relay.]\nfrom = a@*\n",
	"D/c.ini:2: relay..from: a relay's name has lower-case letters, digits, - and _\n", "", ""},
    {"a long name", "[relay.a12345678901234567890123456789012x]\nfrom = a@*\n",
	"D/c.ini:2: relay.a12345678901234567890123456789012x.from: "
	"a relay's name has 33 characters at most\n",
	"", ""},
};

static const char *
relay_name(const struct settings *s, const char *sender)
{
	const struct settings_relay *r = settings_relay_of(s, sender);

	return r != NULL ? settings_relay_name(r) : "";
}

static void
each_relay(void)
{
	struct settings s;
	struct buf many = BUF_INIT(4096);

	for (size_t i = 0; i < sizeof(relays) / sizeof(relays[0]); i++) {
		write_text(file, relays[i].text);
		load(&s, 0);
		is(mistakes(&s), relays[i].mistakes, relays[i].name);
		ok(s.relay_broken == (relays[i].mistakes[0] != '\0'),
		    "… which holds up mail or not");
		is(relay_name(&s, "a@x.example"), relays[i].of_a, "… of a");
		is(relay_name(&s, "b@x.example"), relays[i].of_b, "… of b");
		is(relay_name(&s, ""), "", "… of nobody");
		settings_free(&s);
	}
	for (int i = 0; i < 33; i++)
		buf_addf(&many, "[relay.r%d]\nfrom=r%d@*\n", i, i);
	write_text(file, buf_str(&many));
	load(&s, 0);
	is(mistakes(&s), "D/c.ini:66: relay.r32.from: more than 32 relays\n", "one too many");
	is(relay_name(&s, "r31@x.example"), "r31", "the others are there");
	settings_free(&s);
	buf_free(&many);
}

static void
relay_environment(void)
{
	struct settings s;

	write_text(file, "[relay.a]\nfrom = a@*\nurl = smtp://r\n"
			 "[relay.b-c-d]\nfrom = b@*\n");
	write_text(in_dir("secret"), "s3cret\n");
	setenv("PILLARBOX_RELAY_A_URL", "smtps://other", 1);
	setenv("PILLARBOX_RELAY_AT_WORK_FROM", "*@work.example", 1);
	setenv("PILLARBOX_RELAY_AT_WORK_PASSWORD_FILE", "/secret", 1);
	setenv("PILLARBOX_RELAY_AT_WORK_URL_FILE", in_dir("secret"), 1);
	setenv("PILLARBOX_RELAY_SOME_THING", "x", 1);
	setenv("PILLARBOX_RELAY_B_C_D_URL", "smtps://hyphens", 1);
	load(&s, 0);
	is(s.relay[1].url, "smtps://hyphens", "underscores for the hyphens of a file's relay");
	is(s.relay[0].url, "smtps://other", "a key of a file's relay");
	is(relay_name(&s, "me@work.example"), "at_work", "a relay of the environment alone");
	is(s.relay[2].password_file, "/secret", "a key that ends in _file");
	is(mistakes(&s),
	    "environment: PILLARBOX_RELAY_AT_WORK_URL_FILE: not of the form scheme://host\n"
	    "environment: PILLARBOX_RELAY_SOME_THING: unknown key\n",
	    "a file's value, and a name that is none");
	settings_free(&s);
	unsetenv("PILLARBOX_RELAY_A_URL");
	unsetenv("PILLARBOX_RELAY_AT_WORK_FROM");
	unsetenv("PILLARBOX_RELAY_AT_WORK_PASSWORD_FILE");
	unsetenv("PILLARBOX_RELAY_AT_WORK_URL_FILE");
	unsetenv("PILLARBOX_RELAY_SOME_THING");
	unsetenv("PILLARBOX_RELAY_B_C_D_URL");
	unlink(in_dir("secret"));
}

static void
each_file(void)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct settings s;
		write_text(file, files[i].text);
		load(&s, 0);
		is(mistakes(&s), files[i].mistakes, files[i].name);
		ok(s.relay_broken == files[i].broken, "%s: %s", files[i].name,
		    files[i].broken ? "the relay is in doubt" : "the relay is sure");
		if (strstr(files[i].text, "example.org") != NULL)
			is(s.mail_domain, "example.org", files[i].name);
		settings_free(&s);
	}
}

static void
long_lines(void)
{
	struct settings s;
	char text[1024], x[256];

	memset(x, 'x', sizeof(x));
	snprintf(text, sizeof(text), "[mail]\nhostname = %.*s\nwhere = %.*s\ndomain = d\n", 179, x,
	    200, x);
	write_text(file, text);
	load(&s, 0);
	is(mistakes(&s), "D/c.ini:3: line too long\n", "190 octets are taken, 208 are not");
	is_int((long long)strlen(s.mail_hostname), 179, "all of the 190");
	is(s.mail_domain, "d", "lines are still counted and read");
	settings_free(&s);
	snprintf(text, sizeof(text), "[mail]\nwhere = %.*s\n", 183, x);
	write_text(file, text);
	load(&s, 0);
	is(mistakes(&s), "D/c.ini:2: line too long\n", "191 octets are too many");
	settings_free(&s);
	write_file(file, "[mail]\ndomain = a\0b\n", 20, 0600);
	load(&s, 0);
	is(mistakes(&s), "D/c.ini:2: control character\n", "NUL");
	is(s.mail_domain, "", "and not half of the value");
	settings_free(&s);
}

static void
expect(const char *want, bool broken, unsigned flags, const char *what)
{
	struct settings s;

	load(&s, flags);
	is(mistakes(&s), want, what);
	ok(s.relay_broken == broken, "%s: %s", what, broken ? "broken" : "not broken");
	settings_free(&s);
}

static void
trust(void)
{
	static char big[64 * 1024 + 1];
	const char *one = "[mail]\ndomain = d\n";

	write_file(file, one, strlen(one), 0644);
	expect("", false, 0, "readable by all is fine");
	write_file(file, one, strlen(one), 0620);
	expect("D/c.ini: writable by others\n", true, 0, "writable by the group");
	write_file(file, one, strlen(one), 0602);
	expect("D/c.ini: writable by others\n", true, 0, "writable by the world");
	memset(big, '\n', sizeof(big));
	write_file(file, big, sizeof(big) - 1, 0600);
	expect("", false, 0, "64 KiB");
	write_file(file, big, sizeof(big), 0600);
	expect("D/c.ini: too large\n", true, 0, "more than 64 KiB");
	unlink(file);
	expect("D/c.ini: No such file or directory\n", true, 0, "named and missing");
	mkdir(file, 0700);
	expect("D/c.ini: not a regular file\n", true, 0, "a folder");
	rmdir(file);
	mkfifo(file, 0600);
	expect("D/c.ini: not a regular file\n", true, 0, "a FIFO does not hang");
	unlink(file);
	setenv("PILLARBOX_CONFIG", "c.ini", 1);
	expect("environment: PILLARBOX_CONFIG: not an absolute path\n", true, 0, "a relative path");
	setenv("PILLARBOX_CONFIG", "", 1);
	expect("", false, SETTINGS_OWN, "no file at all");
	setenv("PILLARBOX_CONFIG", file, 1);
	if (geteuid() != 0)
		return;
	write_file(file, one, strlen(one), 0600);
	if (chown(file, 65534, (gid_t)-1) == 0)
		expect("D/c.ini: owner is neither root nor this user\n", true, 0, "another's");
	unlink(file);
}

/* The user's own file; what /etc may hold on this machine is not looked at. */
static void
own(void)
{
	struct settings s;

	mkdir(in_dir(".config"), 0700);
	write_text(
	    in_dir(".config/pillarbox.ini"), "[mail]\ndomain = own.example\n[queue]\nwat = 1\n");
	write_text(in_dir("pillarbox.ini"), "[mail]\ndomain = xdg.example\n");
	unsetenv("PILLARBOX_CONFIG");
	setenv("HOME", dir, 1);
	load(&s, SETTINGS_OWN);
	is(s.mail_domain, "own.example", "~/.config");
	ok(strstr(mistakes(&s),
	       "D/.config/pillarbox.ini:4: queue.wat: unknown key (did you mean wait?)") != NULL,
	    "and its mistakes");
	settings_free(&s);
	load(&s, 0);
	ok(strcmp(s.mail_domain, "own.example") != 0, "not without SETTINGS_OWN");
	settings_free(&s);
	setenv("XDG_CONFIG_HOME", dir, 1);
	load(&s, SETTINGS_OWN);
	is(s.mail_domain, "xdg.example", "$XDG_CONFIG_HOME");
	settings_free(&s);
	setenv("XDG_CONFIG_HOME", "relative", 1);
	load(&s, SETTINGS_OWN);
	is(s.mail_domain, "own.example", "a relative one does not count");
	settings_free(&s);
	setenv("HOME", in_dir("pillarbox.ini/nowhere"), 1);
	load(&s, SETTINGS_OWN);
	ok(strstr(mistakes(&s), "D/") == NULL, "a home that is none is no mistake");
	settings_free(&s);
	setenv("HOME", dir, 1);
	chmod(in_dir(".config/pillarbox.ini"), 0666);
	load(&s, SETTINGS_OWN);
	ok(strstr(mistakes(&s), "D/.config/pillarbox.ini: writable by others\n") != NULL,
	    "writable by others");
	ok(s.relay_broken, "and that matters");
	settings_free(&s);
	unsetenv("HOME");
	unsetenv("XDG_CONFIG_HOME");
	load(&s, SETTINGS_OWN);
	ok(s.file == NULL, "no home, no file");
	settings_free(&s);
	unlink(in_dir(".config/pillarbox.ini"));
	unlink(in_dir("pillarbox.ini"));
	rmdir(in_dir(".config"));
	setenv("PILLARBOX_CONFIG", file, 1);
}

static void
environment(void)
{
	struct settings s;

	write_text(file, "[mail]\ndomain = file.example\nhostname = h\n[queue]\nwait = 7\n");
	write_text(in_dir("secret"), "  s3cret \r\nsecond\n");
	setenv("PILLARBOX_MAIL_DOMAIN", "env.example", 1);
	setenv("PILLARBOX_QUEUE_WAIT", "soon", 1);
	setenv("PILLARBOX_MAIL_HOSTNAME", "", 1);
	setenv("PILLARBOX_RELAY_PASSWORD_FILE", in_dir("secret"), 1);
	setenv("PILLARBOX_TLS_POLICY_FILE", in_dir("nothing"), 1);
	setenv("PILLARBOX_SMTP_SERVICE_HOST", "10.0.0.1", 1);
	setenv("PILLARBOX_SMTP_PORT_25_TCP", "tcp://10.0.0.1:25", 1);
	setenv("PILLARBOX_PORT", "tcp://10.0.0.1:25", 1);
	setenv("PILLARBOX_DEBUG", "1", 1);
	load(&s, 0);
	is(s.mail_domain, "env.example", "the environment wins");
	is(s.mail_hostname, "", "an empty variable unsets");
	is_int(s.queue_wait, 7, "a bad variable leaves what was there");
	is(s.relay_password_file, in_dir("secret"), "a setting whose name ends in _FILE");
	is(s.relay_password, "", "is that setting");
	ok(strstr(mistakes(&s), "environment: PILLARBOX_QUEUE_WAIT: not a duration such as ") !=
		NULL,
	    "a mistake has the variable's name");
	ok(strstr(tmp,
	       "environment: PILLARBOX_TLS_POLICY_FILE: D/nothing: No such file or directory\n") !=
		NULL,
	    "a missing file");
	ok(strstr(tmp, "SERVICE") == NULL && strstr(tmp, "PORT") == NULL &&
		strstr(tmp, "DEBUG") == NULL,
	    "others' variables are nobody's mistake");
	ok(s.relay_broken, "a setting that should have come from a file is missed");
	settings_free(&s);
	unsetenv("PILLARBOX_TLS_POLICY_FILE");
	unsetenv("PILLARBOX_QUEUE_WAIT");
	unsetenv("PILLARBOX_MAIL_DOMAIN");
	setenv("PILLARBOX_MAIL_DOMAIN_FILE", in_dir("secret"), 1);
	load(&s, 0);
	is(s.mail_domain, "s3cret", "the first line of a file");
	is(mistakes(&s), "", "no mistakes");
	settings_free(&s);
	setenv("PILLARBOX_MAIL_DOMAIN_FILE", "", 1);
	load(&s, 0);
	is(s.mail_domain, "file.example", "no file is named");
	is(mistakes(&s), "", "and nobody mistaken");
	settings_free(&s);
	setenv("PILLARBOX_MAIL_DOMAIN_FILE", "secret", 1);
	setenv("PILLARBOX_SMTP_PROXY_PASSWORD_FILE", in_dir("secret"), 1);
	chmod(in_dir("secret"), 0644);
	load(&s, 0);
	is(s.smtp_proxy_password, "s3cret", "a secret of a file that others may read");
	ok(strstr(mistakes(&s), "_PROXY_PASSWORD_FILE: D/secret: readable by others\n") != NULL,
	    "is said, without the secret");
	ok(strstr(tmp, "_DOMAIN_FILE: secret: not an absolute path\n") != NULL, "a relative path");
	ok(!s.relay_broken, "and neither keeps the mail");
	settings_free(&s);
	unsetenv("PILLARBOX_SMTP_PROXY_PASSWORD_FILE");
	setenv("PILLARBOX_MAIL_DOMAIN_FILE", in_dir("secret"), 1);
	setenv("PILLARBOX_MAIL_DOMAIN", "env.example", 1);
	setenv("PILLARBOX_RELAY_ULR", "smtp://x", 1);
	load(&s, 0);
	ok(strstr(mistakes(&s), ": given twice\n") != NULL, "directly and by a file");
	ok(strstr(tmp, "environment: PILLARBOX_RELAY_ULR: unknown key (did you mean url?)\n") !=
		NULL,
	    "a name that is none");
	ok(s.relay_broken, "of a section that matters");
	settings_free(&s);
	unsetenv("PILLARBOX_RELAY_ULR");
	unsetenv("PILLARBOX_MAIL_DOMAIN");
	unsetenv("PILLARBOX_MAIL_DOMAIN_FILE");
	unsetenv("PILLARBOX_MAIL_HOSTNAME");
	unsetenv("PILLARBOX_RELAY_PASSWORD_FILE");
	unlink(in_dir("secret"));
}

/* The line of one setting out of settings_print(). */
static const char *
line_of(const struct settings *s, const char *name)
{
	struct buf b = BUF_INIT(sizeof(tmp));
	const char *start;

	settings_print(&b, s);
	start = strstr(buf_str(&b), name);
	snprintf(tmp, sizeof(tmp), "%.*s", start != NULL ? (int)strcspn(start, "\n") : 0,
	    start != NULL ? start : "");
	buf_free(&b);
	return tmp;
}

static void
printing(void)
{
	struct settings s;
	const char *why;
	char want[256];

	write_text(file,
	    "[relay]\nurl = smtps://u%40x:hunter2@relay.example\npassword = hunter2\n"
	    "[relay.x]\nfrom = x@*\nurl = smtp://a, smtps://u:hunter2@b  smtps://u:hunter2@c\n"
	    "password = hunter2\n");
	setenv("PILLARBOX_QUEUE_DELIVER", "queue", 1);
	load(&s, 0);
	snprintf(
	    want, sizeof(want), "relay.url = smtps://u%%40x:***@relay.example    ; %s:2", file);
	is(line_of(&s, "relay.url"), want, "a URL without its password");
	snprintf(want, sizeof(want), "relay.password = ***    ; %s:3", file);
	is(line_of(&s, "relay.password "), want, "a secret");
	is(line_of(&s, "queue.deliver"), "queue.deliver = queue    ; environment", "environment");
	is(line_of(&s, "queue.wait"), "queue.wait = 30    ; default", "default");
	is(line_of(&s, "mail.domain"), "mail.domain =     ; default", "empty");
	snprintf(want, sizeof(want),
	    "relay.x.url = smtp://a, smtps://u:***@b  smtps://u:***@c    ; %s:6", file);
	is(line_of(&s, "relay.x.url"), want, "a list of URLs");
	snprintf(want, sizeof(want), "relay.x.password = ***    ; %s:7", file);
	is(line_of(&s, "relay.x.password "), want, "a relay's secret");
	is(line_of(&s, "hunter2"), "", "no secret anywhere");
	settings_forget_secrets(&s);
	is(s.relay_url, "smtps://u%40x:*******@relay.example", "forgotten in a URL");
	is(s.relay[0].url, "smtp://a, smtps://u:*******@b  smtps://u:*******@c",
	    "in each of a list");
	is(s.relay[0].password, "", "and by itself");
	settings_set(&s, "relay", "url", "smtps://user@relay.example:465", "test", &why);
	is(line_of(&s, "relay.url"), "relay.url = smtps://user@relay.example:465    ; test",
	    "a port is no password");
	settings_free(&s);
	unsetenv("PILLARBOX_QUEUE_DELIVER");
}

int
main(void)
{
	clearenv();
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(file, sizeof(file), "%s/c.ini", dir);
	setenv("PILLARBOX_CONFIG", file, 1);
	each_file();
	each_relay();
	relay_environment();
	long_lines();
	trust();
	own();
	environment();
	printing();
	unlink(file);
	rmdir(dir);
	return done();
}
