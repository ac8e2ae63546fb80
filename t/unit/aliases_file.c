/* SPDX-License-Identifier: ISC */
#include "aliases.c"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

/* In place of complain.c's: what would have been said. */
static struct buf said = BUF_INIT(256 * 1024);

void
warn_user(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&said, fmt, ap);
	va_end(ap);
	buf_addc(&said, '\n');
}

static void
put(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0 || chmod(path, mode) == -1)
		printf("Bail out! %s: %s\n", path, strerror(errno));
}

/* "address notify orcpt" of each, with "|" between them. */
static void
print(struct buf *out, const struct envelope *e)
{
	for (size_t i = 0; i < e->nrcpt; i++)
		buf_addf(out, "%s%s %u %s", i > 0 ? "|" : "", e->rcpt[i].address, e->rcpt[i].notify,
		    e->rcpt[i].orcpt != NULL ? e->rcpt[i].orcpt : "-");
}

/* Apply to a@b, root@localhost and www@d.example. */
static void
apply(const char *path, int status, const char *expected, const char *told, const char *what)
{
	struct buf errors = BUF_INIT(4096), out = BUF_INIT(4096);
	struct envelope e = {0};

	envelope_add(&e, "a@b");
	envelope_add(&e, "root@localhost");
	envelope_add(&e, "www@d.example");
	e.rcpt[1].notify = NOTIFY_SUCCESS;
	e.rcpt[2].notify = NOTIFY_NEVER;
	e.rcpt[2].orcpt = strdup("rfc822;given");
	is_int(aliases_apply(path, "d.example", "h.example", &e, &errors), status, what);
	print(&out, &e);
	is(buf_str(&out), expected, "… recipients");
	is(buf_str(&errors), told, "… mistakes");
	envelope_free(&e);
	buf_free(&errors);
	buf_free(&out);
}

#define SAME "a@b 0 -|root@localhost 2 -|www@d.example 1 rfc822;given"

static void
applied(void)
{
	apply("aliases", EX_OK, SAME, "", "no file");
	apply("", EX_OK, SAME, "", "no file is wanted");
	put("aliases", "", 0644);
	apply("aliases", EX_OK, SAME, "", "an empty file");
	put("aliases", "root: r@x, www\nwww: w@x, a@b", 0644);
	apply("aliases", EX_OK, "a@b 0 -|r@x 2 rfc822;root@localhost|w@x 2 rfc822;root@localhost",
	    "", "a good file");
	put("aliases", "root: root@localhost, root\nwww: w@x, v@x", 0600);
	apply("aliases", EX_OK,
	    "a@b 0 -|root@localhost 2 -|root@d.example 2 rfc822;root@localhost|"
	    "w@x 1 rfc822;given|v@x 1 rfc822;given",
	    "", "ORCPT");
	put("aliases", "root: r@x, |/bin/x\nwww", 0644);
	apply("aliases", EX_OK, "a@b 0 -|r@x 2 rfc822;root@localhost|www@d.example 1 rfc822;given",
	    "aliases:2: no colon: www\n"
	    "aliases:1: root: programs and files are not delivered to: |/bin/x\n",
	    "mistakes that stop nothing");
	put("aliases", "root: www\nwww: root", 0644);
	apply("aliases", EX_DATAERR, SAME,
	    "aliases:1: root: a loop: it leads to nobody\naliases:2: www: a loop: it leads to "
	    "nobody\n",
	    "nobody");
	put("aliases", "*: /dev/null", 0644);
	apply("aliases", EX_OK, "a@b 0 -", "", "dropped");
}

static void
includes(void)
{
	char text[4096], cwd[1024], told[2048];

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		cwd[0] = '\0';
	snprintf(text, sizeof(text), "*: r@x, :include:%s/list\n", cwd);
	put("aliases", text, 0644);
	put("list", "l@x\n", 0644);
	apply("aliases", EX_OK, "a@b 0 -|r@x 2 rfc822;root@localhost|l@x 2 rfc822;root@localhost",
	    "", "an include file");
	chmod("list", 0664);
	snprintf(
	    told, sizeof(told), "aliases:1: *: cannot read %s/list: writable by others\n", cwd);
	apply("aliases", EX_OK, "a@b 0 -|r@x 2 rfc822;root@localhost", told,
	    "an include file that is not trusted");
}

