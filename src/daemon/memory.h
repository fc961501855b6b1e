/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a pod's domain fit into the host? Decided once, when the pod is accepted, before anything is
 * made; and asked again before it starts, when others are about to give memory back.
 *
 * Nothing is stored for it: what is kept for whom follows from the pods' states and requests. Xen's
 * numbers come from the sensors. A pod counts as kept from its acceptance until they were read after
 * its `created`: for the second or so in which Xen has given the domain its memory and xenpod-act has
 * not said so yet it counts twice. That errs to the safe side: what fits beside everything that is
 * kept is never refused, and what was accepted does not fail for want of memory later because of
 * another pod of ours. Without numbers (no sensors) everything is accepted, and xenpod-act decides.
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

/*
 * ERR_FULL when `p`, which is not known yet, does not fit: at all, or not beside what is kept. What
 * our own ending pods and dying domains give back counts as there: it is waited for. `more`: accepted, not yet known.
 */
int memory_check(struct engine *e, const struct pod *p, int64_t more, struct err *err);

/*
 * The accepted pod `p` would not fit now, and memory is about to come back: its start should wait.
 * `more`: of pods whose start is on its way, beside those whose state says so.
 */
bool memory_waits(struct engine *e, const struct pod *p, int64_t more);

#endif
