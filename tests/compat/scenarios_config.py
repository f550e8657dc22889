# SPDX-License-Identifier: ISC
"""Scenarios: what a file may say, and what becomes of a file that is wrong (compat 1)."""

from table import BASE, EITHER, add, alone, ask, hold, hup, pause, release, stanza, udp

# --- 1.1 lines ------------------------------------------------------------------------------------

add("plain", "1", "", [ask(), ask(src="10.1.2.3"), ask(src="fd00::2")])
add("line-comments", "1.1", "# a comment\n   # another\n\n\t\n\t\tinstances = 5\n#}", [ask()])
add("line-comment-behind", "1.1", "instances = 5 # x", [ask()])
add("line-comment-behind-list", "1.1", "only_from = 127.0.0.1 # home", [ask(), ask(src="10.1.2.3")])
add("line-comment-behind-word", "1.1", "instances = 5#x", [ask()])
add("line-comment-in-args", "1.1", "server_args = world # x", [ask()])
add("line-quotes", "1.1", 'server_args = world "three four" \\ $x', [ask()])
add("line-backslash", "1.1", "server_args = world one \\\nnice = 3", [ask()])
add("line-capitals", "1.1", "Socket_Type = STREAM\nWAIT = No\ninstances = unlimited\nTYPE = unlisted", [ask()])
add("line-tabs", "1.1", "instances\t=\t\t7\t \n   umask   =   027   ", [ask()])
add("line-crlf", "1.1", stanza("instances = 3").replace("\n", "\r\n"), [ask()])
add("line-no-end", "1.1", stanza().rstrip("\n"), [ask()])
add("line-long", "1.1", "server_args = world " + "a" * 8000, [ask()])
add("line-too-long", "1.1", "# " + "x" * 20000 + "\n" + stanza(), [ask()])
add("line-bytes", "1.1", "env = NAME=\u00e4\u20ac\nserver_args = world", [ask()])
add("number-plus", "1.1", "instances = +5", [ask()])
add("number-zeros", "1.1", "instances = 005", [ask()])
add("number-junk", "1.1", "instances = 5x", [ask()])
add("number-huge", "1.1", "instances = 4294967297", [ask()])
add("number-negative", "1.1", "instances = -1", [ask()])
add("number-hex", "1.1", "instances = 0x10", [ask()])

# --- 1.2 sections ---------------------------------------------------------------------------------

add("brace-on-header", "1.2", "service $NAME {\n$BASE}\n", [ask()])
add("brace-comment", "1.2", "service $NAME\n{ # x\n$BASE}\n", [ask()])
add("brace-after-blanks", "1.2", "service $NAME\n\n# comment\n   {\n$BASE   }   \n", [ask()])
add("brace-missing", "1.2", "service $NAME\n$BASE}\n" + stanza("port = $PORT2", "$NAME-2"), [ask(), ask(port=2)])
add("header-more-words", "1.2", "service $NAME and more words\n{\n$BASE}\n", [ask()])
add("header-no-name", "1.2", "service\n{\n$BASE}\n" + stanza("port = $PORT2", "$NAME-2"), [ask(), ask(port=2)])
add("operator-no-space-before", "1.2", "-wait\nwait=no", [ask()])
add("operator-no-space-after", "1.2", "-wait\nwait =no", [ask()])
add("operator-none", "1.2", "foo bar", [ask()])
add("operator-bare-name", "1.2", "foo", [ask()])
add("operator-double", "1.2", "instances == 3", [ask()])
add("section-nested", "1.2", "service $NAME\n{\n$BASEservice $NAME-2\n{\n}\n}\n" + stanza("port = $PORT3", "$NAME-3"),
    [ask(), ask(port=3)])

# --- 1.3 errors -----------------------------------------------------------------------------------

add("error-stray-word", "1.3", "foo bar\n" + stanza() + stanza("port = $PORT2", "$NAME-2"), [ask(), ask(port=2)])
add("error-stray-brace", "1.3", "}\n" + stanza() + stanza("port = $PORT2", "$NAME-2"), [ask(), ask(port=2)])
add("error-malformed-line", "1.3", stanza("instances 5") + stanza("port = $PORT2", "$NAME-2"), [ask(), ask(port=2)])
add("error-no-end", "1.3", "service $NAME\n{\n$BASE", [ask()])
add("error-unknown-attribute", "1.3", "colour = blue", [ask()])
add("error-misspelt-limit", "1.3", "only_form = 10.1.2.3", [ask()])
add("error-too-many-values", "1.3", "instances = 5 6", [ask()])
add("error-no-value", "1.3", "instances =", [ask()])
add("error-repeated", "1.3", "instances = 5\ninstances = 6", [ask()])
add("error-operator", "1.3", "instances += 5", [ask()])
add("error-bad-value", "1.3", "instances = x", [ask()])
add("error-bad-value-early", "1.3", "service $NAME\n{\ninstances = x\n$BASE}\n" + stanza("port = $PORT2", "$NAME-2"),
    [ask(), ask(port=2)])
