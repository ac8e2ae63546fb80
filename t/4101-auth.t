#!/bin/bash
# SPDX-License-Identifier: ISC
#
# AUTH: each mechanism with a real Dovecot, and over TLS of both kinds with the sink, which knows channel
# bindings; never in clear.

. "${0%/*}/lib.sh"
. "${0%/*}/dovecot.sh"
need_root
need base64 chroot mount openssl unshare
scratch
. "${0%/*}/certificates.sh"

# A spool each time: a flusher that still lingers over another one has the settings of that.
fresh() {
	spools=$((spools + 1))
	mkdir -m 1777 "$S/spool$spools"
	config queue.deliver=queue "queue.dir=$S/spool$spools" "$@"
}
spools=0
post() { sendmail -i -f s@x.example -- r@x.example <<<'Subject: test'; }

# carries NAME CONFIG...: a message goes out with these settings.
carries() {
	local before
	before=$(messages)
	fresh "${@:2}"
	post
	sendmail -q
	ok "$1" sink_wait $((before + 1)) 2 || diag "$(mailq)" "$(tail -5 "$S/log")"
}

# keeps NAME REASON CONFIG...: it does not, and mailq says why.
keeps() {
	local before
	before=$(messages)
	fresh "${@:3}"
	post
	sendmail -q
	like "$1" "$(mailq)" "$2"
	is "$1: nothing arrives" "$(messages)" "$before"
}

# Dovecot, which hands on to the sink what it takes from who has logged in.
sink_start
# shellcheck disable=SC2153 # sink_start sets it
dovecot_start submission "$SINK_PORT"
url=relay.url=smtp+tls://${DOVECOT_USER/@/%40}@localhost:$DOVECOT_PORT
ca=tls.ca_file=$DOVECOT_CA
password="relay.password=$DOVECOT_PASSWORD"
logged_in_by() { grep -o 'Login: user=<[^>]*>, method=[A-Z0-9-]*' "$DOVECOT_LOG" | tail -1; }
carries 'Dovecot: the best' "$url" "$ca" "$password"
is 'which is' "$(logged_in_by)" "Login: user=<$DOVECOT_USER>, method=SCRAM-SHA-256"
for mechanism in SCRAM-SHA-1 PLAIN LOGIN CRAM-MD5; do
	carries "Dovecot: $mechanism" "$url" "$ca" "$password" "relay.auth=$mechanism"
	is "by $mechanism" "$(logged_in_by)" "Login: user=<$DOVECOT_USER>, method=$mechanism"
done
printf '#!/bin/sh\necho %s\n' "$(dovecot_token 600)" >"$S/token"
printf '#!/bin/sh\necho %s\n' "$(dovecot_token -600)" >"$S/old"
chmod 700 "$S/token" "$S/old"
for mechanism in OAUTHBEARER XOAUTH2; do
	carries "Dovecot: $mechanism" "$url" "$ca" "relay.password_command=$S/token" \
		"relay.auth=$mechanism"
	is "by $mechanism" "$(logged_in_by)" "Login: user=<$DOVECOT_USER>, method=$mechanism"
	keeps "Dovecot: $mechanism, an old token" '535 5.7.8' "$url" "$ca" \
		"relay.password_command=$S/old" "relay.auth=$mechanism"
done
for mechanism in SCRAM-SHA-256 PLAIN CRAM-MD5; do
	keeps "Dovecot: $mechanism, a wrong password" '535 5.7.8' "$url" "$ca" relay.password=wrong \
		"relay.auth=$mechanism"
done
keeps 'Dovecot: a mechanism that it has not' 'offers no AUTH mechanism we have in relay.auth' \
	"$url" "$ca" "$password" relay.auth=SCRAM-SHA-256-PLUS
unlike 'no password in our log' "$(<"$S/log")" 's3cret'
ok 'nothing to complain of' sink_content

# It offers SCRAM, but what it has of the user does not fit.
dovecot_stop
# shellcheck disable=SC2016 # $6$ is no variable
DOVECOT_HASH="{SHA512-CRYPT}$(openssl passwd -6 "$DOVECOT_PASSWORD")" \
	dovecot_start submission "$SINK_PORT"
