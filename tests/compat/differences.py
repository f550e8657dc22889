# SPDX-License-Identifier: ISC
"""The table of the differences that stay: which defect of xinetd, why, and which scenarios show it.

Each entry is checked both ways: a scenario that differs elsewhere fails, and so does one that does not differ here.
"""

from table import hosts, refuses, stays

# --- what a file may say -----------------------------------------------------------------------------

refuses("D3", "an error disables its service for good; xinetd lets a later `disable = no`, or `enabled`, revive it, without "
        "the attribute that was wrong", "error-revived")
refuses("D3", "an error disables its service for good; xinetd lets a later `disable = no`, or `enabled`, revive it, without "
        "the attribute that was wrong", "error-revived-by-list", messages=("1 available service$", "0 available services$"))
refuses("D4", "a wrong number of values, or an operator that the attribute does not have, is an error; xinetd drops the line "
        "and runs the service without it", "error-too-many-values error-no-value error-operator operator-double cps-one")
stays("D4", "a comment may stand behind a value; xinetd takes it as values, and mostly drops the line", "line-comment-behind",
      dump=("instances = UNLIMITED", "instances = 5"))
refuses("own", "a misspelt attribute that would restrict the service is an error; xinetd warns and runs it open",
        "error-misspelt-limit")
refuses("own", "of `disable`, the last one counts; in xinetd the first, with a warning", "disable-no-then-yes")
refuses("own", "numbers that are out of range, or have text behind them, are errors; xinetd cuts them off", "number-huge")
refuses("own", "numbers that are out of range, or have text behind them, are errors; xinetd cuts them off", "load-junk", dump=None)
hosts("D54", "lines may end in CR LF, and be of any length", "line-crlf line-too-long")
hosts("D58", "after what is not understood, reading goes on at the next section; xinetd skips the one that follows",
      "error-stray-word error-stray-brace")
hosts("D58", "after what is not understood, reading goes on at the next section; xinetd skips the one that follows",
      "section-nested", wire=("refused\n.*refused", "refused\n.*served"))
hosts("new", "`{` may stand on the line of the service, and a comment behind it", "brace-on-header brace-comment")
hosts("new", "`port` may be a name of the services database, and a service that is not listed there may have a `port`",
      "port-name not-listed")
hosts("new", "sizes may end in G", "rlimit-giga", wire=("refused", "limit as: 2147483648 2147483648"))
stays("D1", "a bad value in `defaults`, or what is not understood there, keeps the daemon from starting, with status 1, and "
      "a reload from changing anything; xinetd ends, with status 0, or reads the rest as sections", "defaults-bad-value",
      messages=("^WARNING: Exiting", "couldn't get configuration"), status=("0", "1"))
stays("D1", "a bad value in `defaults`, or what is not understood there, keeps the daemon from starting, with status 1, and "
      "a reload from changing anything; xinetd ends, with status 0, or reads the rest as sections", "defaults-bad-value-reload",
      wire=("served.*\n.*refused", "served.*\n.*served"), log=("START", "START(.|\n)*START"),
      messages=("Exiting", "reconfiguration failed"), dump=("", "is there"))
stays("D1", "a bad value in `defaults`, or what is not understood there, keeps the daemon from starting, with status 1, and "
      "a reload from changing anything; xinetd ends, with status 0, or reads the rest as sections", "defaults-malformed-line",
      wire=("served", "did not start"), log=("START", ""), messages=("1 available", "couldn't get configuration"),
      listens=("PORT2", ""), dump=("is there", ""), status=("0", "1"))
refuses("own", "a second `defaults` in one file is an error; xinetd ignores it", "defaults-twice", wire=("served", "did not start"),
        messages=("1 available", "couldn't get configuration"), status=("0", "1"))
