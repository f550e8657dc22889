/* SPDX-License-Identifier: ISC */
/* usherctl dump: the services that configuration files mean, every value explicit. */
#pragma once

/* Runs the command; argv[0] is its name. Returns the exit status (usherctl(1)). */
int ctl_dump(int argc, char **argv);
