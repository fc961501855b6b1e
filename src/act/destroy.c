/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv_destroy(): a domain and what is left of it in xenstore. Repeatable at any point: it looks at
 * what is there, acts, and looks again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/hv.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/crash.h"

static bool is_meant(const struct hv_domain *d, int64_t domid)
{
	return domid < 0 || d->domid == domid;
}

/* A dying one has lost its marker as well, but nothing is done to it any more. */
static bool is_stranger(const struct hv_domain *d, const struct hv_id *id)
{
	return d->owner == HV_OTHER || (id->marked && d->owner == HV_PARTIAL && !d->dying);
}

static int check_strangers(
	const struct hv_domain *d, int n, const struct hv_id *id, int64_t domid, struct err *err)
{
	for (int i = 0; i < n; i++)
		if (is_meant(&d[i], domid) && is_stranger(&d[i], id))
			return hv_not_ours(id, d[i].domid, err);
	return 0;
}

/* ---- nodes of a domain that is no more: libxl leaves them alone (xen-pitfalls 32) ---- */

static void remove_nodes(struct hv *hv, xs_transaction_t t, const struct hv_id *id, uint32_t domid)
{
	static const char *const backends[] = {"9pfs", "console", "vif", "vbd"};
	_cleanup_free_ char *home = xasprintf("/local/domain/%u", domid);
	_cleanup_free_ char *libxl = xasprintf("/libxl/%u", domid);
	_cleanup_free_ char *vm = xasprintf("/vm/%s", id->uuid);
	xs_rm(hv->xs, t, home);
	xs_rm(hv->xs, t, libxl);
	xs_rm(hv->xs, t, vm);
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
		_cleanup_free_ char *path =
			xasprintf("/local/domain/0/backend/%s/%u", backends[i], domid);
		xs_rm(hv->xs, t, path);
	}
}

static int sweep_one(struct hv *hv, const struct hv_id *id, uint32_t domid, struct err *err)
{
	for (;;) {
		xs_transaction_t t = xs_transaction_start(hv->xs);
		if (t == XBT_NULL)
			return err_sys(err, "xenstore transaction");
		bool ours = hv_owner(hv, t, id, domid) == HV_OURS;
		if (ours)
			remove_nodes(hv, t, id, domid);
		if (xs_transaction_end(hv->xs, t, !ours))
			return 0;
		if (errno != EAGAIN)
			return err_sys(err, "remove domain %u from xenstore", domid);
	}
}

/* Called when no domain of this UUID that is ours is listed any more. */
static int sweep(struct hv *hv, const struct hv_id *id, int64_t domid, struct err *err)
{
	unsigned n = 0;
	if (domid >= 0)
		return sweep_one(hv, id, (uint32_t)domid, err);
	_cleanup_free_ char **names = xs_directory(hv->xs, XBT_NULL, "/local/domain", &n);
	for (unsigned i = 0; names && i < n; i++)
		if (sweep_one(hv, id, (uint32_t)strtoul(names[i], NULL, 10), err) < 0)
			return -1;
	return 0;
}

static void end_one(struct hv *hv, uint32_t domid)
{
	libxl_domain_destroy(hv->ctx, domid, NULL);
	if (hv->n_ended < HV_DOMAINS_MAX)
		hv->ended[hv->n_ended++] = domid;
}

int hv_destroy(
	struct hv *hv, const struct hv_id *id, int64_t domid, bool *ret_dying, struct err *err)
{
	struct hv_domain d[HV_DOMAINS_MAX];
	int n = hv_find(hv, id, d, err);
	if (n < 0 || check_strangers(d, n, id, domid, err) < 0)
		return -1;
	hv_forget(hv);
	for (int i = 0; i < n; i++)
		if (is_meant(&d[i], domid))
			end_one(hv, d[i].domid);
	crash_point("destroyed");
	if ((n = hv_find(hv, id, d, err)) < 0)
		return -1;
	bool dying = false;
	for (int i = 0; i < n; i++) {
		if (!is_meant(&d[i], domid) || d[i].owner == HV_OTHER)
			continue;
		if (!d[i].dying)
			return err_set(err, ERR_SYSTEM, "domain %u was not destroyed: %s",
				d[i].domid, hv_why(hv));
		dying = true;
	}
	if (!dying && sweep(hv, id, domid, err) < 0)
		return -1;
	*ret_dying = dying;
	return 0;
}

static bool is_there(struct hv *hv, xs_transaction_t t, uint32_t domid)
{
	unsigned len = 0;
	_cleanup_free_ char *home = xasprintf("/local/domain/%u", domid);
	_cleanup_free_ char *value = xs_read(hv->xs, t, home, &len);
	return value || libxl_domain_info(hv->ctx, NULL, domid) != ERROR_DOMAIN_NOTFOUND;
}

/* Sockets of its QEMU, in libxl's directory (libxl__run_dir_path): removed with the domain otherwise. */
static void remove_sockets(uint32_t domid)
{
	static const char *const names[] = {"qmp-libxl", "qmp-libxenstat"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("/var/run/xen/%s-%u", names[i], domid);
		(void)unlink(path);
	}
}

/* In a transaction: a domain that gets the number meanwhile has made a node below its home by then. */
static void sweep_lost_one(struct hv *hv, const char *dir, uint32_t domid)
{
	_cleanup_free_ char *path = xasprintf("%s/%u", dir, domid);
	bool again;
	do {
		xs_transaction_t t = xs_transaction_start(hv->xs);
		if (t == XBT_NULL)
			return;
		bool there = is_there(hv, t, domid);
		if (!there) {
			xs_rm(hv->xs, t, path);
			remove_sockets(domid);
		}
		again = !xs_transaction_end(hv->xs, t, there) && errno == EAGAIN;
	} while (again);
}

/*
 * Of domains that an xenpod-act before us has ended, and died: nobody knows their numbers any more. So it is
 * those of which there is no domain at all, whoever's it was.
 */
static void sweep_lost(struct hv *hv, const char *dir)
{
	unsigned n = 0;
	_cleanup_free_ char **names = xs_directory(hv->xs, XBT_NULL, dir, &n);
	for (unsigned i = 0; names && i < n; i++)
		sweep_lost_one(hv, dir, (uint32_t)strtoul(names[i], NULL, 10));
}

void hv_sweep_models(struct hv *hv)
{
	for (size_t i = 0; i < hv->n_ended; i++) {
		_cleanup_free_ char *path =
			xasprintf("/local/domain/0/device-model/%u", hv->ended[i]);
		xs_rm(hv->xs, XBT_NULL, path);
	}
	sweep_lost(hv, "/local/domain/0/device-model");
	/* libxl has made it by the time it starts QEMU. */
	sweep_lost(hv, "/local/domain/0/backend/console");
	sweep_lost(hv, "/local/domain/0/backend/9pfs");
}
