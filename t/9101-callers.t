#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Real programs of Debian's post through the installed sendmail, as they are; COMPAT.md for one has
# what they pass.

# shellcheck disable=SC2016 # programs in other languages

. "${0%/*}/lib.sh"
. "${0%/*}/callers.sh"
need unshare chroot hostname ldd make perl
callers_enter "$0" "$@"
scratch
sink_start
callers_start
posted=0

# What a careless program would trip over: lone dots, "From ", blanks at the ends, 8-bit octets, a
# long line, tildes for mail(1), empty lines.
{
	printf '%s\n' 'The text.' . .. .dot '>From' 'From the start' '  in between	' ~q '~!' \
		'Grüße, naïve – “quotes” €' '= =3D %s $HOME \n' ''
	printf '%0900d\n\nthe end\n' 0
} >"$OWN/tmp/text"
cd "$OWN/tmp" || exit
grep -vx '\.' text >undotted # for who does not say -i
(cat text && echo) >spaced # for who adds an empty line
chmod 644 text undotted spaced

# Daemons
printf '%s\n' 'MAILTO=cron@example.net,oncall@example.net' '@reboot cat /tmp/text' |
	file_of 1000:101 600 "$OWN/var/spool/cron/crontabs/alice"
echo '@reboot cat /tmp/text' | file_of 1001:101 600 "$OWN/var/spool/cron/crontabs/bob"
inside root cron -f >"$S/cron.out" 2>&1 &
becomes='s/^From: root \(/From: root@example.org (/'
mark=cron@ becomes=$becomes caller 'cron, MAILTO' \
	'-FCronDaemon -i -B8BITMIME -oem cron@example.net,oncall@example.net' \
	alice@example.org 'cron@example.net oncall@example.net' true
mark=bob becomes="$becomes; s/^To: bob/&@example.org/" caller cron '-FCronDaemon -i -B8BITMIME -oem bob' \
	bob@example.org bob@example.org true
inside root atd -f -b 0 >"$S/atd.out" 2>&1 &
ok 'atd runs' eventually 10 test -s "$OWN/run/atd.pid"
echo 'cat /tmp/text' >commands
says=$'warning: commands will be executed using /bin/sh\njob 1 at *' \
	as=carol becomes='s/^To: carol/&@example.org/' caller at '-i carol' carol@example.org carol@example.org \
	at -f /tmp/commands now
printf '%s\n' MAILTO=anacron@example.net '1 0 job cat /tmp/undotted' >anacrontab
as=root text=undotted becomes='s/<root>/<root@example.org>/' caller anacron '-FAnacron -odi anacron@example.net' \
	root@example.org anacron@example.net anacron -d -n -q -t /tmp/anacrontab

# mail(1), three of them, and a mail reader
caller bsd-mailx '-i -t' alice@example.org bsd-mailx@example.net bsd-mailx -s subject bsd-mailx@example.net
encoded=1 caller s-nail '-i -- s-nail@example.net' alice@example.org s-nail@example.net \
	s-nail -s subject s-nail@example.net
text=undotted caller mailutils '-oi -f alice@client.example.org -t' alice@client.example.org mailutils@example.net \
	sh -c 'mail.mailutils -s subject mailutils@example.net </tmp/undotted'
caller mutt '-oem -oi -- mutt@example.net cc@example.net bcc@example.net' \
	alice@example.org 'mutt@example.net cc@example.net bcc@example.net' \
	mutt -e 'set copy=no' -s subject -c cc@example.net -b bcc@example.net mutt@example.net
cat >muttrc <<-'END'
	set copy=no write_bcc use_envelope_from envelope_from_address=a@x.example
	set dsn_notify='failure,delay' dsn_return=hdrs use_8bitmime sendmail='/usr/lib/sendmail -oem -oi'
END
caller 'mutt, all it can' \
	'-oem -oi -B8BITMIME -f a@x.example -N failure,delay -R hdrs -- mutt2@example.net bcc@example.net' \
	a@x.example 'mutt2@example.net bcc@example.net' \
	mutt -F /tmp/muttrc -s Grüße -b bcc@example.net mutt2@example.net
encoded=1 caller mpack '-oi mpack@example.net' alice@example.org mpack@example.net \
	mpack -s subject /tmp/text mpack@example.net
encoded=1 caller nmh '-t -i' alice@example.org nmh@example.net sh -c '
	printf "%s\n" "From: a@x.example" "To: nmh@example.net" "Subject: subject" "" "The text" >draft
	exec /usr/lib/mh/post ~/draft'

# git
cat >commit <<-'END'
	set -e
	git init -q -b main r$$ && cd r$$
	git config user.name 'Alice Böhm' && git config user.email alice@x.example
	cp /tmp/text text && git add text && git commit -qm 'A commit' && git format-patch -q -1
	exec git send-email --quiet --confirm=never --suppress-cc=self --cc='"B, C" <cc@example.net>' "$@" *.patch
END
encoded=1 caller 'git send-email' '-i git@example.net cc@example.net bcc@example.net' \
	alice@example.org 'git@example.net cc@example.net bcc@example.net' \
	sh /tmp/commit --to=git@example.net --bcc=bcc@example.net
