#!/bin/bash
# Proves: rsync --daemon works through usherd with a stanza as packages ship it.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"
# shellcheck source=tests/integration/programs-lib.sh
. "$top_src/tests/integration/programs-lib.sh"
find_server rsync

chmod 755 "$tmp"
a_tree "$tmp/tree"
mkdir "$tmp/up"
cat >"$tmp/rsyncd.conf" <<END
use chroot = no
munge symlinks = no
log file = $tmp/rsyncd.log
uid = root
gid = root
[tree]
path = $tmp/tree
[up]
path = $tmp/up
read only = no
END
{
	one_defaults
	cat <<END
# default: off
# description: The rsync server is a good addition to an ftp server, as it \\
#	allows crc checksumming etc.
service rsync
{
	disable	= no
	socket_type     = stream
	wait            = no
	user            = root
	server          = $found
	server_args     = --daemon --config=$tmp/rsyncd.conf
	log_on_failure  += USERID
}
END
} >"$tmp/main.conf"
start_usherd "$tmp/main.conf"

use() {
	if [ $(($1 % 2)) = 0 ]; then
		rsync -a "rsync://127.0.0.1/tree/" "$tmp/down.$1/" && diff -r "$tmp/tree" "$tmp/down.$1"
	else
		rsync -a "$tmp/tree/" "rsync://127.0.0.1/up/$1/" && diff -r "$tmp/tree" "$tmp/up/$1"
	fi
}
many "rsync fetches and brings a tree"
recorded rsync "$uses"
finish
