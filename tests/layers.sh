#!/bin/sh
# Proves: every include points to the same layer or to one further down (doc: the tree of README.md), and none in a circle.
# SPDX-License-Identifier: ISC

src=${srcdir:-.}/src
status=0

# What each folder may include besides itself; the command lines see everything.
allowed() {
	case $1 in
	base) echo "" ;;
	config) echo "base" ;;
	policy) echo "base config" ;;
	record) echo "base config policy" ;;
	serve) echo "base config policy record" ;;
	control) echo "base config policy record serve" ;;
	ctl) echo "base config policy" ;;
	worker | gate | rpc) echo "base" ;;
	*) echo "unknown" ;;
	esac
}

includes=0
for file in "$src"/*/*.[ch]; do
	layer=$(basename "$(dirname "$file")")
	for target in $(sed -n 's|^#include "\([a-z_]*\)/.*|\1|p' "$file"); do
		includes=$((includes + 1))
		[ "$target" = "$layer" ] && continue
		case " $(allowed "$layer") " in
		*" $target "*) ;;
		*)
			echo "$file: $layer may not include $target"
			status=1
			;;
		esac
	done
done
[ "$includes" -gt 100 ] || {
	echo "only $includes includes found: is the tree where it should be?"
	exit 1
}

# Modules do not include each other in circles; a private header belongs to its module.
pairs=$(cd "$src" && for file in */*.[ch]; do
	module=${file%.[ch]}
	sed -n 's|^#include "\([a-z_]*/[a-z_]*\)\.h".*|\1|p' "$file" |
		while read -r target; do
			[ "${target%_private}" = "${module%_private}" ] ||
				echo "${module%_private} ${target%_private}"
		done
done)
if ! circles=$(echo "$pairs" | tsort 2>&1 >/dev/null); then
	echo "modules include each other in a circle:"
	echo "$circles"
	status=1
fi
[ "$(echo "$pairs" | wc -l)" -gt 500 ] || {
	echo "too few includes between modules found"
	status=1
}

# The stub services know the inetd contract and nothing of usherd.
if grep -n '#include ".*/\|#include "config.h"' "${srcdir:-.}"/services/*.[ch]; then
	echo "services include nothing of usherd"
	status=1
fi

# Only the schema speaks libconfuse.
if grep -ln '<confuse.h>' "$src"/*/*.[ch] | grep -v 'config/schema.c'; then
	echo "confuse.h belongs to config/schema.c alone"
	status=1
fi
echo "$includes includes checked"
exit $status
