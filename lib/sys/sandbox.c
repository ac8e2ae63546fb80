/* SPDX-License-Identifier: ISC */
#include "sys/sandbox.h"

#if defined(__OpenBSD__)

#include <unistd.h>

void
sandbox_begin(struct sandbox *b, enum sandbox_calls calls, bool any_port)
{
	(void)any_port;
	*b = (struct sandbox){.calls = calls, .ruleset = -1};
}

void
sandbox_allow(struct sandbox *b, const char *path, enum sandbox_access access)
{
	(void)b;
	if (*path != '\0')
		unveil(path, access == SANDBOX_READ ? "r" : "rwc");
}

void
sandbox_allow_fd(struct sandbox *b, int fd, enum sandbox_access access)
{
	if (fchdir(fd) == 0)
		sandbox_allow(b, ".", access);
}

void
sandbox_port(struct sandbox *b, uint16_t port)
{
	(void)b, (void)port;
}

void
sandbox_enter(struct sandbox *b, bool deadly)
{
	const char *promises = "stdio rpath inet dns unix recvfd";

	if (b->calls == SANDBOX_FILES)
		promises = "stdio rpath wpath cpath flock unix sendfd recvfd error";
	else if (!deadly)
		promises = "stdio rpath inet dns unix recvfd error";
	pledge(promises, NULL);
}

void
sandbox_supervisor(void)
{
}

void
sandbox_lacks(char dst[SANDBOX_TEXT])
{
	dst[0] = '\0';
}

#else

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/sandbox_calls.h"

/*
 * Landlock's interface, which headers lag behind; <linux/landlock.h> has it in newer ones.
 */
#define LANDLOCK_CREATE 444 /* the same on every architecture */
#define LANDLOCK_ADD 445
#define LANDLOCK_RESTRICT 446
#define ASK_VERSION 1U /* flag of LANDLOCK_CREATE */

enum { RULE_BENEATH = 1, RULE_PORT = 2 };

struct ruleset {
	uint64_t files, net, scopes;
};

struct beneath {
	uint64_t rights;
	int32_t fd;
} __attribute__((packed));

struct port {
	uint64_t rights, port;
};

#define WRITE_FILE (1ULL << 1)
#define READ_FILE (1ULL << 2)
#define READ_DIR (1ULL << 3)
#define REMOVE_FILE (1ULL << 5)
#define MAKE_DIR (1ULL << 7)
#define MAKE_REG (1ULL << 8)
#define MAKE_SOCK (1ULL << 9)
#define REFER (1ULL << 13)
#define TRUNCATE (1ULL << 14)

#define OF_FILES (WRITE_FILE | READ_FILE | TRUNCATE) /* the others are directories' */

#define BIND_TCP (1ULL << 0)
#define CONNECT_TCP (1ULL << 1)
#define SCOPES 3ULL /* abstract Unix sockets, signals */

#define ABI_REFER 2 /* before, files cannot be moved between directories at all */
#define ABI_NET 4
#define ABI_SCOPES 6

/* The rights over files that an ABI knows are its first so many. */
static const unsigned files_known[] = {0, 13, 14, 15, 15, 16};

