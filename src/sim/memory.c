/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated host's memory: domains take it when they appear, and give it back when they go. */
#include "sim/sim_int.h"

#define HELD_KIB  4    /* a zombie has what is mapped elsewhere, and nothing else */
#define EXTRA_KIB 1024 /* LIBXL_PV_EXTRA_MEMORY, tools/libs/light/libxl_internal.h */

void sim_set_host(struct sim *sim, int64_t memory_kib, int cpus)
{
	sim->memory_kib = memory_kib;
	sim->cpus = cpus;
}

static int64_t of_dom(const struct dom *d)
{
	if (!d || !d->memory_kib)
		return 0;
	return d->lingers ? HELD_KIB : d->memory_kib + EXTRA_KIB;
}

int64_t memory_free(const struct sim *sim)
{
	int64_t left = sim->memory_kib;
	for (int64_t i = 0; i < sim->dom_top; i++)
		left -= of_dom(sim->dom[i]);
	return left;
}

int64_t memory_dying(const struct sim *sim)
{
	int64_t sum = 0;
	for (int64_t i = 0; i < sim->dom_top; i++)
		if (sim->dom[i] && sim->dom[i]->state == DOM_DYING)
			sum += of_dom(sim->dom[i]);
	return sum;
}

int memory_take(const struct sim *sim, int64_t memory_kib, struct err *err)
{
	if (!sim->memory_kib || memory_kib + EXTRA_KIB <= memory_free(sim))
		return 0;
	return err_set(err, ERR_FULL,
		"not enough memory for the domain: it needs %lld MiB, Xen has %lld MiB free",
		(long long)(memory_kib + EXTRA_KIB) / 1024, (long long)memory_free(sim) / 1024);
}
