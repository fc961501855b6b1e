/* SPDX-License-Identifier: Apache-2.0 */
/* libxl and libxenstore opened, and whose domain is whose: see hv.h. */
#include "act/hv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/xenhost.h"
#include "proto/world.h"

/* ---- libxl's log ---- */

xentoollog_level hv_log_level(const char *name)
{
	static const struct {
		const char *name;
		xentoollog_level level;
	} levels[] = {
		{"debug", XTL_DEBUG},
		{"verbose", XTL_VERBOSE},
		{"info", XTL_INFO},
		{"warn", XTL_WARN},
		{"error", XTL_ERROR},
	};
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (strcmp(levels[i].name, name) == 0)
			return levels[i].level;
	return XTL_WARN;
}

/*
 * libxl begins with "file.c:line:function: ", libxc with "panic: file.c:line: function: ": nothing
 * that helps the reader of an error.
 */
static const char *without_place(const char *line)
{
	if (strncmp(line, "panic: ", 7) == 0)
		line += 7;
	const char *at = strstr(line, ".c:");
	if (!at || memchr(line, ' ', (size_t)(at - line)))
		return line;
	at += 3;
	at += strspn(at, "0123456789: ");
	const char *rest = strstr(at, ": ");
	return rest ? rest + 2 : at;
}

__attribute__((format(printf, 5, 0))) static void log_message(struct xentoollog_logger *logger,
	xentoollog_level level, int errnoval, const char *context, const char *format, va_list al)
{
	struct hv_log *log = (struct hv_log *)(void *)logger;
	_cleanup_free_ char *text = xvasprintf(format, al);
	_cleanup_free_ char *line = errnoval < 0 ? xasprintf("%s", text)
						 : xasprintf("%s: %s", text, strerror(errnoval));
	if (level >= log->min)
		fprintf(stderr, "%s: %s: %s\n", context ? context : "xen",
			xtl_level_to_string(level), line);
	if (level < XTL_ERROR)
		return;
	const char *reason = without_place(line);
	if (!*log->first)
		snprintf(log->first, sizeof log->first, "%s", reason);
	snprintf(log->last, sizeof log->last, "%s", reason);
}

static void log_destroy(struct xentoollog_logger *logger)
{
	(void)logger; /* part of struct hv */
}

void hv_forget(struct hv *hv)
{
	hv->log.first[0] = '\0';
	hv->log.last[0] = '\0';
}

const char *hv_why(struct hv *hv)
{
	static char both[2 * HV_LINE_MAX + 8];
	if (!hv->log.first[0])
		return "libxl gave no reason";
	if (strcmp(hv->log.first, hv->log.last) == 0)
		return hv->log.first;
	snprintf(both, sizeof both, "%s (%s)", hv->log.first, hv->log.last);
	return both;
}

/* ---- open, close ---- */

int hv_open(struct hv *hv, xentoollog_level min, struct err *err)
{
	*hv = (struct hv){0};
	hv->log.min = min;
	hv->log.vtable.vmessage = log_message;
	hv->log.vtable.destroy = log_destroy;
	if (xenhost_check(err) < 0)
		return -1;
	if (libxl_ctx_alloc(&hv->ctx, LIBXL_VERSION, 0, &hv->log.vtable))
		return err_set(err, ERR_UNAVAILABLE, "libxl cannot be opened: %s", hv_why(hv));
	hv->xs = xs_open(0);
	if (!hv->xs)
		return err_sys(err, "connect to xenstored");
	return 0;
}

void hv_close(struct hv *hv)
{
	if (hv->xs)
		xs_close(hv->xs);
	if (hv->ctx)
		libxl_ctx_free(hv->ctx);
	hv->xs = NULL;
	hv->ctx = NULL;
}

/* ---- whose is it ---- */

static char *node_read(struct hv *hv, xs_transaction_t t, uint32_t domid, const char *name)
{
	unsigned len;
	_cleanup_free_ char *path = xasprintf("/local/domain/%u/%s", domid, name);
	return xs_read(hv->xs, t, path, &len);
}

char *hv_read(struct hv *hv, uint32_t domid, const char *name)
{
	return node_read(hv, XBT_NULL, domid, name);
}

/*
 * libxl writes `vm` and the marker in one transaction: a domain with the one but not the other is
 * some other toolstack's.
 */
