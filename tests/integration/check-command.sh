#!/bin/bash
# usherctl check and dump: exit status, summary, JSON, all errors at once; no file, however bad, ends usherctl or usherd.
# SPDX-License-Identifier: ISC

# shellcheck source=tests/lib/lib.sh
. "${srcdir:-.}/tests/lib/lib.sh"

command -v python3 >/dev/null || skip "needs python3"
command -v setpriv >/dev/null || skip "needs setpriv"
cd "$tmp" || exit 1
small=
chmod 755 "$tmp"

# stanza NAME PORT [LINE...]: a complete service.
stanza() {
	printf 'service %s\n{\n\ttype = UNLISTED\n\tsocket_type = stream\n\tport = %s\n' "$1" "$2"
	printf '\twait = no\n\tuser = root\n\tserver = /bin/cat\n'
	shift 2
	[ $# -eq 0 ] || printf '\t%s\n' "$@"
	echo '}'
}

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

# --- statuses and summary ---------------------------------------------------------------------

stanza a 4001 >good
stanza a 4001 'unknown_thing = 5' >warned
{
	stanza a 4001 'instances = x' 'nice = y'
	echo 'include second'
	stanza b 4002
	stanza c 4003 'disable = yes'
} >bad
stanza d 4004 'cps = 1' >second

check "a clean file gives 0" runs 0 "$usherctl" check good
check "and a summary" said "1 service; 0 errors, 0 warnings"
check "warnings give 0" runs 0 "$usherctl" check warned
check "and are told" said "warned:9: warning: unknown attribute \"unknown_thing\""
check "with --strict they give 1" runs 1 "$usherctl" check --strict warned

# in_order FILE NUMBER: what was printed last has so many findings of it, in the order of its lines.
in_order() {
	sed -n "s|^[^ ]*/$1:\([0-9]*\):.*|\1|p" out >lines
	[ "$(wc -l <lines)" -eq "$2" ] && sort -n -c lines && return 0
	cat out
	return 1
}

{
	stanza a 4001 'instances = x'
	echo 'rubbish'
	stanza b 4002 'nice = y' 'strange'
} >mixed
"$usherctl" check mixed >out 2>err
check "what is wrong with words and what with values is told line by line" in_order mixed 4
check "--strict is content with a clean file" runs 0 "$usherctl" check --strict good
check "errors give 1" runs 1 "$usherctl" check bad
check "the first error is told" said "$tmp/bad:9: error: instances:"
check "the second of the same stanza, too" said "$tmp/bad:10: error: nice:"
check "and the one of the included file" said "$tmp/second:9: error: \"cps\" takes"
check "the summary counts all" said "1 service, 2 refused, 1 disabled; 3 errors, 0 warnings"
check "a missing file gives 2" runs 2 "$usherctl" check nowhere
check "and says so" said "nowhere: error: "
check "a wrong command gives 64" runs 64 "$usherctl" chekc good
check "a wrong option gives 64" runs 64 "$usherctl" check --jsno good
check "two files give 64" runs 64 "$usherctl" check good bad

# --- JSON ----------------------------------------------------------------------------------------

printf 'servic\351 a\n' >>bad
check "--json gives 1 for errors as well" runs 1 "$usherctl" check --json bad
cat >look.py <<'END'
import json, sys
d = json.load(open("out"))
assert d["errors"] == 4 and d["warnings"] == 0 and d["refused"] == 2 and d["disabled"] == 1, d
assert [s["id"] for s in d["services"]] == ["b"], d["services"]
assert d["services"][0]["endpoints"] == ["tcp [::]:4002"], d["services"]
errors = [f for f in d["findings"] if f["severity"] == "error"]
assert len(errors) == 4
assert sorted(f["line"] for f in errors if f["file"].endswith("/bad"))[:2] == [9, 10], errors
assert {f["service"] for f in errors} >= {"a", "d"}, errors
END
check "--json is valid and complete" python3 look.py
check "--json of a file that is not there is JSON, too, and gives 2" runs 2 "$usherctl" check --json nowhere
check "with its error in it" python3 -c 'import json; assert json.load(open("out"))["errors"] == 1'

# --- dump ------------------------------------------------------------------------------------------

check "dump of a good file gives 0" runs 0 "$usherctl" dump good
cp out dumped
check "it writes nothing but the dump" equal "$(cat err)" ""
check "its dump is a good file" runs 0 "$usherctl" check --strict dumped
check "which dumps" runs 0 "$usherctl" dump dumped
check "to the same text" equal "$(grep -v '^#' out)" "$(grep -v '^#' dumped)"
check "dump of a bad file gives 1" runs 1 "$usherctl" dump bad
check "with the good service" said "service b"
check "and the errors on standard error" grep -q 'error: instances' err
check "dump of a missing file gives 2" runs 2 "$usherctl" dump nowhere
if [ -w /dev/full ]; then
	"$usherctl" dump good >/dev/full 2>err
	check "a full disk gives 2" equal $? 2
fi

# --- bad files, told by usherctl -----------------------------------------------------------------------

cp "$usherctl" ./usherctl-copy
chmod 755 ./usherctl-copy
stanza a 4001 >secret
chmod 600 secret
nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups ./usherctl-copy "$@"
}
check "a file that may not be read gives 2" runs 2 nobody check secret
check "and says why" said "cannot be read: Permission denied"
printf 'include %s/secret\n' "$tmp" >asks
chmod 644 asks
check "an included file that may not be read gives 1" runs 1 nobody check asks
check "and names the line that includes it" said "asks:1: error: file $tmp/secret cannot be included: Permission denied"
check "no privilege is needed" runs 0 nobody check good

