#!/bin/sh
# Proves: of each test that failed tests/lib/failures.sh shows the lines that matter and the end of its log, and ends with a line each;
# and "./bootstrap check" fails when a test does, runs a few that failed again, alone, and says aloud which passed then.
# SPDX-License-Identifier: ISC

top=$(cd "${srcdir:-.}" && pwd)
show=$top/tests/lib/failures.sh
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

# --- a project of a few tests, with this bootstrap -------------------------------------------

# What the run of all tests has told make and bootstrap is not for this one.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES TESTS SANITIZE WERROR CONFIGURE_ARGS srcdir
JOBS=2
export JOBS
mkdir -p "$tmp/project/tests/lib" "$tmp/bin"
cd "$tmp/project" || exit 1
cp "$top/bootstrap" bootstrap
cp "$show" tests/lib/failures.sh
echo "exit 0" >tests/lib/programs.sh
printf 'AC_INIT([project], [1])\nAM_INIT_AUTOMAKE([foreign subdir-objects])\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n' >configure.ac
printf 'TEST_EXTENSIONS = .sh\nTESTS = tests/one.sh tests/two.sh tests/three.sh tests/four.sh tests/five.sh\n' >Makefile.am
# Nothing is to be installed for it.
echo "echo installed" >"$tmp/bin/dpkg-query"
echo "exit 1" >"$tmp/bin/apt-get"
chmod +x "$tmp"/bin/*
PATH=$tmp/bin:$PATH

# project STATUS...: runs the five tests, each with these exit statuses: "1/0" is 1 the first time and 0 after that.
project() {
	for test in one two three four five; do
		printf '#!/bin/sh\necho run >>%s.runs\n[ "$(wc -l <%s.runs)" -gt 1 ] && exit %s\nexit %s\n' \
			"$test" "$test" "${1#*/}" "${1%/*}" >tests/$test.sh
		chmod +x tests/$test.sh
		shift
	done
	rm -f ./*.runs
	sh ./bootstrap check >said 2>&1
	code=$?
	last=$(tail -n 1 said)
	again=$(sed -n 's/^bootstrap: failed beside the others, and passed when run again alone: //p' said | tr '\n' ' ')
	runs=$(for test in one two three four five; do wc -l <$test.runs; done | tr '\n' ' ')
}

project 0 0 0 0 0
expect "all pass: so does the run" "$code, $last, $again, $runs" "0, 5 passed, 0 failed, , 1 1 1 1 1 "
project 0 1 0 0 99
expect "two fail always: so does the run, and they were run again" "$code, $last, $again, $runs" \
	"1, 3 passed, 2 failed, , 1 2 1 1 2 "
project 0 1/0 0 0 99/0
expect "two fail once: that is said aloud" "$code, $last, $again, $runs" \
	"0, 5 passed, 0 failed, tests/five tests/two , 1 2 1 1 2 "
project 1/0 1 0 1/77 0
expect "one of three fails always, and one does not run again: so does the run" "$code, $last, $again, $runs" \
	"1, 3 passed, 2 failed, tests/one , 2 2 1 2 1 "
project 1/0 1/0 1/0 1/0 0
expect "four fail: none is run again" "$code, $last, $again, $runs" "1, 1 passed, 4 failed, , 1 1 1 1 1 "
[ $status -eq 0 ] || cat said
exit $status
