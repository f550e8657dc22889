/* SPDX-License-Identifier: ISC */
/* Children that the daemon did not wait for any longer: found by pid, looked at in turn, never walked over. */
#include "config.h"

#include "serve/spawn_overdue.h"

#include "serve/spawn_slot.h"

void overdue_init(struct overdue *overdue)
{
	TAILQ_INIT(&overdue->waiting);
	overdue->by_pid = (struct id_table){ 0 };
}

void overdue_done(struct overdue *overdue)
{
	id_table_done(&overdue->by_pid);
	TAILQ_INIT(&overdue->waiting);
}

size_t overdue_count(const struct overdue *overdue)
{
	return id_table_count(&overdue->by_pid);
}

int overdue_reserve(struct overdue *overdue)
{
	return id_table_reserve(&overdue->by_pid);
}

void overdue_add(struct overdue *overdue, struct slot *slot)
{
	(void)id_table_add(&overdue->by_pid, (uint64_t)slot->pid, slot);
	TAILQ_INSERT_TAIL(&overdue->waiting, slot, of_waiting);
	slot->waits = true;
}

static void stop_waiting(struct overdue *overdue, struct slot *slot)
{
	if (slot->waits)
		TAILQ_REMOVE(&overdue->waiting, slot, of_waiting);
	slot->waits = false;
}

struct slot *overdue_look(struct overdue *overdue)
{
	struct slot *slot = TAILQ_FIRST(&overdue->waiting);

	if (!slot)
		return NULL;
	stop_waiting(overdue, slot);
	if (slot_shares_memory(slot)) {
		TAILQ_INSERT_TAIL(&overdue->waiting, slot, of_waiting);
		slot->waits = true;
		return NULL;
	}
	return slot->child.failure.error ? NULL : overdue_take(overdue, slot->pid);
}

struct slot *overdue_take(struct overdue *overdue, pid_t pid)
{
	struct slot *slot = id_table_remove(&overdue->by_pid, (uint64_t)pid);

	if (slot)
		stop_waiting(overdue, slot);
	return slot;
}

struct slot *overdue_next(const struct overdue *overdue, size_t *at)
{
	const struct id_entry *entry = id_table_next(&overdue->by_pid, at);

	return entry ? entry->value : NULL;
}
