#!/bin/sh
# Proves: of each test that failed tests/lib/failures.sh shows the lines that matter and the end of its log, and ends with a line each.
# SPDX-License-Identifier: ISC

show=$(cd "${srcdir:-.}" && pwd)/tests/lib/failures.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/tests/unit"
cd "$tmp" || exit 1
status=0

# outcome NAME RESULT: what make check leaves of a test; its log comes from standard input.
outcome() {
	echo ":global-test-result: $2" >"tests/$1.trs"
	cat >"tests/$1.log"
}
expect() {
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		printf 'not ok - %s\n    expected: %s\n    actual:   %s\n' "$1" "$3" "$2"
		status=1
	fi
}

echo "not ok - is not to be shown" | outcome good PASS
expect "nothing failed: nothing is said" "$(sh "$show")" ""
{
	echo "not ok - early"
	seq -f 'line %.0f' 200
} | outcome bad FAIL
printf 'ok 1\n#0 AddressSanitizer: heap-use-after-free\n' | outcome unit/worse ERROR
outcome silent FAIL </dev/null
said=$(sh "$show")
expect "each one that failed is shown" "$(echo "$said" | grep -c '^=== failed: ')" 3
expect "its sign with its place" "$(echo "$said" | grep -c '^1:not ok - early')" 1
expect "and what follows it" "$(echo "$said" | grep -c '^9-line 8$')" 1
expect "not all" "$(echo "$said" | grep -c 'line 100$')" 0
expect "the last sixty lines" "$(echo "$said" | grep -c '^line 1[4-9][1-9]$\|^line 1[5-9]0$\|^line 200$')" 60
expect "one that passed is not there" "$(echo "$said" | grep -c 'not to be shown')" 0
expect "a line each at the end" "$(echo "$said" | tail -n 3)" "tests/bad: not ok - early
tests/silent: 
tests/unit/worse: #0 AddressSanitizer: heap-use-after-free"
exit $status
