/* SPDX-License-Identifier: ISC */
#include "postmaster.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "aliases.h"
#include "mail/address.h"
#include "sys/host.h"
#include "sys/log.h"

#define LOCAL "localhost" /* where aliases apply whatever mail.domain is */
#define NAME "postmaster@" LOCAL

/* What is still local behind the aliases is at mail.domain, as for any other message. */
static int
complete(struct recipient *r, const char *domain)
{
	char whole[ADDRESS_MAX + 1], *at = strrchr(r->address, '@');
	char *copy;

	if (at == NULL || strcmp(at + 1, LOCAL) != 0)
		return 0;
	*at = '\0';
	if (address_qualify(whole, r->address, domain) == -1 || (copy = strdup(whole)) == NULL)
		return -1;
	free(r->address);
	r->address = copy;
	return 0;
}

static bool
expand(struct envelope *e, const struct settings *s, const char *hostname)
{
	struct buf errors = BUF_INIT(4096);
	char domain[HOST_LEN];
	int status = aliases_apply(s->mail_aliases, LOCAL, hostname, e, &errors);

	if (errors.len > 0)
		log_warn("%.*s", (int)strcspn(errors.data, "\n"), errors.data);
	buf_free(&errors);
	if (status != EX_OK || (e->nrcpt == 1 && strcmp(e->rcpt[0].address, NAME) == 0))
		return false;
	host_domain(domain, s->mail_domain, hostname);
	for (size_t i = 0; i < e->nrcpt; i++)
		if (complete(&e->rcpt[i], domain) == -1)
			return false;
	return e->nrcpt > 0;
}

bool
postmaster_find(struct envelope *e, const struct settings *s, const char *hostname)
{
	*e = (struct envelope){0};
	return s->mail_aliases[0] != '\0' && envelope_add(e, NAME) == 0 && expand(e, s, hostname);
}
