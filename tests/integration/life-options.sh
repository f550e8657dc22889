#!/bin/bash
# Proves: the command line and the exit statuses: usage errors, historic options, -version, bad and missing files.
if [ -z "$USHERD_TEST_MOUNTNS" ]; then
	USHERD_TEST_MOUNTNS=1
	export USHERD_TEST_MOUNTNS
	unshare -m true 2>/dev/null && exec unshare -m "$BASH" "$0" "$@"
fi
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"

cat >"$tmp/tell" <<'END'
#!/bin/sh
echo "$*"
END
chmod +x "$tmp/tell"
stanza a 7001 "$tmp/tell" a >"$tmp/good"
: >"$tmp/empty"
{
	printf 'defaults\n{\n\tmax_load = heavy\n}\n'
	cat "$tmp/good"
} >"$tmp/bad-defaults"
stanza a 7001 "$tmp/tell" a "wait = perhaps" >"$tmp/only-broken"
printf 'stray\n' >>"$tmp/only-broken"

# runs STATUS SENTENCE OPTION...: the program ends with this status; its output is in $tmp/out and $tmp/err.
runs() {
	local want=$1 sentence=$2
	shift 2
	timeout 60 "$usherd" "$@" >"$tmp/out" 2>"$tmp/err"
	check "$sentence: status $want" equal "$?" "$want"
}

runs 0 "-version" -version
check "prints one line that names usherd" [ "$(cat "$tmp/out" "$tmp/err" | grep -c '^usherd ')" -eq 1 ]
for word in -bogus --bogus -Dontfork -f=x; do
	runs 1 "unknown option $word" -dontfork "$word" -f "$tmp/good"
	check "it is named" has "$tmp/err" "unknown option: $word"
	check "and the usage shown" has "$tmp/err" '^usage:'
done
runs 1 "misspelt -dontfrok" -dontfrok -f "$tmp/good"
check "the right word is suggested" has "$tmp/err" 'did you mean -dontfork'
for word in extra - ''; do
	runs 1 "a bare word \"$word\"" -f "$tmp/good" "$word"
	check "and the usage shown" has "$tmp/err" '^usage:'
done
for option in -f -filelog -syslog -pidfile -limit -cc -logprocs; do
	runs 1 "$option without its value" "$option"
	check "it is named" has "$tmp/err" "needs a value: $option"
done
runs 1 "-filelog with -syslog" -dontfork -filelog "$tmp/x" -syslog daemon -f "$tmp/good"
for number in x -1 5x '' 99999999999; do
	runs 1 "-limit \"$number\"" -dontfork -limit "$number" -f "$tmp/good"
	check "it is no number" has "$tmp/err" '^usage:'
done
runs 1 "-logprocs that is no number" -dontfork -logprocs many -f "$tmp/good"
check "it is no number, either" has "$tmp/err" '^usage:'
check "nothing of this started a daemon" refuses 7001

# Files.
runs 1 "a main file that is missing, in the foreground" -dontfork -filelog "$tmp/log" -f "$tmp/absent"
check "the log names it" has "$tmp/log" "$tmp/absent"
check "and gives up" has "$tmp/log" "CRITICAL: .*couldn't get configuration. Exiting..."
runs 1 "a main file that is missing, seen by who starts the daemon" -filelog "$tmp/log" -f "$tmp/absent"
runs 1 "a main file that is a directory" -dontfork -filelog "$tmp/log" -f "$tmp"
: >"$tmp/log"
runs 1 "a bad value in defaults" -dontfork -filelog "$tmp/log" -f "$tmp/bad-defaults"
check "file and line are named" has "$tmp/log" "\[file=$tmp/bad-defaults\] \[line=3\]"
runs 1 "a bad value in defaults, as daemon" -filelog "$tmp/log" -f "$tmp/bad-defaults"
runs 1 "a bad value in defaults with -stayalive" -stayalive -filelog "$tmp/log" -f "$tmp/bad-defaults"
: >"$tmp/log"
runs 1 "no services, without -stayalive" -filelog "$tmp/log" -f "$tmp/empty"
check "the log says so" wait_for 20 has "$tmp/log" 'CRITICAL: .*no services. Exiting...'
runs 1 "only broken services, without -stayalive" -filelog "$tmp/log" -f "$tmp/only-broken"
runs 1 "a log that cannot be opened" -dontfork -filelog "$tmp/no/log" -f "$tmp/good"
check "standard error says so" has "$tmp/err" "$tmp/no/log"
runs 1 "the same, as daemon" -filelog "$tmp/no/log" -f "$tmp/good"

