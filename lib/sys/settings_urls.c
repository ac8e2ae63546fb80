/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "mail/route.h"
#include "sys/settings.h"

/*
 * The password in the first URL of a list, which moves behind that one: NULL when it has none. The
 * account ends at the last "@" before a "/".
 */
static char *
url_password(char **list, size_t *len)
{
	char *url = *list + strspn(*list, ROUTE_SEPARATORS), *start, *at, *colon = NULL;

	*list = url + strcspn(url, ROUTE_SEPARATORS);
	start = memmem(url, (size_t)(*list - url), "://", 3);
	start = start != NULL ? start + 3 : url;
	at = memrchr(start, '@', strcspn(start, "/" ROUTE_SEPARATORS));
	if (at == NULL || (colon = memchr(start, ':', (size_t)(at - start))) == NULL)
		return NULL;
	*len = (size_t)(at - colon - 1);
	return colon + 1;
}

void
settings_hide_passwords(char *urls)
{
	size_t len;

	while (*urls != '\0') {
		char *password = url_password(&urls, &len);

		if (password != NULL)
			memset(password, '*', len);
	}
}

void
settings_print_urls(struct buf *out, const char *urls)
{
	char *rest = (char *)urls; /* only looked at */
	size_t len;

	while (*rest != '\0') {
		const char *password = url_password(&rest, &len);

		if (password == NULL || len == 0)
			continue;
		buf_add(out, urls, (size_t)(password - urls));
		buf_adds(out, "***");
		urls = password + len;
	}
	buf_adds(out, urls);
}
