/* SPDX-License-Identifier: ISC */
/* usherctl check: what there is to say about configuration files. */
#pragma once

/* Runs the command; argv[0] is its name. Returns the exit status (usherctl(1)). */
int ctl_check(int argc, char **argv);
