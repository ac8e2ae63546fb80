# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# peer.sh: what the files of real servers (postfix.sh, exim.sh, …) share; they source it, after lib.sh
# and before need_root and scratch.
# A server runs in the root that `make deps` unpacked, $PEERS/NAME, with mounts and processes in
# namespaces of its own, on ports of 127.0.0.1. Its /etc, /var and /run are private: below $S/NAME,
# and gone with S.
#
#	unused_port                     prints one
#	peer_lay_out NAME USER:UID…     $S/NAME anew, with these accounts besides root and nobody, and
#	                                in etc: cert.pem, key.pem; the name in it is localhost
#	peer_start NAME PORT LOG COMMAND…
#	                                runs COMMAND in the root until the port answers; if it does not,
#	                                LOG (below $S/NAME) is shown and the script ends. NAME_prepare
#	                                OWN ROOT, if there is one, is called before, as root of
#	                                the namespaces: for the owners of the files, say
#	peer_stop NAME                  with all that it wrote
#	maildir FOLDER                  paths of what is in its new, oldest first
#	peer_message                    prints one with all that a strict reader could trip over: dots,
#	                                blanks at the ends, 8-bit octets, a long line, and no end of line
#	                                at the end

declare -A peer_pid=()

# A port that nobody listens on, below those that the kernel hands out.
unused_port() {
	local port
	until port=$((10240 + SRANDOM % 20000)) && ! port_answers "$port"; do :; done
	echo "$port"
}

port_answers() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

peer_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-addext basicConstraints=critical,CA:FALSE \
		-keyout "$1/key.pem" -out "$1/cert.pem" 2>/dev/null
	chmod 600 "$1/key.pem"
}

peer_lay_out() {
	local own=$S/$1 user id
	[ -e "$PEERS/$1/.complete" ] || give_up "needs $1 in $PEERS/$1 (make deps)"
	peer_stop "$1"
	mkdir -p "$own"/{etc,var/{mail,log,lib,run,spool},run,dev}
	chmod 755 "$own" "$own"/{etc,run,var,var/*}
	touch "$own"/dev/{null,urandom,random,zero}
	for user in root:0 nobody:65534 "${@:2}"; do
		id=${user#*:}
		echo "${user%:*}:x:$id:$id::/var/mail:" >>"$own/etc/passwd"
		echo "${user%:*}:x:$id:" >>"$own/etc/group"
	done
	echo 127.0.0.1 localhost relay.example >"$own/etc/hosts"
	echo hosts: files >"$own/etc/nsswitch.conf"
	: >"$own/etc/services"
	peer_certificate "$own/etc"
}

# Runs as root of the namespaces: NAME ROOT OWN COMMAND… ROOT is covered by what is private.
peer_inside() {
	local root=$2 own=$3 dir
	set -e
	mount --bind "$root" "$root"
	for dir in null urandom random zero; do
		mount --bind "/dev/$dir" "$own/dev/$dir"
	done
	for dir in etc var run dev; do
		mkdir -p "$root/$dir"
		mount --rbind "$own/$dir" "$root/$dir"
	done
	! declare -F "$1_prepare" >/dev/null || "$1_prepare" "$own" "$root"
	cd /
	exec chroot "$root" "${@:4}"
}

peer_settled() { port_answers "$1" || ! kill -0 "$2"; } 2>/dev/null

peer_start() {
	local name=$1 port=$2 log=$S/$1/$3
	export -f peer_inside
	! declare -F "${name}_prepare" >/dev/null || export -f "${name?}_prepare"
	unshare --mount --pid --fork --kill-child \
		bash -c "peer_inside $(printf '%q ' "$name" "$PEERS/$name" "$S/$name" "${@:4}")" \
		>"$S/$name.out" 2>&1 &
	peer_pid[$name]=$!
	eventually 20 peer_settled "$port" "${peer_pid[$name]}"
	port_answers "$port" && return
	diag "$name does not start" "$(cat "$S/$name.out" "$log" 2>&1)"
	exit 1
}

# unshare takes no SIGTERM; when it is gone, --kill-child ends all in there.
peer_stop() {
	local pid=${peer_pid[$1]-}
	[ -z "$pid" ] || { kill -KILL "$pid" && wait "$pid"; } 2>/dev/null
	unset "peer_pid[$1]"
	rm -rf "${S:?}/$1"
}

maildir() { find "$1/new" -type f -printf '%T@ %p\n' 2>/dev/null | sort -n | cut -d' ' -f2-; }

peer_message() {
	printf '%s\n' 'Date: Mon, 23 Nov 2026 16:13:05 +0100' 'From: Alice <a@example.org>' \
		'To: b@example.net' 'Message-ID: <1.2.3@example.org>' 'Subject: a  subject,' \
		'	continued ' 'MIME-Version: 1.0' 'Content-Type: text/plain; charset=utf-8' \
		'Content-Transfer-Encoding: 8bit' '' . .. '.dot' 'From x ' ' ' '	' 'Grüße' ''
	printf '%0998d\n\nthe end' 0
}
