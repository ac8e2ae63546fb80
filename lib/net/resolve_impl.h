/* SPDX-License-Identifier: ISC */
/*
 * resolve_impl: what the files of look-ups share among themselves.
 *
 *	resolve.c       MX and addresses
 *	resolve_srv.c   SRV
 *	resolve_tlsa.c  what DANE wants to know
 *	resolve_servers.c
 */
#ifndef NET_RESOLVE_IMPL_H
#define NET_RESOLVE_IMPL_H

#include <arpa/nameser.h>

#undef STATUS /* nameser's opcode, which nobody here means */

#include "net/resolve.h"

struct __res_state;

/* A host name: letters, digits, hyphens, underscores, dots; no label is empty; not an address. */
bool resolve_name_ok(const char *name);

/*
 * Ask DNS for the name as it is. The answer, to be given back to free(), with *len 0 when none
 * came; or NULL with errno: ENOMEM, or EINVAL for what is no name.
 */
unsigned char *resolve_query(struct __res_state *rs, const char *name, int type, size_t *len);

/* Open an answer. MX_FOUND: there may be records in it; else what its head says already. */
enum mx_verdict resolve_parse_head(ns_msg *msg, const unsigned char *packet, size_t len);

/* Insert by preference behind its equals; the worst falls off a full list. */
void resolve_insert_mx(struct mx_list *list, const struct mx *mx);

/* Whether the AD bit of its name servers means something. */
bool resolve_trusted(const struct __res_state *rs);

/* Look up the TLSA records of a host whose addresses were found. */
void resolve_dane(struct lookup *l, struct __res_state *rs);

#endif
