/* SPDX-License-Identifier: ISC */
/* usherctl lookup: what the system's databases know of hosts, services and protocols. */
#pragma once

int ctl_lookup(int argc, char **argv);