encoded=1 caller 'git send-email, sendmailCmd' '-oi -f alice@x.example -i git2@example.net cc@example.net' \
	alice@x.example 'git2@example.net cc@example.net' \
	sh /tmp/commit --to=git2@example.net --sendmail-cmd='/usr/lib/sendmail -oi' --envelope-sender=auto

# PHP
php=$(cd "$CALLERS/usr/bin" && echo php[0-9]*)
cat >mail.php <<-'END'
	<?php exit(mail('php@example.net', 'subject', file_get_contents('/tmp/text'),
	    "From: Shop <shop@x.example>\r\nBcc: bcc@example.net\r\nX-One: 1", '-fb@x.example') ? 0 : 1);
END
text=spaced caller 'PHP mail()' '-t -i -fb@x.example' b@x.example 'php@example.net bcc@example.net' "$php" /tmp/mail.php
text=spaced caller 'PHP mail(), CRLF' '-t -i' alice@example.org php2@example.net \
	"$php" -d mail.mixed_lf_and_crlf=0 -r '
	exit(mail("php2@example.net", "subject", file_get_contents("/tmp/text"), "X-One: 1") ? 0 : 1);'
cat >phpmailer.php <<-'END'
	<?php
	require '/usr/share/php/libphp-phpmailer/autoload.php';
	$m = new PHPMailer\PHPMailer\PHPMailer(true);
	$argv[1] == 'mail' ? $m->isMail() : $m->isSendmail();
	$m->CharSet = 'UTF-8';
	$m->setFrom('shop@x.example', 'Größter Shop');
	$m->addAddress("phpmailer-$argv[1]@example.net");
	$m->addCC('cc@example.net');
	$m->addBCC('bcc@example.net');
	$m->Subject = 'Grüße';
	$m->Body = file_get_contents('/tmp/text');
	exit($m->send() ? 0 : 1);
END
for how in mail sendmail; do
	encoded=1 caller "PHPMailer, $how" '-*i -fshop@x.example*' \
		shop@x.example "phpmailer-$how@example.net cc@example.net bcc@example.net" "$php" /tmp/phpmailer.php $how
done
cat >pear.php <<-'END'
	<?php
	require '/usr/share/php/Mail.php';
	$h = ['From' => 'Shop <shop@x.example>', 'To' => 'pear@example.net', 'Subject' => 'subject'];
	$m = Mail::factory('sendmail');
	exit($m->send('pear@example.net, second@example.net', $h, file_get_contents('/tmp/text')) === true ? 0 : 1);
END
caller 'PEAR Mail' '-i -fshop@x.example -- pear@example.net second@example.net' \
	shop@x.example 'pear@example.net second@example.net' "$php" /tmp/pear.php
cat >symfony.php <<-'END'
	<?php
	require '/usr/share/php/Symfony/Component/Mailer/autoload.php';
	use Symfony\Component\Mailer\{Mailer, Transport};
	use Symfony\Component\Mime\Email;
	$mailer = new Mailer(Transport::fromDsn('sendmail://default?command=' . rawurlencode($argv[1])));
	for ($i = 2; $i < $argc; $i++)
	    $mailer->send((new Email())->from('Größter Shop <shop@x.example>')->to("$argv[$i]@example.net")
	        ->bcc('bcc@example.net')->subject('Grüße')->text(file_get_contents('/tmp/text')));
END
encoded=1 caller 'Symfony -t' '-oi -fshop@x.example -- symfony-t@example.net bcc@example.net' shop@x.example 'symfony-t@example.net bcc@example.net' \
	"$php" /tmp/symfony.php '/usr/sbin/sendmail -oi -t' symfony-t

# -bs
encoded=1 caller 'Symfony -bs' -bs shop@x.example 'symfony@example.net bcc@example.net' \
	"$php" /tmp/symfony.php '/usr/sbin/sendmail -bs' symfony symfony2
posted=$((posted + 1))
eventually 10 has_arrived symfony2@example.net
result 'Symfony -bs: a second message' && {
	unwrapped "$(grep -l symfony2@ "$OWN"/var/spied/*.in)" 2 >"$S/data"
	encoded=1 same_message 'Symfony -bs: the second' "$S/data" "$(message_to symfony2@example.net).eml"
}
encoded=1 caller 'swaks --pipe' -bs a@x.example 'swaks@example.net second@example.net' \
	swaks --silent --pipe '/usr/sbin/sendmail -bs' --from a@x.example --to swaks@example.net,second@example.net \
	--body @/tmp/text
encoded=1 caller 'nmh -bs' '-bs -odb -oem -om' a@x.example nmh-bs@example.net sh -c '
	printf "%s\n" "From: a@x.example" "To: nmh-bs@example.net" "Subject: subject" "" "The text" >draft
	exec /usr/lib/mh/post -mts sendmail/smtp ~/draft'

