# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# certificates.sh: authorities and certificates for tests; source it after lib.sh and scratch. They
# are in $C, NAME.crt and NAME.key, and NAME.pem has the key, the certificate and its authority's, as
# the sink's -k wants them.
#
#	authority NAME [OPTION...]           options of openssl req
#	certificate NAME CA SAN [OPTION...]  SAN: DNS:…,IP:… or "" for none; options of openssl x509
#	purpose=clientAuth certificate …     another one than serverAuth
#	fingerprint NAME                     SHA-256, as OpenSSL prints it
#	tlsa NAME USAGE SELECTOR MATCHING    the data of a TLSA record, in hex

need openssl
C=$S/certificates
mkdir -p "$C"

make_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$C/$1.key"; }

authority() {
	make_key "$1"
	openssl req -x509 -key "$C/$1.key" -days 3 -subj "/CN=$1" -addext basicConstraints=critical,CA:TRUE \
		-out "$C/$1.crt" "${@:2}"
}

certificate() {
	make_key "$1"
	{
		echo basicConstraints=critical,CA:FALSE
		echo "extendedKeyUsage=${purpose:-serverAuth}"
		[ -z "$3" ] || echo "subjectAltName=$3"
	} >"$C/$1.ext"
	openssl req -new -key "$C/$1.key" -subj /CN=localhost -out "$C/$1.csr"
	openssl x509 -req -in "$C/$1.csr" -CA "$C/$2.crt" -CAkey "$C/$2.key" -CAcreateserial -days 3 \
		-extfile "$C/$1.ext" -out "$C/$1.crt" "${@:4}" 2>/dev/null
	cat "$C/$1.key" "$C/$1.crt" "$C/$2.crt" >"$C/$1.pem"
}

# not_before NAME CA DATE: the same certificate, but not yet.
not_before() {
	cat >"$C/ca.conf" <<-EOF
		[ca]
		default_ca = it
		[it]
		database = $C/index
		new_certs_dir = $C
		serial = $C/serial
		default_md = sha256
		policy = any
		x509_extensions = none
		[any]
		commonName = supplied
		[none]
	EOF
	: >"$C/index"
	echo 01 >"$C/serial"
	openssl ca -batch -config "$C/ca.conf" -cert "$C/$2.crt" -keyfile "$C/$2.key" -extfile "$C/$1.ext" \
		-startdate "$3" -days 9999 -in "$C/$1.csr" -notext -out "$C/$1.crt" 2>/dev/null
	cat "$C/$1.key" "$C/$1.crt" "$C/$2.crt" >"$C/$1.pem"
}

fingerprint() { openssl x509 -in "$C/$1.crt" -noout -fingerprint -sha256 | cut -d= -f2; }

tlsa() {
	local hash=(cat)
	[ "$4" = 0 ] || hash=(openssl dgst "-sha$(($4 == 1 ? 256 : 512))" -binary)
	if [ "$3" = 0 ]; then
		openssl x509 -in "$C/$1.crt" -outform DER
	else
		openssl x509 -in "$C/$1.crt" -noout -pubkey | openssl pkey -pubin -outform DER
	fi | "${hash[@]}" | od -An -v -tx1 | tr -d ' \n'
}
