#!/bin/bash
# Proves: bad files on a reload change nothing that works: broken stanzas keep their old form, broken defaults all.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"

mkdir "$tmp/d" "$tmp/e"
cat >"$tmp/tell" <<'END'
#!/bin/sh
echo "$*"
END
chmod +x "$tmp/tell"
main() {
	open_defaults
	echo "includedir $tmp/d"
	echo "include $tmp/one"
	echo "includedir $tmp/e"
}
main >"$tmp/main.conf"
write_all() {
	stanza a 7001 "$tmp/tell" "a $1" >"$tmp/d/a"
	stanza b 7002 "$tmp/tell" "b $1" >"$tmp/d/b"
	stanza c 7003 "$tmp/tell" "c $1" >"$tmp/one"
	stanza d 7004 "$tmp/tell" "d $1" >"$tmp/e/d"
}
speak() {
	equal "$(ask 7001)/$(ask 7002)/$(ask 7003)/$(ask 7004)" "$1"
}
# since NUMBER PATTERN: whether a line after the first NUMBER of the daemon's log matches.
since() {
	tail -n "+$(($1 + 1))" "$tmp/daemon.log" | grep -q -e "$2"
}
mark() {
	at=$(wc -l <"$tmp/daemon.log")
}

write_all 1
start_usherd "$tmp/main.conf"
check "all speak" speak "a 1/b 1/c 1/d 1"
inode=$(inode_of 7001)

# Every way to break one stanza that runs.
n=1 old=1
while IFS='|' read -r what text; do
	n=$((n + 1))
	write_all $n
	printf '%b' "$text" >"$tmp/d/a"
	mark
	reload
	check "$what: the others change, it goes on in its old form" speak "a $old/b $n/c $n/d $n"
	check "$what: an ERROR says where" since "$at" "ERROR: .*\[file=$tmp/d/a\]"
	check "$what: and that it goes on" since "$at" "ERROR: service a.* goes on in its old form"
	check "$what: its socket is the same" equal "$(inode_of 7001)" "$inode"
