/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pause, unpause, shutdown, destroy: acts on one domain whose identity is checked first, judged by
 * what is true afterwards.
 */
#include <stdlib.h>

#include "act/act.h"
#include "act/cgroup.h"
#include "base/cleanup.h"
#include "base/json.h"

/* Pauses of several toolstacks add up in Xen; more than this is somebody's intention. */
#define UNPAUSE_MAX 8

static int get_domid(const struct act *a, int64_t *ret, struct err *err)
{
	return json_get_int(a->request, "domid", ret, err);
}

int hv_unpause(struct hv *hv, const struct hv_id *id, int64_t domid, struct err *err)
{
	struct hv_domain d;
	hv_forget(hv);
	for (int i = 0; i <= UNPAUSE_MAX; i++) {
		if (hv_get(hv, id, domid, &d, err) < 0)
			return -1;
		if (!d.paused)
			return 0;
		libxl_domain_unpause(hv->ctx, d.domid, NULL);
	}
	return err_set(err, ERR_SYSTEM, "domain %u stays paused: %s", d.domid, hv_why(hv));
}

static int hv_pause(struct hv *hv, const struct hv_id *id, int64_t domid, struct err *err)
{
	struct hv_domain d;
	hv_forget(hv);
	if (hv_get(hv, id, domid, &d, err) < 0)
		return -1;
	if (!d.paused)
		libxl_domain_pause(hv->ctx, d.domid, NULL);
	if (hv_get(hv, id, domid, &d, err) < 0)
		return -1;
	if (!d.paused)
		return err_set(
			err, ERR_SYSTEM, "domain %u does not pause: %s", d.domid, hv_why(hv));
	return 0;
}

/*
 * What libxl_domain_shutdown() does, without its minute of waiting for the guest's acknowledgement:
 * that is not death, and the deadline is the supervisor's (xen-pitfalls 38).
 */
static int hv_shutdown(struct hv *hv, const struct hv_id *id, int64_t domid, struct err *err)
{
	struct hv_domain d;
	if (hv_get(hv, id, domid, &d, err) < 0)
		return -1;
	return hv_write(hv, id, d.domid, "control/shutdown", "poweroff", err);
}

static int with_hv(struct act *a,
	int (*run)(struct hv *hv, const struct hv_id *id, int64_t domid, struct err *err),
	struct err *err)
{
	struct hv hv;
	int64_t domid;
	if (get_domid(a, &domid, err) < 0)
		return -1;
	int r = act_open_hv(a, &hv, err) < 0 ? -1 : run(&hv, &a->id, domid, err);
	hv_close(&hv);
	return r;
}

int act_unpause(struct act *a, struct err *err)
{
	return with_hv(a, hv_unpause, err);
}

int act_pause(struct act *a, struct err *err)
{
	return with_hv(a, hv_pause, err);
}

int act_shutdown(struct act *a, struct err *err)
{
	return with_hv(a, hv_shutdown, err);
}

/* Its number is not known: nobody knows its QEMU, which may only just have been started. */
static int end_half_built(struct act *a, struct hv *hv, struct err *err)
{
	if (a->cgroup && cgroup_clear(a->cgroup, err) < 0)
		return -1;
	hv_sweep_models(hv);
	return 0;
}

int act_destroy(struct act *a, struct err *err)
{
	struct hv hv;
	int64_t domid;
	bool dying = false;
	if (get_domid(a, &domid, err) < 0)
		return -1;
	a->id.marked = json_bool_opt(a->request, "marked", false);
	int r = act_open_hv(a, &hv, err) < 0 ? -1 : hv_destroy(&hv, &a->id, domid, &dying, err);
	if (r == 0 && domid < 0)
		r = end_half_built(a, &hv, err);
	hv_close(&hv);
	if (r == 0)
		json_object_set_new(a->answer, "dying", json_boolean(dying));
	return r;
}
