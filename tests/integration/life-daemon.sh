#!/bin/bash
# Proves: daemonising: the caller's return means that services answer; session, descriptors, pid file, relative paths.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"

mkdir "$tmp/d" "$tmp/start" "$tmp/start/sub"
cat >"$tmp/tell" <<'END'
#!/bin/sh
echo "$*"
END
cat >"$tmp/world" <<'END'
#!/bin/sh
echo "cwd $(pwd)"
set -- $(sed 's/.*) //' /proc/$$/stat)
[ "$3" = $$ ] && [ "$4" = $$ ] && echo "session own, terminal $5"
grep -E 'SigBlk|SigIgn' /proc/$$/status | tr '\t\n' '  '
END
chmod +x "$tmp/tell" "$tmp/world"
{
	stanza a 7001 "$tmp/tell" a
	stanza world 7002 "$tmp/world" ""
	stanza ls 7005 /bin/ls /proc/self/fd
	echo "include sub/more"
	echo "includedir sub/dir"
} >"$tmp/start/main.conf"
mkdir "$tmp/start/sub/dir"
stanza b 7003 "$tmp/tell" "b 1" >"$tmp/start/sub/more"
stanza c 7004 "$tmp/tell" "c 1" >"$tmp/start/sub/dir/c"
echo precious >"$tmp/precious"
ln -s "$tmp/precious" "$tmp/start/pid"
cd "$tmp/start" || die "no directory"

# Many rounds: that the caller returns too early would show now and then only.
for i in 1 2 3 4 5 6 7 8; do
	rm -f "$tmp/round.pid"
	"$usherd" -f main.conf -pidfile "$tmp/round.pid" -filelog "$tmp/log" </dev/null >/dev/null 2>&1
	status=$?
	first=$(ask 7003)
	[ "$status/$first" = "0/b 1" ] || break
	daemon=$(cat "$tmp/round.pid")
	kill "$daemon" && wait_for 20 gone "$daemon"
	daemon=
done
check "at the caller's return the services answer, eight times of eight" equal "$i $status $first" "8 0 b 1"

# With signals ignored, descriptors and a strange umask inherited, from a directory of its own, with relative paths.
(
	trap '' HUP INT QUIT TERM USR1
	umask 0077
	exec 7</dev/null 9>"$tmp/inherited"
	"$usherd" -f main.conf -pidfile pid -filelog log -stayalive 2>"$tmp/err" >"$tmp/out" </dev/null
)
check "the caller's status is 0" equal "$?" 0
check "the pid file was replaced, not written through the link" [ ! -L "$tmp/start/pid" ]
check "what the link led to is as it was" equal "$(cat "$tmp/precious")" precious
daemon=$(cat "$tmp/start/pid")
check "the pid file holds the daemon's number and a newline" equal \
	"$(od -An -c "$tmp/start/pid" | tr -d ' ')" "$(printf '%s\n' "$daemon" | od -An -c | tr -d ' ')"
check "it is the daemon's" equal "$(readlink "/proc/$daemon/exe")" "$(readlink -f "$usherd")"
check "the log is beside it: relative paths are of the start directory" wait_for 20 has "$tmp/start/log" 'Started working: 5 available services'
# shellcheck disable=SC2046 # words
set -- $(sed 's/.*) //' "/proc/$daemon/stat")
check "it has a session of its own, or its parent's that ended, without terminal" equal "$4 $5" "$daemon 0"
check "its directory is /" equal "$(readlink "/proc/$daemon/cwd")" /
for fd in 0 1 2; do
	check "descriptor $fd is /dev/null" equal "$(readlink "/proc/$daemon/fd/$fd")" /dev/null
done
check "it has nothing of what the caller had open" lacks <(ls -l "/proc/$daemon/fd") inherited
check "its parent is not the caller" [ "$2" != $$ ]
check "nothing was written to the caller" equal "$(cat "$tmp/out" "$tmp/err")" ""

world=$(ask 7002)
check "a server has descriptors 0, 1 and 2 only, and what it opens itself" equal "$(ask 7005 | tr '\n' ' ')" "0 1 2 3 "
check "a server is in /" has <(echo "$world") '^cwd /$'
check "a server leads a session without terminal" has <(echo "$world") '^session own, terminal 0$'
check "a server has no signals blocked or ignored" has <(echo "$world") 'SigBlk: 0000000000000000 SigIgn: 0000000000000000'

# Relative includes at a reload, although the daemon is in / now.
stanza b 7003 "$tmp/tell" "b 2" >"$tmp/start/sub/more"
stanza c 7004 "$tmp/tell" "c 2" >"$tmp/start/sub/dir/c"
kill -HUP "$daemon"
check "a relative include is found at a reload" wait_for 20 says 7003 "b 2"
check "a relative includedir, too" says 7004 "c 2"
stanza a 7001 "$tmp/tell" "a 3" >"$tmp/start/main.conf"
kill -HUP "$daemon"
check "a relative main file, too" wait_for 20 says 7001 "a 3"

kill "$daemon"
check "SIGTERM works although the caller had it ignored" wait_for 20 gone "$daemon"
daemon=
check "the pid file is gone" [ ! -e "$tmp/start/pid" ]
check "the log says so" has "$tmp/start/log" 'WARNING: Exiting...'

# Mode of the pid file; one that cannot be written is no reason to fail.
(
	umask 0
	"$usherd" -f main.conf -pidfile "$tmp/p" -filelog "$tmp/log2"
)
daemon=$(cat "$tmp/p")
check "the pid file has mode 0644 whatever the umask" equal "$(stat -c %a "$tmp/p")" 644
kill -QUIT "$daemon"
check "SIGQUIT ends it, too" wait_for 20 gone "$daemon"
check "and takes the pid file away" [ ! -e "$tmp/p" ]
daemon=
"$usherd" -dontfork -f main.conf -pidfile "$tmp/no/p" -filelog "$tmp/log3" 2>"$tmp/err" &
daemon=$!
check "a pid file that cannot be written is reported" wait_for 20 has "$tmp/log3" "ERROR: pid file $tmp/no/p"
check "and the daemon runs" wait_for 20 says 7001 "a 3"
kill "$daemon"
wait "$daemon"
check "and ends with status 0" equal "$?" 0
daemon=
# A daemon that cannot start leaves no pid file.
"$usherd" -f "$tmp/absent" -pidfile "$tmp/p" -filelog "$tmp/log2" 2>/dev/null
check "a start that fails leaves no pid file" [ ! -e "$tmp/p" ]
cd /
finish