done < <(

	cat <<END
a value that is none|service a\n{\n\ttype = UNLISTED\n\tport = 7001\n\tsocket_type = stream\n\twait = maybe\n\tuser = root\n\tserver = $tmp/tell\n}\n
no server|service a\n{\n\ttype = UNLISTED\n\tport = 7001\n\tsocket_type = stream\n\twait = no\n\tuser = root\n}\n
an unknown user|service a\n{\n\ttype = UNLISTED\n\tport = 7001\n\tsocket_type = stream\n\twait = no\n\tuser = nobodyatall\n\tserver = $tmp/tell\n}\n
no equals sign|service a\n{\n\ttype UNLISTED\n\tport = 7001\n}\n
no closing brace|service a\n{\n\ttype = UNLISTED\n\tport = 7001\n\tsocket_type = stream\n
a port that is none|service a\n{\n\ttype = UNLISTED\n\tport = 70010\n\tsocket_type = stream\n\twait = no\n\tuser = root\n\tserver = $tmp/tell\n}\n
a rule that is none|service a\n{\n\ttype = UNLISTED\n\tport = 7001\n\tsocket_type = stream\n\twait = no\n\tuser = root\n\tserver = $tmp/tell\n\tonly_from = 300.1.2.3/99\n}\n
END
)
write_all ok
reload
check "mended, it takes its new form" speak "a ok/b ok/c ok/d ok"

# Broken defaults.
write_all bad
printf 'defaults\n{\n\tmax_load = heavy\n}\n' >"$tmp/d/z"
mark
reload
check "broken defaults leave all as it was" speak "a ok/b ok/c ok/d ok"
check "and an ERROR says where" since "$at" "ERROR: .*max_load.*\[file=$tmp/d/z\] \[line=3\]"
check "and a WARNING that the reload failed" since "$at" "WARNING: reconfiguration failed"
rm "$tmp/d/z"

# The main file.
mv "$tmp/main.conf" "$tmp/main.away"
mark
reload
check "without its main file all is as it was" speak "a ok/b ok/c ok/d ok"
check "and the log says so" since "$at" "reconfiguration failed"
check "and names the file" since "$at" "ERROR: .*$tmp/main.conf"
mkdir "$tmp/main.conf"
reload
check "with a directory in its place, too" speak "a ok/b ok/c ok/d ok"
rmdir "$tmp/main.conf"
ln -s main.conf "$tmp/main.conf"
reload
check "with a link to itself, too" speak "a ok/b ok/c ok/d ok"
rm "$tmp/main.conf"
mv "$tmp/main.away" "$tmp/main.conf"

# Includes.
write_all inc
mv "$tmp/one" "$tmp/one.away"
mark
reload
check "an include that is absent keeps its services" speak "a inc/b inc/c ok/d inc"
check "and an ERROR names it" since "$at" "ERROR: .*$tmp/one"
mkdir "$tmp/one"
reload
check "one that is a directory, too" speak "a inc/b inc/c ok/d inc"
rmdir "$tmp/one"
mv "$tmp/one.away" "$tmp/one"
mv "$tmp/e" "$tmp/e.away"
mark
reload
check "a folder that is absent keeps its services" speak "a inc/b inc/c inc/d inc"
check "and an ERROR names it" since "$at" "ERROR: .*$tmp/e"
mv "$tmp/e.away" "$tmp/e"
rm "$tmp/e/d"
reload
check "one that is there without its file drops the service" refuses 7004
rm "$tmp/one"
sed '/^include /d' "$tmp/main.conf" >"$tmp/main.new" && mv "$tmp/main.new" "$tmp/main.conf"
reload
check "so does a main file that no longer includes it" refuses 7003

# A file that includes others and is damaged, so that nobody knows whether it still does.
write_all way
stanza g 7005 "$tmp/tell" "g" >"$tmp/deep"
{
	stanza f 7006 "$tmp/tell" "f"
	echo "include $tmp/deep"
} >"$tmp/way"
{
	main
	echo "include $tmp/way"
} >"$tmp/main.conf"
reload
check "includes within includes speak" equal "$(ask 7005)/$(ask 7006)" "g/f"
stanza f 7006 "$tmp/tell" "f new" >"$tmp/way"
printf 'includ e %s\n' "$tmp/deep" >>"$tmp/way"
reload
check "a damaged include keeps what it led to" equal "$(ask 7005)" g
check "and what can be read of it is in force" equal "$(ask 7006)" "f new"
rm "$tmp/d/b"
mv "$tmp/way" "$tmp/way.away"
reload
check "so does one that is gone" equal "$(ask 7005)/$(ask 7006)" "g/f new"
check "meanwhile, what is surely gone elsewhere goes" refuses 7002
mv "$tmp/way.away" "$tmp/way"
stanza f 7006 "$tmp/tell" "f" >"$tmp/way"
reload
check "a sound one that leads there no more ends it" refuses 7005
{
	main
	echo "includ e $tmp/way"
} >"$tmp/main.conf"
write_all junk
rm "$tmp/e/d"
reload
check "a damaged main file keeps what it led to" equal "$(ask 7006)" f
check "but not what a folder that can be read has no more" refuses 7004
main >"$tmp/main.conf"
write_all inc
reload
check "mended, it ends what it does not lead to" refuses 7006

# Nothing left: in the foreground the daemon stays.
echo "# nothing" >"$tmp/main.conf"
reload
check "a file without services is no error" has "$tmp/daemon.log" 'new=0 old=0 dropped=4'
check "the daemon stays" alive "$daemon"
check "and the ports are shut" refuses 7001
write_all back
main >"$tmp/main.conf"
reload
check "and all come back" speak "a back/b back/c back/d back"
finish
