/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "mail/alias_impl.h"

/* Flags of an entry. */
enum {
	SEEN = 1,  /* is or was in the queue */
	LEADS = 2, /* leads to a result, or to /dev/null on purpose */
	WRONG = 4, /* leads to a mistake that was told */
};

struct step {
	size_t entry;
	unsigned depth;
};

/* An entry names another: what the other leads to, it leads to. */
struct edge {
	size_t to, from;
};

/*
 * An expansion. Whether a name leads anywhere is known only when all that it leads to has been
 * seen, so the edges are kept and walked backwards at the end.
 */
struct walk {
	struct aliases *a;
	const struct alias_place *place;
	struct alias_results *results; /* NULL: mistakes only */
	struct buf *errors;
	struct step *queue;
	size_t head, tail;
	struct edge *edge;
	size_t nedges;
	size_t origin;
	unsigned includes; /* on behalf of `origin` */
	int error;
};

enum where {
	ELSEWHERE,
	HERE, /* at a domain of ours */
	BARE, /* a bare name, or at localhost: cannot mean anybody but one of this machine */
};

static bool
is_named(const char *domain, const char *name)
{
	return name != NULL && strcasecmp(domain, name) == 0;
}

static enum where
find_where(const struct alias_place *p, const char *address)
{
	const char *domain = address + address_local(address);

	if (domain == address || (*domain != '\0' && *domain != '@'))
		return ELSEWHERE;
	if (*domain == '\0' || strcasecmp(domain, "@localhost") == 0)
		return BARE;
	return is_named(domain + 1, p->domain) || is_named(domain + 1, p->hostname) ? HERE
										    : ELSEWHERE;
}

bool
alias_local(const struct alias_place *place, const char *address)
{
	return find_where(place, address) != ELSEWHERE;
}

/* The local-part in lower case, without quotes that it does not need. */
static bool
make_key(char key[ADDRESS_MAX + 1], const char *address)
{
	struct address_parser p;
	struct address plain;
	size_t n;

	address_start(&p, address, strnlen(address, ADDRESS_MAX + 1));
	if (address_next(&p, &plain) != ADDRESS_ONE)
		return false;
	n = address_local(plain.mailbox);
	for (size_t i = 0; i < n; i++)
		key[i] = alias_lower(plain.mailbox[i]);
	key[n] = '\0';
	return true;
}

/* The entry that applies to an address, or ALIAS_NONE. given: as a recipient, not as a value. */
static size_t
find_target(const struct walk *w, const char *address, bool given)
{
	enum where where = find_where(w->place, address);
	char key[ADDRESS_MAX + 1];
	size_t found;

	if (where == ELSEWHERE || !make_key(key, address))
		return ALIAS_NONE;
	found = alias_find(w->a, key);
	if (found == ALIAS_NONE && (given || where == BARE))
		found = alias_find(w->a, "*");
	return found;
}

/* Something is wrong with a value of an entry. */
static void
tell(struct walk *w, size_t number, const struct alias_value *v, const char *what, const char *more)
{
	struct alias_entry *e = &w->a->entry[number];
	const char *name = alias_string(w->a, w->a->entry[e->owner].name);
	struct buf text = BUF_INIT(ALIAS_MISTAKE_MAX);

	e->flags |= WRONG;
	buf_adds(&text, what);
	buf_adds(&text, more);
	alias_mistake(w->a, w->errors, e->file, v->line, name, buf_str(&text));
	buf_free(&text);
}

static void
visit(struct walk *w, size_t entry, unsigned depth)
{
	struct step *q;

	if (w->a->entry[entry].flags & SEEN)
		return;
	if ((q = alias_room(&w->error, w->queue, w->tail, sizeof(*q))) == NULL)
		return;
	w->queue = q;
	w->queue[w->tail++] = (struct step){entry, depth};
	w->a->entry[entry].flags |= SEEN;
}

