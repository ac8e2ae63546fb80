#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The tree is the architecture: what each archive and program may call and link, what each file may
# include. DESIGN: libmail knows nobody; libspool and libnet know libmail and not each other.
. "${0%/*}/lib.sh"
need nm ldd readelf

# calls ARCHIVE: the functions that it wants from elsewhere.
calls() {
	nm -u "$B/lib/lib$1.a" | awk '$1 == "U" {print $2}' | sed 's/@.*//; s/_chk$//; s/^__//' | sort -u
}

# wants_none ARCHIVE REGEX
wants_none() {
	local found
	found=$(calls "$1" | grep -xE "$2")
	is "lib$1 calls none of them: ${2:0:60}" "$found" ""
}

files='open(at|at2|64)?|creat|read|pread(64)?|write|pwrite(64)?|rename(at|at2)?|link(at)?|unlink(at)?|opendir|fopen(64)?|fsync|fdatasync|mkdir(at)?'
network='socket|connect|bind|listen|accept4?|send(to|msg)?|recv(from|msg)?|getaddrinfo|res_.*|ns_.*'
process='exit|_exit|fork|exec.*|kill|system|popen|abort'
clock='time|clock_gettime|gettimeofday|getenv|syslog|localtime.*|random|arc4random.*'

wants_none mail "$files|$network|$process|$clock|SSL_.*|EVP_.*"
wants_none spool "$network|exit|_exit|fork|exec.*|syslog|getenv|SSL_.*|EVP_.*"
wants_none net "rename(at|at2)?|link(at)?|unlink(at)?|opendir|fopen(64)?|exit|_exit|fork|exec.*|syslog|getenv"

# Nobody knows the archives above or beside.
names() { nm --defined-only "$B/lib/lib$1.a" | awk 'NF == 3 && $2 ~ /[TDBRC]/ {print $3}' | sort -u; }
apart() {
	is "lib$1 knows nothing of lib$2" "$(comm -12 <(nm -u "$B/lib/lib$1.a" |
		awk '$1 == "U" {print $2}' | sort -u) <(names "$2"))" ""
}
apart mail spool
apart mail net
apart mail sys
apart spool net
apart spool sys
apart net spool
apart net sys
apart sys spool
apart sys net

# Few files know each foreign library.
only() {
	is "<$1> is $2's alone" \
		"$(cd "$T/.." && grep -lE "#include <$1" -r lib sendmail mailq | sort | tr '\n' ' ')" "$2 "
}
only 'openssl/' 'lib/net/crypto.c lib/net/tls.c lib/net/tls_cache.c lib/net/tls_context.c lib/net/tls_impl.h lib/net/tls_show.c lib/net/tls_verify.c'
only 'resolv.h' 'lib/net/resolve_libc.h'
only 'ini.h' lib/sys/config.c
only 'linux/(seccomp|landlock|filter)' lib/sys/sandbox.c
only 'linux/capability' 'lib/sys/become.c lib/sys/sandbox.c'

# The injector, mailq and flush: no OpenSSL, no resolver.
for program in sbin/sendmail bin/mailq libexec/pillarbox/flush; do
	unlike "$program is without OpenSSL and resolver" \
		"$(ldd "$B/$program" 2>&1)$(nm "$B/$program" 2>&1 | grep -E ' [TtU] (SSL_|EVP_|res_n|getaddrinfo)')" \
		'ssl|crypto|resolv|SSL_|EVP_|res_n|getaddrinfo'
done
like "smtp has OpenSSL" "$(ldd "$B/libexec/pillarbox/smtp")" 'libssl'
unlike "smtp does not open spools" "$(nm "$B/libexec/pillarbox/smtp" | awk '{print $NF}')" 'spool_open|claim_open'

# Hardening, and nothing set-id.
for program in sbin/sendmail bin/mailq libexec/pillarbox/flush libexec/pillarbox/smtp; do
	like "$program is position independent" "$(readelf -h "$B/$program")" 'DYN'
	like "$program: relocations are read-only" "$(readelf -lW "$B/$program")" 'GNU_RELRO'
	is "$program is not set-id" "$(find "$B/$program" -perm /6000)" ""
done

done_testing
