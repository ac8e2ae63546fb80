/* SPDX-License-Identifier: ISC */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/queue_id.h"

#define IDS_MAX 1000000U

static const char *
add_id(struct target *t, const char *id)
{
	char **ids;

	if (t->nids == IDS_MAX)
		return "too many IDs";
	/* Room for a power of two at a time. */
	if ((t->nids & (t->nids - 1)) == 0) {
		size_t room = t->nids == 0 ? 1 : 2 * (size_t)t->nids;
		if ((ids = realloc(t->ids, room * sizeof(*ids))) == NULL)
			return "out of memory";
		t->ids = ids;
	}
	if ((t->ids[t->nids] = strdup(id)) == NULL)
		return "out of memory";
	t->nids++;
	return NULL;
}

const char *
target_add(struct target *t, const char *word)
{
	if (strcmp(word, "ALL") == 0)
		t->all = true;
	else if (strcmp(word, "-") == 0)
		t->input = true;
	else if (!queue_id_valid(word))
		return "not a queue ID";
	else
		return add_id(t, word);
	return NULL;
}

static const char *
read_ids(struct target *t)
{
	const char *wrong = NULL;
	char *line = NULL;
	size_t size = 0;

	while (wrong == NULL && getline(&line, &size, stdin) != -1) {
		line[strcspn(line, "*! \t\r\n")] = '\0';
		if (queue_id_valid(line))
			wrong = add_id(t, line);
	}
	free(line);
	return wrong;
}

const char *
target_use(struct target *t, struct selection *s)
{
	const char *wrong;

	if (t->input && (wrong = read_ids(t)) != NULL)
		return wrong;
	if (t->all && (t->input || t->nids > 0))
		return "ALL and IDs do not go together";
	/* An empty list is none of them, never all. */
	if (t->input && t->nids == 0)
		return "no queue ID on standard input";
	s->ids = t->ids;
	s->nids = t->nids;
	return NULL;
}
