/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each command of xenpod-act does to the simulated world, with the same answers: judged by the
 * post-condition, strangers left alone.
 */
#include <string.h>

#include "base/alloc.h"
#include "sim/sim_int.h"

#define MEMORY_STEP  (100 * MS)
#define MEMORY_TRIES 50

static int do_exports(struct sim *sim, struct helper *h, json_t *done, struct err *err);
static int do_unpause(struct sim *sim, struct helper *h, json_t *done, struct err *err);
static int do_pause(struct sim *sim, struct helper *h, json_t *done, struct err *err);
static int do_shutdown(struct sim *sim, struct helper *h, json_t *done, struct err *err);
static int do_destroy(struct sim *sim, struct helper *h, json_t *done, struct err *err);
static int do_clear(struct sim *sim, struct helper *h, json_t *done, struct err *err);
static int do_release(struct sim *sim, struct helper *h, json_t *done, struct err *err);

static const struct {
	enum sim_point point;
	const char *t;
	enum sim_lat lat;
	int (*run)(struct sim *sim, struct helper *h, json_t *done, struct err *err);
} commands[] = {
	{SIM_AT_EXPORTS, "exports", SIM_LAT_EXPORTS, do_exports},
	{SIM_AT_NETWORK, "network", SIM_LAT_NETWORK, network_make},
	{SIM_AT_CREATE, "create", SIM_LAT_CREATE, NULL}, /* in stages, below */
	{SIM_AT_UNPAUSE, "unpause", SIM_LAT_UNPAUSE, do_unpause},
	{SIM_AT_PAUSE, "pause", SIM_LAT_PAUSE, do_pause},
	{SIM_AT_SHUTDOWN, "shutdown", SIM_LAT_SHUTDOWN, do_shutdown},
	{SIM_AT_DESTROY, "destroy", SIM_LAT_DESTROY, do_destroy},
	{SIM_AT_CLEAR, "clear", SIM_LAT_CLEAR, do_clear},
	{SIM_AT_RELEASE, "release", SIM_LAT_RELEASE, do_release},
};

int command_point(const char *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].t, t))
			return (int)commands[i].point;
	return -1;
}

enum sim_lat command_latency(enum sim_point point)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].point == point)
			return commands[i].lat;
	return SIM_LAT_SPAWN;
}

/* ---- whose domain ------------------------------------------------------------------------------
 */

static bool is_ours(const struct helper *h, const struct dom *d)
{
	return d->records && d->store && !strcmp(d->store, json_str_opt(h->request, "store", "")) &&
	       d->generation == json_int_opt(h->request, "generation", -1);
}

/* The one living domain to act on; NULL and err as the real one answers. */
static struct dom *target(struct sim *sim, const struct helper *h, struct err *err)
{
	int64_t domid = json_int_opt(h->request, "domid", -1);
	struct dom *d = domid > 0 && domid < DOMIDS ? sim->dom[domid] : NULL;
	if (!d || strcmp(d->uuid, h->uuid) != 0) {
		err_set(err, ERR_NOTFOUND, "domain %lld of pod %s is not there", (long long)domid,
			h->uuid);
		return NULL;
	}
	if (d->state == DOM_DYING || !is_ours(h, d)) {
		err_set(err, ERR_STATE, "domain %lld is %s", (long long)domid,
			d->state == DOM_DYING ? "dying" : "not ours: left alone");
		return NULL;
	}
	return d;
}

/* ---- commands of one stage ----------------------------------------------------------------------
 */

static int do_exports(struct sim *sim, struct helper *h, json_t *done, struct err *err)
{
	(void)done;
	(void)err;
	struct host *host = host_get(sim, h->uuid);
	host->exports = true;
	host->trees = json_array_size(json_object_get(h->request, "trees"));
	host->cgroup = json_is_string(json_object_get(h->request, "cgroup"));
	return 0;
}

static int do_unpause(struct sim *sim, struct helper *h, json_t *done, struct err *err)
{
	(void)done;
	struct dom *d = target(sim, h, err);
	if (!d)
		return -1;
	dom_unpause(sim, d);
	return 0;
}

static int do_pause(struct sim *sim, struct helper *h, json_t *done, struct err *err)
{
	(void)done;
	struct dom *d = target(sim, h, err);
	if (!d)
		return -1;
	dom_pause(sim, d);
	return 0;
}

static int do_shutdown(struct sim *sim, struct helper *h, json_t *done, struct err *err)
{
	(void)done;
	struct dom *d = target(sim, h, err);
	if (!d)
		return -1;
	guest_shutdown(sim, d);
	return 0;
}

