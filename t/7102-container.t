#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Containers: static programs in a root that has nothing else and is read-only, an arbitrary uid without
# a passwd entry, process 1 of its own; settings from the environment, secrets from files, JSON lines.
. "${0%/*}/lib.sh"
need_root
need ip perl setpriv unshare
if [ -z "${INSIDE:-}" ]; then INSIDE=1 exec unshare --net --mount "$0"; fi
ip link set lo up
scratch
cd "$T/.." || exit 1
UID_OF=54321 # nobody's

# The environment: each setting by its name and by a file, and each key of a relay.
# sample TYPE DEFAULT: a value that the type takes.
sample() {
	case $1 in
	TEXT) echo word ;;
	SECRET) echo 's3cret' ;;
	URLS) echo smtp://r.example ;;
	PATH) echo /some/path ;;
	RULES) echo '*@a.example = *@b.example' ;;
	AUTH) echo PLAIN ;;
	POLICIES) echo 'a.example = verify' ;;
	PINS) printf 'ab%.0s' {1..32} ;;
	RATE) echo 100/1h ;;
	ADDRESSES) echo 192.0.2.1 ;;
	PROXY) echo socks5://p.example ;;
	SENDERS) echo '*@a.example' ;;
	*) echo "$2" ;;
	esac
}
settings_of() {
	sed -nE 's/^SETTING\(([a-z]+), ([a-z_]+), ([A-Z]+), "?([^",]*).*/\1.\2 \3 \4/p' lib/sys/settings.def
	sed -nE 's/^RELAY_SETTING\(([a-z_]+), ([A-Z]+), "?([^",]*).*/relay.work.\1 \2 \3/p' lib/sys/relay.def
}
mkdir "$S/values"
direct=() by_file=() keys=$(settings_of | cut -d' ' -f1)
while read -r key type fallback; do
	name=PILLARBOX_$(tr a-z. A-Z_ <<<"$key")
	value=$(sample "$type" "$fallback")
	direct+=("$name=$value")
	echo "$value" >"$S/values/$key"
	chmod 600 "$S/values/$key"
	# PILLARBOX_RELAY_PASSWORD_FILE is the setting password_file.
	grep -qxF "${key}_file" <<<"$keys" || by_file+=("${name}_FILE=$S/values/$key")
done < <(settings_of)
all() { sed -n 's/^\([^ ]*\) = .*; environment$/\1/p' "$S/out"; }
try env PILLARBOX_CONFIG= "${direct[@]}" sendmail -bP
is 'every setting by the environment' "$(all)" "$keys"
is 'without a mistake' "$rc $(<"$S/err")" '0 '
try env PILLARBOX_CONFIG= "${by_file[@]}" sendmail -bP
is 'every setting by a file' "$(all)" "$(grep -vx '.*\.password' <<<"$keys")"
is 'without a mistake' "$rc $(<"$S/err")" '0 '
unlike 'secrets are not shown' "$(<"$S/out")" s3cret

