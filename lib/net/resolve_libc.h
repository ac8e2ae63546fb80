/* SPDX-License-Identifier: ISC */
/*
 * resolve_libc: the resolver of the C library, by the names that glibc and the BSDs have for it. musl's
 * keeps no state, so that its plain calls may be made by several threads; it does not tell its
 * servers, so that none counts as trusted and there is no DANE. Include it before all that has STATUS.
 */
#ifndef NET_RESOLVE_LIBC_H
#define NET_RESOLVE_LIBC_H

#include <arpa/nameser.h>
#include <resolv.h>

#undef STATUS /* nameser's opcode, which nobody here means */

#if defined(__linux__) && !defined(__GLIBC__)

#define RES_TRUSTAD 0
#define ns_t_tlsa 52 /* RFC 6698 */

#define res_ninit(state) ((void)(state), 0)
#define res_nclose(state) ((void)(state))
#define res_nmkquery(state, op, name, class, type, data, len, none, query, size) \
	((void)(state), res_mkquery(op, name, class, type, data, len, none, query, size))
#define res_nsend(state, query, len, answer, size) \
	((void)(state), res_send(query, len, answer, size))

#endif

#endif
