/* SPDX-License-Identifier: ISC */
/*
 * pair_mails: the mails of smtp_pair.c, what becomes of them by the account of either side, and whether
 * these accounts agree.
 */
#ifndef PAIR_MAILS_H
#define PAIR_MAILS_H

#include <stdio.h>
#include <string.h>

#include "mail/smtp_client.h"

#define MAILS 5
#define RCPTS 3

/* What is sent, as it is and dot-stuffed; how the server answers it, the first time and then. */
static const struct {
	const char *bare, *stuffed, *answer[2];
	unsigned rcpts;
} texts[MAILS] = {
    {"ham\r\n", "ham\r\n", {"250 2.0.0 Ok", "250 2.0.0 Ok"}, 3},
    {"spam\r\n", "spam\r\n", {"554 5.7.1 no", "554 5.7.1 no"}, 2},
    {".dot\r\n..\r\n.\r\n", "..dot\r\n...\r\n..\r\n", {"250 2.0.0 Ok", "250 2.0.0 Ok"}, 1},
    {"later\r\n", "later\r\n", {"451 4.3.0 later", "250 2.0.0 Ok"}, 1},
    {"and more\r\n", "and more\r\n", {"250 2.0.0 Ok", "250 2.0.0 Ok"}, 3},
};

static struct mail {
	struct envelope envelope;
	struct recipient rcpt[RCPTS];
	char from[40], address[RCPTS][40];
	uint32_t index[RCPTS];
	struct smtp_transaction t;
	size_t number;
	unsigned told[RCPTS], copies[RCPTS], doubts[RCPTS], asked;
	bool sent[RCPTS], bounced[RCPTS], done, under_way;
} mails[MAILS];

static const char *complaint;

static void
complain(const char *what)
{
	if (complaint == NULL)
		complaint = what;
}

static void
fresh(void)
{
	complaint = NULL;
	memset(mails, 0, sizeof(mails));
	for (size_t i = 0; i < MAILS; i++) {
		struct mail *m = &mails[i];

		m->number = i;
		snprintf(m->from, sizeof(m->from), "m%zu@x.example", i);
		for (size_t j = 0; j < texts[i].rcpts; j++) {
			snprintf(m->address[j], sizeof(m->address[j]), "r%zu@y.example", j);
			m->rcpt[j].address = m->address[j];
		}
		m->envelope = (struct envelope){.from = m->from,
		    .rcpt = m->rcpt,
		    .nrcpt = texts[i].rcpts,
		    .size = strlen(texts[i].bare)};
	}
}

static void
check_copies(bool whole)
{
	for (size_t i = 0; i < MAILS; i++)
		for (size_t j = 0; j < texts[i].rcpts; j++) {
			const struct mail *m = &mails[i];

			if (m->sent[j] && m->copies[j] == 0)
				complain("delivered, but the server has it not");
			if (m->copies[j] > m->sent[j] + m->doubts[j])
				complain("the server has a copy that nobody speaks of");
			if (m->bounced[j] != (i == 1) && (m->bounced[j] || whole))
				complain("another one failed");
			if (whole && i != 1 && !m->sent[j])
				complain("not delivered in the end");
		}
}

#endif