# The examples: what they set are settings, without a mistake.
for file in compose kubernetes; do
	perl -MYAML::PP -e 'my @found; sub look { my ($n) = @_;
		if (ref $n eq "HASH") {
			push @found, "$n->{name}=$n->{value}" if ($n->{name} // "") =~ /^PILLARBOX_/;
			for (keys %$n) { push @found, "$_=$n->{$_}" if /^PILLARBOX_/; look($n->{$_}) }
		} elsif (ref $n eq "ARRAY") { look($_) for @$n }
	} look($_) for YAML::PP->new(duplicate_keys => 0)->load_file($ARGV[0]); print map { "$_\n" } @found' \
		"etc/containers/$file.yaml" >"$S/$file"
	is "etc/containers/$file.yaml is YAML" $? 0
	mapfile -t with < <(sort -u "$S/$file")
	ok "  with settings" test ${#with[@]} -gt 3
	try env PILLARBOX_CONFIG= "${with[@]}" sendmail -bP
	is '  that are ours' "$rc $(<"$S/err")" '0 '
	is '  each of them' "$(all | wc -l)" ${#with[@]}
done

# The root, by the commands of the Containerfile: our programs, linked with all that they need, and no
# other file but two for names.
root=$S/root
here() { sed -n 's/^RUN //p' etc/containers/Containerfile | grep -v '^apt-get' | sed "s,/tmp/build,$S/static,g; s,/image,$root,g"; }
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SAN sh -ec "$(here)" >"$S/make.out" 2>&1 || give_up "Containerfile: $(tail "$S/make.out")"
for program in sbin/sendmail bin/mailq libexec/pillarbox/flush libexec/pillarbox/smtp; do
	is "STATIC=1: $program wants no library" "$(readelf -d "$S/static/$program" | grep NEEDED)" ''
done
rm -r "${root:?}"/usr/share "${root:?}"/etc/*
mkdir -p "$root"/run/secrets "$root"/var/spool/pillarbox "$S"/{secrets,volume}
chmod 755 "$S/secrets"
chmod 1777 "$S/volume"
printf '%s\n' '127.0.0.1 localhost' '127.0.0.1 hosts.test' >"$root/etc/hosts"
echo nameserver 127.0.0.1 >"$root/etc/resolv.conf"
printf '%s\n' 'dns.test A 127.0.0.1' >"$S/zone"
dns_start "$S/zone"

# container UID COMMAND...: with the variables of the array `with`.
with=()
laid_out='
	set -e
	root=$1 s=$2 uid=$3
	mount --bind "$root" "$root"
	mount -o remount,bind,ro "$root"
	mount --bind "$s/volume" "$root/var/spool/pillarbox"
	mount --bind "$s/secrets" "$root/run/secrets"
	mount -o remount,bind,ro "$root/run/secrets"
	shift 3
	exec setpriv --no-new-privs chroot --userspec="$uid:$uid" "$root" "$@"'
container() {
	env -i "${with[@]}" PILLARBOX_CONFIG= PATH="$PATH" \
		unshare --mount --pid --fork --kill-child bash -c "$laid_out" - "$root" "$S" "$@"
}
# post RECIPIENT...: by process 1, which then is gone.
post() { container $UID_OF /usr/sbin/sendmail -i -f a@x.example "$@" <<<"Subject: t"; }
waiting() { mail_in "$S"/volume/*/{new,cur}; }
# again: what a container that ended left is delivered by another.
again() { container $UID_OF /usr/sbin/sendmail -q; }
relay() { with=(PILLARBOX_MAIL_DOMAIN=x.example PILLARBOX_MAIL_HOSTNAME=c.example
	"PILLARBOX_RELAY_URL=$1" "${@:2}"); }

# One-shot containers.
sink_start -r 'count 1 rcpt later@* reply 451 4.2.1 come back' -r 'count 1 rcpt slow@* stall' \
	-r 'rcpt no@* reply 550 5.1.1 no such user'
relay "smtp://127.0.0.1:$SINK_PORT" PILLARBOX_QUEUE_DELIVER=foreground
try post r@x.example
is 'one-shot: delivered before process 1 ends, without a word' "$rc $(messages) $(<"$S/err")" '0 1 '
is 'nothing is left' "$(waiting)" 0
try post later@x.example
is 'deferred: the mail is safe, 0' "$rc $(messages) $(waiting)" '0 1 1'
like 'and said, with why and where' "$(<"$S/err")" \
	"^sendmail: [0-9A-Z]{12}: not delivered yet, it waits in /var/spool/pillarbox/$UID_OF: <later@x.example> .*come back"
ok 'another container with the volume' again
is 'delivers it' "$(messages) $(waiting)" '2 0'
with+=(PILLARBOX_QUEUE_WAIT=1s)
try post slow@x.example
is 'no outcome in time: safe too' "$rc $(messages) $(waiting)" '0 2 1'
like 'and said' "$(<"$S/err")" 'not delivered yet, it waits in .*: no outcome in time'
ok 'another container' again
is 'delivers it' "$(messages) $(waiting)" '3 0'
try post no@x.example
# Its report may be on its way when process 1 ends, and then comes again.
is 'a failure is the exit status' $rc 67
again
relay smtp://127.0.0.1:1
try post killed@x.example
is 'in the background: killed with process 1, and kept' "$rc $(waiting) $(<"$S/err")" '0 1 '
relay "smtp://127.0.0.1:$SINK_PORT"
ok 'another container' again
is 'delivers it' "$(grep -h '^rcpt' "$SINK"/*.env | sort -u | tr '\n' ' ')" \
	'rcpt <a@x.example> rcpt <killed@x.example> rcpt <later@x.example> rcpt <r@x.example> rcpt <slow@x.example> '
for name in hosts dns; do
	relay "smtp://$name.test:$SINK_PORT" PILLARBOX_QUEUE_DELIVER=foreground
	try post "$name@x.example"
	is "a relay's name by $name" "$rc $(waiting) $(<"$S/err")" '0 0 '
done
ok 'nothing to complain of' sink_content
sink_stop
rm -rf "$SINK"

# A service of that uid, whose log is JSON lines on stderr; others share the volume. The secret is as
# Kubernetes lays it, belongs to somebody else, and is wrong until it is renewed.
secret() {
	rm -rf "$S/secrets/data.$1"
	mkdir "$S/secrets/data.$1"
	echo "$1" >"$S/secrets/data.$1/smtp"
	chown -R 1000 "$S/secrets/data.$1"
	ln -s "data.$1" "$S/secrets/..new"
	mv -T "$S/secrets/..new" "$S/secrets/..data"
}
secret wrong
ln -s ..data/smtp "$S/secrets/smtp"
sink_start -T -a joe:right -r $'dot reply "250 2.0.0 took \\"it\\" \\xff\\xc3\\xa9"'
cp "$SINK/cert.pem" "$S/secrets/ca"
relay "smtps://joe@localhost:$SINK_PORT" PILLARBOX_RELAY_PASSWORD_FILE=/run/secrets/smtp \
	PILLARBOX_TLS_CA_FILE=/run/secrets/ca PILLARBOX_LOG_FORMAT=json PILLARBOX_LOG_TO=stderr
container $UID_OF /usr/sbin/sendmail -bD 2>"$S/json" &
service=$!
listens() { [ -S "$S/volume/$UID_OF/socket" ]; }
ok 'a service of an arbitrary uid' eventually 20 listens
relay 'lmtp:///nowhere' # another container's
ok 'another container posts' post o\'hara@x.example
refused() { grep -q 'cannot log in' "$S/json"; }
ok 'the password is refused' eventually 20 refused
is 'the mail waits' "$(messages) $(waiting)" '0 1'
secret right
ok 'renewed: the next run' again
is 'has the new one' "$(messages) $(waiting)" '1 0'
# json FILTER: of all lines, which must be objects; the filter has %$_ of each.
json() { perl -MJSON::PP -ne 'BEGIN { $f = eval "sub { $ARGV[0] }"; @ARGV = $ARGV[1] } $_ = decode_json($_); $f->()' "$1" "$S/json"; }
ok 'each line is an object' json ''
is 'with time, program, pid, level and text' "$(json 'print "$.\n" if !($_->{time} =~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
	&& $_->{program} =~ m:^pillarbox/(flush|smtp)$: && $_->{pid} > 0 && $_->{level} =~ /^(info|warning)$/ && length $_->{text})')" ''
