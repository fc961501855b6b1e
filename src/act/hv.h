/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor as the effectors use it: libxl and libxenstore opened, libxl's complaints kept,
 * and the one question that comes before each act: which domains carry this pod's UUID, and are
 * they ours? Identity is (uuid, generation, domid), see the design, "Identity".
 */
#ifndef ACT_HV_H
#define ACT_HV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIBXL_API_VERSION 0x041400
#include <libxl.h>
#include <xenstore.h>
#include <xentoollog.h>

#include "base/err.h"
#include "base/uuid.h"

#define HV_LINE_MAX    256
#define HV_DOMAINS_MAX 16 /* domains that carry one UUID */

/* Passes libxl's lines to stderr and keeps the first and the last error: they are the reason. */
struct hv_log {
	xentoollog_logger vtable; /* first: libxl hands us its address */
	xentoollog_level min;
	char first[HV_LINE_MAX];
	char last[HV_LINE_MAX];
};

struct hv {
	libxl_ctx *ctx;
	struct xs_handle *xs;
	struct hv_log log;
	/* Whom hv_destroy() has ended. */
	uint32_t ended[HV_DOMAINS_MAX];
	size_t n_ended;
};

/* Opens both libraries; ERR_UNAVAILABLE says what is missing. hv_close() takes a half-open one. */
int hv_open(struct hv *hv, xentoollog_level min, struct err *err);
void hv_close(struct hv *hv);
/* "debug", "verbose", "info", "warn", "error"; anything else: XTL_WARN. */
xentoollog_level hv_log_level(const char *name);
/* What libxl complained of since the last hv_forget(), never NULL. Valid until the next call. */
const char *hv_why(struct hv *hv);
void hv_forget(struct hv *hv);

/* Whose domain is it? */
struct hv_id {
	char uuid[UUID_TEXT_SIZE];
	const char *store;
	int64_t generation;
	bool marked; /* destroy: one that has lost its marker counts as someone else's */
};

enum hv_owner {
	HV_OURS,    /* our store's marker and this generation */
	HV_PARTIAL, /* no xenstore directory: half built or half destroyed, the UUID is all it has
		     */
	HV_OTHER,   /* another toolstack's, another store's, another generation's */
};

struct hv_domain {
	uint32_t domid;
	enum hv_owner owner;
	bool dying;
	bool paused;
};

/* By the nodes below the domain's path, as transaction `t` sees them (XBT_NULL: as they are). */
enum hv_owner hv_owner(struct hv *hv, xs_transaction_t t, const struct hv_id *id, uint32_t domid);
/* ERR_STATE for a domain that is HV_OTHER; returns -1. */
int hv_not_ours(const struct hv_id *id, uint32_t domid, struct err *err);

/* All domains with id's UUID, dying ones too. Returns their number, -1. */
int hv_find(struct hv *hv, const struct hv_id *id, struct hv_domain ret[HV_DOMAINS_MAX],
	struct err *err);
/* Is any domain at all dying, and so about to give memory back? */
bool hv_any_dying(struct hv *hv);
/* The one domain to act on: ours, alive, this domid; ERR_NOTFOUND or ERR_STATE otherwise. */
int hv_get(struct hv *hv, const struct hv_id *id, int64_t domid, struct hv_domain *ret,
	struct err *err);

/*
 * Writes a node below the domain's path, in a transaction that has seen there that the domain is
 * still ours: a late write would bring back the directory of a dead one (xen-pitfalls 22).
 */
int hv_write(struct hv *hv, const struct hv_id *id, uint32_t domid, const char *name,
	const char *value, struct err *err);
/* A node below the domain's path, NULL when absent. Caller frees. */
char *hv_read(struct hv *hv, uint32_t domid, const char *name);

/* Makes it run; harmless when it does. */
int hv_unpause(struct hv *hv, const struct hv_id *id, int64_t domid, struct err *err);

/*
 * Destroys every domain that is ours or partial (`domid` < 0), or just that one. Judged by what is
 * listed afterwards, not by libxl's result (xen-pitfalls 34). *ret_dying: one is still listed as
 * dying. Nothing there: done. ERR_STATE: a domain of that UUID is someone else's; it is not
 * touched.
 */
int hv_destroy(
	struct hv *hv, const struct hv_id *id, int64_t domid, bool *ret_dying, struct err *err);
/*
 * What their device models have in Dom-0's part of xenstore. libxl removes it, but a QEMU that it
 * had just started and does not know yet writes it after that. To be called when that is dead. Those of no
 * domain go as well, and its console and 9pfs backends: an xenpod-act that has died may have left them, or libxl,
 * for which a domain went while it was made.
 */
void hv_sweep_models(struct hv *hv);

#endif
