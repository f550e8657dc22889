# SPDX-License-Identifier: ISC
# What the tests of reloading, of life and of programs share beside tests/lib/lib.sh; sourced after it.
# shellcheck shell=bash disable=SC2154 # top_src and others come from lib.sh

# What a broken daemon never answers must not hang a test: the time limit of read.
# shellcheck disable=SC2034
TMOUT=30

# helper NAME: a program of tests/bench; its path goes to $helper.
helper() {
	helper=$top_build/tests/bench/$1
	[ -x "$helper" ] || die "$helper is missing; make check builds it"
}

# stanza ID PORT SERVER ARGS [LINE...]: an unlisted stream service, as text; later lines replace earlier ones.
stanza() {
	local id=$1 port=$2 server=$3 args=$4 line name
	shift 4
	local -A value=([type]=UNLISTED [socket_type]=stream [protocol]=tcp [wait]=no [user]=root [port]=$port
		[server]=$server [server_args]=$args)
	for line; do
		name=${line%%[ =]*}
		value[$name]=${line#*= }
	done
	printf 'service %s\n{\n' "$id"
	for name in "${!value[@]}"; do
		[ -n "${value[$name]}" ] && printf '\t%s = %s\n' "$name" "${value[$name]}"
	done
	printf '}\n'
}

# The text of defaults that limit nothing and record everything in $tmp/service.log.
open_defaults() {
	printf 'defaults\n{\n\tlog_type = FILE %s\n' "$tmp/service.log"
	printf '\tlog_on_success = PID HOST EXIT\n\tlog_on_failure = HOST\n'
	printf '\tinstances = UNLIMITED\n\tper_source = UNLIMITED\n\tcps = 1000000 1\n}\n'
}

# How often the daemon has finished a reload, with success or without.
reloads() {
	grep -c -e 'Reconfigured:' -e 'reconfiguration failed' "$tmp/daemon.log"
}

more_reloads_than() {
	[ "$(reloads)" -gt "$1" ]
}

# Sends SIGHUP and waits until it has been done.
reload() {
	before=$(reloads)
	kill -HUP "$daemon"
	wait_for 30 more_reloads_than "$before" || die "the reload did not come to its end"
}

# ask PORT [ADDRESS]: what a service says, read to the end.
ask() {
	timeout 30 bash -c 'exec 3<>"/dev/tcp/$1/$2" && cat <&3' ask "${2:-127.0.0.1}" "$1" 2>/dev/null
}

says() {
	equal "$(ask "$1" "${3:-127.0.0.1}")" "$2"
}

refuses() {
	! (: <"/dev/tcp/${2:-127.0.0.1}/$1") 2>/dev/null && return
	ss -Htlnp "sport = :$1" | sed 's/^/    /'
	return 1
}

# rests_after N PORT: connects so often, at once, as cps counts by the second, and tells whether the service rests.
rests_after() {
	local i one
	for ((i = 0; i < $1; i++)); do
		exec {one}<>"/dev/tcp/127.0.0.1/$2" && exec {one}>&-
	done 2>/dev/null
	refuses "$2"
}

# The inode of the socket that listens on a TCP port: the same as long as it is the same socket.
inode_of() {
	ss -Hltne "sport = :$1" | sed -n 's/.* ino:\([0-9]*\).*/\1/p'
}

# Whether a descriptor of the daemon is this socket.
daemon_has() {
	# shellcheck disable=SC2010 # links, not names
	ls -l "/proc/$daemon/fd" | grep -q "socket:\[$1\]"
}

# lines PATTERN FILE...: how many lines match in all the files together.
lines() {
	local pattern=$1
	shift
	cat "$@" 2>/dev/null | grep -c -e "$pattern"
}

alive() {
	kill -0 "$1" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

gone() {
	! alive "$1" && return
	ps -o pid,ppid,stat,wchan:20,args -p "$1" | sed 's/^/    /'
	return 1
}

has() {
	grep -q -e "$2" "$1" && return
	printf '    %s has no line like: %s\n' "$1" "$2"
	tail -n 15 "$1" | sed 's/^/    it has: /'
	return 1
}

lacks() {
	! grep -e "$2" "$1" | sed 's/^/    there is: /' | grep .
}