is 'the line of a recipient' "$(json 'binmode STDOUT, ":utf8";
	print join(" ", @$_{qw(from to relay dsn status text)}, scalar @{$_->{delays}}, $_->{delay} + 0 > 0 || 0, length $_->{queue_id}), "\n" if ($_->{status} // "") eq "sent"')" \
	"a@x.example o'hara@x.example localhost[127.0.0.1]:$SINK_PORT 2.0.0 sent 250 2.0.0 took \"it\" ?é 4 1 12"
like 'a warning' "$(json 'print "$_->{text}\n" if $_->{level} eq "warning"')" '^cannot log in'
unlike 'no password in it' "$(<"$S/json")" '"(wrong|right)"'
kill -TERM "$(pgrep -P "$(pgrep -P $service)")"
wait $service
is 'TERM to process 1: a clean end' $? 0
ok 'nothing to complain of' sink_content

# Files that are not of /run/secrets have to be trusted.
install -o 1000 -m 644 <(echo right) "$S/volume/smtp"
refuses_secret() {
	relay "smtps://joe@localhost:$SINK_PORT" "PILLARBOX_RELAY_PASSWORD_FILE=$2" \
		PILLARBOX_QUEUE_DELIVER=foreground
	try post r@x.example
	like "$1" "$rc $(<"$S/err")" "^0 .*not delivered yet.*password_file $2: owner is neither root nor this user"
}
refuses_secret "somebody else's password file elsewhere" /var/spool/pillarbox/smtp
chmod 777 "$S/secrets"
refuses_secret 'a /run/secrets that others may write' /run/secrets/smtp
done_testing
