/* SPDX-License-Identifier: ISC */
/*
 * What loop.c and loop_channels.c share: smtp as a whole.
 */
#ifndef LOOP_IMPL_H
#define LOOP_IMPL_H

#include <poll.h>

#include "channel.h"
#include "destination.h"

struct loop {
	struct wire wire;
	struct destination *destinations;
	struct channel *control;
	size_t nchannels;   /* with the control */
	uint32_t given;     /* channels that came by the control … */
	uint32_t told_idle; /* … so many when it was told that all are over */
	int signals;
	bool over;
	int status;
	int64_t looked; /* milliseconds: at the resolver's files */
	struct pollfd *fds;
	struct slot **slots; /* whose fds[first + i] is */
	size_t first, nslots, cap;
};

/* A channel more; fd is taken over. 0, or -1. */
int loop_add_channel(struct loop *l, int fd);

/* Begin nothing more. Sessions that have nothing under way say QUIT. */
void loop_wind_up(struct loop *l);

/* Once a turn: read them; and write, and forget those that are over. */
void loop_turn_channels(struct loop *l);
void loop_flush_channels(struct loop *l);
void loop_drop_channels(struct loop *l);

#endif
