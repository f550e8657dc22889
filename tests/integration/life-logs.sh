#!/bin/bash
# Proves: the daemon's messages to a file, to syslog with its facility, and to the terminal, and what they look like.
if [ -z "$USHERD_TEST_MOUNTNS" ]; then
	USHERD_TEST_MOUNTNS=1
	export USHERD_TEST_MOUNTNS
	unshare -m true 2>/dev/null && exec unshare -m "$BASH" "$0" "$@"
fi
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"
command -v python3 >/dev/null || skip "needs python3"
[ -n "$USHERD_TEST_MOUNTNS" ] && mount -t tmpfs tmpfs "$tmp" 2>/dev/null || skip "needs a mount namespace"
undo() {
	clean_up
	umount -l "$tmp" && rmdir "$tmp"
} 2>/dev/null
trap undo EXIT

cat >"$tmp/tell" <<'END'
#!/bin/sh
echo "$*"
END
chmod +x "$tmp/tell"
{
	printf 'defaults\n{\n\tlog_on_success = PID HOST EXIT\n\tlog_on_failure = HOST\n}\n'
	stanza a 7001 "$tmp/tell" a "log_type = SYSLOG authpriv notice"
	stanza b 7002 "$tmp/tell" b "log_type = SYSLOG local3" "no_access = 127.0.0.1"
	stanza bad 7003 "$tmp/tell" bad "wait = perhaps"
} >"$tmp/main.conf"

# A syslog of our own: what arrives at /dev/log, a line each.
cp -a /dev/null /dev/tty "$tmp/" 2>/dev/null
cat >"$tmp/syslog.py" <<'END'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
out = open(sys.argv[2], "ab", 0)
out.write(b"ready\n")
while True:
    out.write(s.recv(8192) + b"\n")
END
mkdir "$tmp/dev"
mount -t tmpfs tmpfs "$tmp/dev"
cp -a /dev/null /dev/zero /dev/urandom "$tmp/dev/"
mount --rbind "$tmp/dev" /dev
python3 "$tmp/syslog.py" /dev/log "$tmp/syslog" &
syslog=$!
wait_for 20 has "$tmp/syslog" ready || die "no syslog"

at='[A-Z][a-z][a-z] [ 0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9]'
"$usherd" -f "$tmp/main.conf" -pidfile "$tmp/pid" || die "did not start"
daemon=$(cat "$tmp/pid")
check "without options messages go to syslog, facility daemon, priority notice (29)" \
	wait_for 20 has "$tmp/syslog" "^<29>$at usherd\[$daemon\]: Started working: 2 available services$"
check "an ERROR has its priority (27), and no word for it" \
	has "$tmp/syslog" "^<27>$at usherd\[$daemon\]: bad: wait: .*\[file=$tmp/main.conf\] \[line=[0-9]*\]$"
check "debug messages do not go there" lacks "$tmp/syslog" '^<31>'
check "a is served" says 7001 a
check "START goes to the stanza's facility and level (authpriv.notice = 85)" \
	wait_for 20 has "$tmp/syslog" "^<85>$at usherd\[$daemon\]: START: a pid=[0-9]* from=127.0.0.1$"
check "EXIT, too" wait_for 20 has "$tmp/syslog" "^<85>$at usherd\[$daemon\]: EXIT: a status=0 pid=[0-9]*$"
check "b is refused" equal "$(ask 7002)" ""
check "FAIL goes to its facility, level info by default (local3.info = 158)" \
	wait_for 20 has "$tmp/syslog" "^<158>$at usherd\[$daemon\]: FAIL: b address from=127.0.0.1$"