static bool is_meant(const struct helper *h, const struct dom *d)
{
	int64_t domid = json_int_opt(h->request, "domid", -1);
	return d && !strcmp(d->uuid, h->uuid) && (domid < 0 || d->domid == domid);
}

static int do_destroy(struct sim *sim, struct helper *h, json_t *done, struct err *err)
{
	bool dying = false;
	for (int64_t i = 0; i < sim->dom_top; i++) {
		struct dom *d = sim->dom[i];
		if (is_meant(h, d) && d->state != DOM_DYING && !is_ours(h, d))
			return err_set(err, ERR_STATE,
				"domain %lld carries the UUID %s but is not ours: left alone",
				(long long)d->domid, h->uuid);
	}
	for (int64_t i = 0; i < sim->dom_top; i++) {
		struct dom *d = sim->dom[i];
		if (!is_meant(h, d))
			continue;
		dom_destroy(sim, d);
		dying = true;
	}
	json_object_set_new(done, "dying", json_boolean(dying));
	return 0;
}

static int do_clear(struct sim *sim, struct helper *h, json_t *done, struct err *err)
{
	(void)err;
	qemu_kill_all(sim, h->uuid); /* all of the cgroup */
	struct host *host = host_get(sim, h->uuid);
	host->exports = host->cgroup = false;
	host->trees = 0;
	network_clear(host, h->request);
	host_tidy(sim, h->uuid);
	json_object_set_new(done, "lazy", json_integer(0));
	return 0;
}

static int do_release(struct sim *sim, struct helper *h, json_t *done, struct err *err)
{
	(void)done;
	(void)err;
	struct host *host = host_get(sim, h->uuid);
	host->logs = false;
	network_release(host);
	host_tidy(sim, h->uuid);
	return 0;
}

/* ---- create, in this order ----------------------------------------------------------------------
 */

static void create_domain(struct sim *sim, struct helper *h);
static void create_build(struct sim *sim, const struct event *ev);
static void create_built(struct sim *sim, struct helper *h);
static void create_built_late(struct sim *sim, const struct event *ev);
static void create_goes(struct sim *sim, const struct event *ev); /* after command_go */

static void create_failed(struct sim *sim, struct helper *h, struct err *err)
{
	struct dom *d = dom_by_serial(sim, h->dom);
	if (d)
		dom_destroy(sim, d);
	helper_finish(sim, h, -1, NULL, err);
}

static int check_create(struct sim *sim, const struct helper *h, struct err *err)
{
	const struct dom *d = dom_by_uuid(sim, h->uuid);
	const struct host *host = host_get(sim, h->uuid);
	size_t trees = json_array_size(json_object_get(h->request, "trees"));
	json_t *spec;
	if (d)
		return err_set(err, ERR_EXISTS, "domain %lld with the UUID %s is %s",
			(long long)d->domid, h->uuid,
			d->state == DOM_DYING ? "still dying" : "there already");
	if (json_object_get(h->request, "nets") && !host->netns)
		return err_set(err, ERR_SYSTEM,
			"cannot create the domain: its network namespace is not there");
	if (trees && (!host->exports || host->trees != trees))
		return err_set(err, ERR_SYSTEM,
			"cannot create the domain: %zu trees to export, %zu are attached", trees,
			host->trees);
	return json_get_obj(h->request, "spec", &spec, err);
}

static void create_again(struct sim *sim, const struct event *ev)
{
	struct helper *h = helper_find(sim, ev->id);
	if (h)
		create_domain(sim, h);
}

/* Memory that comes back bit by bit is waited for, as in src/act/config.c. */
static bool waits_for_memory(struct sim *sim, struct helper *h, int64_t memory_kib)
{
	if (memory_take(sim, memory_kib, NULL) == 0 || !memory_dying(sim) ||
		h->tries++ >= MEMORY_TRIES)
		return false;
	later(sim, MEMORY_STEP, NEED_NOTHING, create_again, h->handle, 0, NULL);
	return true;
}

