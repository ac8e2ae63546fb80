/* SPDX-License-Identifier: ISC */
/*
 * memory: linked into copies of our programs (build/t/memory) whose malloc(), calloc() and realloc()
 * come here, those of the libraries too. One of them finds no memory:
 *
 *	MEMORY_PROGRAM=flush   in programs of this name
 *	MEMORY_FAILS=17        the 17th call; 17+: and all after it
 *	MEMORY_COUNT=FILE      a struct counted of zeros, in which the calls are counted. Without it nothing
 *	                       fails. It is mapped, since a sandbox lets nobody write at the end
 *
 * Where nothing is to fail, the first call of each place is noted. A handshake alone has thousands of
 * calls, few of which are not like others. A place is what the stack has of addresses in the program, the
 * first DEPTH of them: callers and a few remains, since nothing here can be unwound.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wrap.h"

enum { DEPTH = 12, WORDS = 512, PLACES = 8192 };

struct counted {
	_Atomic int64_t calls;
	int64_t first[PLACES]; /* which call it was; as many as there are places, then zeros */
};

static struct counted *counted; /* NULL: nothing is counted */
static int64_t at;              /* 0: nothing fails */
static bool stays;

/* Before main(); what the C library wants earlier it gets. */
__attribute__((constructor)) static void
begin(void)
{
	const char *program = getenv("MEMORY_PROGRAM"), *fails = getenv("MEMORY_FAILS"),
		   *file = getenv("MEMORY_COUNT");
	void *map;
	int fd;

	if (program == NULL || file == NULL ||
	    strcmp(program, program_invocation_short_name) != 0 ||
	    (fd = open(file, O_RDWR | O_CLOEXEC)) == -1)
		return;
	map = mmap(NULL, sizeof(*counted), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return;
	counted = map;
	at = fails != NULL ? atoll(fails) : 0;
	stays = fails != NULL && strchr(fails, '+') != NULL;
}

extern const char __executable_start[], etext[];

__attribute__((noinline, no_sanitize("address"))) static uint64_t
place(void)
{
	const uintptr_t *p = __builtin_frame_address(0);
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
	uintptr_t top = getauxval(AT_EXECFN); /* of the first thread's stack; others end far below */
	int depth = 0;

	for (int i = 0; i < WORDS && depth < DEPTH && (uintptr_t)(p + i + 1) <= top; i++)
		if (p[i] >= (uintptr_t)__executable_start && p[i] < (uintptr_t)etext) {
			hash = (hash ^ p[i]) * 0x100000001b3;
			depth++;
		}
	return hash;
}

/* Call n: is its place new? What threads do at once may be noted twice or not at all. */
static void
note(int64_t n)
{
	static uint64_t seen[2 * PLACES];
	static size_t places;
	uint64_t hash = place();
	size_t i;

	for (i = hash % (2 * PLACES); seen[i] != 0 && seen[i] != hash; i = (i + 1) % (2 * PLACES))
		continue;
	if (seen[i] == hash || places == PLACES)
		return;
	seen[i] = hash;
	counted->first[places++] = n;
}

/* The count is of all processes of the name; each fails for itself where the fault stays. */
static bool
fails(void)
{
	int64_t n;

	if (counted == NULL)
		return false;
	n = atomic_fetch_add(&counted->calls, 1) + 1;
	if (at == 0)
		note(n);
	if (at == 0 || n < at || (n > at && !stays))
		return false;
	errno = ENOMEM;
	return true;
}
