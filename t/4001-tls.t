#!/bin/bash
# SPDX-License-Identifier: ISC
#
# TLS to a relay: what is demanded, what counts as verified, what the log says of it.
. "${0%/*}/lib.sh"
scratch
. "$T/certificates.sh"
need_root
authority ours
authority theirs
certificate good ours DNS:localhost,IP:127.0.0.1
certificate expired ours DNS:localhost -days -1
certificate early ours DNS:localhost
not_before early ours 20700101000000Z
certificate other ours DNS:mail.example,DNS:mx.example,IP:192.0.2.1
certificate bare ours ''
certificate foreign theirs DNS:localhost
purpose=clientAuth certificate client ours DNS:client.example
purpose=clientAuth certificate stranger theirs DNS:stranger.example
purpose=clientAuth certificate wrong ours DNS:localhost
openssl req -x509 -key "$C/good.key" -days 3 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-out "$C/alone.crt"
cat "$C/good.key" "$C/alone.crt" >"$C/alone.pem"
mkdir "$C/path" "$C/empty"
cp "$C/ours.crt" "$C/path"
openssl rehash "$C/path"
zeros=$(printf '00%.0s' {1..32})

n=0
log_of() { grep -F "to=<$1>" "$S/log" | tail -n 1; }
# deliver SETTING... [-OPTION...]: one message, with these settings; what the log says of it is in $said.
deliver() {
	local settings=()
	while [ $# -gt 0 ] && [[ $1 != -* ]]; do settings+=("$1") && shift; done
	config queue.deliver=queue queue.retry=1h log.to="$S/log" "${settings[@]}"
	n=$((n + 1))
	sendmail "$@" -i -f s@x.example "r$n@y.example" <<<$'Subject: x\n\nhello'
	sendmail -q
	said=$(log_of "r$n@y.example")
	eventually 5 rm -rf "${S:?}/spool"/* 2>/dev/null # a flusher may just note its counts
}
# server CERTIFICATE [OPTION...]: another one, with a directory of its own
server() {
	[ -z "$sink_pid" ] || sink_stop
	SINK=$S/sink.$n
	rm -rf "$SINK"
	sink_start -t -c localhost -k "$C/$1.pem" "${@:2}"
}
refused() { echo "status=deferred .*certificate verify failed: $1"; }
ca=tls.ca_file=$C/ours.crt
relay() { echo "relay.url=$1://${2-}localhost:$SINK_PORT"; }

# certificate | settings | what the log says, with smtp+tls:
while IFS='|' read -r cert settings wanted; do
	[ -n "$cert" ] || continue
	server "$cert"
	# shellcheck disable=SC2086 # several settings
	deliver "$(relay smtp+tls)" $settings
	like "$cert, ${settings//"$S"/S}" "$said" "$wanted"
done <<X
good|$ca|status=sent .*tls=TLSv1.3 [A-Z0-9_]+ verified
good|tls.ca_path=$C/path|status=sent .*verified
good|tls.ca_path=$C/empty|$(refused 'its authority is not trusted')
good|tls.ca_file=$C/theirs.crt tls.ca_path=$C/path|status=sent .*verified
good|tls.ca_file=$C/theirs.crt|$(refused 'its authority is not trusted: [^;]*$')
alone|$ca|$(refused self-signed)
expired|$ca|$(refused 'it has expired, on 20[0-9-]* [0-9:]* UTC')
early|$ca|$(refused 'it is not yet valid, only from 2070-01-01 00:00:00 UTC')
other|$ca|$(refused 'it is not for localhost but for mail.example, mx.example, 192.0.2.1')
bare|$ca|$(refused 'it is not for localhost but for no host at all \(a common name does not count\)')
foreign|$ca|$(refused 'its authority is not trusted')
wrong|$ca|$(refused 'it is not one for servers')
good|$ca tls.policy=may|status=sent .*verified
foreign|$ca tls.policy=may|status=sent .*anonymous
foreign|$ca tls.policy=encrypt|status=sent .*anonymous
alone|tls.fingerprint=$(fingerprint alone)|status=sent .*pinned
expired|tls.fingerprint=$(fingerprint expired)|status=sent .*pinned
other|tls.fingerprint=$zeros,$(fingerprint other | tr -d : | tr A-F a-f)|status=sent .*pinned
good|$ca tls.fingerprint=$zeros|$(refused "its fingerprint is another one than tls.fingerprint: SHA-256 $(fingerprint good)")
good|$ca tls.fingerprint=$zeros tls.policy=may|$(refused 'its fingerprint is another')
foreign|$ca tls.policy=encrypt tls.policies=localhost=verify|$(refused '.')
foreign|$ca tls.policies=other.example=verify,LOCALHOST=encrypt|status=sent .*anonymous
good|$ca tls.policies=*=none|status=sent .*tls=plain
X

server good
deliver "$(relay smtp)" "$ca" tls.fingerprint="$(fingerprint good)"
like 'a fingerprint is demanded of smtp:// too' "$said" 'status=sent .*pinned'
deliver "$(relay smtp)" "$ca" tls.fingerprint="$zeros"
like '… and no plain text without it' "$said" 'status=deferred'
deliver "relay.url=smtp+tls://127.0.0.1:$SINK_PORT" "$ca"
like 'an address in the certificate' "$said" 'status=sent .*verified'
unlike '… and no SNI with it' "$(<"$SINK/$(printf %04d "$(messages)").env")" sni
server good -T
deliver "$(relay smtps)" "$ca"
like 'TLS from the first octet' "$said" 'status=sent .*verified'
like '… with SNI' "$(<"$SINK/$(printf %04d "$(messages)").env")" 'sni localhost'

# No certificates of authorities on this machine: nothing is verified.
without_authorities() {
	local map=(--map-root-user)
	[ "$(id -u)" -ne 0 ] || map=()
	unshare "${map[@]}" --mount bash -c 'mount -t tmpfs none /etc/ssl && "$@"' - "$@"
}
server good
deliver "$(relay smtps)" "$ca"
like '… and a server that has none' "$said" 'status=deferred .*what the server sent is not TLS'
rm "$SINK/violations" # a ClientHello is no command
config queue.deliver=queue "$(relay smtp+tls)"
sendmail -i -f s@x.example none@y.example <<<hello
without_authorities sendmail -q
like 'no CA certificates' "$(log_of none@y.example)" \
	"$(refused 'its authority is not trusted: .*; no CA certificates were found here')"
eventually 5 rm -rf "${S:?}/spool"/* 2>/dev/null # a flusher may just note its counts

# An account is never weakened.
server foreign -a joe:secret
for weaker in tls.policy=none tls.policy=may 'tls.policies=*=may' tls.policy=dane; do
	deliver "$(relay smtp joe@)" relay.password=secret "$ca" "$weaker"
	like "an account is not weakened by $weaker" "$said" "$(refused .)"
done
unlike '… and no password went out' "$(<"$SINK/commands.log")" AUTH

# What servers do wrong | under which policies the mail goes all the same, in plain.
while IFS='|' read -r name options text; do
	[ -n "$name" ] || continue
	for policy in may encrypt verify account; do
		auth=()
		[ "$policy" != account ] || auth=(-a joe:secret -u)
		eval "server good $options" '"${auth[@]}"'
		settings=("$(relay smtp)" "tls.policy=$policy")
		[ "$policy" != account ] || settings=("$(relay smtp joe@)" relay.password=secret)
		deliver "$ca" "${settings[@]}"
		if [ "$policy" = may ]; then
			like "$name, $policy: plain" "$said" 'status=sent .*tls=plain'
		else
			like "$name, $policy: not at all" "$said" "status=deferred .*$text"
		fi
	done
	unlike "$name: and no password went out" "$(<"$SINK/commands.log")" AUTH
done <<'X'
STARTTLS taken out|-x STARTTLS|offers no STARTTLS
STARTTLS refused|-r 'starttls reply 454 4.7.0 not now'|454 4.7.0 not now
the connection ends|-r 'tls close'|TLS handshake with .*closed by the server
the connection is reset|-r 'tls reset'|TLS handshake with .*(Connection reset|closed)
TLS 1.1 only|-m 1.1|neither TLS 1.2 nor 1.3
X

# A message that wants REQUIRETLS goes to a server that is held to be right, by whatever it is.
while IFS='|' read -r name cert options settings wanted; do
	# shellcheck disable=SC2086
	server $cert $options
	# shellcheck disable=SC2086
	deliver "$(relay smtp)" $settings -O requiretls
	like "REQUIRETLS, $name" "$said" "$wanted"
done <<X
verified|good|-o REQUIRETLS|$ca tls.policy=verify|status=sent .*verified
pinned|alone|-o REQUIRETLS|tls.fingerprint=$(fingerprint alone)|status=sent .*pinned
anonymous|foreign|-o REQUIRETLS|$ca tls.policy=encrypt|dsn=5.7.[0-9]+, status=bounced .*no verified TLS
not offered|good||$ca tls.policy=verify|dsn=5.7.[0-9]+, status=bounced .*does not offer it
X

# What comes behind the reply to STARTTLS in plain ends the session.
server good -r 'starttls inject "250 injected\r\n"'
deliver "$(relay smtp)" "$ca" tls.policy=may
like 'plain text behind STARTTLS' "$said" 'status=deferred'
like '… before a handshake' "$(<"$SINK/commands.log")" 'no TLS'

# Client certificates | settings | what the log says.
key() { echo "tls.client_cert=$C/$1.crt tls.client_key=$C/${2:-$1}.key"; }
chmod 644 "$C"/*.key "$C"/*.pem # smtp may be another user
cp "$C/client.key" "$C/closed.key"
chmod 0 "$C/closed.key"
openssl ec -aes128 -passout pass:x -in "$C/client.key" -out "$C/locked.key" 2>/dev/null
chmod 644 "$C/locked.key"
server good -C "$C/ours.crt"
while IFS='|' read -r name settings wanted; do
	# shellcheck disable=SC2086 # several settings
	deliver "$(relay smtp+tls)" "$ca" $settings
	like "client certificate: $name" "$said" "$wanted"
done <<X
none||dsn=4.7.5, status=deferred .TLS handshake with .*alert "certificate required".$
none, and none is needed|relay.url=smtp://localhost:$SINK_PORT tls.policy=may|status=sent .*tls=plain
good|$(key client)|status=sent .*verified
with the key in its file|tls.client_cert=$C/client.pem|status=sent .*verified
of another authority|$(key stranger)|status=deferred .*alert "unknown ca"
with another key|$(key client good)|status=deferred .*client key .* is not that of the certificate
without the key|tls.client_cert=$C/client.crt|status=deferred .*client key .*nothing of that kind in it
with a key that is locked|$(key client locked)|status=deferred .*client key .*it is encrypted
with a key that nobody can read|$(key client closed)|status=deferred .*client key .*Permission denied
not there|tls.client_cert=$C/nowhere.pem|status=deferred .*client certificate .*No such file
X

# A second connection resumes the first one's session, and the server is what it was. | sink | settings
while IFS='|' read -r name cert options settings verdict; do
	# shellcheck disable=SC2086
	server $cert $options -r 'each 2- mail reply 421 4.3.2 enough; close'
	# shellcheck disable=SC2086
	config queue.deliver=queue smtp.connections=1 "$(relay smtp+tls)" $settings
	flushers_end # one that lingers would take the first on its own
	for i in 1 2 3; do sendmail -i -f s@x.example "$name$i@y.example" <<<hello; done
	sendmail -q
	is "$name: sessions resumed" "$(grep -c resumed "$SINK/commands.log")" 2
	is "$name: and all $verdict" "$(grep -c "<$name[123]@.* status=sent .*$verdict" "$S/log")" 3
done <<X
old|good|-m 1.2|$ca|verified
new|good||$ca|verified
pinned|expired||tls.fingerprint=$(fingerprint expired)|pinned
anybody|foreign||$ca tls.policy=encrypt|anonymous
X
is 'no server has anything to complain of' "$(cat "$S"/sink.*/violations 2>&1)" \
	"cat: '$S/sink.*/violations': No such file or directory"
done_testing