# Perl
caller MIME::Lite '-t -oi -oem -fa@x.example' a@x.example 'lite@example.net bcc@example.net' perl -e '
	use MIME::Lite;
	MIME::Lite->new(From => q(a@x.example), To => q(lite@example.net), Bcc => q(bcc@example.net),
		Subject => "subject", Encoding => "8bit", Path => "/tmp/text")->send or exit 1'
caller Email::Sender '-i -f b@x.example -- sender@example.net second@example.net' \
	b@x.example 'sender@example.net second@example.net' perl -e '
	use Email::Sender::Simple "sendmail";
	use Email::Sender::Transport::Sendmail;
	use Email::Simple;
	local $/;
	open my $text, "<", "/tmp/text";
	sendmail(Email::Simple->create(header => [From => q(a@x.example), To => q(sender@example.net)], body => <$text>),
		{from => q(b@x.example), to => [q(sender@example.net), q(second@example.net)],
		transport => Email::Sender::Transport::Sendmail->new})'
text=undotted caller Mail::Mailer -t alice@example.org mailer@example.net perl -e '
	use Mail::Mailer;
	my $mail = Mail::Mailer->new("sendmail");
	local $/;
	open my $text, "<", "/tmp/undotted";
	$mail->open({From => q(a@x.example), To => q(mailer@example.net)});
	print {$mail} <$text>;
	$mail->close or exit 1'

# Node: its pipes are sockets.
cat >node.js <<-'END'
	const [newline, to] = process.argv.slice(2);
	require('nodemailer').createTransport({sendmail: true, newline}).sendMail({
		from: '"Größter Shop" <shop@x.example>', to, bcc: 'bcc@example.net', subject: 'Grüße',
		text: require('fs').readFileSync('/tmp/text', 'utf8'),
	}, (err) => { if (err) { console.error(err); process.exit(1); } });
END
for newline in unix windows; do
	to=node-$newline@example.net
	encoded=1 caller "nodemailer, $newline" "-i -f shop@x.example $to bcc@example.net" \
		shop@x.example "$to bcc@example.net" env NODE_PATH=/usr/share/nodejs node /tmp/node.js $newline $to
done

# Ruby
encoded=1 caller 'Ruby mail' '-i -f shop@x.example -- ruby@example.net bcc@example.net' \
	shop@x.example 'ruby@example.net bcc@example.net' ruby -r mail -e '
	Mail.defaults { delivery_method :sendmail }
	Mail.deliver(from: "Shop <shop@x.example>", to: "ruby@example.net", bcc: "bcc@example.net",
	    subject: "Grüße", charset: "UTF-8", body: File.read("/tmp/text"))'

# Mail that came in, and is passed on or answered
{
	printf '%s\n' 'From formail@x.example Mon Nov 23 16:13:05 2026' 'Return-Path: <formail@x.example>' \
		'From: A <formail@x.example>' 'To: alice@example.org' 'Subject: subject' ''
	cat spaced
} >mail
printf '%s\n' ':0' '! procmail@example.net' | file_of 1000:1000 600 "$OWN/home/alice/.procmailrc"
text=spaced caller procmail '-oi procmail@example.net' alice@example.org procmail@example.net sh -c 'exec procmail </tmp/mail'
text=spaced caller formail '-oi -t' alice@example.org formail@x.example \
	sh -c 'formail -rtkb </tmp/mail | /usr/lib/sendmail -oi -t'
sed -i s/formail@/vacation@/ mail
printf '%s\n' 'Subject: away' '' 'I am away.' | file_of 1000:1000 600 "$OWN/home/alice/.vacation.msg"
encoded=1 caller vacation '-f alice -- vacation@x.example' alice@example.org vacation@x.example sh -c 'vacation -i && exec vacation alice </tmp/mail'

# Root's reports
echo 'Defaults mailto="sudo@example.net"' | file_of 0:0 440 "$OWN/etc/sudoers"
encoded=1 becomes='s/^From: alice/&@example.org/' caller sudo -t alice@example.org sudo@example.net \
	sh -c '! sudo true 2>/dev/null'
as=root encoded=1 caller smartd '-i -t' root@example.org smartd@example.net env SMARTD_MAILER=bsd-mailx \
	SMARTD_ADDRESS=smartd@example.net SMARTD_FAILTYPE=EmailTest SMARTD_MESSAGE=test SMARTD_SUBJECT=subject \
	SMARTD_DEVICESTRING=/dev/sda /usr/share/smartmontools/smartd_warning.sh
as=root caller 'a script' '-oi -t' root@example.org script@example.net \
	sh -c '{ printf "To: script@example.net\n\n"; cat /tmp/text; } | /sbin/sendmail -oi -t'

is 'cron and atd have nothing to say' "$(cat "$S/cron.out" "$S/atd.out")" ''
# shellcheck disable=SC2317 # eventually calls it
nothing_waits() { [ "$(inside root mailq)" = 'Mail queue is empty' ]; }
ok 'the queue is empty' eventually 10 nothing_waits
is 'each message has come once' "$(messages)" "$posted"
is 'sendmail has been called by nobody else' "$(ls "$OWN/var/spy")" ''
ok 'the sink has nothing to complain of' sink_content
done_testing
