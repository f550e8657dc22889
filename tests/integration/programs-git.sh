#!/bin/bash
# Proves: git daemon --inetd works through usherd with a stanza as packages ship it.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"
# shellcheck source=tests/integration/programs-lib.sh
. "$top_src/tests/integration/programs-lib.sh"
find_server git
[ -x "$(git --exec-path)/git-daemon" ] || skip "there is no git daemon"

chmod 755 "$tmp"
mkdir "$tmp/home"
export HOME=$tmp/home GIT_CONFIG_NOSYSTEM=1
a_tree "$tmp/tree"
rmdir "$tmp/tree/empty"
(
	cd "$tmp/tree" || exit
	git init -q -b main && git add -A
	for i in 1 2 3; do
		echo "$i" >counter
		git add counter
		git -c user.name=tester -c user.email=tester@example.org -c commit.gpgsign=false commit -q -m "change $i"
	done
	git clone -q --bare . "$tmp/git/tree.git"
) || die "no repository"
chown -R nobody "$tmp/git"
unset HOME
{
	one_defaults
	cat <<END
service git
{
        disable		= no
        socket_type     = stream
        wait            = no
        user            = nobody
        server          = $found
        server_args     = daemon --base-path=$tmp/git --export-all --user-path=public_git --syslog --inetd --verbose
        log_on_failure  += USERID

        # xinetd doesn't do this by default. bug #195265
        flags		= IPv6
}
END
} >"$tmp/main.conf"
start_usherd "$tmp/main.conf"

use() {
	export HOME=$tmp/home host=127.0.0.1
	[ $(($1 % 2)) = 0 ] && host='[::1]'
	git clone -q "git://$host/tree.git" "$tmp/clone.$1" &&
		diff -r -x .git "$tmp/tree" "$tmp/clone.$1" &&
		[ "$(git -C "$tmp/clone.$1" rev-parse HEAD)" = "$(git -C "$tmp/tree" rev-parse HEAD)" ] &&
		git -C "$tmp/clone.$1" fsck --strict 2>&1 | grep -v '^notice:' | head -n 3
	return "${PIPESTATUS[0]}"
}
many "git clones"
recorded git "$uses"
finish
