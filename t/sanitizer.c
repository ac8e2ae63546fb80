/* SPDX-License-Identifier: ISC */
/*
 * sanitizer: linked into programs that are built with SAN=1 or SAN=thread. They give up what the search
 * for leaks at the end needs, and options in the environment are not seen where there is no /proc. So it
 * is off but for who asks for it; unit tests search. A race ends the program at once: nobody looks at
 * the status with which smtp ends by itself.
 */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *__tsan_default_suppressions(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

const char *
__tsan_default_options(void)
{
	return "halt_on_error=1";
}

/* The C library has its list of resolv.conf(5)s under a lock of its own, which TSan does not see. */
const char *
__tsan_default_suppressions(void)
{
	return "race:libc_dynarray_emplace_enlarge\n";
}
