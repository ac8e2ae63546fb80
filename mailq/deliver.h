/* SPDX-License-Identifier: ISC */
/*
 * deliver: -i, one message is delivered now, and what becomes of each recipient is shown as it comes:
 * "ID 2.0.0 <address> text". What was on hold or had failed is released first. The exit status is
 * that of the outcome: EX_OK, EX_TEMPFAIL where a recipient has to wait, else that of the
 * first that failed for good.
 */
#ifndef MAILQ_DELIVER_H
#define MAILQ_DELIVER_H

#include "act.h"

extern const struct act act_deliver;

#endif
