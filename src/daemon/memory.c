/* SPDX-License-Identifier: Apache-2.0 */
/* The host's memory and what is kept of it for whom: see memory.h. */
#include "daemon/memory.h"

#include <string.h>

#include "base/json.h"
#include "daemon/engine_int.h"

#define MIB          INT64_C(1024) /* in KiB */
#define LIBXL_EXTRA  (4 * MIB)
#define PAGING_SHARE 128

int64_t memory_need(const struct pod *p)
{
	int64_t memory = json_int_opt(p->request, "memory_kib", SPEC_MEMORY_KIB);
	int64_t vcpus = json_int_opt(p->request, "vcpus", SPEC_VCPUS);
	/* "auto" may become either. */
	bool pv = !strcmp(json_str_opt(p->request, "type", "auto"), "pv");
	int64_t paging = pv ? 0 : vcpus * MIB + memory / PAGING_SHARE;
	return memory + paging + LIBXL_EXTRA;
}

struct tally {
	int64_t accepted;  /* of pods that wait for their start */
	int64_t starting;  /* of pods on their way, not (for sure) in Xen's numbers */
	int64_t returning; /* of pods that end, and of what Xen takes apart already */
};

/*
 * Its domain was in Xen's numbers and is about to leave them. From dying on it is in the number of
 * what is dying, as soon as that was read. One that cannot be destroyed is not waited for.
 */
static bool gives_back(const struct pod *p)
{
	enum pod_state s = p->core.state;
	if (p->memory_state < POD_UNPAUSING || (s == POD_DESTROYING && p->core.deadlines > 0))
		return false;
	return s >= POD_STOPPING && s <= POD_CLEARING &&
	       (s < POD_DYING || p->memory_state < POD_DYING);
}

static void count(void *ctx, struct pod *p)
{
	struct tally *t = ctx;
	enum pod_state s = p->core.state;
	if (s == POD_ACCEPTED)
		t->accepted += memory_need(p);
	else if (s <= POD_CREATING || (s < POD_STOPPING && p->memory_state < POD_UNPAUSING))
		t->starting += memory_need(p);
	else if (gives_back(p))
		t->returning += memory_need(p);
}

static struct tally tally(struct engine *e)
{
	struct tally t = {.returning = e->host.dying_kib};
	pods_each(e->pods, count, &t);
	return t;
}

static long long mib(int64_t kib)
{
	return (long long)(kib / MIB);
}

static long long mib_up(int64_t kib)
{
	return (long long)((kib + MIB - 1) / MIB);
}

int memory_check(struct engine *e, const struct pod *p, int64_t more, struct err *err)
{
	int64_t need = memory_need(p);
	const struct engine_host *h = engine_host(e);
	if (!h)
		return 0;
	if (need > h->total_kib)
		return err_set(err, ERR_FULL,
			"not enough memory for pod %s: it needs %lld MiB, the whole host has "
			"%lld MiB; run it with less",
			p->uuid, mib_up(need), mib(h->total_kib));
	struct tally t = tally(e);
	int64_t kept = t.accepted + t.starting + more;
	if (need + kept <= h->free_kib + t.returning)
		return 0;
	return err_set(err, ERR_FULL,
		"not enough memory for pod %s: it needs %lld MiB, Xen has %lld MiB free, of which "
		"%lld MiB are kept for pods that are starting; stop other pods or domains, or run "
		"it with less",
		p->uuid, mib_up(need), mib(h->free_kib), mib_up(kept));
}

bool memory_waits(struct engine *e, const struct pod *p, int64_t more)
{
	const struct engine_host *h = engine_host(e);
	if (!h)
		return false;
	struct tally t = tally(e);
	int64_t need = memory_need(p);
	/* What starts may count twice: it makes nobody give up waiting. */
	return t.returning && need + t.starting + more > h->free_kib &&
	       need <= h->free_kib + t.returning;
}