stays("D1", "a bad value in `defaults`, or what is not understood there, keeps the daemon from starting, with status 1, and "
      "a reload from changing anything; xinetd ends, with status 0, or reads the rest as sections", "defaults-log-twice",
      messages=("Exiting", "couldn't get configuration"), status=("0", "1"))
stays("D2", "`defaults` apply to all services, also to those before them; xinetd leaves out access lists and banners there",
      "defaults-only-from-later", wire=("client: served", "client: closed"), log=("START", "FAIL"),
      dump=("only_from = all", "only_from = only 10.1.0.0/16"))
stays("D9", "`v6only` does what it says, in `defaults`, too; in xinetd any value in a service means yes, and none in `defaults`",
      "defaults-v6only", wire=("client: served", "client: connection refused"), log=("from=127", "^START.*fd00"))
stays("D9", "`v6only` does what it says, in `defaults`, too; in xinetd any value in a service means yes, and none in `defaults`",
      "v6only-no", wire=("client: connection refused", "client: served"), log=("^START.*::1", "from=127"))
stays("new", "`defaults` take `nice`, the limits and `access_times`, which xinetd ignores there", "defaults-nice",
      wire=("nice 0", "nice 4"))
stays("new", "`defaults` take `nice`, the limits and `access_times`, which xinetd ignores there", "defaults-rlimit",
      wire=("cpu: -1 -1", "cpu: 40 40"))
stays("new", "`defaults` take `nice`, the limits and `access_times`, which xinetd ignores there", "defaults-access-times",
      dump=("access_times = $", "access_times = 00:00-23:59"))
stays("D11", "`-=` on a list that was never set leaves it unset; in xinetd it makes `only_from` an empty list: nobody may",
      "only-removed-unset", wire=("closed", "served"), log=("FAIL", "START"))
stays("D11", "the state dump tells that nobody may; xinetd's says \"All sites\"", "only-nobody",
      dump=("only_from = all", "only_from = only nobody$"))
stays("own", "the state dump shows `passenv` as it is written; xinetd's leaves out what is not set", "passenv-unknown",
      dump=("passenv = KEPT$", "passenv = KEPT NOSUCHNAME$"))
stays("D8", "two services at one place are an error when the file is read, and the first one runs; xinetd finds this for some "
      "only, tries to bind eleven times, and with UDP lets both take datagrams", "twice-same-port inetd-beside",
      messages=("bind failed(.|\n)*bind failed", ""))
stays("D8", "two services at one place are an error when the file is read, and the first one runs; xinetd finds this for some "
      "only, tries to bind eleven times, and with UDP lets both take datagrams", "twice-same-udp-port",
      listens=("udp(.|\n)*udp", "^udp :: .PORT$"), dump=("-2 is there", "is there"))
stays("own", "a port or address that cannot be had is tried again, at growing intervals; xinetd tries eleven times at once, then "
      "not before the next reload", "bind-not-here", messages=("failed to start and is deactivated", "bind failed"),
      dump=("", "is there"))
stays("own", "`socket_type` and `protocol` that do not go together are an error when the file is read; xinetd fails when it opens "
      "the socket", "protocol-against-type", messages=("socket creation failed", ""))
stays("D55", "relative paths mean the same at a reload", "include-relative", wire=("served.*\n.*refused", "served.*\n.*served"),
      log=("START", "START(.|\n)*START"), messages=("dropped=1", "dropped=0"), dump=("", "is there"))

# --- where it listens -----------------------------------------------------------------------------------

stays("D4", "`bind` takes several addresses; xinetd drops the line then, and listens on all", "bind-two",
      wire=("::1: served", "::1: connection refused"), log=("from=::1", "from=10.1.2.3"), listens=("tcp ::", "10.0.0.1(.|\n)*127.0.0.1"),
      dump=("bind = $", "bind = 127.0.0.1 10.0.0.1"))
refuses("D5", "an address of one family with the flag of the other is an error; xinetd listens on all addresses",
        "bind-v6-flag-v4 bind-v4-flag-v6")