# Syslog goes away and comes back: nobody waits, nothing ends.
kill $syslog
wait $syslog 2>/dev/null
rm /dev/log
for _ in 1 2 3 4 5; do ask 7001; done >"$tmp/five"
check "without a syslog services answer" equal "$(lines '^a$' "$tmp/five")" 5
python3 "$tmp/syslog.py" /dev/log "$tmp/syslog2" &
syslog=$!
wait_for 20 has "$tmp/syslog2" ready
again() {
	ask 7001 >/dev/null
	has "$tmp/syslog2" 'EXIT: a'
}
check "when it is back records arrive again" wait_for 20 again
kill "$daemon"
check "SIGTERM" wait_for 20 gone "$daemon"
check "its last words arrive (warning: 28)" wait_for 20 has "$tmp/syslog2" "^<28>$at usherd\[$daemon\]: Exiting...$"

ln -s "$usherd" "$tmp/xinetd"
ln -s "$top_build/usherd-worker" "$tmp/usherd-worker"
"$tmp/xinetd" -syslog local5 -f "$tmp/main.conf" -pidfile "$tmp/pid" || die "did not start"
daemon=$(cat "$tmp/pid")
check "-syslog local5 (173), and the name is the one that it was called by" \
	wait_for 20 has "$tmp/syslog2" "^<173>$at xinetd\[$daemon\]: Started working: 2 available services$"
kill "$daemon"
wait_for 20 gone "$daemon"
daemon=

# -filelog.
today=$(date +%y/%-m/%-d)
"$usherd" -filelog "$tmp/file" -f "$tmp/main.conf" -pidfile "$tmp/pid" || die "did not start"
daemon=$(cat "$tmp/pid")
stamp='[0-9][0-9]/[1-9][0-9]*/[1-9][0-9]*@[0-2][0-9]:[0-5][0-9]:[0-6][0-9]'
check "-filelog: date, name, pid, level, text" wait_for 20 has "$tmp/file" \
	"^$stamp usherd\[$daemon\]: NOTICE: Started working: 2 available services$"
check "the date is today's" has "$tmp/file" "^\($today\|$(date +%y/%-m/%-d)\)@"
check "an ERROR has its word" has "$tmp/file" "^$stamp usherd\[$daemon\]: ERROR: bad: wait: "
check "debug messages go there" has "$tmp/file" "^$stamp usherd\[$daemon\]: DEBUG: added service a$"
kill -HUP "$daemon"
check "a reload says what xinetd says" wait_for 20 has "$tmp/file" "^$stamp usherd\[$daemon\]: NOTICE: readjusting service a$"
check "before that, too" has "$tmp/file" "NOTICE: Swapping defaults$"
kill "$daemon"
check "SIGTERM" wait_for 20 gone "$daemon"
daemon=
check "every line has that shape" equal "$(grep -cvE "^$(echo "$stamp" | sed 's/\\//g') usherd\[[0-9]+\]: (DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL): " "$tmp/file")" 0
check "the file has mode 0644" equal "$(stat -c %a "$tmp/file")" 644
before=$(wc -l <"$tmp/file")
"$usherd" -filelog "$tmp/file" -f "$tmp/absent" 2>/dev/null
more() { [ "$(wc -l <"$tmp/file")" -gt "$before" ] && has "$tmp/file" "NOTICE: Started working"; }
check "it is appended to" wait_for 20 more
check "CRITICAL has its word" wait_for 20 has "$tmp/file" "CRITICAL: .*couldn't get configuration. Exiting...$"

# In the foreground: standard error.
"$usherd" -dontfork -f "$tmp/main.conf" 2>"$tmp/err" &
daemon=$!
check "-dontfork: messages go to standard error" wait_for 20 has "$tmp/err" 'Started working: 2 available services'
kill "$daemon"
wait "$daemon"
daemon=
check "without debug messages" lacks "$tmp/err" DEBUG
# The shell empties the file only when the daemon starts, and the old lines must not be taken for new ones.
: >"$tmp/err"
"$usherd" -d -f "$tmp/main.conf" 2>"$tmp/err" &
daemon=$!
wait_for 20 has "$tmp/err" 'Started working'
check "-d: with them" wait_for 20 has "$tmp/err" 'added service a'
kill -INT "$daemon"
wait "$daemon"
check "Ctrl-C ends it" equal "$?" 0
daemon=
kill $syslog
umount -l /dev
umount -l "$tmp/dev"
finish
