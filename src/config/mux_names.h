/* SPDX-License-Identifier: ISC */
/* Whether the services behind tcpmux can be reached: by a name of their own, and at all. */
#pragma once

#include <stddef.h>

struct diag;
struct service;

/* Adds warnings about those of the @n @services that cannot to @diag. Returns 0 or -ENOMEM. */
int mux_names_check(const struct service *const *services, size_t n, struct diag *diag);
