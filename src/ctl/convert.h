/* SPDX-License-Identifier: ISC */
/* usherctl convert: inetd.conf to stanzas, and stanzas to units of systemd. */
#pragma once

/* Runs the command; argv[0] is its name. Returns the exit status (usherctl(1)). */
int ctl_convert(int argc, char **argv);
