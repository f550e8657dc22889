/* SPDX-License-Identifier: ISC */
/* Whether the services behind tcpmux can be reached: by a name of their own, and at all. */
#pragma once

struct conf;
struct diag;

/* Adds warnings about those that cannot to @diag. Returns 0 or -ENOMEM. */
int mux_names_check(const struct conf *conf, struct diag *diag);
