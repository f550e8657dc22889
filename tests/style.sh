#!/bin/sh
# Proves: the sources are formatted as .clang-format says, scripts pass shellcheck, manuals pass mandoc's lint.
# SPDX-License-Identifier: ISC

cd "${srcdir:-.}" || exit 1
status=0
checked=0

if command -v clang-format >/dev/null && clang-format --version | grep -q 'version 14'; then
	checked=1
	find src services tests -name '*.[ch]' -exec clang-format --dry-run -Werror {} + || status=1
else
	echo "note: clang-format 14 is not here; formatting is not checked"
fi

if command -v shellcheck >/dev/null; then
	checked=1
	shellcheck -x -S warning bootstrap tests/*.sh tests/lib/*.sh || status=1
else
	echo "note: shellcheck is not here; scripts are not checked"
fi

if command -v mandoc >/dev/null; then
	checked=1
	for page in doc/*.[1578]; do
		mandoc -T lint -W warning "$page" || status=1
	done
else
	echo "note: mandoc is not here; manuals are not checked"
fi

[ $checked = 1 ] || exit 77
exit $status
