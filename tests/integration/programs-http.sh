#!/bin/bash
# Proves: busybox httpd -i with curl, and a clustercheck script (200 or 503 on a port), work through usherd.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"
# shellcheck source=tests/integration/programs-lib.sh
. "$top_src/tests/integration/programs-lib.sh"
find_server curl
find_server busybox
busybox httpd --help 2>&1 | grep -qi "inetd mode" || skip "busybox has no httpd"

chmod 755 "$tmp"
a_tree "$tmp/www"
cat >"$tmp/clustercheck" <<'END'
#!/bin/bash
# As the scripts that load balancers ask: the state of a database node as an answer of HTTP.
if [ -e "$1" ]; then
	status='503 Service Unavailable' body='Percona XtraDB Cluster Node is not synced.'
else
	status='200 OK' body='Percona XtraDB Cluster Node is synced.'
fi
echo -en "HTTP/1.1 $status\r\n"
echo -en "Content-Type: text/plain\r\n"
echo -en "Connection: close\r\n"
echo -en "Content-Length: $((${#body} + 2))\r\n"
echo -en "\r\n"
echo -en "$body\r\n"
sleep 0.1
[ ! -e "$1" ]
END
chmod 755 "$tmp/clustercheck"
{
	one_defaults
	cat <<END
service http-alt
{
	socket_type	= stream
	wait		= no
	user		= nobody
	server		= $found
	server_args	= httpd -i -h $tmp/www
}
# default: on
# description: mysqlchk
service mysqlchk
{
# this is a config for xinetd, place it in /etc/xinetd.d/
        disable = no
        flags           = REUSE
        socket_type     = stream
        type            = UNLISTED
        port            = 9200
        wait            = no
        user            = nobody
        server          = $tmp/clustercheck
        server_args     = $tmp/out-of-sync
        log_on_failure  += USERID
        only_from       = 0.0.0.0/0
        #
        # recommended to put the IPs that need
        # to connect exclusively (security purposes)
        per_source      = UNLIMITED
}
END
} >"$tmp/main.conf"
start_usherd "$tmp/main.conf"

use() {
	local name
	for name in 0 1 513 65536 200000; do
		curl -sSf -m 30 --noproxy '*' -o "$tmp/got.$1" "http://127.0.0.1:8080/file.$name" &&
			cmp "$tmp/www/file.$name" "$tmp/got.$1" || return
	done
	[ "$(curl -s -m 30 --noproxy '*' -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/absent)" = 404 ]
}
many "busybox httpd"
http_ended() { [ "$(lines 'EXIT: http-alt ' "$tmp/service.log")" -eq $((uses * 6)) ]; }
check "http-alt: $((uses * 6)) EXIT" wait_for 20 http_ended
check "http-alt: as many START" equal "$(lines 'START: http-alt ' "$tmp/service.log")" $((uses * 6))

answer() {
	printf 'HTTP/1.1 %s\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s\r\n' \
		"$1" $((${#2} + 2)) "$2"
}
answer '200 OK' 'Percona XtraDB Cluster Node is synced.' >"$tmp/200"
answer '503 Service Unavailable' 'Percona XtraDB Cluster Node is not synced.' >"$tmp/503"
# A balancer asks with HTTP, a simpler one only connects and reads.
use() {
	if [ $(($1 % 2)) = 0 ]; then
		curl -sS -i -m 30 --noproxy '*' -o "$tmp/state.$1" http://127.0.0.1:9200/
	else
		bash -c 'exec 3<>/dev/tcp/127.0.0.1/9200 && cat <&3' >"$tmp/state.$1"
	fi
	cmp "$tmp/state.$1" "$tmp/$want"
}
export want=200
many "clustercheck, in sync"
recorded mysqlchk "$uses"
: >"$tmp/out-of-sync"
want=503
many "clustercheck, out of sync"
down_ended() { [ "$(lines 'EXIT: mysqlchk status=1 ' "$tmp/service.log")" -eq "$uses" ]; }
check "mysqlchk: $uses EXIT with status 1" wait_for 20 down_ended
finish
