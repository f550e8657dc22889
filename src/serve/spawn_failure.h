/* SPDX-License-Identifier: ISC */
/* What a child that could not become its server leaves behind. */
#pragma once

/* Why a child could not become the server. */
struct spawn_failure {
	int error;        /* positive errno; 0 = the server runs */
	const char *step; /* what failed: "exec", "setuid" … (static) */
};
