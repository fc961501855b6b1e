/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a pod's domain fit into the host? Decided once, when the pod is accepted, before anything is
 * made; and asked again before it starts, when others are about to give memory back.
 *
 * Nothing is stored for it: what is kept for whom follows from the pods' states and requests; sums of
 * it are carried along, so that no pod costs a look at every other. Xen's numbers come from the
 * sensors. A pod counts as kept from its acceptance until they were read after its `created`: for the
 * second or so in which Xen has given the domain its memory and xenpod-act has not said so yet it
 * counts twice. That errs to the safe side: what fits beside everything that is kept is never refused,
 * and what was accepted does not fail for want of memory later because of another pod of ours. Without
 * numbers (no sensors) everything is accepted, and xenpod-act decides.
 */
#ifndef DAEMON_MEMORY_H
#define DAEMON_MEMORY_H

#include "daemon/engine.h"

/*
 * What Xen needs for a domain of that size, KiB, never too little: its memory; for a PVH domain the
 * pool for its page tables (libxl_get_required_shadow_memory(): 1 MiB for each vCPU and two pages for
 * each MiB, which is 1/128); and 4 MiB for what libxl adds to each (libxl_domain_need_memory(): at
 * most 2 MiB, then rounded up to 2 MiB).
 */
int64_t memory_need(const struct pod *p);

/* The engine's. {0} is valid: no pods. */
struct memory {
	int64_t kib[MEMORY_KINDS_];
	struct pod *unread; /* those whose state is another one since the numbers were read */
};

/* How the pod counts, told from its state and what was read. */
enum memory_kind memory_kind(const struct pod *p);

/*
 * The pod's state has changed, or it is new: its part in the sums is put right. Whoever changes a
 * state says so; a pod remembers its part, so that this can be repeated at will.
 */
void memory_count(struct engine *e, struct pod *p);
/* It is no pod (any more). */
void memory_uncount(struct engine *e, struct pod *p);
/* Xen's numbers were read: what pods have by now is in them. */
void memory_read(struct engine *e);

int64_t memory_sum(const struct engine *e, enum memory_kind kind);

/*
 * ERR_FULL when `p`, which is not counted yet, does not fit: at all, or not beside what is kept. What
 * our own ending pods and dying domains give back counts as there: it is waited for.
 */
int memory_check(const struct engine *e, const struct pod *p, struct err *err);

/*
 * The accepted pod `p` would not fit now, and memory is about to come back: its start should wait.
 * `more`: of pods whose start is on its way, beside those whose state says so.
 */
bool memory_waits(const struct engine *e, const struct pod *p, int64_t more);

#endif