/* A value of `from` is the entry `to`. */
static void
follow(struct walk *w, struct step from, const struct alias_value *v, size_t to)
{
	struct edge *e = alias_room(&w->error, w->edge, w->nedges, sizeof(*e));

	if (e == NULL)
		return;
	w->edge = e;
	w->edge[w->nedges++] = (struct edge){to, from.entry};
	if (from.depth < ALIAS_DEPTH)
		visit(w, to, from.depth + 1);
	else if (!(w->a->entry[to].flags & SEEN))
		tell(w, from.entry, v, "too many aliases that lead from one to the next, at ",
		    alias_string(w->a, w->a->entry[to].name));
}

/* A value that is an address, complete or bare, and goes out. */
static void
deliver(struct walk *w, size_t from, const struct alias_value *v)
{
	const struct alias_place *p = w->place;
	const char *address = alias_string(w->a, v->text), *domain = p->domain;
	char complete[ADDRESS_MAX + 1];

	if (domain == NULL || *domain == '\0')
		domain = p->hostname;
	if (address_qualify(complete, address, domain != NULL ? domain : "") == -1) {
		tell(w, from, v, "not an address with the domain of this machine: ", address);
		return;
	}
	w->a->entry[from].flags |= LEADS;
	if (w->results != NULL)
		w->error = alias_result_add(w->results, complete, w->origin);
}

static void
follow_address(struct walk *w, struct step from, const struct alias_value *v)
{
	size_t to = find_target(w, alias_string(w->a, v->text), false);

	if (to == ALIAS_NONE || to == w->a->entry[from.entry].owner)
		deliver(w, from.entry, v);
	else
		follow(w, from, v, to);
}

/* Read an include file that was not read yet; ALIAS_NONE: it cannot be. */
static size_t
read_include(struct walk *w, size_t from, const struct alias_value *v)
{
	const char *path = alias_string(w->a, v->text), *why = "include files are not read";
	struct buf text = BUF_INIT(ALIAS_FILE_MAX), what = BUF_INIT(ALIAS_MISTAKE_MAX);
	size_t to = ALIAS_NONE;

	if (w->place->include == NULL ||
	    w->place->include(w->place->arg, path, &text, &why) == -1) {
		buf_addf(&what, "%s: %s", path, why);
		tell(w, from, v, "cannot read ", buf_str(&what));
	} else {
		to = alias_add_include(
		    w->a, w->a->entry[from].owner, v->text, buf_str(&text), text.len);
	}
	buf_free(&what);
	buf_free(&text);
	return to;
}

/*
 * The entry of an include file; ALIAS_NONE: there is none. What an earlier expansion has read counts
 * as well, so that each has the same end.
 */
static size_t
find_include(struct walk *w, size_t from, const struct alias_value *v)
{
	const char *path = alias_string(w->a, v->text);
	size_t i = w->a->nnames;

	while (i < w->a->nentries && strcmp(alias_string(w->a, w->a->entry[i].name), path) != 0)
		i++;
	if (i < w->a->nentries && (w->a->entry[i].flags & SEEN))
		return i;
	if (w->includes++ >= ALIAS_INCLUDES) {
		tell(w, from, v, "too many include files, at ", path);
		return ALIAS_NONE;
	}
	return i < w->a->nentries ? i : read_include(w, from, v);
}

static void
follow_value(struct walk *w, struct step from, struct alias_value v)
{
	size_t to;

	switch (v.kind) {
	case ALIAS_ADDRESS:
		follow_address(w, from, &v);
		break;
	case ALIAS_FINAL:
		deliver(w, from.entry, &v);
		break;
	case ALIAS_INCLUDE:
		if ((to = find_include(w, from.entry, &v)) != ALIAS_NONE)
			follow(w, from, &v, to);
		break;
	case ALIAS_DROP:
		w->a->entry[from.entry].flags |= LEADS;
		break;
	case ALIAS_BAD:
		tell(w, from.entry, &v, alias_string(w->a, v.text), "");
		break;
	}
}

/* Expand an entry and all that it leads to and that was not expanded yet. */
static void
expand_entry(struct walk *w, size_t entry)
{
	w->includes = 0;
	visit(w, entry, 1);
	while (w->head < w->tail && w->error == 0) {
		struct step s = w->queue[w->head++];
		size_t first = w->a->entry[s.entry].first, count = w->a->entry[s.entry].count;
		for (size_t i = first; i < first + count && w->error == 0; i++) {
			follow_value(w, s, w->a->value[i]);
			if (w->a->error != 0)
				w->error = w->a->error;
		}
	}
}

