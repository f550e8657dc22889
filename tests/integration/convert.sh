#!/bin/bash
# usherctl convert: an inetd.conf means the same as stanzas; stanzas become units that systemd takes, word by word.
# SPDX-License-Identifier: ISC

# shellcheck source=tests/lib/lib.sh
. "${srcdir:-.}/tests/lib/lib.sh"

corpus=${USHERD_CORPUS:-$top_src/../shared/corpus}
cd "$tmp" || exit 1
chmod 755 "$tmp"
mkdir bin
: >empty

# runs STATUS COMMAND...: the command must end with this status, and no sanitizer may speak.
runs() {
	expected=$1
	shift
	"$@" >out 2>err </dev/null
	status=$?
	if grep -q 'Sanitizer\|runtime error' out err; then
		head -20 out err
		return 1
	fi
	equal "$status" "$expected"
}

# said TEXT: what was printed last holds it.
said() {
	grep -qF -- "$1" out err && return 0
	echo "  not said: $1"
	head -c 2000 out err
	return 1
}

# The services of a configuration, without where they stand; the order of files counts not.
dump() {
	"$usherctl" dump "$@" 2>/dev/null | grep -v '^#'
}

sorted_dump() {
	dump "$@" | awk 'BEGIN { RS = "" } { gsub("\n", "\001"); print }' | sort
}

# --- inetd.conf to stanzas --------------------------------------------------------------------

# same_services FILE: the stanzas mean what the inetd.conf does, in one file and in a directory.
same_services() {
	rm -rf stanzas directory
	"$usherctl" convert "$1" >stanzas 2>err
	[ $? -le 1 ] || return 1
	"$usherctl" convert --from inetd --output directory "$1" >out 2>err
	[ $? -le 1 ] || return 1
	echo "includedir $tmp/directory" >main
	equal "$(dump stanzas)" "$(dump --inetd="$1" empty)" &&
		equal "$(sorted_dump main)" "$(sorted_dump --inetd="$1" empty)"
}

