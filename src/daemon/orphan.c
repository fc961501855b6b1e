/* SPDX-License-Identifier: Apache-2.0 */
/* One domain: whether a pod accounts for it, and what is on disk of its end. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "daemon/custody.h"
#include "daemon/orphans_int.h"

int64_t orphan_wall(const struct orphans *o)
{
	const struct engine_config *c = engine_cfg(o->cfg.engine);
	return c->wall_ns(c->clock);
}

void orphan_hold_lock(struct orphan_item *i)
{
	struct stat st;
	_cleanup_free_ char *dir = custody_dir(i->seen.built, i->seen.uuid);
	if (i->lock_fd < 0 && dir && stat(dir, &st) == 0)
		i->lock_fd = custody_fetch(i->seen.built, (int64_t)st.st_dev, (int64_t)st.st_ino);
}

/* ---- judging ---------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static bool say(
	struct orphan_item *i, bool orphaned, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(i->why, sizeof i->why, fmt, ap);
	va_end(ap);
	return orphaned;
}

static bool store_knows(struct orphans *o, const struct orphan_item *i)
{
	_cleanup_err_ struct err err = {0};
	bool known = true;
	return store_pod_known(engine_cfg(o->cfg.engine)->store, i->seen.uuid, &known, &err) < 0 ||
	       known;
}

bool orphan_pod_known(struct orphans *o, const struct orphan_item *i)
{
	return pods_find(engine_pods(o->cfg.engine), i->seen.uuid) || store_knows(o, i);
}

static bool is_busy(const struct pod *p)
{
	return p->op || p->core.state == POD_CREATING || p->core.state == POD_UNPAUSING;
}

bool orphan_pod_busy(struct orphans *o, const struct orphan_item *i)
{
	const struct pod *p = pods_find(engine_pods(o->cfg.engine), i->seen.uuid);
	return p && is_busy(p);
}

/*
 * The domain of the generation before is of no use to a pod, and in the way of its next create. One
 * of the pod's own generation is left alone, whatever its number: which of the two is the pod's
 * cannot be told from outside.
 */
static bool judge_pod(struct orphan_item *i, const struct pod *p)
{
	const struct pod_core *c = &p->core;
	if (is_busy(p))
		return say(i, false, "a helper of the pod is at work");
	if (!(pod_state_owns(c->state) & POD_OWNS_DOMAIN))
		return say(i, true, "the pod is %s and has no domain", pod_state_name(c->state));
	if (c->generation == i->seen.generation)
		return say(i, false, "the pod's own domain %lld is of the same generation",
			(long long)c->domid);
	return say(i, true, "the pod's domain is of generation %lld", (long long)c->generation);
}

bool orphan_judge(struct orphans *o, struct orphan_item *i)
{
	const struct engine_config *c = engine_cfg(o->cfg.engine);
	if (!strcmp(i->seen.state, "dying"))
		return say(i, false, "it is destroyed; somebody still maps its memory");
	if (!i->seen.marked || i->seen.generation < 0 || i->seen.domid <= 0 ||
		!uuid_valid(i->seen.uuid))
		return say(i, false, "its mark is not whole");
	if (c->world->ops->helper_alive(c->world, i->seen.uuid))
		return say(i, false, "a helper of the pod is at work");
	const struct pod *p = pods_find(engine_pods(o->cfg.engine), i->seen.uuid);
	if (p)
		return judge_pod(i, p);
	if (store_knows(o, i))
		return say(i, false, "the pod's record cannot be read");
	return say(i, true, "no pod has this UUID");
}

/* ---- on disk ---------------------------------------------------------------------------------- */

static int write_row(
	struct store *s, const struct orphan_item *i, const struct orphan_row *r, struct err *err)
{
	return i->decided ? store_orphan_delete(s, r, err) : store_orphan_put(s, r, err);
}

/* History has words for states; these two are not a pod's. */
static void name_states(const struct orphan_item *i, struct history_row *h)
{
	static char destroying[] = "destroying";
	static char gone[] = "gone";
	h->from = i->decided ? destroying : (char *)(uintptr_t)i->seen.state;
	h->to = i->decided ? gone : destroying;
}

int orphan_commit(
	struct orphans *o, const struct orphan_item *i, const char *event, struct err *err)
{
	const struct engine_config *c = engine_cfg(o->cfg.engine);
	struct orphan_row r = {
		.generation = i->seen.generation,
		.domid = i->seen.domid,
		.boot_id = (char *)(uintptr_t)c->boot_id,
		.since = i->since_wall,
		.why = (char *)(uintptr_t)i->why,
	};
	struct history_row h = {
		.at = orphan_wall(o),
		.event = (char *)(uintptr_t)event,
		.cause = (char *)(uintptr_t)(i->lost ? i->error : i->why),
		.domid = i->seen.domid,
		.generation = i->seen.generation,
	};
	memcpy(r.uuid, i->seen.uuid, sizeof r.uuid);
	memcpy(h.uuid, i->seen.uuid, sizeof h.uuid);
	name_states(i, &h);
	if (store_begin(c->store, err) < 0)
		return -1;
	if (write_row(c->store, i, &r, err) < 0 ||
		store_history_add(c->store, &h, &h.seq, err) < 0) {
		store_rollback(c->store);
		return -1;
	}
	if (store_commit(c->store, err) < 0)
		return -1;
	if (o->cfg.history)
		o->cfg.history(o->cfg.ctx, &h);
	return 0;
}
