#!/bin/sh
# SPDX-License-Identifier: ISC
# Servers that tests host, without installing them: their packages would start daemons on the tester's machine.
#
# usage: tests/lib/programs.sh            fetch what is missing, check that all run, print where they are
#        tests/lib/programs.sh --present  fetch nothing; exit status 77 when something is missing
#        tests/lib/programs.sh --peers    fetch the other super-servers that "make bench" measures, as far as there are any
#
# Prints lines for eval: XINETD='/…' TFTPD='/…' SSHD='/…' RPCBIND='/…' RPCINFO='/…' RSYSLOGD='/…'
# RSYSLOG_LIBRARIES='/…', the last empty where rsyslogd needs none of its own. They are Debian's packages, fetched by
# apt-get (which checks their signatures) and unpacked below $USHERD_PROGRAMS, or build/programs of this tree. What the
# machine has itself is used as it is.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd -P)
programs=${USHERD_PROGRAMS:-$top/build/programs}

die() {
	printf 'programs.sh: %s\n' "$*" >&2
	exit 1
}

# Where a program is: on the machine, or unpacked; nothing when nowhere.
locate() {
	for place in /usr/sbin /usr/local/sbin /usr/bin "$programs/root/usr/sbin" "$programs/root/sbin" \
		"$programs/root/usr/bin"; do
		if [ -x "$place/$1" ]; then
			printf '%s\n' "$place/$1"
			return
		fi
	done
}

fetch() {
	command -v apt-get dpkg-deb >/dev/null ||
		die "$* can be fetched on Debian only: install them, without letting them start, then try again"
	mkdir -p "$programs/root" "$programs/packages/partial"
	cd "$programs/packages"
	echo "programs.sh: fetching $*" >&2
	# As root, apt-get would fetch as a user of its own, who need not see this directory.
	apt-get -qq -o APT::Sandbox::User=root download "$@" >&2 ||
		die "fetching $* failed: run \"apt-get update\" as root and look at the network, then try again"
	for package in "$@"; do
		for file in "$package"_*.deb; do
			dpkg-deb -x "$file" "$programs/root" || die "$file is damaged: remove it, then try again"
		done
	done
}

if [ "${1:-}" = --peers ]; then
	for peer in xinetd openbsd-inetd inetutils-inetd rlinetd ucspi-tcp ipsvd busybox-static socat libpcap0.8 \
		liblua5.3-0 ncat python3-twisted python3-zope.interface python3-constantly python3-incremental python3-attr \
		python3-automat python3-hyperlink python3-idna python3-typing-extensions python3-six; do
		(fetch "$peer") || echo "programs.sh: going on without $peer" >&2
	done
	exit
fi

missing=
[ -n "$(locate xinetd)" ] || missing="$missing xinetd"
[ -n "$(locate in.tftpd)" ] || missing="$missing tftpd-hpa"
[ -n "$(locate sshd)" ] || missing="$missing openssh-server"
[ -n "$(locate rpcbind)" ] && [ -n "$(locate rpcinfo)" ] || missing="$missing rpcbind"
# Its libraries are its own; the others use those that are installed for the tests.
[ -n "$(locate rsyslogd)" ] || missing="$missing rsyslog libestr0 libfastjson4"
if [ -n "$missing" ]; then
	[ "${1:-}" != --present ] || exit 77
	# shellcheck disable=SC2086 # a list of words
	fetch $missing
fi

xinetd=$(locate xinetd) tftpd=$(locate in.tftpd) sshd=$(locate sshd)
rpcbind=$(locate rpcbind) rpcinfo=$(locate rpcinfo) rsyslogd=$(locate rsyslogd)
rsyslog_libraries=
case $rsyslogd in
"$programs"/*) rsyslog_libraries=$(dirname "$(find "$programs/root/usr/lib" -name libestr.so.0 | head -n 1)") ;;
esac
for path in "$xinetd" "$tftpd" "$sshd" "$rpcbind" "$rpcinfo" "$rsyslogd"; do
	[ -n "$path" ] || die "a package did not hold its server: remove $programs, then try again"
	if LD_LIBRARY_PATH=$rsyslog_libraries ldd "$path" 2>/dev/null | grep -q 'not found'; then
		die "$path lacks libraries: run \"./bootstrap check\" once, which installs them"
	fi
done
"$xinetd" -version >/dev/null 2>&1 || die "$xinetd does not run: remove $programs, then try again"
"$tftpd" -V >/dev/null 2>&1 || die "$tftpd does not run: remove $programs, then try again"
"$sshd" -V 2>&1 | grep -q OpenSSH || die "$sshd does not run: remove $programs, then try again"
LD_LIBRARY_PATH=$rsyslog_libraries "$rsyslogd" -v >/dev/null 2>&1 ||
	die "$rsyslogd does not run: remove $programs, then try again"

cat <<END
XINETD='$xinetd'
TFTPD='$tftpd'
SSHD='$sshd'
RPCBIND='$rpcbind'
RPCINFO='$rpcinfo'
RSYSLOGD='$rsyslogd'
RSYSLOG_LIBRARIES='$rsyslog_libraries'
END