refuses("D5", "an address of one family with the flag of the other is an error; xinetd listens on all addresses",
        "bind-default-flag-v6", messages=("1 available", "0 available"))
INTERCEPT = ("INTERCEPT works: each client is checked, served and recorded by itself, and the server has no address; in Debian's xinetd "
             "its server never gets the socket")
stays("own", INTERCEPT, "flag-intercept", wire=("^client: closed", "one server"), log=("", "from=127.0.0.1"),
      dump=("type = INTERNAL", "type = UNLISTED"))
stays("own", INTERCEPT, "flag-intercept-dgram", wire=("^client: no answer", "one server"), log=("status=1", "from=127.0.0.1"),
      dump=("type = INTERNAL", "type = UNLISTED"))
refuses("D30", "datagram services must have `wait = yes`; xinetd starts servers without end", "wait-dgram-no", wire=None, log=None)
refuses("D53", "`only_from` and `no_access` are errors for a stream service with `wait = yes`, whose server accepts by itself; "
        "xinetd refuses everybody", "wait-stream-only-from", wire=None, log=None)

# --- what a server finds ------------------------------------------------------------------------------------

ADDRESS = "IPv4 clients of an IPv6 socket are 192.0.2.1 in REMOTE_HOST and in logs; xinetd writes ::ffff:192.0.2.1"
stays("own", ADDRESS, "mapped-raw", wire=("::ffff:10.1.2.3", "served 10.1.2.3"), log=("::ffff:10.1.2.3", "from=10.1.2.3"))
stays("own", "servers find real-time signals at their defaults, too, whatever started the daemon", "careless-parent",
      wire=("SigIgn:\tffffffff80000000", "SigIgn:\t0000000000000000"))
stays("new", "servers find REMOTE_PORT", "remote-port", wire=("HOST=::ffff:", "REMOTE_PORT=N"), log=("::ffff:", "from=127.0.0.1"))
stays("D15", "flags and `server_args` may come in any order; NAMEINARGS behind `server_args` leaves xinetd's server without a name",
      "flag-nameinargs-later", wire=("closed", r"argv\[0\] = other"), log=("status=1", "status=0"), dump=("argv = $", "argv = other"))
stays("D22", "`nice` is set while there is the privilege to", "nice-negative", wire=("nice 0", "nice -5"))
stays("D39", "the limit on descriptors is left as it was; xinetd raises the soft one to the hard one", "nofile-soft",
      wire=("nofile: 2000 2000", "nofile: 300 2000"))
stays("D41", "a server whose surroundings cannot be made has status 126, and the log says why", "flag-labeled",
      log=("status=1 ", "status=126"))
stays("D41", "a server that cannot be executed has status 127, and the log says why", "exec-fails", log=("status=0", "status=127"),
      messages=("ERROR: execv", "ERROR: service exec-fails: execv"))
refuses("D60", "`server` must be a regular file that can be executed", "server-directory")
refuses("own", "`groups = yes` for a user without an entry in the user database is an error when the file is read; xinetd's server "
        "ends with status 1", "groups-yes-unknown-number")

# --- who may, and how many ---------------------------------------------------------------------------------------

refuses("D28", "an address is written in full; the short, octal and hexadecimal forms of IPv4 are errors",
        "only-short-one only-short-two only-short-three only-hex only-octal only-leading-zeros")
refuses("D6", "prefix lengths out of range, and text behind them, are errors", "only-ipv6-129 only-prefix-33 only-prefix-junk "
        "only-prefix-empty only-mask-broken not-prefix-junk")
stays("D6", "masks such as 255.0.0.0 and ::/128 mean what they say; to xinetd each is one address, or none", "only-mask",
      wire=("10.1.3.3: closed", "10.1.3.3: served"), log=("FAIL.*10.1.3.3", "START.*10.1.3.3"),
      dump=("10.0.0.0/32", "10.0.0.0/8"))
