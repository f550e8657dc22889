#!/bin/bash
# Real files written for xinetd mean the same to usherd: same services, same values, and no restriction lost.
# SPDX-License-Identifier: ISC
#
# The files are not part of this tree. $USHERD_CORPUS names the directory that holds them (default: shared/corpus
# beside the tree); its README says what is in it. Where Debian's xinetd is at hand (tests/lib/programs.sh),
# values are compared with its own state dump, otherwise only the recorded verdicts are.

# shellcheck source=tests/lib/lib.sh
. "${srcdir:-.}/tests/lib/lib.sh"

corpus=${USHERD_CORPUS:-$top_src/../shared/corpus}
[ -f "$corpus/stanzas.tsv" ] || skip "no corpus of real files at $corpus (USHERD_CORPUS names another place)"
command -v python3 >/dev/null || skip "needs python3"
unshare -m true 2>/dev/null || skip "mount namespaces are not allowed here"

XINETD=
eval "$("$top_src/tests/lib/programs.sh" --present 2>/dev/null)"
[ -n "$XINETD" ] || echo "no xinetd here: comparing with its recorded verdicts only"

# Addresses that the files name shall be there to bind to.
for switch in ipv4/ip_nonlocal_bind ipv6/ip_nonlocal_bind; do
	[ ! -w "/proc/sys/net/$switch" ] || echo 1 >"/proc/sys/net/$switch"
done

PYTHONDONTWRITEBYTECODE=1 unshare -m --propagation private \
	python3 "$top_src/tests/compat/corpus_check.py" "$corpus" "$usherctl" "$tmp/root" $XINETD
