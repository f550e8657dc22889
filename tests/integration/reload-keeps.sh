#!/bin/bash
# Proves: a reload keeps what stays: sockets, running servers, counters, logs, rests; and applies what changed.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"

mkdir "$tmp/d"
chmod 755 "$tmp"
cat >"$tmp/hold" <<'END'
#!/bin/sh
echo "$$ $*"
read -r line && echo "$line after"
END
cat >"$tmp/tell" <<'END'
#!/bin/sh
echo "$(id -un) $(umask) $(ulimit -n) $* $LETTER"
END
chmod +x "$tmp/hold" "$tmp/tell"
{
	open_defaults
	echo "includedir $tmp/d"
} >"$tmp/main.conf"
stanza same 7001 "$tmp/tell" same >"$tmp/d/same"
stanza changed 7002 "$tmp/tell" old >"$tmp/d/changed"
stanza held 7003 "$tmp/hold" old "instances = 2" >"$tmp/d/held"
stanza cps 7004 "$tmp/tell" cps "cps = 3 600" >"$tmp/d/cps"
stanza source 7005 "$tmp/hold" source "per_source = 1" >"$tmp/d/source"
stanza oldname 7006 "$tmp/tell" name >"$tmp/d/renamed"
stanza log 7007 "$tmp/tell" log "log_type = FILE $tmp/a.log" >"$tmp/d/log"
stanza echo 7008 "" "" "type = INTERNAL UNLISTED" "user = " >"$tmp/d/echo"
stanza waits 7009 "$tmp/hold" waits "id = closed" "access_times = 00:00-23:59" >"$tmp/d/closed"
start_usherd "$tmp/main.conf"

check "the changed service says its old words" says 7002 "root 0022 $(ulimit -Hn) old "
check "a service listens" listens 7001
exec {held}<>/dev/tcp/127.0.0.1/7003
read -r pid words <&$held
check "a server runs" equal "$words" old
exec {one}<>/dev/tcp/127.0.0.1/7005
read -r one_pid _ <&$one
exec {echo}<>/dev/tcp/127.0.0.1/7008
echo before >&$echo
read -r line <&$echo
check "an internal session is open" equal "$line" before
check "a service rests after a burst" wait_for 20 rests_after 8 7004
for port in 7001 7002 7003 7005 7006 7007 7008; do
	declare "inode_$port=$(inode_of $port)"
done
check "the sockets are those of the daemon" daemon_has "$(inode_of 7001)"

stanza changed 7002 "$tmp/tell" new "user = nobody" "umask = 077" "rlimit_files = 77" "env = LETTER=x" >"$tmp/d/changed"
stanza held 7003 "$tmp/hold" new "instances = 2" >"$tmp/d/held"
stanza newname 7006 "$tmp/tell" name >"$tmp/d/renamed"
stanza log 7007 "$tmp/tell" log "log_type = FILE $tmp/b.log" >"$tmp/d/log"
says 7007 "x"
reload

for port in 7001 7002 7003 7005 7006 7007 7008; do
	inode=inode_$port
	check "port $port is still the same socket" equal "$(inode_of $port)" "${!inode}"
done
check "a changed service has its new words, user, umask, limit and environment" \
	says 7002 "nobody 0077 77 new x"
check "the unchanged one speaks as before" says 7001 "root 0022 $(ulimit -Hn) same "
check "the renamed one answers" says 7006 "root 0022 $(ulimit -Hn) name "
check "it is recorded under its new name" wait_for 20 has "$tmp/service.log" 'EXIT: newname status=0'
check "the running server of a changed service was left alone" alive "$pid"
echo line >&$held
read -r line <&$held
check "and goes on with its client" equal "$line" "line after"
check "and is recorded as usual" wait_for 20 has "$tmp/service.log" "EXIT: held status=0 pid=$pid"
echo again >&$echo
read -r line <&$echo
check "an internal session goes on" equal "$line" again
exec {echo}>&-
check "and is recorded as usual" wait_for 20 has "$tmp/service.log" "EXIT: echo"

# Counters.
check "a client over per_source is refused after the reload, too" equal "$(ask 7005)" ""
check "and recorded" wait_for 20 has "$tmp/service.log" "FAIL: source per_source_limit from=127.0.0.1"
exec {h1}<>/dev/tcp/127.0.0.1/7003
read -r _ <&$h1
reload
exec {h2}<>/dev/tcp/127.0.0.1/7003
read -r _ words <&$h2
check "one more instance is there" equal "$words" new
check "the third is one too many: instances are counted over reloads" equal "$(ask 7003)" ""
check "and recorded" wait_for 20 has "$tmp/service.log" "FAIL: held service_limit"
stanza held 7003 "$tmp/hold" newer "instances = 3" >"$tmp/d/held"
reload
exec {h3}<>/dev/tcp/127.0.0.1/7003
read -r _ words <&$h3
check "a raised limit takes effect" equal "$words" newer
exec {h1}>&- {h2}>&- {h3}>&-
three_more() { [ "$(lines 'EXIT: held' "$tmp/service.log")" -eq 4 ]; }
check "their ends are recorded" wait_for 20 three_more
exec {one}>&-
check "the one of per_source, too" wait_for 20 has "$tmp/service.log" "EXIT: source status=.* pid=$one_pid"
answers_source() {
	exec {one}<>/dev/tcp/127.0.0.1/7005 && read -r _ words <&$one && [ "$words" = source ]
}
check "and there is room for it again" answers_source
exec {one}>&-

# A rest is not ended by a reload.
check "a resting service rests on" refuses 7004

# Logs.
check "the new log is used" wait_for 20 eval 'ask 7007 >/dev/null; has "$tmp/b.log" "START: log"'
old=$(lines 'START: log' "$tmp/a.log")
ask 7007 >/dev/null
check "the old one no more" equal "$(lines 'START: log' "$tmp/a.log")" "$old"
mv "$tmp/service.log" "$tmp/service.log.1"
mv "$tmp/daemon.log" "$tmp/daemon.log.1"
ask 7001 >/dev/null
check "until a reload a log that was moved is written on" wait_for 20 has "$tmp/service.log.1" "START: same"
kill -HUP "$daemon"
check "a reload opens logs anew: the daemon's" wait_for 20 has "$tmp/daemon.log" 'Reconfigured:'
ask 7001 >/dev/null
check "a reload opens logs anew: the services'" wait_for 20 has "$tmp/service.log" 'START: same'
kill -ABRT "$daemon"
check "the books agree" wait_for 20 eval 'cat "$tmp"/daemon.log* | grep -q "Consistency check passed"'
finish
