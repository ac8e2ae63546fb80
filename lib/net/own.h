/* SPDX-License-Identifier: ISC */
/*
 * own: this machine's addresses.
 */
#ifndef NET_OWN_H
#define NET_OWN_H

#include "net/inet.h"

/*
 * Whether it is an address of one of our interfaces; loopback is not: what listens there is nobody
 * that mail for others comes to. False also when that cannot be told.
 */
bool own_address(const struct inet *a);

#endif