stays("D6", "masks such as 255.0.0.0 and ::/128 mean what they say; to xinetd each is one address, or none", "only-ipv6-128",
      wire=("fd00::2: closed", "fd00::2: served"), log=("FAIL.*fd00::2", "START.*fd00::2"), dump=("only_from", "fd00::2/128"))
stays("own", "a client whom hosts.allow gives another program (`twist`) is recorded as refused; in xinetd it looks served", "libwrap-twist",
      log=("START.*10.1.2.3", "FAIL: .* libwrap from=10.1.2.3"), messages=("", "libwrap refused connection"))
CONFIRMED = "a client has the name that its address gives only where the name gives that address, too; xinetd believes it"
stays("D29", CONFIRMED, "only-name-unconfirmed", wire=("10.9.9.9: served", "10.9.9.9: closed"), log=("START.*10.9.9.9", "FAIL.*10.9.9.9"))
stays("D29", CONFIRMED, "not-name-unconfirmed", wire=("10.9.9.9: closed", "10.9.9.9: served"), log=("FAIL.*10.9.9.9", "START.*10.9.9.9"))
NAMES = "host names in access lists may be such as nobody knows yet, and network names, which xinetd takes for one address, are none"
stays("D10", NAMES, "only-name-unknown", dump=("only_from = all", "only no.such.name"))
stays("D10", NAMES, "not-name-unknown", dump=("no_access = none", "not no.such.name"))
stays("D10", NAMES, "only-network-name", dump=("only 10.1.0.0/32", "only compatnet"))
stays("D10", NAMES, "not-network-name", dump=("not 10.1.0.0/32", "not compatnet"))
refuses("D10", "a word that is no address disables its service; xinetd leaves the word out, which in `no_access` opens the service",
        "only-garbage only-large-byte only-five not-garbage only-braces-large")
stays("D16", "a client that is refused has a FAIL line and no other", "refused-start", log=("START(.|\n)*FAIL|FAIL(.|\n)*START", "^FAIL.*$"))
stays("D16", "a client whom IDONLY refuses has a FAIL line and a NOID line; xinetd's has START, NOID and EXIT",
      "flag-idonly flag-idonly-error flag-idonly-other-ports idonly-answer-lower-case idonly-answer-no-end "
      "idonly-answer-nothing idonly-answer-empty idonly-answer-too-long", log=("START", r"^FAIL: \S+ ident.*\nNOID"))
stays("own", "a line feed alone ends an ident server's answer, too", "idonly-answer-newline-only", wire=("closed", "served"),
      log=("NOID", "USERID"))
stays("D50", "an ident server's answer with a NUL or a carriage return in it is none; xinetd takes a part of it, or writes it as "
      "it is", "idonly-answer-nul idonly-answer-carriage-return", wire=("served", "closed"), log=("USERID", "NOID.*bad response"))
stays("own", "IDONLY keeps clients out without a log_type, too; xinetd then serves everybody", "flag-idonly-no-log",
      wire=("served", "closed"))
stays("own", "who uses an internal service is asked about, too", "userid-internal", log=("START", "START.*\nUSERID"))
stays("D16", "a client that is refused has a FAIL line and no other", "log-failure-nothing defaults-log defaults-log-later",
      log=("START(.|\n)*START", "START"))
stays("D16", "addresses are asked before the limits, and who is refused is counted in none", "order-address-and-instances "
      "instances-and-refused", log=("service_limit", " address "))
hosts("D59", "`access_times` may go over midnight, and end at 24:00", "times-midnight", wire=None, log=None, dump=None)
hosts("D59", "`access_times` may go over midnight, and end at 24:00", "times-24", dump=None)
stays("D25", "`cps` counts the connections of any one second, and forgets nobody who is being served; xinetd counts an average over "
      "changing periods, and after a rest has forgotten its servers", "cps-over-seconds", wire=("3 of 3 .*\n.*closed", "3 of 3 .*\n.*served"),
      log=("second", "START"), messages=("Deactivating", "Exiting"))
