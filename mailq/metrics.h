/* SPDX-License-Identifier: ISC */
/*
 * metrics: the queue in figures, for Prometheus: act_metrics. What waits is counted on the way
 * through the spools; what has been done since when comes from the counts that each flusher keeps
 * (spool/tally.h).
 *
 * The form is Prometheus's text, which node_exporter's textfile collector and promtool read, with
 * OpenMetrics' last line, "# EOF"; or OpenMetrics to the letter, where the family of a counter has
 * no "_total" in its name (o->openmetrics). One owner is one label, though he may have several
 * directories. Of owners and destinations there is a limit; those beyond are named in a warning.
 */
#ifndef MAILQ_METRICS_H
#define MAILQ_METRICS_H

#include "act.h"

extern const struct act act_metrics;

#endif
