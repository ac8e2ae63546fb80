/* SPDX-License-Identifier: ISC */
/*
 * Plays t/transcripts-server/NAME.txt against the server: a line at a time, all at once, octet by
 * octet, and at random cuts. A transcript is a head, an empty line, and the dialogue; "#" begins a
 * comment line.
 *
 *	size: N              octets of a message at most; default 1000000
 *	local: NAME          completes bare recipients; default: as bare senders
 *	begin: CODE TEXT     the caller refuses the message when it begins
 *	answer: CODE TEXT    the caller's answer to its end; once for each; default 250 2.0.0 Ok
 *
 *	S: the server's line       C: the client's line       c: octets, no line end added
 *	E: an event, in its order among events:
 *	   begin PROTOCOL <FROM> [body=BODY] [ret=FULL] [ret=HDRS] [envid=ID]
 *	   rcpt <TO> [notify=N] [orcpt=TEXT]
 *	   data TEXT           pieces put together; none before reset
 *	   end | reset | refused COMMAND | quit
 *
 * In C, c and data \r, \n, \\ and \xHH are octets.
 */
#include <glob.h>

#include "server_play.h"

/* Reading transcripts. */

static void
unescape(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		char hex[3] = "";
		if (s[0] != '\\') {
			buf_addc(out, *s);
		} else if (*++s == 'x') {
			memcpy(hex, s + 1, 2);
			buf_addc(out, (char)strtoul(hex, NULL, 16));
			s += 2;
		} else {
			buf_addc(out, *s == 'r' ? '\r' : *s == 'n' ? '\n' : *s);
		}
	}
}

static void
parse_head(struct script *s, char *line)
{
	char *value = strchr(line, ' ') + 1;

	if (strncmp(line, "size:", 5) == 0)
		s->size = strtoull(value, NULL, 10);
	else if (strncmp(line, "local:", 6) == 0)
		s->local = value;
	else if (strncmp(line, "begin:", 6) == 0)
		s->begin = value;
	else if (strncmp(line, "answer:", 7) == 0)
		s->answer[s->answers++] = value;
}

/* What is sent, and what must come back: all replies, all events. */
struct dialogue {
	struct buf client, replies, events;
};

static void
parse_line(struct dialogue *d, const char *line)
{
	const char *text = line[2] == ' ' ? line + 3 : line + 2;

	switch (line[0]) {
	case 'C':
		unescape(&d->client, text);
		buf_adds(&d->client, "\r\n");
		break;
	case 'c':
		unescape(&d->client, text);
		break;
	case 'S':
		buf_addf(&d->replies, "%s\r\n", text);
		break;
	case 'E':
		buf_addf(&d->events, "%s\n", text);
		break;
	default:
		abort();
	}
}

static char *
slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 65536);

	if (f == NULL || text == NULL || fread(text, 1, 65535, f) == 0)
		abort();
	fclose(f);
	return text;
}

/* By line, the replies must be there before the client's next line; `lines` is told of each. */
static void
load(struct script *s, struct dialogue *d, const char *path, void (*each)(void *, const char *),
    void *arg)
{
	bool head = true;
	char *rest, *line;

	*s = (struct script){.text = slurp(path), .size = plain.size};
	d->client = d->replies = d->events = (struct buf)BUF_INIT(BIG);
	rest = s->text;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] == '#')
			continue;
		if (line[0] == '\0') {
			head = false;
		} else if (head && line[1] != ':') {
			parse_head(s, line);
		} else {
			parse_line(d, line);
			if (each != NULL)
				each(arg, line);
		}
	}
}

static void
unload(struct script *s, struct dialogue *d)
{
	free(s->text);
	buf_free(&d->client);
	buf_free(&d->replies);
	buf_free(&d->events);
}

/* Playing. */

static void
check(struct play *p, const struct dialogue *d, const char *name, const char *how)
{
	char what[200];

	show_content(p);
	snprintf(what, sizeof(what), "%s, %s: replies", name, how);
	is(buf_str(&p->replies), buf_str(&d->replies), what);
	snprintf(what, sizeof(what), "%s, %s: events", name, how);
	is(buf_str(&p->events), buf_str(&d->events), what);
	if (p->wrong != NULL)
		ok(false, "%s, %s: %s", name, how, p->wrong);
}

static void
play_cuts(const struct script *s, const struct dialogue *d, const char *name, const char *how,
    size_t most)
{
	struct play p;

	start(&p, s);
	collect(&p);
	for (size_t at = 0; at < d->client.len;) {
		size_t n = most > 1 && how[0] == 'r' ? 1 + (size_t)rand() % most : most;
		if (n > d->client.len - at)
			n = d->client.len - at;
		push(&p, d->client.data + at, n);
		at += n;
	}
	check(&p, d, name, how);
	finish(&p);
}

/* A line at a time: no reply later than where it stands. */
struct steps {
	struct play play;
	struct buf want;
	bool late;
};

static void
step(void *arg, const char *line)
{
	struct steps *st = arg;
	struct dialogue d = {BUF_INIT(BIG), BUF_INIT(BIG), BUF_INIT(BIG)};

	parse_line(&d, line);
	if (line[0] == 'C' || line[0] == 'c') {
		if (strncmp(buf_str(&st->play.replies), buf_str(&st->want), st->want.len) != 0)
			st->late = true;
		push(&st->play, d.client.data, d.client.len);
	}
	buf_add(&st->want, d.replies.data, d.replies.len);
	buf_free(&d.client);
	buf_free(&d.replies);
	buf_free(&d.events);
}

static void
play_steps(const struct script *s, const char *path, const char *name)
{
	struct steps st = {.want = BUF_INIT(BIG)};
	struct script again;
	struct dialogue d;

	start(&st.play, s);
	collect(&st.play);
	load(&again, &d, path, step, &st);
	check(&st.play, &d, name, "by line");
	ok(!st.late, "%s: each reply in its place", name);
	unload(&again, &d);
	buf_free(&st.want);
	finish(&st.play);
}

static void
play_transcripts(void)
{
	struct script s;
	struct dialogue d;
	glob_t files;

	if (glob("t/transcripts-server/*.txt", 0, NULL, &files) != 0) {
		ok(false, "transcripts");
		return;
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i], *name = strrchr(path, '/') + 1;
		load(&s, &d, path, NULL, NULL);
		play_steps(&s, path, name);
		play_cuts(&s, &d, name, "all at once", d.client.len);
		play_cuts(&s, &d, name, "octet by octet", 1);
		play_cuts(&s, &d, name, "random cuts", 9);
		unload(&s, &d);
	}
	globfree(&files);
}

int
main(void)
{
	srand(1);
	play_transcripts();
	return done();
}