check "a directory gives 2" runs 2 "$usherctl" check .
check "and says what to write" said 'write "includedir"'
check "a device gives 2" runs 2 "$usherctl" check /dev/null
mkfifo pipe
check "a pipe gives 2, without waiting for a writer" runs 2 timeout 60 "$usherctl" check pipe
check "a program gives 1" runs 1 "$usherctl" check "$usherctl"
check "and says what it is" said "is not a configuration file"

head -c 104857600 /dev/urandom >rubbish
check "100 MB of rubbish give 2" runs 2 "$usherctl" check "$tmp/rubbish"
check "and say why" said "larger than 32 MiB"
head -c 20971520 rubbish >small-rubbish
rm rubbish
check "20 MB of rubbish give 1" runs 1 "$usherctl" check small-rubbish
{
	printf x
	tr -d '\n\0' <small-rubbish | head -c 5000000
} >line-rubbish
check "5 MB in one line give 1" runs 1 "$usherctl" check line-rubbish
{
	printf 'service a\n{\n'
	tr -d '\0}' <small-rubbish | head -c 500000
} >stanza-rubbish
check "rubbish within a stanza gives 1" runs 1 "$usherctl" check stanza-rubbish

{
	printf 'service a\n{\n'
	yes x | head -c 20000000
} >lines-rubbish
grep -q __asan_init "$usherctl" || small='prlimit --as=500000000'
# shellcheck disable=SC2086 # a command in front of the command, or nothing
check "ten million lines of it give 1, in 500 MB" runs 1 $small "$usherctl" check lines-rubbish
check "and say that it ends there" said "the entry has more than 10000 lines; the rest is skipped"

echo "include $tmp/loop" >loop
check "a file that includes itself gives 1" runs 1 "$usherctl" check loop
check "and says so" said "loop:1: error: file $tmp/loop cannot be included: it is already being read"
echo "include $tmp/ring2" >ring1
echo "include $tmp/ring1" >ring2
check "a ring of includes gives 1" runs 1 "$usherctl" check ring1
check "and says so at the line that closes it" said "ring2:1: error: "
mkdir dir
echo "includedir $tmp/dir" >dir/x
check "a directory that includes itself gives 1" runs 1 "$usherctl" check dir/x
for i in $(seq 0 40); do
	echo "include $tmp/deep$((i + 1))" >"deep$i"
done
check "includes that go too deep give 1" runs 1 "$usherctl" check deep0
check "and say so" said "files include each other too deeply"

stanza a 65536 >port
check "a port above 65535 gives 1" runs 1 "$usherctl" check port
check "and says what to write" said 'port:5: error: port "65536" is not valid; write a number from 0 to 65535'
stanza a 4001 | sed 's/user = root/user = no-such-user/' >user
check "an unknown user gives 1" runs 1 "$usherctl" check user
check "and names it" said 'user:7: error: there is no user "no-such-user"'

# --- many services ----------------------------------------------------------------------------------------

