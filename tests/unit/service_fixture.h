/* SPDX-License-Identifier: ISC */
/* A service without a stanza, for tests of how processes are started for it. */
#pragma once

#include <cmocka.h>

#include "config/service.h"

/* A stream service called "name" that starts @server, under its own name, as whoever runs the test. */
static inline struct service *make_service(const char *id, const char *server)
{
	struct service *service = service_new();

	assert_non_null(service);
	service->name = intern_text(NULL, "name");
	service->id = intern_text(NULL, id);
	service->file = intern_text(NULL, "file");
	service->server = intern_text(NULL, server);
	service->argv = intern_words(NULL, &server, 1);
	service->socktype = SOCK_STREAM;
	service->protocol = IPPROTO_TCP;
	return service;
}
