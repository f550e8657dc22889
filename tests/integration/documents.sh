#!/bin/bash
# Proves: the options that README.md, the migration page and the manuals name are those that the programs take, and none is left out.
# SPDX-License-Identifier: ISC

# shellcheck source=tests/lib/lib.sh
. "${srcdir:-.}/tests/lib/lib.sh"

# Also where the test does not run from there.
docs=$top_src/doc

# same WHAT FILE FILE: the two lists agree.
same() {
	check "$1" equal "$(sort -u "$2" | tr '\n' ' ')" "$(sort -u "$3" | tr '\n' ' ')"
}

"$top_build/usherd" -help >"$tmp/daemon" 2>&1
"$top_build/usherctl" --help >"$tmp/client"

# usherd(8): what -help lists is in the SYNOPSIS, and each has a paragraph.
grep -o '^  -[a-z_]*' "$tmp/daemon" | tr -d ' ' >"$tmp/options"
sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$docs/usherd.8" | grep -o 'Fl [a-z_]*\( | [a-z]*\)*' |
	sed 's/Fl //g' | tr -d ' ' | tr '|' '\n' | sed 's/^/-/' >"$tmp/synopsis"
same "the synopsis of usherd(8) has every option" "$tmp/synopsis" "$tmp/options"
while read -r option; do
	check "$option has a paragraph in usherd(8)" grep -q "^\.It Fl ${option#-}\( \|$\)" "$docs/usherd.8"
done <"$tmp/options"

for command in call check convert dump lookup; do
	check "$command --help is the same" equal "$("$top_build/usherctl" $command --help)" "$(cat "$tmp/client")"
done

# usherctl(1): what --help shows, the manual explains.
grep -o -- '--[a-z]*' "$tmp/client" | sort -u >"$tmp/options"
while read -r option; do
	check "$option is in usherctl(1)" grep -q "Fl.* -${option#--}\b" "$docs/usherctl.1"
done <"$tmp/options"

# usherd.conf(5): each attribute has an item, marked (D) where defaults may have it.
sed -n 's/^\tX([A-Z0-9_]*, *"\([a-z0-9_]*\)", *[A-Z]*, *[a-z_A-Z]*, *[0-9]*, *[A-Z0-9]*, *\([A-Z_ |0]*\)).*/\1 \2/p' \
	"$top_src/src/config/schema.h" | sed 's/ .*\(IN_DEFAULTS\|EXTENDS\).*/ D/; / D$/! s/ .*//' |
	grep -v '^mdns\b' | sort >"$tmp/attributes"
sed -n 's/^\.It Ic \([^=]*\) No = .* Pq D\(,.*\)\{0,1\}$/\1 D/p; t; s/^\.It Ic \([a-z0-9_]*\) No = .*/\1/p' "$docs/usherd.conf.5" |
	awk '{ for (i = 1; i <= NF; i++) if ($i != "," && $i != "D") print $i ($NF == "D" ? " D" : "") }' |
	sort -u >"$tmp/items"
check "the attributes are there" test "$(wc -l <"$tmp/attributes")" -gt 55
same "usherd.conf(5) has every attribute, and says which defaults may have" "$tmp/items" "$tmp/attributes"

# Commands in code, indented or between backticks: every word that begins with "-" is an option.
for page in "$top_src/README.md" "$docs/migration.md"; do
	{
		grep '^    ' "$page"
		grep -o '`[^`]*`' "$page" | tr -d '`'
	} |
		sed 's/ #.*//; s/[|<].*//' | grep -v systemctl | grep -o '\(usherctl\|usherd\) .*' >"$tmp/commands"
	while read -r program words; do
		# shellcheck disable=SC2086 # a list of words
		for word in $words; do
			case $program:$word in
			usherctl:-*) check "$program knows $word of ${page##*/}" grep -q -- "\(^\|[ [|]\)$word\([] =[]\|$\)" "$tmp/client" ;;
			usherd:-*) check "$program knows $word of ${page##*/}" grep -q -- "^  $word " "$tmp/daemon" ;;
			esac
		done
	done <"$tmp/commands"
done
# The only other place where the page has options of its own.
for word in $(grep -o '`--\?[a-z_]*`' "$docs/migration.md" | tr -d '`' | sort -u); do
	check "there is $word of migration.md" grep -q -- "\(^  \|[ [|]\)$word\([] =[]\|$\)" "$tmp/client" "$tmp/daemon"
done
finish
