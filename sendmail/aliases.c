/* SPDX-License-Identifier: ISC */
#include "aliases.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "complain.h"
#include "mail/alias.h"
#include "mail/dsn.h"
#include "sys/file.h"

#define ORCPT_MAX 500            /* octets, RFC 3461 4.2 */
#define REPORT_MAX (64U * 1024U) /* octets of mistakes that newaliases tells one by one */

/* *arg becomes true where the file may be read another time. */
static int
read_include(void *arg, const char *path, struct buf *text, const char **why)
{
	bool *later = arg;

	if (file_load(text, path, NULL, why) == 0)
		return 0;
	*later |= file_error_passes(errno);
	return -1;
}

static struct alias_place
make_place(const char *domain, const char *hostname, bool *later)
{
	return (struct alias_place){
	    .domain = domain, .hostname = hostname, .include = read_include, .arg = later};
}

static int
out_of_memory(struct buf *errors)
{
	buf_adds(errors, "out of memory\n");
	return EX_OSERR;
}

static int
unreadable(const char *path, int error, const char *why, struct buf *errors)
{
	buf_addf(errors, "%s: %s\n", path, why);
	if (error == ENOMEM)
		return EX_OSERR;
	return file_error_passes(error) ? EX_TEMPFAIL : EX_CONFIG;
}

/* Read and parse; a missing file has no names. alias_free() also after an error. */
static int
load(struct aliases *a, const char *path, struct buf *errors)
{
	struct buf text = BUF_INIT(ALIAS_FILE_MAX);
	const char *why;
	int status = EX_OK;

	*a = (struct aliases){0};
	if (*path != '\0' && file_load(&text, path, NULL, &why) == -1 && errno != ENOENT)
		status = unreadable(path, errno, why, errors);
	else if (alias_parse(a, buf_str(&text), text.len, path, errors) == -1)
		status = out_of_memory(errors);
	buf_free(&text);
	return status;
}

/* NULL: none, or out of memory; it is not worth losing mail for. */
static char *
make_orcpt(const struct recipient *original, const char *address)
{
	struct buf b = BUF_INIT(ORCPT_MAX);
	char *s = NULL;

	if (original->orcpt != NULL)
		return strdup(original->orcpt);
	if (strcmp(original->address, address) == 0)
		return NULL;
	dsn_orcpt(&b, original->address);
	if (b.error == 0)
		s = strdup(buf_str(&b));
	buf_free(&b);
	return s;
}

static int
replace(struct envelope *e, const struct alias_results *results)
{
	struct envelope replaced = {0};

	for (size_t i = 0; i < results->n; i++) {
		const struct alias_result *r = &results->result[i];
		const struct recipient *original = &e->rcpt[r->origin];
		if (envelope_add(&replaced, r->address) == -1) {
			envelope_free(&replaced);
			return -1;
		}
		replaced.rcpt[i].notify = original->notify;
		replaced.rcpt[i].orcpt = make_orcpt(original, r->address);
	}
	struct envelope old = {.rcpt = e->rcpt, .nrcpt = e->nrcpt};
	e->rcpt = replaced.rcpt;
	e->nrcpt = replaced.nrcpt;
	envelope_free(&old);
	return 0;
}

static int
too_many(struct buf *errors)
{
	buf_addf(errors, "more than %u recipients, aliases expanded\n", ENVELOPE_RCPT_MAX);
	return EX_DATAERR;
}

static int
expand(struct aliases *a, const struct alias_place *place, struct envelope *e, struct buf *errors)
{
	const char **recipient = calloc(e->nrcpt + 1, sizeof(*recipient));
	struct alias_results results = {0};
	int status = EX_OK;

	if (recipient == NULL)
		return out_of_memory(errors);
	for (size_t i = 0; i < e->nrcpt; i++)
		recipient[i] = e->rcpt[i].address;
	if (alias_expand(a, place, recipient, e->nrcpt, &results, errors) == -1)
		status = errno == E2BIG ? too_many(errors) : out_of_memory(errors);
	else if (*(bool *)place->arg)
		status = EX_TEMPFAIL;
	else if (results.nobody > 0)
		status = EX_DATAERR;
	else if (replace(e, &results) == -1)
		status = out_of_memory(errors);
	alias_results_free(&results);
	free(recipient);
	return status;
}

int
aliases_apply(const char *path, const char *domain, const char *hostname, struct envelope *e,
    struct buf *errors)
{
	bool local = false, later = false;
	struct alias_place place = make_place(domain, hostname, &later);
	struct aliases a;
	int status;

	for (size_t i = 0; i < e->nrcpt && !local; i++)
		local = alias_local(&place, e->rcpt[i].address);
	if (!local || *path == '\0')
		return EX_OK;
	if ((status = load(&a, path, errors)) == EX_OK)
		status = expand(&a, &place, e, errors);
	alias_free(&a);
	return status;
}

int
aliases_check(const char *path, const char *domain, const char *hostname)
{
	bool later = false;
	struct alias_place place = make_place(domain, hostname, &later);
	struct buf errors = BUF_INIT(REPORT_MAX);
	struct aliases a;
	int status;

	status = load(&a, path, &errors);
	if (status == EX_OK && alias_check(&a, &place, &errors) == -1)
		status = out_of_memory(&errors);
	if (status == EX_OK && later)
		status = EX_TEMPFAIL;
	if (status == EX_OK && a.mistakes > 0)
		status = EX_DATAERR;
	aliases_report(&errors);
	if (errors.error != 0)
		warn_user("%s: %zu mistakes in all", path, a.mistakes);
	alias_free(&a);
	buf_free(&errors);
	return status;
}

void
aliases_report(const struct buf *errors)
{
	const char *line = buf_str(errors), *end;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		warn_user("%.*s", (int)(end - line), line);
}