for i in $(seq 10000); do
	printf 'service s%d\n{\n\ttype = UNLISTED\n\tsocket_type = stream\n\tport = %d\n\twait = no\n\tuser = root\n' "$i" $((i + 10000))
	printf '\tgroup = root\n\tserver = /bin/cat\n\tserver_args = -u\n\tonly_from = 10.0.0.0/8 127.0.0.1\n\tinstances = 20\n}\n'
done >many
limit=0.5
if grep -q __asan_init "$usherctl"; then
	limit=10
fi
cat >clock.py <<'END'
import resource, subprocess, sys
best = 1e9
for attempt in range(3):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.argv[1], "check", "many"], capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert done.returncode == 0 and b"10000 services; 0 errors" in done.stdout, done.stdout[-500:]
print(f"  10,000 services in {best:.3f} s of processor time")
sys.exit(best >= float(sys.argv[2]))
END
check "10,000 services load in $limit s" python3 clock.py "$usherctl" "$limit"

# --- the daemon with the same files ---------------------------------------------------------------------------

# starts STATUS FILE: without -stayalive a daemon that can host nothing ends with this status, at once.
starts() {
	: >daemon.log
	timeout 60 "$usherd" -filelog "$tmp/daemon.log" -f "$2" 2>err
	status=$?
	if grep -q 'Sanitizer\|runtime error' err; then
		head -20 err
		return 1
	fi
	equal "$status" "$1"
}
for file in nowhere . small-rubbish loop port user deep0 pipe; do
	check "usherd with nothing but $file ends with 1" starts 1 "$tmp/$file"
done
printf 'defaults\n{\n\tinstances = x\n}\n' >defaults
stanza a 4001 >>defaults
check "usherd with an error in defaults ends with 1" starts 1 "$tmp/defaults"
check "and says why" wait_for 20 grep -q 'instances: "x" is not valid' daemon.log

# reloads SENTENCE: sends SIGHUP and waits until it is carried out or refused; the service must answer then.
count() {
	grep -c 'Reconfigured:\|reconfiguration failed' "$tmp/daemon.log"
}
reloads() {
	before=$(count)
	kill -HUP "$daemon"
	after() { [ "$(count)" -gt "$before" ]; }
	wait_for 30 after || die "no end of the reload: $1"
	kill -0 "$daemon" || die "the daemon is gone: $1"
	check "$1: the service still answers" answers
}
answers() {
	python3 -c '
import socket
s = socket.create_connection(("127.0.0.1", 4001), 5)
s.sendall(b"hello")
s.shutdown(socket.SHUT_WR)
assert s.recv(10) == b"hello"'
}
# What usherd would find out only when it starts.
mkdir logs
{
	stanza a 4001 "log_type = FILE $tmp/logs/a"
	stanza b 4002 "log_type = FILE $tmp/no-logs/b"
	stanza c 4003 "log_type = FILE $tmp/logs"
	printf 'defaults\n{\n\tlog_type = FILE %s/nowhere/all\n}\n' "$tmp"
	stanza d 4004
	stanza e 4005
} >log-places
check "logs that cannot be made are warnings" runs 0 "$usherctl" check log-places
check "which name the directory" said "no-logs: No such file or directory"
check "or what is one" said "logs: Is a directory"
check "once for defaults" equal "$(grep -c nowhere out)" 1
check "and nothing else" said "5 services; 0 errors, 3 warnings"
check "so with --strict it fails" runs 1 "$usherctl" check --strict log-places
cp good live
start_usherd "$tmp/live"
check "the service answers" answers
stanza a 4001 'instances = x' >live
reloads "after a reload with an error in its stanza"
cp small-rubbish live
stanza a 4001 >>live
reloads "after a reload with rubbish in front of it"
cp defaults live
reloads "after a reload with an error in defaults"
check "which is told" grep -q 'reconfiguration failed' daemon.log
rm live
reloads "after a reload without a file"
mkdir live
reloads "after a reload with a directory for a file"
rmdir live
{
	echo "include $tmp/loop"
	echo "include $tmp/deep0"
	echo "includedir $tmp/dir"
	echo "include $tmp/pipe"
	stanza a 4001
	stanza p 65536
	stanza u 4002 'group = no-such-group'
} >live
reloads "after a reload with loops, a pipe, bad ports and unknown groups"
cp good live
reloads "after a reload with a good file"
finish