static int
landlock_abi(void)
{
	long abi = syscall(LANDLOCK_CREATE, NULL, 0, ASK_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

static uint64_t
known(int abi)
{
	const int last = sizeof(files_known) / sizeof(files_known[0]) - 1;

	return (1ULL << files_known[abi < last ? abi : last]) - 1;
}

void
sandbox_begin(struct sandbox *b, enum sandbox_calls calls, bool any_port)
{
	struct ruleset r = {0};

	*b = (struct sandbox){.calls = calls, .ruleset = -1, .abi = landlock_abi()};
	if (b->abi == 0 || (calls == SANDBOX_FILES && b->abi < ABI_REFER))
		return;
	r.files = known(b->abi);
	if (b->abi >= ABI_NET)
		r.net = BIND_TCP | (any_port ? 0 : CONNECT_TCP);
	if (b->abi >= ABI_SCOPES)
		r.scopes = SCOPES;
	b->ruleset = (int)syscall(LANDLOCK_CREATE, &r, sizeof(r), 0);
}

void
sandbox_allow_fd(struct sandbox *b, int fd, enum sandbox_access access)
{
	static const uint64_t rights[] = {
	    [SANDBOX_READ] = READ_FILE | READ_DIR,
	    [SANDBOX_SPOOL] = READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | REFER | REMOVE_FILE |
			      MAKE_REG | MAKE_DIR | MAKE_SOCK,
	};
	struct beneath rule = {.rights = rights[access] & known(b->abi), .fd = fd};
	struct stat st;

	if (b->ruleset == -1 || fstat(fd, &st) == -1)
		return;
	if (!S_ISDIR(st.st_mode))
		rule.rights &= OF_FILES;
	syscall(LANDLOCK_ADD, b->ruleset, RULE_BENEATH, &rule, 0);
}

void
sandbox_allow(struct sandbox *b, const char *path, enum sandbox_access access)
{
	int fd = b->ruleset != -1 && *path != '\0' ? open(path, O_PATH | O_CLOEXEC) : -1;

	if (fd == -1)
		return;
	sandbox_allow_fd(b, fd, access);
	close(fd);
}

void
sandbox_port(struct sandbox *b, uint16_t port)
{
	struct port rule = {.rights = port == 0 ? BIND_TCP : CONNECT_TCP, .port = port};

	if (b->ruleset != -1 && b->abi >= ABI_NET)
		syscall(LANDLOCK_ADD, b->ruleset, RULE_PORT, &rule, 0);
}

#if FILTERS
/*
 * seccomp: a program that looks at each call, a list of comparisons. A block ends in an answer, so
 * that the number is still at hand for the next one.
 */
#define PROGRAM_MAX 768

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short len;
};

#define ANSWER_ERROR(e) (SECCOMP_RET_ERRNO | (uint32_t)(e))

static void
add(struct program *p, int code, uint32_t k, unsigned yes, unsigned no)
{
	if (p->len < PROGRAM_MAX)
		p->code[p->len++] = (struct sock_filter){
		    .code = (uint16_t)code, .jt = (uint8_t)yes, .jf = (uint8_t)no, .k = k};
}

static void
load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void
answer(struct program *p, uint32_t with)
{
	add(p, BPF_RET | BPF_K, with, 0, 0);
}

#define VALUES 4

/* A call that is allowed where an argument, but for what the mask takes away, has one of these. */
struct condition {
	unsigned who; /* whose */
	long nr;
	unsigned argument;
	uint32_t mask;
	unsigned nvalues;
	uint32_t values[VALUES];
	int error; /* else */
};

#define WRITES (O_ACCMODE | O_CREAT | O_TRUNC)
#define CLONES (CLONE_THREAD | CLONE_NEW)
#define CLONE_THREAD 0x10000U
#define CLONE_NEW 0x7e020000U /* namespaces: new mounts, cgroup, uts, ipc, user, pid, net */

static const struct condition conditions[] = {
    {FILES, __NR_socket, 0, ~0U, 1, {AF_UNIX}, EAFNOSUPPORT},
    {WIRE, __NR_socket, 0, ~0U, 4, {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}, EAFNOSUPPORT},
    {BOTH, __NR_socketpair, 0, ~0U, 1, {AF_UNIX}, EAFNOSUPPORT},
    /* Without Landlock too, nothing is written. */
    {WIRE, __NR_open, 1, WRITES, 1, {O_RDONLY}, EACCES},
    {WIRE, __NR_openat, 2, WRITES, 1, {O_RDONLY}, EACCES},
    {WIRE, __NR_clone, 0, CLONES, 1, {CLONE_THREAD}, EPERM},
    /* Libraries are mapped late, by look-ups. Nothing is both written and executed. */
    {FILES, __NR_mmap, 2, PROT_EXEC, 1, {0}, EPERM},
    {FILES, __NR_mprotect, 2, PROT_EXEC, 1, {0}, EPERM},
    {WIRE, __NR_mmap, 2, PROT_EXEC | PROT_WRITE, 3, {0, PROT_WRITE, PROT_EXEC}, EPERM},
    {WIRE, __NR_mprotect, 2, PROT_EXEC | PROT_WRITE, 3, {0, PROT_WRITE, PROT_EXEC}, EPERM},
    {WIRE, __NR_ioctl, 1, ~0U, 4, {FIONREAD, FIONBIO, SIOCGIFINDEX, SIOCGIFNAME}, ENOTTY},
    {FILES, __NR_ioctl, 1, ~0U, 1, {FIONREAD}, ENOTTY},
};

static void
answer_condition(struct program *p, const struct condition *c)
{
	if (c->nr < 0)
		return;
	add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)c->nr, 0, 2 * c->nvalues + 3);
	load(p, offsetof(struct seccomp_data, args) + c->argument * sizeof(uint64_t));
	add(p, BPF_ALU | BPF_AND | BPF_K, c->mask, 0, 0);
	for (unsigned i = 0; i < c->nvalues; i++) {
		add(p, BPF_JMP | BPF_JEQ | BPF_K, c->values[i], 0, 1);
		answer(p, SECCOMP_RET_ALLOW);
	}
	answer(p, ANSWER_ERROR(c->error));
}

/* abort() and raise() signal a thread of this process, the first one with musl. */
static void
answer_own_signals(struct program *p)
{
	const uint32_t pid = (uint32_t)getpid();
	const struct condition glibc = {BOTH, __NR_tgkill, 0, ~0U, 1, {pid}, EPERM};
	const struct condition musl = {BOTH, __NR_tkill, 0, ~0U, 1, {pid}, EPERM};

	answer_condition(p, &glibc);
	answer_condition(p, &musl);
}