add("error-revived", "1.3", "only_from = 10.1.2.3 a,b\ndisable = no", [ask(), ask(src="10.1.2.3")])
alone("error-revived-by-list", "1.3", "defaults\n{\nenabled = $NAME\n}\n" + stanza("instances = x"), [ask()])
alone("defaults-bad-value", "1.3", "defaults\n{\ninstances = abc\n}\n" + stanza(), [ask()], starts=EITHER)
alone("defaults-bad-value-reload", "1.3", stanza(),
      [ask(), hup("defaults\n{\ninstances = abc\n}\n" + stanza(), r"xinetd will exit|everything goes on"),
       pause(0.2), ask()])
alone("defaults-malformed-line", "1.3", "defaults\n{\ninstances = 3\nfoo\n}\n" + stanza() +
      stanza("port = $PORT2", "$NAME-2"), [ask(), ask(port=2)])
alone("defaults-unknown-attribute", "1.3", "defaults\n{\ncolour = blue\ninstances = 3\n}\n" + stanza(), [ask()])
alone("defaults-server", "1.3", "defaults\n{\nserver = /bin/true\ninstances = 3\n}\n" + stanza(), [ask()])

# --- 1.4 several sections --------------------------------------------------------------------------

add("twice-other-id", "1.4", stanza("id = $NAME-a") + stanza("id = $NAME-b\nport = $PORT2"), [ask(), ask(port=2)])
add("twice-same-id", "1.4", stanza() + stanza("port = $PORT2"), [ask(), ask(port=2)])
add("twice-same-port", "1.4", stanza() + stanza("", "$NAME-2"), [ask()])
add("twice-same-port-bound", "1.4", stanza("bind = 127.0.0.1") + stanza("bind = 127.0.0.1", "$NAME-2"), [ask()])
add("twice-same-port-later-unbound", "1.4", stanza("bind = 127.0.0.1") + stanza("", "$NAME-2"),
    [ask(), ask(src="10.1.2.3")])
add("twice-other-address", "1.4", stanza("bind = 127.0.0.1") + stanza("bind = 10.0.0.1\nserver_args = hold", "$NAME-2"),
    [ask(), hold(src="10.1.2.3"), release()])
UDP = "socket_type = dgram\nwait = yes\nserver_args = dgram 1 500\n"
add("twice-same-udp-port", "1.4", stanza(UDP) + stanza(UDP, "$NAME-2"), [udp()], skip="log")
add("twice-tcp-and-udp", "1.4", stanza() + stanza(UDP, "$NAME-2"), [ask(), udp()])
alone("defaults-twice", "1.4", "defaults\n{\ninstances = 3\n}\ndefaults\n{\nper_source = 4\n}\n" + stanza(), [ask()])
alone("defaults-in-two-files", "1.4", "defaults\n{\ninstances = 3\nlog_on_failure = HOST\n}\ninclude $DIR/second\n" + stanza(
    "-log_on_failure"), [ask()], files={"$DIR/second": "defaults\n{\ninstances = 4\nper_source = 5\nlog_on_failure = ATTEMPT\n}\n"})

# --- 1.5 include -----------------------------------------------------------------------------------

add("include-missing", "1.5", "include $DIR/none\n" + stanza(), [ask()])
add("include-file", "1.5", "include $DIR/inc/$NAME\n", [ask()], files={"$DIR/inc/$NAME": stanza()})
add("include-nested", "1.5", "include $DIR/inc/$NAME-1\n", [ask(), ask(port=2)], files={
    "$DIR/inc/$NAME-1": "include $DIR/inc/$NAME-2\n" + stanza(), "$DIR/inc/$NAME-2": stanza("port = $PORT2", "$NAME-2")})
add("include-in-section", "1.5", "service $NAME\n{\n$BASEinclude $DIR/inc/$NAME\n}\n", [ask()],
    files={"$DIR/inc/$NAME": "instances = 3\n"})
add("includedir-missing", "1.5", "includedir $DIR/none\n" + stanza(), [ask()])
add("includedir-selection", "1.5", "includedir $DIR/$NAME\n", [ask(), ask(port=2), ask(port=3), ask(port=4)], files={
    "$DIR/$NAME/good": stanza(), "$DIR/$NAME/with.dot": stanza("port = $PORT2", "$NAME-2"),
    "$DIR/$NAME/old~": stanza("port = $PORT3", "$NAME-3"), "$DIR/$NAME/sub/deep": stanza("port = $PORT4", "$NAME-4")})