static void create_domain(struct sim *sim, struct helper *h)
{
	_cleanup_err_ struct err err = {0};
	int64_t memory_kib = json_int_opt(h->request, "memory_kib", SPEC_MEMORY_KIB);
	if (waits_for_memory(sim, h, memory_kib))
		return;
	if (check_create(sim, h, &err) < 0 || memory_take(sim, memory_kib, &err) < 0) {
		helper_finish(sim, h, -1, NULL, &err);
		return;
	}
	struct dom *d = dom_new(sim, h->uuid);
	d->store = xstrdup(json_str_opt(h->request, "store", ""));
	d->generation = json_int_opt(h->request, "generation", 0);
	d->memory_kib = memory_kib;
	guest_init(&d->guest, json_object_get(h->request, "spec"));
	h->dom = d->serial;
	int64_t in = latency(sim, SIM_LAT_BUILD);
	if (h->fault == SIM_KIND_SLOW)
		in *= SLOW_FACTOR;
	later(sim, in, NEED_XENSTORE, create_build, h->handle, 0, NULL);
}

static void create_built(struct sim *sim, struct helper *h)
{
	struct dom *d = dom_by_serial(sim, h->dom);
	if (!d || d->state == DOM_DYING) {
		_cleanup_err_ struct err err = {0};
		err_set(&err, ERR_SYSTEM, "cannot create the domain: it was destroyed meanwhile");
		helper_finish(sim, h, -1, NULL, &err);
		return;
	}
	d->qemu = d->built = qemu_new(sim, h->uuid, take_fd(&h->lock_fd));
	host_get(sim, h->uuid)->logs = true;
	h->stage = HELPER_WAITING;
	helper_answer(sim, h,
		json_make("{s:s, s:I, s:I, s:I}", "t", "created", "op", (json_int_t)h->handle,
			"domid", (json_int_t)d->domid, "qemu_pid", (json_int_t)d->qemu));
	if (h->fault == SIM_KIND_LOST)
		helper_end(sim, h, STATUS_DIED);
	else if (h->epoch != sim->epoch)
		helper_end(sim, h, 1); /* nobody will say go */
}

static void create_built_late(struct sim *sim, const struct event *ev)
{
	struct helper *h = helper_find(sim, ev->id);
	if (h)
		create_built(sim, h);
}

static void create_build(struct sim *sim, const struct event *ev)
{
	_cleanup_err_ struct err err = {0};
	const char *text;
	struct helper *h = helper_find(sim, ev->id);
	if (!h)
		return;
	enum sim_kind kind = fault_strikes(sim, SIM_AT_BUILD, &text);
	if (kind != SIM_KIND_MAX_)
		h->fault = kind;
	switch ((int)kind) {
	case SIM_KIND_HANG:
		break;
	case SIM_KIND_DIE:
		helper_end(sim, h, STATUS_DIED);
		break;
	case SIM_KIND_FAIL:
		err_set(&err, ERR_SYSTEM, "cannot create the domain: %s",
			text ? text : "simulated fault");
		create_failed(sim, h, &err);
		break;
	case SIM_KIND_SLOW:
		later(sim, SLOW_FACTOR * latency(sim, SIM_LAT_BUILD), NEED_XENSTORE,
			create_built_late, h->handle, 0, NULL);
		break;
	default:
		create_built(sim, h);
		break;
	}
}

static void create_goes(struct sim *sim, const struct event *ev)
{
	_cleanup_err_ struct err err = {0};
	struct helper *h = helper_find(sim, ev->id);
	if (!h)
		return;
	struct dom *d = dom_by_serial(sim, h->dom);
	if (d && d->state != DOM_DYING)
		dom_unpause(sim, d);
	else
		err_set(&err, ERR_NOTFOUND, "the domain of pod %s is no more", h->uuid);
	helper_finish(sim, h, err.msg ? -1 : 0, json_make("{s:s}", "t", "done"), &err);
}

void command_go(struct sim *sim, struct helper *h)
{
	h->stage = HELPER_WORKING;
	h->point = SIM_AT_GO;
	h->fault = SIM_KIND_MAX_;
	if (helper_struck(sim, h))
		return;
	int64_t in = latency(sim, SIM_LAT_UNPAUSE);
	later(sim, h->fault == SIM_KIND_SLOW ? SLOW_FACTOR * in : in, NEED_XENSTORE, create_goes,
		h->handle, 0, NULL);
}

/* ---- all of them -------------------------------------------------------------------------------
 */

void command_run(struct sim *sim, struct helper *h)
{
	_cleanup_err_ struct err err = {0};
	if (h->point == SIM_AT_CREATE) {
		create_domain(sim, h);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].point != h->point)
			continue;
		json_t *done = json_make("{s:s}", "t", "done");
		helper_finish(sim, h, commands[i].run(sim, h, done, &err), done, &err);
		return;
	}
}
