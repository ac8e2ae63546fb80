#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Each system call of a post fails in turn, with each errno that it can have, or moves a part of what
# it was asked to: the exit status is 0 where the mail is queued, and says otherwise where it is not,
# with a line why and nothing left behind. FAULTS=all for every one.
. "${0%/*}/lib.sh"
need_root # a service that takes posts
scratch
. "$T/faults.sh"
sink_start

for way in ${WAYS:-by_arguments:queue by_header:queue by_smtp:queue in_background:background by_socket:queue by_service:queue}; do
	posts "${way%:*}" "${way#*:}"
done
ok 'no violations' sink_content
done_testing