add("includedir-order", "1.5", "includedir $DIR/$NAME\n", [ask()], skip="messages", files={
    "$DIR/$NAME/b": stanza("bind = 127.0.0.1", "$NAME-b"), "$DIR/$NAME/B": stanza("bind = 127.0.0.1", "$NAME-c")})
alone("include-itself", "1.5", "include $DIR/$NAME.conf\n" + stanza(), [ask()], limits=(64, 64), skip=("messages", "dump"))
alone("include-relative", "1.5", "include sub/one\n", [ask(), hup(), ask()], files={"$DIR/sub/one": stanza()})

# --- 1.6 defaults ----------------------------------------------------------------------------------

ALLOW = [ask(), ask(src="10.1.2.3"), ask(src="10.2.0.1")]
alone("defaults-only-from", "1.6", "defaults\n{\nonly_from = 10.1.0.0\n}\n" + stanza(), ALLOW)
alone("defaults-only-from-later", "1.6", stanza() + "defaults\n{\nonly_from = 10.1.0.0\n}\n", ALLOW)
alone("defaults-only-from-replaced", "1.6", "defaults\n{\nonly_from = 10.1.0.0\n}\n" + stanza("only_from = 10.2.0.1"), ALLOW)
alone("defaults-only-from-added", "1.6", "defaults\n{\nonly_from = 10.1.0.0\n}\n" + stanza("only_from += 10.2.0.1"), ALLOW)
alone("defaults-only-from-removed", "1.6", "defaults\n{\nonly_from = 10.1.0.0 10.2.0.1\n}\n" + stanza("only_from -= 10.2.0.1"),
      ALLOW)
alone("defaults-only-from-twice", "1.6", "defaults\n{\nonly_from = 10.1.0.0\nonly_from = 10.2.0.1\n}\n" + stanza(), ALLOW)
alone("defaults-no-access", "1.6", "defaults\n{\nno_access = 10.1.0.0\n}\n" + stanza() +
      stanza("no_access =\nport = $PORT2", "$NAME-2"), ALLOW + [ask(src="10.1.2.3", port=2)])
alone("defaults-limits-later", "1.6", stanza() + stanza("instances = 9\nper_source = 8\ncps = 7 6\numask = 077\nport = $PORT2",
      "$NAME-2") + "defaults\n{\ninstances = 5\nper_source = 4\ncps = 9 8\numask = 027\ngroups = yes\n}\n", [ask(), ask(port=2)])
alone("defaults-log-later", "1.6", stanza("-log_type\n-log_on_success\n-log_on_failure") +
      stanza("-log_type\nport = $PORT2\nlog_on_success += EXIT\nlog_on_failure =\nno_access = 127.0.0.1", "$NAME-2") +
      "defaults\n{\nlog_type = FILE $LOG\nlog_on_success = PID\nlog_on_failure = HOST\n}\n", [ask(), ask(port=2)])
alone("defaults-log", "1.6", "defaults\n{\nlog_type = FILE $LOG\nlog_on_success = PID\nlog_on_failure = HOST\n}\n" +
      stanza("-log_type\n-log_on_success\n-log_on_failure") +
      stanza("-log_type\n-log_on_success\nport = $PORT2\nlog_on_success += EXIT HOST\nlog_on_failure =\nno_access = 10.1.2.3",
             "$NAME-2") + stanza("-log_type\n-log_on_success\nport = $PORT3\nlog_on_success -= PID", "$NAME-3"),
      [ask(), ask(port=2), ask(src="10.1.2.3", port=2), ask(port=3)])
alone("defaults-log-twice", "1.6", "defaults\n{\nlog_type = FILE $LOG\nlog_type = FILE $LOG\n}\n" + stanza(), [ask()],
      starts=EITHER)
add("log-type-twice", "1.6", stanza("log_type = FILE $LOG\nlog_type = FILE $LOG"), [ask()])
alone("defaults-passenv", "1.6", "defaults\n{\npassenv = KEPT\n}\n" + stanza("server_args = world") +
      stanza("server_args = world\nport = $PORT2\npassenv += OTHER", "$NAME-2"), [ask(), ask(port=2)])
alone("defaults-v6only", "1.6", "defaults\n{\nv6only = yes\n}\n" + stanza(), [ask(), ask(src="fd00::2")])
alone("defaults-bind", "1.6", "defaults\n{\nbind = 127.0.0.1\n}\n" + stanza() + stanza("bind = 10.0.0.1\nport = $PORT2", "$NAME-2"),
      [ask(), ask(src="10.1.2.3"), ask(port=2), ask(src="10.1.2.3", port=2)])