# suit FILE: the file with what this machine lacks supplied: programs, users, ports, and no tcpd.
suit() {
	awk -v bin="$tmp/bin" '
		function has(command) { return system(command " >/dev/null 2>&1") == 0 }
		/^[ \t]*(#|$)/ || NF < 6 { print; next }
		{
			sub("\r$", "")
			for (i = 1; i <= NF; i++)
				word[i] = $i
			first = 6
			if (word[6] ~ "/tcpd$" && NF > 6)
				first = 7
			split(word[5], user, /[.:\/]/)
			if (word[5] !~ /[{<$]/ && !has("getent passwd " user[1]))
				word[5] = "nobody"
			if (word[6] != "internal") {
				base = word[first]
				sub(".*/", "", base)
				if (base ~ /^[A-Za-z0-9._-]+$/) {
					if (!has("test -e " bin "/" base))
						system("cp /bin/true " bin "/" base)
					word[first] = bin "/" base
				}
			}
			split(word[3], protocol, "/")
			if (word[1] ~ /^[A-Za-z0-9_-]+$/ && protocol[1] != "rpc" && word[6] != "internal" &&
			    !has("getent services " word[1] "/" substr(word[3], 1, 3)))
				word[1] = 20000 + NR
			line = ""
			for (i = 1; i <= NF; i++)
				if (i < 6 || i >= first)
					line = line word[i] " "
			print line
		}' "$1"
}

cat >sample <<'END'
# What a machine of its time had
#

# The file transfer
ftp	stream	tcp	nowait	root	/bin/sh	ftpd -l
#telnet	stream	tcp	nowait	root	/bin/sh	telnetd
tftp	dgram	udp	wait	nobody:daemon	/bin/cat	cat /srv
echo	stream	tcp	nowait	root	internal
echo	dgram	udp	wait	root	internal
4001	stream	tcp	nowait.20	root	/bin/cat
4002	stream	tcp6	nowait/5/0/2	nobody	/bin/sh	other name
4002	stream	tcp4	nowait	nobody	/bin/sh
127.0.0.1:4003	stream	tcp	nowait	root	/bin/cat	cat -n # all
/run/sample.sock	stream	unix	nowait	root	/bin/cat	cat
END
check "a sample converts" runs 0 "$usherctl" convert sample
check "with where a stanza is from" said "# from sample:5"
check "with its comment" said "# The file transfer"
check "and without needless words" equal "$(grep -c 'REUSE\|protocol' out)" 0
check "it means the same services" same_services sample
check "all nine of them" equal "$(dump stanzas | grep -c ^service)" 9

printf 'ftp stream tcp nowait root %s/bin/tcpd %s/bin/real -h\n' "$tmp" "$tmp" >wrapped
cp /bin/true bin/real
cp /bin/true bin/tcpd
check "tcpd is left out" runs 0 "$usherctl" convert wrapped
check "with a note" said "tcpd is left out"
check "for the real program" grep -q "server *= $tmp/bin/real$" out

printf 'bad stream\nftp stream tcp nowait root /bin/cat\n' >half
check "a bad line gives 1" runs 1 "$usherctl" convert half
check "and stays in sight" said "# not converted, half:1: bad stream"
check "and the good one is there" said "service ftp"

if [ -d "$corpus/inetd" ]; then
	files=0 services=0
	for file in "$corpus"/inetd/*; do
		name=${file##*/}
		suit "$file" >"suited-$name" 2>/dev/null
		check "$name as it is means the same" same_services "$file"
		check "$name with all it needs means the same" same_services "suited-$name"
		services=$((services + $(dump stanzas | grep -c '^service')))
		files=$((files + 1))
	done
	echo "note: $files files of the corpus, $services services"
	check "the corpus has services" [ "$services" -gt 40 ]
else
	echo "note: no corpus of inetd.conf files here"
fi

# --- files and statuses -----------------------------------------------------------------------

rm -rf directory
check "files are written" runs 0 "$usherctl" convert --output directory sample
check "one a service" equal "$(find directory -type f | wc -l)" 9
rm directory/ftp
echo mine >directory/tftp
check "none is overwritten" runs 2 "$usherctl" convert --output directory sample
check "and it is said" said "directory/tftp: exists already and is not overwritten"
check "what was there is as it was" equal "$(cat directory/tftp)" mine
check "and nothing else was written" [ ! -e directory/ftp ]
ln -s "$tmp/outside" directory/ftp
rm directory/tftp
check "nor is a link followed" runs 2 "$usherctl" convert --output directory sample
check "to anywhere" [ ! -e outside ]
check "a directory that cannot be gives 2" runs 2 "$usherctl" convert --output empty/x sample
check "a missing file gives 2" runs 2 "$usherctl" convert absent
check "and for units" runs 2 "$usherctl" convert --to systemd absent
check "a directory gives 2" runs 2 "$usherctl" convert bin
check "no file gives 64" runs 64 "$usherctl" convert
check "an unknown option gives 64" runs 64 "$usherctl" convert --too systemd sample
check "an option without its value gives 64" runs 64 "$usherctl" convert --to
check "an unknown target gives 64" runs 64 "$usherctl" convert --to launchd sample
check "xinetd to xinetd gives 64" runs 64 "$usherctl" convert --from xinetd --to xinetd sample
check "two files give 64" runs 64 "$usherctl" convert sample half
"$usherctl" convert sample >/dev/full 2>err
check "a full disk gives 2" equal "$?" 2

# --- stanzas to units -------------------------------------------------------------------------

check "inetd.conf becomes units, too" runs 0 "$usherctl" convert --from inetd --to systemd sample
check "with notes for what has none" said "service echo-stream is not converted"
check "--strict makes 1 of a lost service" runs 1 "$usherctl" convert --strict --from inetd --to systemd sample

stanza() {
	printf 'service %s\n{\n\ttype = UNLISTED\n\tport = %s\n\tserver = /bin/cat\n' "$1" "$2"
	shift 2
	[ $# -eq 0 ] || printf '\t%s\n' "$@"
	printf '\tsocket_type = stream\n\twait = no\n\tuser = root\n}\n'
}
# shellcheck disable=SC2016 # nothing is to be expanded
{
	stanza plain 5001 'wait = yes' 'rlimit_as = 2m' 'umask = 077' 'nice = 3' 'group = daemon' \
		'flags = NAMEINARGS' \
		'server_args = me%d $HOME ${X} a"b '"'c'"' back\slash ; # \x41 %% é end\' \
		'env = A=x%h$B"'"'"'\ B=;é' 'passenv = TZ' 'session_timeout = 70'
	stanza many 5002 'bind = 127.0.0.1 ::1 /run/us%her @abstract' 'flags = NODELAY KEEPALIVE LABELED' \
		'instances = 3' 'per_source = 2' 'cps = 5 10 60' 'backlog = 9' 'socket_mode = 660' \
		'socket_group = daemon' 'only_from = 10.0.0.0/8 ::1' 'no_access = 10.1.0.0' \
		'log_type = SYSLOG local3 notice'
	stanza 'od@d/n%me' 5003 'v6only = yes'
	printf 'service dgram\n{\n\ttype = UNLISTED\n\tport = 5004\n\tsocket_type = dgram\n\twait = yes\n'
	printf '\tuser = nobody\n\tserver = /bin/cat\n\tbind = 127.0.0.1 ::1\n}\n'
	stanza seq 5005 'bind = /run/seq' 'socket_type = seqpacket'
} >rich
check "stanzas become units" runs 0 "$usherctl" convert --to systemd --output units rich
check "a pair for each, two for two datagram sockets" equal "$(find units -type f | wc -l)" 12

verify() {
	find units -name '*.socket' -exec systemd-analyze verify {} + >out 2>&1 || {
		cat out
		return 1
	}
	# Older ones do not know PollLimit, as the units say, and it warns of nobody as a user; all else would be wrong.
	grep "$tmp/units" out | grep -v "Unknown key.*PollLimit\|Special user nobody" && return 1
	return 0
}
if command -v systemd-analyze >/dev/null; then
	check "systemd-analyze finds nothing wrong" verify
else
	echo "note: systemd-analyze is not here"
fi

# What systemd reads from the units: its manager prints that in a dry run, which needs a user other than root.
as_systemd_reads() {
	setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$tmp/home" XDG_RUNTIME_DIR="$tmp/home" \
		SYSTEMD_UNIT_PATH="$tmp/units:" timeout 60 /lib/systemd/systemd --test --user --no-pager \
		--unit="$1" --log-target=console 2>/dev/null |
		awk -v unit="$1:" '$1 == "->" && $2 == "Unit" { on = $3 == unit } on'
}
mkdir -m 700 home
chown 65534 home
as_systemd_reads plain.service >seen 2>/dev/null
if command -v setpriv >/dev/null && grep -q 'Command Line' seen; then
	# In its own quotes; $$ becomes $ when the command is run.
	# shellcheck disable=SC2016
	check "systemd reads the same words" grep -qF \
		'Command Line: me%d "\$\$HOME" "\$\${X}" "a\"b" "'"'c'"'" "back\\slash" ";" # "\\x41" %% é "end\\"' seen
	# shellcheck disable=SC2016
	check "and the same environment" grep -qxF "$(printf '\t\tEnvironment: A=x%%h$B"'"'"'\\')" seen
	check "and its second word" grep -qF 'Environment: B=;é' seen
	check "and the umask" grep -q 'UMask: 0077' seen
	check "and how long it may run" grep -q 'RuntimeMaxSec: 1min 10s' seen
	check "and the limit" grep -q 'LimitAS: 2097152' seen
	as_systemd_reads many.socket >seen
	check "and the addresses" equal "$(sed -n 's/^[ \t]*ListenStream: //p' seen | tr '\n' ' ')" \
		"127.0.0.1:5002 [::1]:5002 /run/us%her @abstract "
	check "and the limits of connections" grep -q 'MaxConnections: 3' seen
	check "and the backlog" grep -q 'Backlog: 9' seen
	check "and the mode" grep -q 'SocketMode: 0660' seen
	check "and who may connect" grep -q 'IPAddressAllow: ::1/128' seen
	check "without those who may not" equal "$(grep -c 'IPAddressAllow: 10\.' seen)" 8
	check "and nobody else" equal "$(grep -c 'IPAddressDeny: \(0.0.0.0\|::\)/0' seen)" 2
else
	echo "note: no dry run of systemd here"
fi

if [ -d "$corpus/xinetd" ] && command -v systemd-analyze >/dev/null; then
	# Every stanza of the corpus, each with a port of its own and a program and user that are here.
	cat "$corpus"/xinetd/* | tr -d '\r' | awk '
		/^[ \t]*service[ \t]+[^ \t{=]+[ \t]*$/ { name = $2; next }
		name != "" && /^[ \t]*\{/ {
			printf "service %s\n{\n\tdisable = no\n\ttype = UNLISTED\n\tport = %d\n", name, 10000 + ++n
			print "\tserver = /bin/cat\n\tuser = nobody\n\tgroup = daemon\n\tbind = 127.0.0.1"
			name = ""
			on = 1
			next
		}
		/^[ \t]*\}/ { if (on) print; on = 0 }
		/^[ \t]*(disable|protocol|redirect|log_type|banner|banner_fail|banner_success|type|id)[ \t]/ { next }
		on && /^[ \t]*[a-zA-Z_]+[ \t]+[-+]?=/ { print }
	' >all
	rm -rf units
	"$usherctl" convert --to systemd --output units all >out 2>err
	check "the corpus of stanzas converts" [ $? -le 1 ]
	echo "note: $(find units -name '*.socket' | wc -l) sockets of $(grep -c ^service all) stanzas"
	check "most of it" [ "$(find units -name '*.socket' | wc -l)" -gt 150 ]
	check "and systemd-analyze finds nothing wrong" verify
fi
finish
