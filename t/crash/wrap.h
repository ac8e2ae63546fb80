/* SPDX-License-Identifier: ISC */
/*
 * wrap: malloc(), calloc() and realloc() of a program that is linked with --wrap of them: they find no
 * memory where the fails() of who includes this says so. Of one file only.
 */
#ifndef CRASH_WRAP_H
#define CRASH_WRAP_H

#include <stdbool.h>
#include <stddef.h>

/* Called once for each allocation; true with errno: there is no memory for it. */
static bool fails(void);

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

#endif