static int
compare_edges(const void *x, const void *y)
{
	const struct edge *a = x, *b = y;

	return (a->to > b->to) - (a->to < b->to);
}

static size_t
first_edge(const struct walk *w, size_t to)
{
	size_t low = 0, high = w->nedges;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (w->edge[middle].to < to)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Carry LEADS and WRONG from what is named to what names it. An entry is on the stack again only
 * when it got another of the two: three times in all.
 */
static void
carry_back(struct walk *w)
{
	struct alias_entry *entry = w->a->entry;
	size_t *stack = calloc(3 * w->a->nentries + 1, sizeof(*stack)), n = 0;

	if (stack == NULL) {
		w->error = ENOMEM;
		return;
	}
	if (w->nedges > 0)
		qsort(w->edge, w->nedges, sizeof(*w->edge), compare_edges);
	for (size_t i = 0; i < w->a->nentries; i++)
		if (entry[i].flags & (LEADS | WRONG))
			stack[n++] = i;
	while (n > 0) {
		size_t to = stack[--n];
		for (size_t i = first_edge(w, to); i < w->nedges && w->edge[i].to == to; i++) {
			size_t from = w->edge[i].from;
			unsigned more = entry[to].flags & (LEADS | WRONG) & ~entry[from].flags;
			if (more == 0)
				continue;
			entry[from].flags |= more;
			stack[n++] = from;
		}
	}
	free(stack);
}

static void
tell_nobody(struct walk *w, size_t number)
{
	const struct alias_entry *e = &w->a->entry[number];

	alias_mistake(w->a, w->errors, e->file, e->line, alias_string(w->a, e->name),
	    e->flags & WRONG ? "leads to nobody" : "a loop: it leads to nobody");
}

static void
begin(struct walk *w)
{
	for (size_t i = 0; i < w->a->nentries; i++)
		w->a->entry[i].flags = 0;
}

static int
end(struct walk *w)
{
	free(w->queue);
	free(w->edge);
	errno = w->error;
	return w->error == 0 ? 0 : -1;
}

int
alias_check(struct aliases *a, const struct alias_place *place, struct buf *errors)
{
	struct walk w = {.a = a, .place = place, .errors = errors};

	begin(&w);
	for (size_t i = 0; i < a->nnames && w.error == 0; i++)
		expand_entry(&w, i);
	if (w.error == 0)
		carry_back(&w);
	for (size_t i = 0; i < a->nnames && w.error == 0; i++)
		if (!(a->entry[i].flags & (LEADS | WRONG)))
			tell_nobody(&w, i);
	return end(&w);
}

/* Expand each recipient; begun[i] is the entry that applied to it, or ALIAS_NONE. */
static void
expand_all(struct walk *w, const char *const *recipient, size_t n, size_t *begun)
{
	for (size_t i = 0; i < n && w->error == 0; i++) {
		w->origin = i;
		begun[i] = find_target(w, recipient[i], true);
		if (begun[i] == ALIAS_NONE)
			w->error = alias_result_add(w->results, recipient[i], i);
		else
			expand_entry(w, begun[i]);
	}
	if (w->error == 0)
		carry_back(w);
	for (size_t i = 0; i < n && w->error == 0; i++) {
		if (begun[i] == ALIAS_NONE || (w->a->entry[begun[i]].flags & LEADS))
			continue;
		w->results->nobody++;
		tell_nobody(w, begun[i]);
	}
	if (w->error == 0)
		w->error = alias_result_unique(w->results);
}

int
alias_expand(struct aliases *a, const struct alias_place *place, const char *const *recipient,
    size_t n, struct alias_results *results, struct buf *errors)
{
	struct walk w = {.a = a, .place = place, .results = results, .errors = errors};
	size_t *begun = calloc(n + 1, sizeof(*begun));

	*results = (struct alias_results){0};
	begin(&w);
	if (begun == NULL)
		w.error = ENOMEM;
	else
		expand_all(&w, recipient, n, begun);
	free(begun);
	return end(&w);
}
