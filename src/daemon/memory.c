/* SPDX-License-Identifier: Apache-2.0 */
/* The host's memory and what is kept of it for whom: see memory.h. */
#include "daemon/memory.h"

#include <string.h>

#include "daemon/engine_int.h"

#define MIB          INT64_C(1024) /* in KiB */
#define LIBXL_EXTRA  (4 * MIB)
#define PAGING_SHARE 128

int64_t memory_need(const struct pod *p)
{
	int64_t memory = p->request ? p->request->memory_kib : SPEC_MEMORY_KIB;
	int64_t vcpus = p->request ? p->request->vcpus : SPEC_VCPUS;
	/* "auto" may become either. */
	bool pv = p->request && p->request->pv;
	int64_t paging = pv ? 0 : vcpus * MIB + memory / PAGING_SHARE;
	return memory + paging + LIBXL_EXTRA;
}

/* ---- the sums -------------------------------------------------------------------------------- */

/*
 * Its domain was in Xen's numbers and is about to leave them. From dying on it is in the number of
 * what is dying, as soon as that was read. One that cannot be destroyed is not waited for.
 */
static bool gives_back(const struct pod *p)
{
	enum pod_state s = p->core.state;
	if (p->memory.read < POD_UNPAUSING || (s == POD_DESTROYING && p->core.deadlines > 0))
		return false;
	return s >= POD_STOPPING && s <= POD_CLEARING &&
	       (s < POD_DYING || p->memory.read < POD_DYING);
}

enum memory_kind memory_kind(const struct pod *p)
{
	enum pod_state s = p->core.state;
	if (s == POD_ACCEPTED)
		return MEMORY_ACCEPTED;
	if (s <= POD_CREATING || (s < POD_STOPPING && p->memory.read < POD_UNPAUSING))
		return MEMORY_STARTING;
	return gives_back(p) ? MEMORY_RETURNING : MEMORY_NONE;
}

static void count_as(struct engine *e, struct pod_memory *m, enum memory_kind kind, int64_t kib)
{
	e->memory.kib[m->kind] -= m->kib;
	e->memory.kib[kind] += kib;
	m->kind = kind;
	m->kib = kib;
}

static void unread_add(struct engine *e, struct pod *p)
{
	struct pod *first = e->memory.unread;
	p->memory.next = first;
	p->memory.at = &e->memory.unread;
	if (first)
		first->memory.at = &p->memory.next;
	e->memory.unread = p;
}

static void unread_remove(struct pod_memory *m)
{
	if (!m->at)
		return;
	*m->at = m->next;
	if (m->next)
		m->next->memory.at = m->at;
	m->next = NULL;
	m->at = NULL;
}

void memory_count(struct engine *e, struct pod *p)
{
	enum memory_kind kind = memory_kind(p);
	count_as(e, &p->memory, kind, kind == MEMORY_NONE ? 0 : memory_need(p));
	if (p->memory.read != p->core.state && !p->memory.at)
		unread_add(e, p);
}

void memory_uncount(struct engine *e, struct pod *p)
{
	count_as(e, &p->memory, MEMORY_NONE, 0);
	unread_remove(&p->memory);
}

void memory_read(struct engine *e)
{
	struct pod *p;
	while ((p = e->memory.unread)) {
		unread_remove(&p->memory);
		p->memory.read = p->core.state;
		memory_count(e, p);
	}
}

int64_t memory_sum(const struct engine *e, enum memory_kind kind)
{
	return e->memory.kib[kind];
}

/* ---- decisions ------------------------------------------------------------------------------- */

/* Of our pods, and of what Xen takes apart already. */
static int64_t returning(const struct engine *e)
{
	return memory_sum(e, MEMORY_RETURNING) + e->host.dying_kib;
}

static long long mib(int64_t kib)
{
	return (long long)(kib / MIB);
}

static long long mib_up(int64_t kib)
{
	return (long long)((kib + MIB - 1) / MIB);
}

int memory_check(const struct engine *e, const struct pod *p, struct err *err)
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
	int64_t kept = memory_sum(e, MEMORY_ACCEPTED) + memory_sum(e, MEMORY_STARTING);
	if (need + kept <= h->free_kib + returning(e))
		return 0;
	return err_set(err, ERR_FULL,
		"not enough memory for pod %s: it needs %lld MiB, Xen has %lld MiB free, of which "
		"%lld MiB are kept for pods that are starting; stop other pods or domains, or run "
		"it with less",
		p->uuid, mib_up(need), mib(h->free_kib), mib_up(kept));
}

bool memory_waits(const struct engine *e, const struct pod *p, int64_t more)
{
	const struct engine_host *h = engine_host(e);
	if (!h)
		return false;
	int64_t need = memory_need(p);
	int64_t back = returning(e);
	/* What starts may count twice: it makes nobody give up waiting. */
	return back && need + memory_sum(e, MEMORY_STARTING) + more > h->free_kib &&
	       need <= h->free_kib + back;
}