url=relay.url=smtp+tls://${DOVECOT_USER/@/%40}@localhost:$DOVECOT_PORT
carries 'Dovecot: a hash of another kind: the next mechanism' "$url" "$ca" "$password"
is 'which is' "$(logged_in_by)" "Login: user=<$DOVECOT_USER>, method=PLAIN"
dovecot_stop
sink_stop

# The sink. By what is the connection bound?
used() { grep -o ' AUTH [A-Z0-9-]* *[^ ]*' "$SINK/commands.log" | tail -1; }
header() { used | cut -d' ' -f4 | base64 -d | cut -d, -f1; }
all='SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 PLAIN LOGIN CRAM-MD5 OAUTHBEARER XOAUTH2'
account() { url=relay.url=$1://joe@localhost:$SINK_PORT ca=tls.ca_file=$SINK/cert.pem; }
rm -rf "$SINK"
sink_start -T -a joe:s3cret -A "$all"
account smtps
carries 'the best' "$url" "$ca" relay.password=s3cret
is 'is bound to TLS 1.3' "$(header)" 'p=tls-exporter'
for mechanism in $all; do
	carries "$mechanism" "$url" "$ca" relay.password=s3cret "relay.auth=$mechanism"
	like "by $mechanism" "$(used)" " $mechanism( |\$)"
	keeps "$mechanism, wrong password" '535 5.7.8' "$url" "$ca" relay.password=wrong \
		"relay.auth=$mechanism"
done
carries '[relay.NAME]' relay.url= relay.work.from=s@x.example "relay.work.${url#*.}" "$ca" \
	relay.work.password=s3cret relay.work.auth=CRAM-MD5
like 'has its own' "$(used)" CRAM-MD5
ok 'nothing to complain of' sink_content
sink_stop

rm -rf "$SINK"
sink_start -t -m 1.2 -a joe:s3cret -A "$all"
account smtp+tls
carries 'after STARTTLS, TLS 1.2' "$url" "$ca" relay.password=s3cret
is 'is bound to the certificate' "$(header)" 'p=tls-server-end-point'
ok 'nothing to complain of' sink_content
sink_stop

rm -rf "$SINK"
sink_start -t -a joe:s3cret -A 'PLAIN SCRAM-SHA-256'
account smtp+tls
carries 'no -PLUS' "$url" "$ca" relay.password=s3cret
is 'but it could have been' "$(header)" 'y'
ok 'nothing to complain of' sink_content
sink_stop

# A certificate in place of a password.
authority us
purpose=clientAuth certificate client us ''
client=tls.client_cert=$C/client.pem
rm -rf "$SINK"
sink_start -T -a joe:s3cret -A 'PLAIN EXTERNAL' -C "$C/us.crt"
account smtps
carries 'EXTERNAL' "$url" "$ca" "$client" relay.auth=EXTERNAL
is 'as whom' "$(used)" " AUTH EXTERNAL $(printf joe | base64)"
keeps 'EXTERNAL as somebody else' '535 5.7.8' "${url/joe/jim}" "$ca" "$client" relay.auth=EXTERNAL
keeps 'no password, and no EXTERNAL' 'not set, but relay.url names an account' "$url" "$ca" "$client"
ok 'nothing to complain of' sink_content
sink_stop

# A server that lies.
liar() {
	rm -rf "$SINK"
	sink_start -T -a joe:s3cret -A SCRAM-SHA-256 -r "$1"
	account smtps
	keeps "$2" "$3" "$url" "$ca" relay.password=s3cret
	sink_stop
}
liar 'count 2 challenge reply 235 2.7.0 welcome' 'welcome without a proof' \
	'does not show that it knows the password'
liar "count 2 challenge reply 334 $(printf %s v=AAAA | base64)" 'a wrong signature' \
	'does not know the password itself'
liar "count 1 challenge reply 334 $(printf %s r=other,s=c2FsdA==,i=4096 | base64)" \
	'a foreign nonce' 'does not begin with ours'

# In clear: not even what proves only.
for mechanism in SCRAM-SHA-256 XOAUTH2; do
	rm -rf "$SINK"
	sink_start -u -a joe:s3cret -A "$mechanism"
	keeps "$mechanism without TLS" 'TLS is required' "relay.url=smtp://joe@localhost:$SINK_PORT" \
		relay.password=s3cret
	unlike 'nothing was sent' "$(<"$SINK/commands.log")" AUTH
	sink_stop
done
done_testing