stays("D25", "`cps` counts the connections of any one second, and forgets nobody who is being served; xinetd counts an average over "
      "changing periods, and after a rest has forgotten its servers", "cps-keeps-counts", wire=("closed\n.*stays: held", "closed\n.*stays: closed"), log=("", "service_limit"))
stays("D24", "a datagram that is refused is thrown away, and the next one is served; in xinetd the service is suspended for ever",
      "wait-load-suspended", wire=("answer.*\n.*no answer", "no answer.*\n.*server: x"))

# --- datagrams and internal services --------------------------------------------------------------------------------

stays("D17", "datagrams that wait are not thrown away, but one where the server ended twice without reading it",
      "wait-dgram-exits", log=("status=3", "status=3(.|\n)*status=3"))
hosts("new", "the internal services `services` and `servers`, which xinetd had up to 2.3.12, on loopback only unless `bind` says otherwise",
      "internal-services internal-servers", wire=("connect", "it is there"))
LOOPBACK = "internal datagram services listen on loopback only unless `bind` says otherwise"
stays("D42", LOOPBACK, "internal-dgram-refused internal-echo-dgram internal-discard-dgram internal-daytime-dgram internal-time-dgram",
      listens=("^udp ::", "127.0.0.1(.|\n)*::1"))
stays("D42", "datagrams from ports below 1024 are not answered, since two such services would answer each other for ever",
      "internal-dgram-low-port", wire=("x", "no answer"), listens=("^udp ::", "127.0.0.1(.|\n)*::1"))
stays("D42", "chargen answers a datagram with 512 bytes rather than 1024", "internal-chargen-dgram", wire=("1024 bytes", "512 bytes"),
      listens=("^udp ::", "127.0.0.1(.|\n)*::1"))
stays("D42", "internal echo answers datagrams of any size; xinetd cuts them to 2048 bytes", "internal-echo-dgram-large",
      wire=("2048 bytes", "4000 bytes"), listens=("^udp ::", "127.0.0.1(.|\n)*::1"))
stays("D17", "datagrams that come together are all answered", "internal-dgram-burst", wire=("answers: 1", "answers: 5"),
      listens=("^udp ::", "127.0.0.1(.|\n)*::1"))
PID_0 = ("START and EXIT of what the worker does, internal services and redirects, have pid=0, as it needs no process of its own; all have "
         "EXIT")
stays("own", PID_0, "internal-echo internal-discard "
      "internal-chargen internal-instances internal-server-ignored internal-user internal-capitals",
      log=("pid=N", "pid=0.*\nEXIT.*pid=0"))
stays("own", PID_0, "internal-daytime internal-time "
      "internal-wait internal-dgram-bound internal-dgram-low-port internal-chargen-dgram internal-echo-dgram-large internal-echo-dgram "
      "internal-discard-dgram internal-daytime-dgram internal-time-dgram", log=("START.*$", "EXIT"))
hosts("D33", "TRAFFIC is ignored, with a notice, where there is no `redirect`; xinetd does not run the service", "log-traffic")
hosts("D33", "TRAFFIC is ignored, with a notice, where there is no `redirect`; xinetd does not run the service", "log-traffic-default",
      messages=("0 available", "1 available"))
stays("D26", "a log at its hard limit says so once; xinetd then writes an error for each line, and keeps the warning at the soft "
      "limit to itself", "log-file-hard-limit", wire=("errors: True", "errors: False"))

# --- options, signals, reload ---------------------------------------------------------------------------------------------

stays("D35", "options that are not known are errors; those of xinetd and its forerunners are accepted", "option-unknown",
      wire=("goes on", "status 1"), status=("0", "1"))