enum hv_owner hv_owner(struct hv *hv, xs_transaction_t t, const struct hv_id *id, uint32_t domid)
{
	_cleanup_free_ char *vm = node_read(hv, t, domid, "vm");
	_cleanup_free_ char *store = node_read(hv, t, domid, WORLD_MARK_STORE);
	_cleanup_free_ char *generation = node_read(hv, t, domid, WORLD_MARK_GENERATION);
	char want_vm[UUID_TEXT_SIZE + 8];
	char want_generation[24];
	snprintf(want_vm, sizeof want_vm, "/vm/%s", id->uuid);
	snprintf(want_generation, sizeof want_generation, "%lld", (long long)id->generation);
	if (!vm && !store && !generation)
		return HV_PARTIAL;
	if (!vm || !store || !generation || strcmp(vm, want_vm) != 0 ||
		strcmp(store, id->store) != 0 || strcmp(generation, want_generation) != 0)
		return HV_OTHER;
	return HV_OURS;
}

int hv_find(struct hv *hv, const struct hv_id *id, struct hv_domain ret[HV_DOMAINS_MAX],
	struct err *err)
{
	int listed = 0;
	int n = 0;
	libxl_dominfo *list = libxl_list_domain(hv->ctx, &listed);
	if (!list)
		return err_set(err, ERR_SYSTEM, "cannot list the domains: %s", hv_why(hv));
	for (int i = 0; i < listed && n < HV_DOMAINS_MAX; i++) {
		char uuid[UUID_TEXT_SIZE];
		uuid_from_bytes(libxl_uuid_bytearray_const(&list[i].uuid), uuid);
		if (strcmp(uuid, id->uuid) != 0)
			continue;
		ret[n++] = (struct hv_domain){
			.domid = list[i].domid,
			.owner = hv_owner(hv, XBT_NULL, id, list[i].domid),
			.dying = list[i].dying,
			.paused = list[i].paused,
		};
	}
	libxl_dominfo_list_free(list, listed);
	return n;
}

bool hv_any_dying(struct hv *hv)
{
	int n = 0;
	bool dying = false;
	libxl_dominfo *list = libxl_list_domain(hv->ctx, &n);
	for (int i = 0; list && i < n; i++)
		dying |= list[i].dying;
	libxl_dominfo_list_free(list, n);
	return dying;
}

int hv_not_ours(const struct hv_id *id, uint32_t domid, struct err *err)
{
	return err_set(err, ERR_STATE,
		"domain %u carries the UUID %s but is not generation %lld of this store: left "
		"alone",
		domid, id->uuid, (long long)id->generation);
}

int hv_get(struct hv *hv, const struct hv_id *id, int64_t domid, struct hv_domain *ret,
	struct err *err)
{
	struct hv_domain found[HV_DOMAINS_MAX];
	int n = hv_find(hv, id, found, err);
	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		if (found[i].domid != domid)
			continue;
		if (found[i].dying)
			return err_set(err, ERR_STATE, "domain %u is dying", found[i].domid);
		if (found[i].owner != HV_OURS)
			return hv_not_ours(id, found[i].domid, err);
		*ret = found[i];
		return 0;
	}
	return err_set(err, ERR_NOTFOUND, "pod %s has no domain %lld", id->uuid, (long long)domid);
}

/* ---- writes ---- */

/* 0 done, 1 to be tried again, -1. */
static int write_once(struct hv *hv, const struct hv_id *id, uint32_t domid, const char *name,
	const char *value, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("/local/domain/%u/%s", domid, name);
	xs_transaction_t t = xs_transaction_start(hv->xs);
	if (t == XBT_NULL)
		return err_sys(err, "xenstore transaction");
	if (hv_owner(hv, t, id, domid) != HV_OURS) {
		xs_transaction_end(hv->xs, t, true);
		return err_set(err, ERR_STATE, "domain %u of pod %s is no more", domid, id->uuid);
	}
	if (!xs_write(hv->xs, t, path, value, (unsigned)strlen(value))) {
		err_sys(err, "write %s to xenstore", path);
		xs_transaction_end(hv->xs, t, true);
		return -1;
	}
	if (xs_transaction_end(hv->xs, t, false))
		return 0;
	return errno == EAGAIN ? 1 : err_sys(err, "write %s to xenstore", path);
}

int hv_write(struct hv *hv, const struct hv_id *id, uint32_t domid, const char *name,
	const char *value, struct err *err)
{
	int r;
	while ((r = write_once(hv, id, domid, name, value, err)) > 0)
		;
	return r;
}
