/* SPDX-License-Identifier: ISC */
/*
 * replay: a fuzz target without libFuzzer. build/t/fuzz/NAME.t gives it all inputs that are kept in
 * t/corpus/NAME/ and t/corpus/NAME.ar, in TAP; with arguments, the files that they name. Each is
 * named before it runs, so the last one named is what it crashed of.
 *
 * Then it has them again and again while malloc() and its like find no memory, one of them
 * or all from then on. What it makes of that need not be true, but nothing may crash. It is so at a
 * few of the calls that an input makes, others for the next one; FAULTS=all: at each; FAULTS=0: never.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <setjmp.h>
#include <sys/stat.h>

#include "../crash/wrap.h"
#include "../unit/tap.h"
#include "fuzz.h"

#define AR_MAGIC "!<arch>\n"
#define AR_HEAD 60 /* octets before a member: name 16, …, size 10 at 48 */

#define FAULTS 4 /* of an input, where FAULTS does not say */

static unsigned inputs, faults;

static struct {
	bool counts, stays;
	long calls, at; /* at 0: none fails */
	sigjmp_buf out;
} memory;

void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *__real_strndup(const char *s, size_t len);
char *__wrap_strndup(const char *s, size_t len);
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

static bool
fails(void)
{
	if (!memory.counts)
		return false;
	memory.calls++;
	if (memory.at == 0 || memory.calls < memory.at ||
	    (memory.calls > memory.at && !memory.stays))
		return false;
	errno = ENOMEM;
	return true;
}

/* What the C library allocates for these does not come here. */
void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t len)
{
	return fails() ? NULL : __real_strndup(s, len);
}

void
fuzz_forgive(void)
{
	if (memory.at > 0 && memory.calls >= memory.at)
		siglongjmp(memory.out, 1);
}

/* at: the call that fails; 0: none. How many there were. */
static long
play(const uint8_t *data, size_t len, long at, bool stays)
{
	memory.at = at;
	memory.stays = stays;
	memory.calls = 0;
	if (sigsetjmp(memory.out, 0) == 0) {
		memory.counts = true;
		LLVMFuzzerTestOneInput(data, len);
	}
	memory.counts = false;
	return memory.calls;
}

/* What a target had when it was left is lost. */
static void
run_out_of_memory(const uint8_t *data, size_t len, long calls)
{
	const char *wanted = getenv("FAULTS");
	long most = wanted == NULL ? FAULTS : strcmp(wanted, "all") == 0 ? calls : atol(wanted);
	long step = most > 0 ? (calls + most - 1) / most : 0;

	if (step == 0)
		return;
	if (__lsan_disable != NULL)
		__lsan_disable();
	for (long at = 1 + inputs % step; at <= calls; at += step) {
		play(data, len, at, false);
		play(data, len, at, true);
		faults += 2;
	}
	if (__lsan_enable != NULL)
		__lsan_enable();
}

/* As an allocation of its own, so that ASan sees what is read behind it. */
static void
run(const char *name, const char *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	CHECK(copy != NULL);
	memcpy(copy, data, len);
	printf("# %s\n", name);
	fflush(stdout);
	run_out_of_memory(copy, len, play(copy, len, 0, false));
	free(copy);
	inputs++;
}

static void
load(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "r");
	char piece[65536];
	size_t n;

	if (f == NULL)
		err(1, "%s", path);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(out, piece, n);
	if (ferror(f) || out->error != 0)
		errx(1, "%s: cannot be read", path);
	fclose(f);
}

static void
run_file(const char *path)
{
	struct buf b = BUF_INIT(FUZZ_MAX);

	load(path, &b);
	run(path, buf_str(&b), b.len);
	buf_free(&b);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
run_folder(const char *path)
{
	struct dirent **entry;
	int n = scandir(path, &entry, NULL, by_name);

	for (int i = 0; i < n; i++) {
		char file[512];

		snprintf(file, sizeof(file), "%s/%s", path, entry[i]->d_name);
		if (entry[i]->d_name[0] != '.')
			run_file(file);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
}

/* Members in the form of ar(5). */
static void
run_archive(const char *path)
{
	struct buf b = BUF_INIT(FUZZ_MAX);
	char name[17] = "", size[11] = "";

	load(path, &b);
	if (b.len < strlen(AR_MAGIC) || memcmp(b.data, AR_MAGIC, strlen(AR_MAGIC)) != 0)
		errx(1, "%s: not an archive", path);
	for (size_t at = strlen(AR_MAGIC), len; at < b.len; at += len + len % 2) {
		if (b.len - at < AR_HEAD)
			errx(1, "%s: cut off", path);
		memcpy(name, b.data + at, 16);
		memcpy(size, b.data + at + 48, 10);
		len = strtoul(size, NULL, 10);
		at += AR_HEAD;
		if (len > b.len - at)
			errx(1, "%s: cut off", path);
		run(name, b.data + at, len);
	}
	buf_free(&b);
}

static bool
is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

int
main(int argc, char **argv)
{
	const char *base = strrchr(argv[0], '/');
	char name[64], path[128];

	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	if (argc > 1)
		return 0;
	snprintf(name, sizeof(name), "%s", base != NULL ? base + 1 : argv[0]);
	name[strcspn(name, ".")] = '\0';
	snprintf(path, sizeof(path), "t/corpus/%s", name);
	run_folder(path);
	snprintf(path, sizeof(path), "t/corpus/%s.ar", name);
	if (is_there(path))
		run_archive(path);
	ok(inputs > 0, "%u inputs; %u faults", inputs, faults);
	return done();
}