/* The others, each with its answer. Below 0 are those that this architecture has not. */
struct call {
	long nr;
	unsigned who;
	uint32_t answer;
};

static const struct call calls_known[] = {
#define ALLOW(name, who) {__NR_##name, who, SECCOMP_RET_ALLOW},
#define REFUSE(name, error) {__NR_##name, BOTH, ANSWER_ERROR(error)},
#include "sys/sandbox.def"
};

#define KNOWN (sizeof(calls_known) / sizeof(calls_known[0]))
#define BLOCK 12

static int
by_number(const void *a, const void *b)
{
	const struct call *x = a, *y = b;

	return (x->nr > y->nr) - (x->nr < y->nr);
}

/*
 * In order of their numbers, and block by block, since the kernel tries the program on every number
 * there is when it takes it: 0.3 ms of each start, were they compared one after another.
 */
static void
answer_calls(struct program *p, unsigned who, uint32_t others)
{
	struct call c[KNOWN];
	size_t n = 0;

	for (size_t i = 0; i < KNOWN; i++)
		if ((calls_known[i].who & who) != 0 && calls_known[i].nr >= 0)
			c[n++] = calls_known[i];
	qsort(c, n, sizeof(c[0]), by_number);
	for (size_t i = 0, end; i < n; i = end) {
		end = i + BLOCK < n ? i + BLOCK : n;
		add(p, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)c[end - 1].nr,
		    2 * (unsigned)(end - i) + 1, 0);
		for (size_t j = i; j < end; j++) {
			add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)c[j].nr, 0, 1);
			answer(p, c[j].answer);
		}
		answer(p, others);
	}
	answer(p, others);
}

/* What the kernel has beyond what was known when this was written. */
#define NEWEST 470

static void
compose(struct program *p, unsigned who, bool deadly)
{
	load(p, offsetof(struct seccomp_data, arch));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	answer(p, SECCOMP_RET_KILL_PROCESS);
	load(p, offsetof(struct seccomp_data, nr));
	add(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	answer(p, SECCOMP_RET_KILL_PROCESS);
	add(p, BPF_JMP | BPF_JGT | BPF_K, NEWEST, 0, 1);
	answer(p, ANSWER_ERROR(ENOSYS));
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		if ((conditions[i].who & who) != 0)
			answer_condition(p, &conditions[i]);
	answer_own_signals(p);
	answer_calls(p, who, deadly ? SECCOMP_RET_KILL_PROCESS : ANSWER_ERROR(EPERM));
}

static bool
has_seccomp(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	return syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static void
filter_calls(enum sandbox_calls calls, bool deadly)
{
	struct program p = {.len = 0};
	struct sock_fprog whole;

	compose(&p, calls == SANDBOX_FILES ? FILES : WIRE, deadly);
	whole = (struct sock_fprog){.len = p.len, .filter = p.code};
	if (p.len < PROGRAM_MAX)
		syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole);
}

#else

static bool
has_seccomp(void)
{
	return false;
}

static void
filter_calls(enum sandbox_calls calls, bool deadly)
{
	(void)calls, (void)deadly;
}

#endif

/* Capabilities: those in `keep`, as far as we have them. */
static void
keep_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long i = 0; i < 64; i++) /* to the last that the kernel knows */
		if ((keep >> i & 1) == 0 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == -1)
			break;
	if (syscall(__NR_capget, &head, data) == -1)
		return;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(keep >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	syscall(__NR_capset, &head, data);
}

static void
limit_all(enum sandbox_calls calls)
{
	const struct rlimit none = {0, 0};
	struct rlimit r;

	setrlimit(RLIMIT_CORE, &none);
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_max = r.rlim_cur;
		setrlimit(RLIMIT_NOFILE, &r);
	}
	if (calls == SANDBOX_FILES) {
		setrlimit(RLIMIT_NPROC, &none);
		return;
	}
	signal(SIGXFSZ, SIG_IGN);
	if (FILTERS) /* a sanitizer's report goes to a file */
		setrlimit(RLIMIT_FSIZE, &none);
}

void
sandbox_enter(struct sandbox *b, bool deadly)
{
	keep_capabilities(0);
	limit_all(b->calls);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (b->ruleset != -1) {
		syscall(LANDLOCK_RESTRICT, b->ruleset, 0);
		close(b->ruleset);
	}
	b->ruleset = -1;
	filter_calls(b->calls, deadly);
}

void
sandbox_supervisor(void)
{
	keep_capabilities(
	    1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_KILL | 1U << CAP_DAC_READ_SEARCH);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void
sandbox_lacks(char dst[SANDBOX_TEXT])
{
	bool landlock = landlock_abi() > 0, seccomp = has_seccomp();

	snprintf(dst, SANDBOX_TEXT, "%s%s%s", landlock ? "" : "Landlock",
	    landlock || seccomp ? "" : ", ", seccomp ? "" : "seccomp");
}

#endif
