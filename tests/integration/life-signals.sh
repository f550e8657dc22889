#!/bin/bash
# Proves: what each signal does, and that servers outlive the daemon while internal sessions end with it.
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
cat >"$tmp/talk" <<'END'
#!/bin/sh
echo $$
while read -r line; do echo "heard $line"; done
END
chmod +x "$tmp/tell" "$tmp/talk"
config() {
	open_defaults
	stanza tell 7001 "$tmp/tell" "$1"
	stanza talk 7002 "$tmp/talk" ""
	stanza echo 7003 "" "" "type = INTERNAL UNLISTED" "user = "
}
config 1 >"$tmp/main.conf"
[ -n "$USHERD_TEST_MOUNTNS" ] && mount -t tmpfs tmpfs /run 2>/dev/null && private=yes
start_usherd "$tmp/main.conf"

config 2 >"$tmp/main.conf"
kill -HUP "$daemon"
check "SIGHUP reads the files anew" wait_for 20 says 7001 2
config 3 >"$tmp/main.conf"
kill -USR2 "$daemon"
check "SIGUSR2 does the same" wait_for 20 says 7001 3

exec {talk}<>/dev/tcp/127.0.0.1/7002
read -r pid <&$talk
for signal in ALRM IO VTALRM PROF WINCH URG XFSZ PWR PIPE TSTP TTIN TTOU CONT; do
	kill -$signal "$daemon"
	check "SIG$signal does nothing" says 7001 3
done
kill -ABRT "$daemon"
check "SIGABRT checks the books" wait_for 20 has "$tmp/daemon.log" 'INFO: Consistency check passed'
check "and the daemon lives" says 7001 3

if [ -n "$private" ]; then
	# A client sees the end of its server before the daemon does.
	all_reaped() { ! pgrep -P "$daemon" -x tell; }
	check "the servers that have answered are reaped" wait_for 20 all_reaped
	kill -USR1 "$daemon"
	dump=/run/usherd/state.dump
	check "SIGUSR1 writes the state" wait_for 20 has "$dump" 'END OF DUMP'
	check "the log says where" wait_for 20 has "$tmp/daemon.log" "INFO: generated state dump in file $dump"
	check "it begins as xinetd's" has "$dump" '^INTERNAL STATE DUMP: '
	check "it has the services" has "$dump" '^Service = tell'
	check "and their state" has "$dump" 'State = Active'
	check "and the running server" has "$dump" "^pid = $pid"
	check "with its client" has "$dump" 'remote_address = 127.0.0.1,'
	check "and the sum" has "$dump" '^running_servers = 1'
	check "others may not read it" equal "$(stat -c %a "$dump")" 600
	rm -f "$dump"
	echo precious >"$tmp/precious"
	ln -s "$tmp/precious" "$dump"
	ln -sf "$tmp/precious" "$dump.new"
	kill -USR1 "$daemon"
	dumped() { [ ! -L "$dump" ] && has "$dump" 'END OF DUMP'; }
	check "D52, D63: a link in its place is replaced" wait_for 20 dumped
	check "and not followed" equal "$(cat "$tmp/precious")" precious
fi

# The end.
exec {echo}<>/dev/tcp/127.0.0.1/7003
echo hello >&$echo
read -r line <&$echo
check "an internal session is open" equal "$line" hello
worker=$(pgrep -P "$daemon" -f usherd-worker)
check "there is a worker" alive "$worker"
stop_usherd
check "an external server outlives SIGTERM" alive "$pid"
echo you >&$talk
read -r -t 20 line <&$talk
check "and goes on with its client" equal "$line" "heard you"
check "an internal session ends: its client sees it" equal "$(timeout 20 cat <&$echo && echo end)" end
check "and has its EXIT" has "$tmp/service.log" 'EXIT: echo '
check "the external one has none" lacks "$tmp/service.log" 'EXIT: talk'
check "the worker is gone" wait_for 20 gone "$worker"
check "the ports are free" refuses 7001
exec {talk}>&-
check "the server ends when its client goes" wait_for 20 gone "$pid"

start_usherd "$tmp/main.conf"
kill -QUIT "$daemon"
wait "$daemon"
check "SIGQUIT: status 0" equal "$?" 0
start_usherd "$tmp/main.conf"
kill -INT "$daemon"
wait "$daemon"
check "SIGINT in the foreground: status 0" equal "$?" 0
daemon=
"$usherd" -f "$tmp/main.conf" -pidfile "$tmp/pid" -filelog "$tmp/daemon.log"
daemon=$(cat "$tmp/pid")
kill -INT "$daemon"
check "SIGINT does nothing in the background" says 7001 3
check "it lives" alive "$daemon"
kill -TERM "$daemon"
check "SIGTERM ends it" wait_for 20 gone "$daemon"
daemon=

# A server that holds the socket (wait = yes) keeps it after the daemon's end, and a new daemon waits for it.
if command -v python3 >/dev/null; then
	cat >"$tmp/wait" <<'END'
import os, socket
listener = socket.socket(fileno=0)
while True:
    client, _ = listener.accept()
    client.sendall(b"%d\n" % os.getpid())
    if client.recv(10) == b"end\n":
        break
    client.close()
END
	stanza waits 7004 "$(command -v python3)" "$tmp/wait" "wait = yes" >"$tmp/wait.conf"
	start_usherd "$tmp/wait.conf"
	exec {one}<>/dev/tcp/127.0.0.1/7004
	read -r pid <&$one
	stop_usherd
	check "a server with wait = yes outlives the daemon" alive "$pid"
	exec {one}>&-
	exec {one}<>/dev/tcp/127.0.0.1/7004
	read -r -t 20 again <&$one
	check "and takes the next client" equal "$again" "$pid"
	start_usherd "$tmp/wait.conf"
	echo end >&$one
	exec {one}>&-
	new_one() {
		exec {one}<>/dev/tcp/127.0.0.1/7004 || return
		read -r -t 20 again <&$one && [ "$again" != "$pid" ] || return
		echo end >&$one
	} 2>/dev/null
	check "a new daemon has the port when it is free" wait_for 20 new_one
fi
finish