# daemon_with OPTION...: starts a daemon, finds its pid, takes it down again.
daemon_with() {
	rm -f "$tmp/pid"
	timeout 60 "$usherd" -pidfile "$tmp/pid" -filelog "$tmp/log" "$@" >"$tmp/out" 2>"$tmp/err"
	equal "$?" 0 || return
	daemon=$(cat "$tmp/pid") || return
	alive "$daemon"
}
down() {
	kill "$daemon"
	wait_for 20 gone "$daemon" || kill -9 "$daemon"
	daemon=
}
check "no services, with -stayalive: it runs" daemon_with -stayalive -f "$tmp/empty"
cp "$tmp/good" "$tmp/empty"
kill -HUP "$daemon"
check "and hosts what is there after a reload" wait_for 20 says 7001 a
: >"$tmp/empty"
kill -HUP "$daemon"
check "and stays when that is gone" wait_for 20 refuses 7001
check "it still runs" alive "$daemon"
down
cp "$tmp/good" "$tmp/leaves"
check "without -stayalive" daemon_with -f "$tmp/leaves"
: >"$tmp/leaves"
kill -HUP "$daemon"
check "it ends when a reload leaves no service" wait_for 20 gone "$daemon"
daemon=
check "and says so" wait_for 20 has "$tmp/log" 'No available services. Exiting'
check "and takes its pid file away" [ ! -e "$tmp/pid" ]
"$usherd" -d -f "$tmp/leaves" >"$tmp/out" 2>"$tmp/err"
check "-d does not imply -stayalive" equal "$?" 1
check "and logs to standard error" has "$tmp/err" 'no services. Exiting'

check "historic options do nothing" daemon_with -f "$tmp/good" -reuse -pid -inetd_ipv6 -loop 10 \
	-shutdownprocs 4 -cc 60
check "it answers" says 7001 a
check "nothing of their values is taken for a word" equal "$(cat "$tmp/out")" ""
down
check "an unknown facility is complained about, and daemon is used" has /dev/stdin 'Bad syslog facility: nonsense' < <(
	timeout 60 "$usherd" -syslog nonsense -dontfork -f "$tmp/absent" 2>&1
)

# -limit: over all services.
cat >"$tmp/hold" <<'END'
#!/bin/sh
echo here
read -r line
END
chmod +x "$tmp/hold"
{
	open_defaults
	stanza x 7002 "$tmp/hold" ""
	stanza y 7003 "$tmp/hold" ""
} >"$tmp/two"
check "-limit 2" daemon_with -limit 2 -f "$tmp/two"
exec {one}<>/dev/tcp/127.0.0.1/7002
read -r line <&$one
exec {two}<>/dev/tcp/127.0.0.1/7003
read -r line <&$two
check "two servers run" equal "$line" here
check "a third is refused" equal "$(ask 7003)" ""
check "and recorded" wait_for 20 has "$tmp/service.log" 'FAIL: y process_limit from=127.0.0.1'
exec {one}>&-
again() {
	exec {one}<>/dev/tcp/127.0.0.1/7003
	[ "$(timeout 20 head -n 1 <&$one)" = here ]
}
check "when one has ended there is room" wait_for 20 again
exec {one}>&- {two}>&-
down

# The default file, where this may be replaced for this process only.
if [ -n "$USHERD_TEST_MOUNTNS" ] && mkdir -p "$tmp/up" "$tmp/work" && mount -t tmpfs tmpfs "$tmp/up" 2>/dev/null; then
	cp -a /etc "$tmp/up/etc"
	cp "$tmp/good" "$tmp/up/etc/xinetd.conf"
	mount --bind "$tmp/up/etc" /etc
	check "without -f it reads /etc/xinetd.conf" daemon_with
	check "and hosts it" says 7001 a
	down
	# -inetd_compat.
	rm -rf /etc/xinetd.d
	{
		open_defaults | sed 's/^}/no_access = 127.0.0.9\n}/'
		stanza a 7001 "$tmp/tell" a
	} >/etc/xinetd.conf
	cat >/etc/inetd.conf <<END
# inetd
7004 stream tcp nowait root $tmp/tell tell one two
7005 stream tcp nowait.40 nobody:nogroup /usr/bin/id id -un
127.0.0.1:7006 stream tcp nowait root $tmp/tell tell local
7007 stream tcp6 nowait root $tmp/tell tell six
broken stream tcp
END
	check "without -inetd_compat inetd.conf is not read" daemon_with
	check "its service is not there" refuses 7004
	down
	check "-inetd_compat" daemon_with -inetd_compat
	check "the stanza's service" says 7001 a
	check "a numeric port of inetd.conf" says 7004 "one two"
	check "nowait.N and user:group" says 7005 nobody
	check "an address" says 7006 local
	check "not elsewhere" refuses 7006 127.0.0.2
	check "tcp6" says 7007 six ::1
	check "a broken line is reported with its place" has "$tmp/log" '\[file=/etc/inetd.conf\] \[line=6\]'
	sed -i 's/one two/three/; 3d' /etc/inetd.conf
	kill -HUP "$daemon"
	check "inetd.conf is read again at a reload" wait_for 20 says 7004 three
	check "what is gone from it is gone" wait_for 20 refuses 7005
	rm /etc/inetd.conf
	kill -HUP "$daemon"
	check "that it is absent is no error: its services are gone" wait_for 20 refuses 7004
	check "and the others stay" says 7001 a
	down
	cd / && umount /etc "$tmp/up"
else
	echo "# the default file and -inetd_compat need a mount namespace: left out"
fi
finish
