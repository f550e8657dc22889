#!/bin/bash
# Proves: systemd (Type=notify) is told READY, RELOADING, READY and STOPPING in that order; servers are not.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"
command -v python3 >/dev/null || skip "needs python3"

cat >"$tmp/notify.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
out = open(sys.argv[2], "ab", 0)
out.write(b"listening\n")
while True:
    out.write(s.recv(4096).replace(b"\n", b" ") + b"\n")
END
{
	open_defaults
	stanza env 7001 /usr/bin/env ""
} >"$tmp/main.conf"
python3 "$tmp/notify.py" "$tmp/socket" "$tmp/told" &
listener=$!
wait_for 20 has "$tmp/told" listening || die "no notify socket"

NOTIFY_SOCKET=$tmp/socket WATCHDOG_USEC=9999 WATCHDOG_PID=1 LISTEN_PID=1 LISTEN_FDS=0 MARK=inherited \
	"$usherd" -dontfork -filelog "$tmp/daemon.log" -f "$tmp/main.conf" 2>"$tmp/daemon.err" &
daemon=$!
check "READY is told" wait_for 20 has "$tmp/told" '^READY=1 STATUS=1 services'
check "by then services answer" has <(ask 7001) '^MARK=inherited$'
check "a server does not get what is for the daemon alone" lacks <(ask 7001) 'NOTIFY_SOCKET\|WATCHDOG\|LISTEN_'
stanza more 7002 /usr/bin/env "" >>"$tmp/main.conf"
kill -HUP "$daemon"
ready_again() { [ "$(lines '^READY=1' "$tmp/told")" -eq 2 ]; }
check "READY is told after a reload" wait_for 20 ready_again
check "with the new number of services" equal "$(tail -n 1 "$tmp/told")" "READY=1 STATUS=2 services"
check "with what the reload protocol wants: the time of its begin" has "$tmp/told" '^RELOADING=1 MONOTONIC_USEC=[0-9][0-9]*$'
mv "$tmp/main.conf" "$tmp/away"
kill -HUP "$daemon"
ready_thrice() { [ "$(lines '^READY=1' "$tmp/told")" -eq 3 ]; }
check "READY is told after one that failed, too" wait_for 20 ready_thrice
kill -TERM "$daemon"
wait "$daemon"
check "the daemon ends" equal "$?" 0
daemon=
check "STOPPING is told" wait_for 20 has "$tmp/told" STOPPING=1
check "all in order" equal "$(sed -n 's/^\([A-Z]*\)=1.*/\1/p' "$tmp/told" | tr '\n' ' ')" \
	"READY RELOADING READY RELOADING READY STOPPING "
: >"$tmp/told"
NOTIFY_SOCKET=$tmp/socket "$usherd" -dontfork -filelog "$tmp/daemon.log" -f "$tmp/absent"
check "a start that fails is never READY" lacks "$tmp/told" READY
NOTIFY_SOCKET=$tmp/nobody timeout 60 "$usherd" -filelog "$tmp/daemon.log" -f "$tmp/away" -pidfile "$tmp/pid"
check "a notify socket that is not there stops nothing" equal "$?" 0
daemon=$(cat "$tmp/pid")
check "it answers" has <(ask 7001) '^REMOTE_HOST=127.0.0.1'
kill "$daemon" && wait_for 20 gone "$daemon"
daemon=
kill $listener
finish
