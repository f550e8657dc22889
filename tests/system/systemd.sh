#!/bin/bash
# Proves: under a real systemd the installed unit starts, reloads, logs, stops and restarts, and servers outlive its stop.
#
# Only with USHERD_TEST_SYSTEM=1: it makes a Debian tree with debootstrap (kept in build/programs for the next time),
# installs into a copy of it and boots that in a container with no network.
if [ "$USHERD_TEST_SYSTEM" != 1 ]; then
	echo "SKIP: boots a system in a container; to run it, set USHERD_TEST_SYSTEM=1"
	exit 77
fi
if [ -z "$USHERD_TEST_MOUNTNS" ]; then
	USHERD_TEST_MOUNTNS=1
	export USHERD_TEST_MOUNTNS
	unshare -m true 2>/dev/null && exec unshare -m "$BASH" "$0" "$@"
fi
# The network is needed outside; the container has its own.
USHERD_TEST_NETNS=host
. "${srcdir:-.}/tests/lib/lib.sh"
PATH=$PATH:/usr/sbin:/sbin

programs=${USHERD_PROGRAMS:-$top_src/build/programs}
PATH=$PATH:$programs/root/usr/bin
command -v systemd-nspawn >/dev/null || skip "needs systemd-nspawn (Debian: systemd-container)"
command -v "${MAKE:-make}" >/dev/null || skip "needs make"

# --- the tree --------------------------------------------------------------------

tree=$programs/bookworm
if [ ! -e "$tree/usr/lib/systemd/systemd" ]; then
	command -v debootstrap >/dev/null || skip "needs debootstrap"
	mkdir -p "$programs"
	rm -rf "$tree.new"
	timeout 300 debootstrap --variant=minbase \
		--include=systemd,systemd-sysv,libconfuse2,libevent-core-2.1-7,libevent-2.1-7,libseccomp2,procps \
		bookworm "$tree.new" >"$tmp/debootstrap.log" 2>&1 ||
		skip "debootstrap made no tree: $(tail -n 1 "$tmp/debootstrap.log")"
	mv "$tree.new" "$tree"
fi
mkdir "$tmp/upper" "$tmp/root"
mount -t tmpfs tmpfs "$tmp/upper" && mkdir "$tmp/upper/new" "$tmp/upper/work" &&
	mount -t overlay -o "lowerdir=$tree,upperdir=$tmp/upper/new,workdir=$tmp/upper/work" overlay "$tmp/root" 2>/dev/null ||
	cp -a "$tree/." "$tmp/root/" || die "no copy of the tree"
root=$tmp/root
undo() {
	umount -l "$tmp/root" "$tmp/upper" 2>/dev/null
	clean_up
}
trap undo EXIT

# --- install, in place as make install does --------------------------------------

(cd "$top_build" && "${MAKE:-make}" -s install DESTDIR="$root") >"$tmp/install.log" 2>&1 ||
	die "make install failed: $(tail -n 5 "$tmp/install.log")"
sbindir=$(cd "$root" && find usr -name usherd -path '*/sbin/*' | head -n 1)
check "the daemon is installed" [ -x "$root/$sbindir" ]
chroot "$root" "/$sbindir" -version >"$tmp/version" 2>&1 ||
	skip "the installed usherd does not run in the tree: $(head -n 1 "$tmp/version")"
check "the unit is installed" [ -e "$(find "$root/usr" "$root/lib/systemd" -name usherd.service | head -n 1)" ]

mkdir -p "$root/etc/xinetd.d"
cat >"$root/etc/xinetd.conf" <<'END'
defaults
{
	log_type = SYSLOG daemon info
	log_on_success = PID HOST EXIT
	log_on_failure = HOST
}
includedir /etc/xinetd.d
END
service() {
	cat <<END
service $1
{
	type = UNLISTED
	port = $2
	socket_type = stream
	wait = no
	user = $4
	server = $3
${5:+	server_args = $5}
}
END
}
service tell 7001 /bin/echo nobody one >"$root/etc/xinetd.d/tell"
sed -i 's/server_args = one/&\n\tlog_type = JOURNAL/' "$root/etc/xinetd.d/tell"
service talk 7002 /bin/cat root "" >"$root/etc/xinetd.d/talk"
printf 'service echo\n{\n\ttype = INTERNAL UNLISTED\n\tport = 7003\n\tsocket_type = stream\n\twait = no\n}\n' \
	>"$root/etc/xinetd.d/echo"

# --- what happens inside -----------------------------------------------------------

