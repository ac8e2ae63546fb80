/* SPDX-License-Identifier: ISC */
#include "net/resolve_libc.h"

#include <string.h>

#include "mail/buf.h"
#include "net/inet.h"
#include "net/resolve_impl.h"

void
resolve_servers(char *dst, size_t size)
{
	struct __res_state *rs = &_res;
	struct buf list = BUF_INIT(1024);
	char text[INET_TEXT];

	if (res_ninit(rs) == 0) {
		for (int i = 0; i < rs->nscount; i++) {
			const void *sa = rs->_u._ext.nsaddrs[i];
			struct inet server;

			if (sa == NULL)
				sa = &rs->nsaddr_list[i];
			if (!inet_set(&server, sa))
				continue;
			inet_print(text, &server);
			buf_addf(&list, "%s%s", list.len > 0 ? ", " : "", text);
		}
		res_nclose(rs);
	}
	text_clean(dst, size, buf_str(&list), list.len);
	buf_free(&list);
}