static void
trust(void)
{
	struct buf big = BUF_INIT(2 * ALIAS_FILE_MAX);

	put("good", "*: r@x", 0644);
	unlink("aliases");
	ok(symlink("good", "aliases") == 0, "a symbolic link");
	apply("aliases", EX_OK, "a@b 0 -|r@x 2 rfc822;root@localhost", "", "… is followed");
	chmod("good", 0646);
	apply("aliases", EX_CONFIG, SAME, "aliases: writable by others\n", "writable by others");
	chmod("good", 0664);
	apply("aliases", EX_CONFIG, SAME, "aliases: writable by others\n", "writable by the group");
	apply(".", EX_CONFIG, SAME, ".: not a regular file\n", "a directory");
	ok(mkfifo("fifo", 0600) == 0, "a FIFO");
	apply("fifo", EX_CONFIG, SAME, "fifo: not a regular file\n", "… is not waited for");
	apply("good/x", EX_CONFIG, SAME, "good/x: Not a directory\n", "cannot be read");
	while (big.len <= ALIAS_FILE_MAX)
		buf_adds(&big, "# no end of comments\n");
	put("big", buf_str(&big), 0644);
	apply("big", EX_CONFIG, SAME, "big: too large\n", "too large");
	buf_free(&big);
	if (getuid() == 0) {
		chmod("good", 0644);
		ok(chown("good", 12345, 12345) == 0, "somebody else's");
		apply("aliases", EX_CONFIG, SAME, "aliases: owner is neither root nor this user\n",
		    "… is refused");
	}
}

static void
remote(void)
{
	struct buf errors = BUF_INIT(1024), out = BUF_INIT(1024);
	struct envelope e = {0};

	envelope_add(&e, "a@b");
	envelope_add(&e, "root@c.d.example");
	is_int(aliases_apply("fifo", "d.example", "h.example", &e, &errors), EX_OK,
	    "no local recipient: the file is not read");
	print(&out, &e);
	is(buf_str(&out), "a@b 0 -|root@c.d.example 0 -", "… nothing changes");
	envelope_free(&e);
	buf_free(&errors);
	buf_free(&out);
}

static void
check(const char *path, int status, const char *told, const char *what)
{
	buf_clear(&said);
	is_int(aliases_check(path, "d.example", "h.example"), status, what);
	is(buf_str(&said), told, "… said");
}

static void
checks(void)
{
	struct buf many = BUF_INIT(ALIAS_FILE_MAX);

	check("none", EX_OK, "", "no file");
	check("", EX_OK, "", "no file is wanted");
	put("c", "root: a@x\nb: root, \\b\n*: root\nn: /dev/null\n", 0644);
	check("c", EX_OK, "", "a good file");
	put("c", "root: |x\nb: c@d.example\nc: b\n\nd e\nroot: a@x\n", 0644);
	check("c", EX_DATAERR,
	    "c:5: no colon: d e\n"
	    "c:6: root: is on line 1 already; this one does not count\n"
	    "c:1: root: programs and files are not delivered to: |x\n"
	    "c:2: b: a loop: it leads to nobody\nc:3: c: a loop: it leads to nobody\n",
	    "mistakes");
	check("fifo", EX_CONFIG, "fifo: not a regular file\n", "refused");
	while (many.len < ALIAS_FILE_MAX - 10)
		buf_adds(&many, "x\n");
	put("c", buf_str(&many), 0644);
	buf_clear(&said);
	is_int(aliases_check("c", "d", "h"), EX_DATAERR, "half a million mistakes");
	ok(said.len < 128UL * 1024 && strstr(said.data, "c: 524283 mistakes in all\n") != NULL,
	    "… are not all told");
	buf_free(&many);
}

int
main(void)
{
	char dir[] = "/tmp/pillarbox-aliases-XXXXXX";

	umask(022);
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return 1;
	applied();
	includes();
	trust();
	remote();
	checks();
	buf_free(&said);
	for (const char *const *f =
		 (const char *const[]){"aliases", "good", "list", "fifo", "big", "c", NULL};
	     *f != NULL; f++)
		unlink(*f);
	if (chdir("/") == -1 || rmdir(dir) == -1)
		return 1;
	return done();
}