stays("D35", "options that are not known are errors; those of xinetd and its forerunners are accepted", "option-loop",
      wire=("status 1", "goes on"), status=("1", "0"))
stays("own", "the status of a daemon's start tells whether it worked", "start-background-empty", wire=("status: 0", "status: 1"),
      status=("0", "1"))
stays("D36", "SIGTERM ends internal services, too", "signal-term-internal", wire=("stays", "closed"),
      messages=("Sending signal 15", "Exiting"))
stays("D36", "SIGINT ends a daemon in the foreground", "signal-int", wire=("goes on", "status 0"))
stays("D37", "servers of a service that is gone get SIGTERM, after 5 seconds SIGKILL, and their real end is recorded; xinetd sends "
      "SIGKILL, and writes status=0", "reload-removes", log=("status=0", "signal=15"), messages=("signal 9", "signal 15"))
KEEPS = "servers of a service that stays keep running, whatever was changed; xinetd kills them where port, address or family was"
stays("D57", KEEPS, "reload-moves-port reload-bind-added reload-family", wire=("held: closed", "held: stays"),
      messages=("signal 9", "readjusting"))
stays("D57", KEEPS, "reload-wait", messages=("dropped=1", "dropped=0"))
stays("D56", "that an IPv6 `bind` was removed is noticed", "reload-bind-v6-removed", wire=("client: connection refused", "client: served"),
      log=("START", "START(.|\n)*START"))
stays("own", "a service whose stanza is wrong now keeps running as it was; xinetd drops it, and kills its servers",
      "reload-broken-stanza", wire=("held: closed(.|\n)*refused", "held: stays(.|\n)*stays: held"), log=("START", "START(.|\n)*START"),
      messages=("dropped=1", "dropped=0"), dump=("-2 is there", "stanza is there"))
stays("own", "a reload that fails says that everything goes on as it was", "reload-no-file", messages=("reconfiguration failed$",
      "reconfiguration failed; "))

# --- inetd.conf ----------------------------------------------------------------------------------------------------------------

NOLIBWRAP = "services of inetd.conf obey the access lists of `defaults`, and tcp_wrappers; xinetd asks neither"
stays("D12", NOLIBWRAP, "inetd-nowait inetd-world inetd-argv0 inetd-user-group inetd-wait-dgram inetd-wait-stream inetd-comment-behind "
      "inetd-defaults-limits inetd-defaults-log inetd-beside-disabled inetd-beside-other inetd-reload",
      dump=("flags = NAMEINARGS NOLIBWRAP", "flags = (NAMEINARGS)?$"))
stays("D12", NOLIBWRAP, "inetd-defaults-access", wire=("client: served", "client: closed"), dump=("only_from = all", "only 10.1.2.3"))
stays("new", "`nowait.N` allows N servers a minute", "inetd-nowait-number inetd-nowait-colon", dump=("cps = 50 10", "cps = 40 600 60"))
stays("own", "a line without argv[0] gets the server's name there; xinetd gives none", "inetd-no-argv0",
      dump=("argv = $", "argv = witness"))
hosts("new", "of inetd.conf's dialects: `user:group`, tcp6, port numbers, `address:name`", "inetd-port-number inetd-address inetd-tcp6",
      log=None, messages=("0 available", "1 available"))
hosts("new", "of inetd.conf's dialects: `user:group`, tcp6, port numbers, `address:name`", "inetd-user-colon-group", log=None,
      wire=("refused", "gid 54322"), messages=("0 available", "1 available"))
stays("D40", "a line of two words is an error like any other; it makes xinetd crash", "inetd-two-fields",
      wire=("status 1", "goes on"), status=("1", "0"))
refuses("own", "a server that is not there is an error in inetd.conf, too", "inetd-server-missing", log=None,
        messages=("1 available", "0 available"))
stays("new", "internal services of inetd.conf have ids that tell stream from datagram, and discard is among them",
      "inetd-internal-echo", dump=("echo-dgram", "echo-stream"))
