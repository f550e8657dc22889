/* SPDX-License-Identifier: ISC */
/* Answers to datagrams: from what usherd forwards to what leaves by their socket. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct builtin;
struct shared;
struct wire_dgram;

/*
 * Has @builtin answer, through the socket @fd, the @count datagrams of a
 * WIRE_DGRAM message whose @size bytes of entries are at @entries, aligned to
 * eight; they may be written to. Peers that may not be answered, such as ports
 * below 1024, get nothing (D42), and answers leave from the address that was
 * asked (D43). Does not wait: an answer that finds no room is dropped. Where the
 * lengths in the entries do not add up none is sent.
 */
void dgrams_answer(const struct builtin *builtin, struct shared *shared, uint32_t count,
		   char *entries, size_t size, int fd);

/*
 * Takes the next entry of a WIRE_DGRAM message, of which *@size bytes are left at *@entries,
 * off it; both move on. Returns it, its payload behind it, or NULL where the lengths do not add up.
 */
struct wire_dgram *dgrams_next(char **entries, size_t *size);

/*
 * Sends @length bytes through the socket @fd to the sender of @to, from the
 * address that @to was sent to. Does not wait. Returns 0 or -errno.
 */
int dgrams_send(int fd, const struct wire_dgram *to, void *payload, size_t length);
