/* SPDX-License-Identifier: ISC */
/* The echo server's three ways to serve connections. */
#pragma once

/* A server that was handed the listening socket gives it back when it has had no client for so long. */
#define ECHO_IDLE_MSEC 5000

/* Bytes that are read at once. */
#define ECHO_PIECE 16384

/*
 * Clients at a time; those beyond it wait in the listening socket's queue.
 * Less than the 1024 descriptors that a process has by default.
 */
#define ECHO_CLIENTS_MAX 1000

/* Sends back what comes until the client ends its side. Returns 0 or -errno. */
int echo_connection(int fd);

/* A thread for each client of @listener. Returns the program's exit status when nobody has come for a while. */
int echo_threads(int listener);

/* One thread for all clients of @listener, which waits until one of them has something. Returns as echo_threads(). */
int echo_events(int listener);
