# SPDX-License-Identifier: ISC
# What the tests with real servers share; sourced after tests/lib/lib.sh and reload-lib.sh.
# shellcheck shell=bash disable=SC2154 # top_src and others come from lib.sh

uses=${USHERD_TEST_USES:-50}

# find_server NAME: where a server is, installed or unpacked by tests/lib/programs.sh; skips without it. Sets $found.
find_server() {
	local place
	for place in /usr/sbin /usr/bin /usr/local/sbin "${USHERD_PROGRAMS:-$top_src/build/programs}/root/usr/sbin" \
		"$top_build/build/programs/root/usr/sbin"; do
		found=$place/$1
		[ -x "$found" ] && ! ldd "$found" 2>/dev/null | grep -q 'not found' && return
	done
	skip "there is no $1: tests/lib/programs.sh fetches those that are not to be installed"
}

# many SENTENCE: calls the function use 50 times, 10 at once, with the number; each has to succeed and say nothing.
many() {
	export -f use
	export tmp uses
	seq "$uses" | xargs -P 10 -I{} timeout 120 bash -c 'use {} || echo "use {} failed"' >"$tmp/said" 2>&1
	[ -s "$tmp/said" ] && head -n 20 "$tmp/said"
	check "$1: $uses uses, 10 at once, every byte compared" equal "$(wc -l <"$tmp/said")" 0
}

# recorded ID N: as many START as EXIT as uses, all with status 0.
recorded() {
	all_ended() { [ "$(lines "EXIT: $1 status=0 " "$tmp/service.log")" -eq "$2" ]; }
	check "$1: $2 EXIT with status 0" wait_for 20 all_ended "$1" "$2"
	check "$1: $2 START" equal "$(lines "START: $1 " "$tmp/service.log")" "$2"
	check "$1: no FAIL" lacks "$tmp/service.log" "FAIL: $1"
}

# a_tree DIR: files of many kinds and sizes.
a_tree() {
	local size
	mkdir -p "$1/deep/er" "$1/empty"
	for size in 0 1 511 512 513 4096 65535 65536 200000; do
		head -c "$size" /dev/urandom >"$1/file.$size"
	done
	cp "$1/file.513" "$1/deep/er/with some spaces"
	printf 'one\r\ntwo\n\377\0three' >"$1/deep/text"
	ln -s text "$1/deep/link"
}

# one_defaults: as Debian's xinetd.conf has them, plus a log.
one_defaults() {
	printf 'defaults\n{\n\tlog_type = FILE %s\n\tlog_on_success = PID HOST EXIT\n' "$tmp/service.log"
	printf '\tlog_on_failure = HOST\n\tcps = 1000 1\n}\n'
}

# Servers must not look for what is root's.
unset HOME XDG_CONFIG_HOME