cat >"$root/inside" <<'END'
#!/bin/bash
ask() { timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/$0 && cat <&3' "$1" 2>/dev/null; }
check() {
	local sentence=$1
	shift
	if "$@"; then echo "ok - $sentence"; else
		echo "not ok - $sentence"
		echo "  $(systemctl show -p ActiveState,SubState,StatusText,MainPID usherd | tr '\n' ' ')"
	fi
}
equal() { [ "$1" = "$2" ] || { printf '  expected: %s\n  actual: %s\n' "$2" "$1"; return 1; }; }
wait_for() {
	local tries=$(($1 * 50))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.02
	done
}
says() { [ "$(ask "$1")" = "$2" ]; }
property() { systemctl show -P "$1" usherd; }
is() { equal "$(property "$1")" "$2"; }
journal() { journalctl --sync; journalctl -q -o cat -u usherd "${@:2}" | grep -q -e "$1"; }
alive() { kill -0 "$1" 2>/dev/null; }

ip link set lo up 2>/dev/null
check "systemd finds nothing wrong in the unit" equal "$(systemd-analyze verify usherd.service 2>&1 | grep usherd | grep -v "Command 'man ")" ""
check "systemctl start" systemctl start usherd
check "it returned when services answered" says 7001 one
check "the unit is active" is ActiveState active
check "its status says how many services there are" is StatusText "3 services"
pid=$(property MainPID)
check "the main process is the daemon" equal "$(cat /proc/$pid/comm)" usherd
check "systemctl status" systemctl --no-pager status usherd >/dev/null
check "the journal has the start" wait_for 5 journal 'Started working: 3 available services'
check "with its priority" wait_for 5 journal 'Started working' -p notice..notice
check "and the records of servers" wait_for 5 journal '^START: tell pid=[0-9]* from=127.0.0.1$'
field() { journalctl --sync; journalctl -q -o json -u usherd "${@:2}" | grep -q -e "$1"; }
check "records in the journal have fields" wait_for 5 field '"USHERD_PEER" *: *"127.0.0.1"' \
	USHERD_SERVICE=tell USHERD_EVENT=START
check "also those of an end" wait_for 5 field '"SYSLOG_IDENTIFIER" *: *"usherd"' USHERD_EVENT=EXIT USHERD_STATUS=0
check "nothing worse than a notice was logged" equal "$(journalctl -q -o cat -u usherd -p warning)" ""
exec {echo}<>/dev/tcp/127.0.0.1/7003
echo hello >&$echo
read -r -t 5 line <&$echo
check "an internal service answers" equal "$line" hello
worker=$(pgrep -P "$pid" usherd-worker || pgrep -P "$pid" -f usherd-worker)
check "its worker is not root" [ "$(stat -c %u /proc/$worker)" != 0 ]

sed -i 's/server_args = one/server_args = two/' /etc/xinetd.d/tell
check "systemctl reload" systemctl reload usherd
check "the new files are in force" wait_for 5 says 7001 two
check "it is the same process" is MainPID "$pid"
check "the unit is active" wait_for 5 is ActiveState active
check "an open session went on" eval 'echo again >&$echo; read -r -t 5 line <&$echo; [ "$line" = again ]'
printf 'defaults\n{\n\tmax_load = heavy\n}\n' >/etc/xinetd.d/broken
systemctl reload usherd
check "a reload that fails changes nothing" says 7001 two
check "and is an error in the journal" wait_for 5 journal 'max_load' -p err
check "and the unit is active" wait_for 5 is ActiveState active
rm /etc/xinetd.d/broken

exec {talk}<>/dev/tcp/127.0.0.1/7002
echo hello >&$talk
read -r -t 5 line <&$talk
server=$(pgrep -P "$pid" -x cat)
check "an external server runs" alive "$server"
check "systemctl stop" systemctl stop usherd
check "the unit is inactive" is ActiveState inactive
check "its result is success" is Result success
check "the external server outlives it" alive "$server"
check "and serves its client" eval 'echo still >&$talk; read -r -t 5 line <&$talk; [ "$line" = still ]'
check "the ports are shut" equal "$(ask 7001)" ""
check "systemctl start once more" systemctl start usherd
check "it answers" says 7001 two
check "systemctl restart" systemctl restart usherd
check "it answers" says 7001 two
check "the external server is still there" alive "$server"
exec {talk}>&-
pid=$(property MainPID)
kill -KILL "$pid"
back() { [ "$(property MainPID)" != "$pid" ] && says 7001 two; }
check "when it is killed systemd starts it again" wait_for 10 back
echo nonsense >/etc/xinetd.conf
printf 'defaults\n{\n\tmax_load = heavy\n}\n' >/etc/xinetd.conf
systemctl stop usherd
check "a start with broken defaults fails, and says so" eval '! systemctl start usherd 2>/dev/null'
systemctl stop usherd
END
cat >"$root/etc/systemd/system/inside.service" <<'END'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=file:/result
StandardError=file:/errors
TimeoutStartSec=80
ExecStart=/bin/bash /inside
ExecStopPost=/bin/systemctl exit 0
END
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../inside.service "$root/etc/systemd/system/multi-user.target.wants/inside.service"

timeout -k 5 110 systemd-nspawn --quiet --register=no --keep-unit --boot --private-network --console=pipe \
	--machine="usherd-test-$$" -D "$root" </dev/null >"$tmp/boot.log" 2>&1
[ -s "$root/result" ] || {
	grep -q -i -e 'Failed to' -e 'not permitted' "$tmp/boot.log" &&
		[ ! -e "$root/var/log/journal" ] && [ ! -e "$root/errors" ] &&
		skip "the container did not boot here: $(grep -i -e 'failed to' -e 'not permitted' "$tmp/boot.log" | head -n 1)"
	tail -n 20 "$tmp/boot.log"
	die "nothing was tried inside"
}
cat "$root/result"
[ -s "$root/errors" ] && sed 's/^/# /' "$root/errors"
failures=$((failures + $(grep -c '^not ok' "$root/result")))
[ "$failures" -eq 0 ] || journalctl -q -D "$root/var/log/journal" 2>/dev/null | tail -n 30
check "all was tried" grep -q 'a start with broken defaults' "$root/result"
finish
