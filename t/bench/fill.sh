# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# fill.sh: queues that are made by hand, since to post very many would take longer than all else;
# `run` sources it.

# fill_spool DIR N STATE [TO]: messages of $fill_body, each to so many. Those in cur/ were tried once,
# and their next attempt is some way off.
fill_body=
fill_spool() {
	rm -rf "${1:?}"
	mkdir -m 1777 "$1"
	mkdir -m 700 "$1/$(id -u)" "$1/$(id -u)"/{tmp,new,cur,hold,failed}
	perl -e '
		my ($dir, $n, $uid, $to, $tried, $body) = @ARGV;
		my @digits = split //, "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
		my $next = time + 2400;
		my $rest = sprintf "arrived 1795450385.000000\nuid $uid\nsize %012d\nbody 7BIT    \ndots 0\n" .
			"from <sender\@client.example>\n", length $body;
		$rest .= "rcpt <rcpt$_\@dest.example>\n" for 1 .. $to;
		$rest .= "\n$body";
		$rest .= "\@1795450386 0 4.4.1 connect to 127.0.0.1[127.0.0.1]:9: Connection refused\n"
			if $tried;
		umask 077;
		for my $i (1 .. $n) {
			my $id = join "", "1N5X", map { $digits[($i >> 5 * $_) & 31] } reverse 0 .. 7;
			open my $f, ">", "$dir/$id" or die "$!";
			print $f "pillarbox 1\nid $id\n$rest";
			close $f or die "$!";
			utime $next, $next, "$dir/$id" if $tried;
		}' "$1/$(id -u)/$3" "$2" "$(id -u)" "${4:-1}" "$([ "$3" = cur ] && echo 1)" "$fill_body"
}

# fill_floor DIR N: the same for floor.c and drain.c.
fill_floor() {
	rm -rf "${1:?}"
	mkdir -p "$1/tmp" "$1/new"
	perl -e '
		my ($dir, $n, $body) = @ARGV;
		for my $i (1 .. $n) {
			open my $f, ">", "$dir/$i" or die "$!";
			print $f $body;
			close $f or die "$!";
		}' "$1/new" "$2" "$fill_body"
}
