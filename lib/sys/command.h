/* SPDX-License-Identifier: ISC */
/*
 * command: the first line that another program says.
 *
 * No shell runs it. It has our standard error, /dev/null to read from and no other descriptor of
 * ours, a process group of its own, no signal blocked, and our environment without PILLARBOX_RELAY_* and with a PATH.
 */
#ifndef SYS_COMMAND_H
#define SYS_COMMAND_H

#include <stddef.h>

#define COMMAND_TMP 64

/*
 * Run argv[0], looked for in PATH, and take the first line of its output into dst[size], without
 * white space around it. NULL, or what went wrong, which may be in `tmp`: its exit status is not 0,
 * the line is empty, too long or has a control character; after `seconds` it is killed with its
 * group. The process must not have other children waited for meanwhile by anybody else.
 */
const char *command_line(
    char *dst, size_t size, char *const argv[], unsigned seconds, char tmp[COMMAND_TMP]);

#endif
