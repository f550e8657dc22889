#!/bin/sh
# SPDX-License-Identifier: ISC
# What the tests that failed in this build tree say: the lines that matter, the end of each one's log, and a line each.
#
# usage: tests/lib/failures.sh [names]    in the directory where "make check" ran; or only the names of the tests
set -eu

# Where a failure shows itself, in our own tests, cmocka's, the sanitizers' and the programs that they run.
signs='not ok|^FAIL|^ERROR|Traceback|Sanitizer|runtime error:|: error|Segmentation fault|[Aa]ssert|command not found|timed out'

# The names of the tests that failed, without what comes after the dot.
failed() {
	find tests -name '*.trs' -exec grep -lE '^:global-test-result: (FAIL|ERROR|XPASS)' {} + | sed 's/\.trs$//' | LC_ALL=C sort
}

show() {
	printf '\n=== failed: %s (all of its output is in %s/%s.log)\n' "$1" "$(pwd -P)" "$1"
	if [ ! -s "$1.log" ]; then
		echo "    it said nothing"
		return
	fi
	grep -nE -B 2 -A 8 -e "$signs" "$1.log" | head -n 80 | cut -c 1-600
	echo "--- the last lines"
	tail -n 60 "$1.log" | cut -c 1-600
}

if [ "${1:-}" = names ]; then
	failed
	exit
fi
failed | while read -r test; do
	show "$test"
done
failed | while read -r test; do
	printf '%s: %s\n' "$test" "$(grep -E -m 1 -e "$signs" "$test.log" | cut -c 1-300)"
done
