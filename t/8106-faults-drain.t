#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A queue run in which a system call of flush, of what starts smtp for it, or of smtp fails, or moves
# a part of what it was asked to; once, or from there on. It comes to its end, nothing crashes; after
# another run each recipient has its message, and nobody a report but the sender of the one that the
# server refuses. FAULTS=all for every call and errno.
FAULTS=${FAULTS:-10}
. "${0%/*}/lib.sh"
scratch
. "$T/faults.sh"
sink_start -r 'rcpt refused@* reply 550 5.1.1 no such user'

# In any case: the channel to a new smtp cannot be made what it is to be.
declare -A kept=([flush-starter]='-e ENOLCK -n 1')
for name in ${NAMES:-flush flush-starter smtp}; do drain "$name" ${kept[$name]:+"${kept[$name]}"}; done
ok 'no violations' sink_content
done_testing
