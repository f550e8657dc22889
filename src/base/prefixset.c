/* SPDX-License-Identifier: ISC */
/* A set of address blocks that answers "is this address in it?" in O(log n). */
#include "config.h"

#include "base/prefixset.h"

#include <stdlib.h>

#include "base/util.h"

/* The address behind @addr. Returns false where there is none. */
static bool next_address(const struct addr *addr, struct addr *ret)
{
	*ret = *addr;
	for (unsigned i = addr_bits(addr->family) / 8; i-- > 0;)
		if (++ret->bytes[i] != 0)
			return true;
	return false;
}

static int compare_first(const void *a, const void *b)
{
	const struct addr_range *x = a, *y = b;

	return addr_compare(&x->first, &y->first);
}

int prefixset_add(struct prefixset *set, const struct prefix *prefix)
{
	struct prefix block = prefix_of(&prefix->base, prefix->bits);
	struct addr_range range;
	int r;

	r = array_grow(&set->v, set->n, sizeof(*set->v));
	if (r < 0)
		return r;
	block.base.scope = 0;
	range = (struct addr_range){ .first = block.base, .last = block.base };
	for (unsigned bit = block.bits; bit < addr_bits(block.base.family); bit++)
		range.last.bytes[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	set->v[set->n++] = range;
	return 0;
}

void prefixset_seal(struct prefixset *set)
{
	size_t kept = 0;

	if (set->n < 2)
		return;
	qsort(set->v, set->n, sizeof(*set->v), compare_first);
	for (size_t i = 1; i < set->n; i++) {
		struct addr_range *range = &set->v[kept], *next = &set->v[i];
		struct addr behind;
		/* Nothing lies behind the last address: what follows is within. */
		bool more = next_address(&range->last, &behind);

		if (range->first.family == next->first.family &&
		    (!more || addr_compare(&next->first, &behind) <= 0)) {
			if (addr_compare(&next->last, &range->last) > 0)
				range->last = next->last;
		} else {
			set->v[++kept] = *next;
		}
	}
	set->n = kept + 1;
}

bool prefixset_has(const struct prefixset *set, const struct addr *addr)
{
	size_t low = 0, high = set->n;

	/* Finds the first range that starts behind the address; only the one before can hold it. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addr_compare(&set->v[middle].first, addr) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && addr_compare(addr, &set->v[low - 1].last) <= 0;
}

void prefixset_done(struct prefixset *set)
{
	free(set->v);
	*set = (struct prefixset){ 0 };
}