alone("defaults-nice", "1.6", "defaults\n{\nnice = 4\n}\n" + stanza("server_args = world"), [ask()], skip="dump")
alone("defaults-rlimit", "1.6", "defaults\n{\nrlimit_cpu = 40\n}\n" + stanza("server_args = world"), [ask()])
alone("defaults-access-times", "1.6", "defaults\n{\naccess_times = 0:00-23:59\n}\n" + stanza(), [ask()])
add("only-removed-unset", "1.6", "only_from -= 10.1.2.3", ALLOW)
add("only-added-unset", "1.6", "only_from += 10.1.2.3", ALLOW)
add("only-added-twice", "1.6", "only_from = 10.1.2.3\nonly_from += 10.2.0.1", ALLOW)
add("only-set-twice", "1.6", "only_from = 10.1.2.3\nonly_from = 10.2.0.1", ALLOW)
add("no-access-removed", "1.6", "no_access = 10.1.2.3 10.2.0.1\nno_access -= 10.2.0.1", ALLOW)
add("env-removed", "1.6", "env -= A=b", [ask()])

# --- 1.7 disable, enabled, disabled ----------------------------------------------------------------

TWO = stanza() + stanza("port = $PORT2", "$NAME-2")
BOTH = [ask(), ask(port=2)]
add("disable-yes", "1.7", "disable = yes", [ask()])
add("disable-no", "1.7", "disable = no", [ask()])
add("disable-yes-then-junk", "1.7", "service $NAME\n{\ndisable = yes\njunk\ninstances = x\n}\n" + stanza("port = $PORT2", "$NAME-2"),
    BOTH)
add("disable-yes-then-no", "1.7", "service $NAME\n{\ndisable = yes\n$BASEdisable = no\n}\n", [ask()])
add("disable-no-then-yes", "1.7", "service $NAME\n{\ndisable = no\n$BASEdisable = yes\n}\n", [ask()])
add("disable-bad", "1.7", "disable = maybe", [ask()])
alone("enabled", "1.7", "defaults\n{\nenabled = $NAME-2 unknown\n}\n" + TWO, BOTH)
alone("enabled-by-id", "1.7", "defaults\n{\nenabled = other\n}\n" + stanza("id = other") + stanza("port = $PORT2", "$NAME-2"), BOTH)
alone("enabled-not-reviving", "1.7", "defaults\n{\nenabled = $NAME $NAME-2\n}\n" + stanza("disable = yes") +
      stanza("port = $PORT2", "$NAME-2"), BOTH)
alone("enabled-capitals", "1.7", ("defaults\n{\nenabled = ENABLED-CAPITALS\n}\n") + TWO, BOTH)
alone("disabled", "1.7", "defaults\n{\ndisabled = $NAME unknown\n}\n" + TWO, BOTH)
alone("disabled-wins", "1.7", "defaults\n{\nenabled = $NAME $NAME-2\ndisabled = $NAME\n}\n" + TWO, BOTH)
alone("disabled-added", "1.7", "defaults\n{\ndisabled = $NAME\ndisabled += $NAME-2\n}\n" + TWO, BOTH)

# --- 1.8 what a service must have ------------------------------------------------------------------

add("needs-socket-type", "1.8", "-socket_type", [ask()])
add("infers-socket-type", "1.8", "-socket_type\nprotocol = tcp", [ask()])
add("infers-dgram", "1.8", "-socket_type\nprotocol = udp\nwait = yes\nserver_args = dgram 1 500", [udp()])
add("needs-wait", "1.8", "-wait", [ask()])
add("needs-server", "1.8", "-server", [ask()])
add("needs-user", "1.8", "-user", [ask()])
add("needs-port", "1.8", "-port", [ask()])
add("listed", "1.8", "-type", [ask()])
add("listed-without-port", "1.8", "-type\n-port", [ask()])
add("listed-other-port", "1.8", "-type\nport = $PORT2", [ask(), ask(port=2)])
add("not-listed", "1.8", "service not-in-the-list\n{\n" + BASE.replace("type = UNLISTED\n", "id = $NAME\n") + "}\n", [ask()])
add("not-listed-without-port", "1.8", "service not-in-the-list\n{\n" + BASE.replace("type = UNLISTED\n", "id = $NAME\n").replace(
    "port = $PORT\n", "") + "}\n", [ask()])
add("internal-unknown", "1.8", "type = INTERNAL UNLISTED\n-server\n-server_args\n-user", [ask()])
add("protocol-against-type", "1.8", "protocol = udp", [ask()])