stays("new", "internal services of inetd.conf have ids that tell stream from datagram, and discard is among them",
      "inetd-internal-discard", messages=("0 available", "1 available"), dump=("", "discard-stream"))

# --- what the worker and the gate do -------------------------------------------------------------------------------------------

stays("D34", "the end of one direction of a `redirect` is passed on, and the other goes on; xinetd ends both", "redirect-half-close",
      wire=("closed", "2 +3 +6"))
stays("own", PID_0, "userid-redirect redirect redirect-talk redirect-half-close redirect-nobody-there redirect-name redirect-ipv6",
      log=("pid=N", "pid=0.*\nEXIT.*pid=0"))
stays("D18", "tcpmux sends no NUL behind its answers", "tcpmux-plus", wire=(r"Go\\r\n\\0served", r"Go\\r\nserved"))
stays("D18", "tcpmux sends no NUL behind its answers", "tcpmux-unknown tcpmux-not-of-type", wire=(r"^client: -.*\n\\0$", r"^client: -.*\\r$"))
stays("D18", "tcpmux knows help", "tcpmux-help", wire=("not found", "tcpmux-help-a"))
stays("D18", "a name may come to tcpmux in pieces, and with data behind it", "tcpmux-more-data tcpmux-slow", wire=("closed", "served"))
stays("D18", "limits and records of a service behind tcpmux are its own", "tcpmux-limit tcpmux-load", wire=("served", "closed"))
stays("D18", "limits and records of a service behind tcpmux are its own", "tcpmux-log", log=("START: tcpmux-log pid", "START: tcpmux-log-a"))
stays("own", "services behind tcpmux count among those that are available", "tcpmux-libwrap",
      messages=("1 available service$", "3 available services$"))
stays("own", "tcpmux takes a name that ends in LF alone", "tcpmux-lf", wire=("closed", "served"))
stays("own", "tcpmux tells who says no name, or none that can be, what was wrong", "tcpmux-empty", wire=("closed", "^client: -.*malformed"))
stays("own", "tcpmux tells who says no name, or none that can be, what was wrong", "tcpmux-long", wire=("not found", "too long"))
stays("own", "tcpmux tells who says no name, or none that can be, what was wrong", "tcpmux-data-in-name", wire=("not found", "malformed"))
stays("D19", "SENSOR shuts out an address on all sockets, and no more than that address", "sensor sensor-forever sensor-reload",
      wire=("served 10.1.2.3$", "closed$"), log=("START: .*-3", "FAIL: .*-3 address"))
stays("D62", "what an ident server says is escaped in logs", "userid-control-characters", log=("\x1b", r"\\x1b"))
stays("D44", "an RPC service is hosted also where rpcbind is away, and registered as soon as that is there; xinetd waits a second for each "
      "version, and gives up", "rpc-no-portmapper", messages=("failed to start and is deactivated", ""), dump=("", "is there"))
hosts("D44", "an RPC service has the `port` that it is given; xinetd lets the kernel choose", "rpc-port", log=("", "START"),
      dump=(r"port = \d", r"port = \d"))
stays("new", "an RPC service that takes IPv6 is registered for `tcp6` or `udp6`, too", "rpc-families", wire=("tcp by superuser$", "tcp6 by"))
stays("D8", "of two services with one RPC program and version, the first is hosted, and the load says so", "rpc-same-program",
      messages=("pmap_set failed", "^NOTICE"))
stays("own", "tcp_wrappers are not asked about `stream` services of RPC after a reload either", "rpc-reload rpc-reload-versions",
      dump=("flags = $", "flags = NOLIBWRAP"))
hosts("D40", "RPC lines of inetd.conf become services; xinetd reads freed memory and drops them", "inetd-rpc-dgram inetd-rpc-stream",
      wire=("not found", "one server|served"), log=None, listens=None, messages=(": 0 available", ": 1 available"))
