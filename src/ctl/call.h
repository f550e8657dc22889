/* SPDX-License-Identifier: ISC */
/* usherctl call: a client for any service. */
#pragma once

int ctl_call(int argc, char **argv);
