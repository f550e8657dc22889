#!/bin/bash
# Proves: sshd -i works through usherd with a stanza as found in use.
if [ -z "$USHERD_TEST_MOUNTNS" ]; then
	USHERD_TEST_MOUNTNS=1
	export USHERD_TEST_MOUNTNS
	unshare -m true 2>/dev/null && exec unshare -m "$BASH" "$0" "$@"
fi
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"
# shellcheck source=tests/integration/programs-lib.sh
. "$top_src/tests/integration/programs-lib.sh"
find_server sshd
for tool in ssh scp ssh-keygen; do
	command -v $tool >/dev/null || skip "needs $tool"
done

# What the package's installation would have made, for this test only: the user, the directory; and an account that may log in.
chmod 755 "$tmp"
mkdir "$tmp/run"
mount --bind "$tmp/run" /run || skip "needs a mount namespace"
mkdir -p /run/sshd
sed -e '/^sshd:/d' -e '/^root:/s|[^:]*$|/bin/sh|' /etc/passwd >"$tmp/passwd"
echo 'sshd:x:64999:65534::/run/sshd:/usr/sbin/nologin' >>"$tmp/passwd"
sed 's/^root:[^:]*/root:*/' /etc/shadow >"$tmp/shadow"
chmod 600 "$tmp/shadow"
mount --bind "$tmp/passwd" /etc/passwd && mount --bind "$tmp/shadow" /etc/shadow || die "mount"

a_tree "$tmp/tree"
ssh-keygen -q -t ed25519 -N '' -f "$tmp/host" && ssh-keygen -q -t ed25519 -N '' -f "$tmp/key" || die "no keys"
cat >"$tmp/sshd_config" <<END
HostKey $tmp/host
AuthorizedKeysFile $tmp/key.pub
StrictModes no
PermitRootLogin prohibit-password
PidFile none
Subsystem sftp internal-sftp
END
echo "127.0.0.1 $(cat "$tmp/host.pub")" >"$tmp/known"
cat >"$tmp/ssh_config" <<END
Host *
	User root
	IdentityFile $tmp/key
	IdentitiesOnly yes
	UserKnownHostsFile $tmp/known
	GlobalKnownHostsFile /dev/null
	BatchMode yes
	LogLevel ERROR
END
{
	one_defaults
	cat <<END
service ssh
{
	socket_type	= stream
	protocol	= tcp
	wait		= no
	user		= root
	server		= $found
	server_args	= -i -f $tmp/sshd_config
	per_source	= 8
	log_type	= FILE $tmp/service.log
	log_on_success	= PID HOST USERID EXIT DURATION
	log_on_failure	= USERID ATTEMPT
}
END
} >"$tmp/main.conf"
start_usherd "$tmp/main.conf"

use() {
	local from="-o BindAddress=127.0.0.$(($1 % 10 + 2))"
	case $(($1 % 3)) in
	0) ssh -F "$tmp/ssh_config" $from 127.0.0.1 cat "$tmp/tree/file.200000" >"$tmp/got.$1" &&
		cmp "$tmp/tree/file.200000" "$tmp/got.$1" ;;
	1) scp -q -r -F "$tmp/ssh_config" $from "127.0.0.1:$tmp/tree" "$tmp/got.$1" &&
		diff -r "$tmp/tree" "$tmp/got.$1" ;;
	2) ssh -F "$tmp/ssh_config" $from 127.0.0.1 "cat >$tmp/got.$1; exit 7" <"$tmp/tree/file.65536"
		[ $? = 7 ] && cmp "$tmp/tree/file.65536" "$tmp/got.$1" ;;
	esac
}
many "ssh and scp"
all_ended() { [ "$(lines "EXIT: ssh " "$tmp/service.log")" -eq "$uses" ]; }
check "ssh: $uses EXIT" wait_for 20 all_ended
check "ssh: $uses START" equal "$(lines "START: ssh " "$tmp/service.log")" "$uses"
check "ssh: with DURATION" has "$tmp/service.log" 'EXIT: ssh status=[0-9]* pid=[0-9]* duration=[0-9]*(sec)$'
check "ssh: no FAIL" lacks "$tmp/service.log" 'FAIL:'
exec {fd}<>/dev/tcp/127.0.0.1/22
read -r -t 30 line <&$fd
check "a client that only looks sees the banner" equal "${line%%_*}" SSH-2.0-OpenSSH
exec {fd}>&-
stop_usherd
umount /run
finish
