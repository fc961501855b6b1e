/* SPDX-License-Identifier: Apache-2.0 */
/* From the request's members to libxl's: see config.h. */
#include "act/config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libxl_utils.h>

#include "act/exports.h"
#include "act/vifs.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "proto/spec.h"
#include "proto/world.h"

/*
 * A 9p device has two rings of up to 512 pages (rings.h; Linux, net/9p/trans_xen.c) and their two
 * index pages; a grant frame holds 512 grants. Xen's own default of 64 frames is kept below that.
 */
#define GRANT_FRAMES_BASE 32
#define GRANT_FRAMES_TREE 3
#define GRANT_FRAMES_MIN  64

#define FREE_STEP_NS (100 * 1000 * 1000L)
#define FREE_TRIES   50

static int pick_type(struct hv *hv, const char *want, libxl_domain_type *ret, struct err *err)
{
	libxl_physinfo info;
	libxl_physinfo_init(&info);
	int r = libxl_get_physinfo(hv->ctx, &info);
	bool pv = info.cap_pv;
	bool pvh = info.cap_hvm && info.cap_hap;
	libxl_physinfo_dispose(&info);
	if (r)
		return err_set(err, ERR_SYSTEM, "Xen does not tell what it can do: %s", hv_why(hv));
	bool is_auto = strcmp(want, "auto") == 0;
	bool is_pv = strcmp(want, "pv") == 0;
	if (!is_auto && !is_pv && strcmp(want, "pvh") != 0)
		return err_set(
			err, ERR_INVALID, "\"type\" must be auto, pv or pvh, not \"%s\"", want);
	if ((is_auto || is_pv) && pv)
		*ret = LIBXL_DOMAIN_TYPE_PV;
	else if (!is_pv && pvh)
		*ret = LIBXL_DOMAIN_TYPE_PVH;
	else
		return err_set(err, ERR_UNSUPPORTED,
			"this Xen cannot run domains of type %s (PV: %s, PVH: %s)", want,
			pv ? "yes" : "no",
			pvh ? "yes" : "no, it needs hardware virtualisation with nested paging");
	return 0;
}

static void set_marker(const struct hv_id *id, libxl_key_value_list *ret)
{
	char **kv = xcalloc(5, sizeof *kv);
	kv[0] = xstrdup(WORLD_MARK_STORE);
	kv[1] = xstrdup(id->store);
	kv[2] = xstrdup(WORLD_MARK_GENERATION);
	kv[3] = xasprintf("%lld", (long long)id->generation);
	*ret = kv;
}

static int set_identity(
	const struct act *a, struct hv *hv, libxl_domain_create_info *c, struct err *err)
{
	if (pick_type(hv, json_str_opt(a->request, "type", "auto"), &c->type, err) < 0)
		return -1;
	c->name = xstrdup(a->id.uuid);
	uuid_to_bytes(a->id.uuid, libxl_uuid_bytearray(&c->uuid));
	set_marker(&a->id, &c->xsdata);
	return 0;
}

static int get_size(const struct act *a, int64_t *memory_kib, int64_t *vcpus, struct err *err)
{
	if (json_get_int(a->request, "memory_kib", memory_kib, err) < 0 ||
		json_get_int(a->request, "vcpus", vcpus, err) < 0)
		return -1;
	if (*memory_kib < SPEC_MEMORY_MIN_KIB)
		return err_set(err, ERR_INVALID, "\"memory_kib\": a pod needs at least %d",
			SPEC_MEMORY_MIN_KIB);
	if (*vcpus < 1 || *vcpus > SPEC_VCPUS_MAX)
		return err_set(err, ERR_INVALID, "\"vcpus\" must be 1 to %d", SPEC_VCPUS_MAX);
	return 0;
}

static int set_build(const struct act *a, struct hv *hv, int kernel, int ramdisk,
	libxl_domain_build_info *b, struct err *err)
{
	int64_t memory_kib;
	int64_t vcpus;
	if (get_size(a, &memory_kib, &vcpus, err) < 0)
		return -1;
	b->max_memkb = (uint64_t)memory_kib;
	b->target_memkb = (uint64_t)memory_kib;
	b->max_vcpus = (int)vcpus;
	if (libxl_cpu_bitmap_alloc(hv->ctx, &b->avail_vcpus, (int)vcpus))
		return err_set(err, ERR_SYSTEM, "vcpu map: %s", hv_why(hv));
	libxl_bitmap_set_any(&b->avail_vcpus);
	libxl_defbool_set(&b->claim_mode, true);
	bool debug = json_bool_opt(json_object_get(a->request, "spec"), "debug", false);
	b->kernel = xasprintf("/proc/self/fd/%d", kernel);
	b->ramdisk = xasprintf("/proc/self/fd/%d", ramdisk);
	b->cmdline = xasprintf("console=hvc0 panic=1 %s", debug ? "debug" : "quiet");
	return 0;
}

static int check_trees(const char *dir, const json_t *trees, struct err *err)
{
	size_t n = json_array_size(trees);
	_cleanup_free_ struct tree *t = xcalloc(n + 1, sizeof *t);
	for (size_t i = 0; i < n; i++)
		t[i].file = json_str_opt(json_array_get(trees, i), "file", NULL);
	return exports_check(dir, t, n, err);
}

static int set_trees(const struct act *a, libxl_domain_config *config, struct err *err)
{
	const char *dir;
	json_t *trees;
	if (act_get_path(a, "dir", &dir, err) < 0 ||
		json_get_array(a->request, "trees", &trees, err) < 0)
		return -1;
	size_t n = json_array_size(trees);
	if (check_trees(dir, trees, err) < 0)
		return -1;
	config->p9s = xcalloc(n, sizeof *config->p9s);
	for (size_t i = 0; i < n; i++) {
		const char *tag;
		libxl_device_p9 *p9 = &config->p9s[i];
		if (json_get_str(json_array_get(trees, i), "tag", &tag, err) < 0)
			return err_wrap(err, "tree %zu", i);
		libxl_device_p9_init(p9);
		config->num_p9s++;
		p9->tag = xstrdup(tag);
		p9->path = xasprintf(WORLD_TREE_FMT, dir, i);
		p9->security_model = xstrdup("none");
	}
	uint32_t frames = GRANT_FRAMES_BASE + GRANT_FRAMES_TREE * (uint32_t)n;
	config->b_info.max_grant_frames = frames > GRANT_FRAMES_MIN ? frames : GRANT_FRAMES_MIN;
	return 0;
}

int config_make(const struct act *a, struct hv *hv, int kernel, int ramdisk,
	libxl_domain_config *config, struct err *err)
{
	if (set_identity(a, hv, &config->c_info, err) < 0)
		return -1;
	libxl_domain_build_info_init_type(&config->b_info, config->c_info.type);
	if (set_build(a, hv, kernel, ramdisk, &config->b_info, err) < 0 ||
		set_trees(a, config, err) < 0 ||
		vifs_configure(json_object_get(a->request, "nets"), config, err) < 0)
		return -1;
	/* Nobody but xenpodd acts on an end; what `xl` shows of it is this. */
	config->on_poweroff = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
	config->on_reboot = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
	config->on_watchdog = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
	config->on_crash = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
	config->on_soft_reset = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
	return 0;
}

static int free_memory(struct hv *hv, uint64_t *ret_kib, struct err *err)
{
	libxl_physinfo info;
	libxl_physinfo_init(&info);
	int r = libxl_get_physinfo(hv->ctx, &info);
	/* as `xl info` counts free_memory: what is claimed is not free */
	*ret_kib = (info.free_pages - info.outstanding_pages) * 4;
	libxl_physinfo_dispose(&info);
	return r ? err_set(err, ERR_SYSTEM, "free memory: %s", hv_why(hv)) : 0;
}

/* A domain that is dying gives its memory back bit by bit: that is waited for, FREE_TRIES steps. */
int config_check_memory(struct hv *hv, libxl_domain_config *config, struct err *err)
{
	const struct timespec step = {.tv_nsec = FREE_STEP_NS};
	uint64_t need;
	uint64_t have;
	if (libxl_domain_need_memory(hv->ctx, config, (uint32_t)INVALID_DOMID, &need))
		return err_set(err, ERR_SYSTEM, "memory need: %s", hv_why(hv));
	for (int i = 0; i < FREE_TRIES; i++) {
		if (free_memory(hv, &have, err) < 0)
			return -1;
		if (need <= have)
			return 0;
		if (!hv_any_dying(hv))
			break;
		nanosleep(&step, NULL);
	}
	return err_set(err, ERR_FULL,
		"not enough memory for the domain: it needs %llu MiB, Xen has %llu MiB free; "
		"stop other domains, or run it with less (--memory)",
		(unsigned long long)(need + 1023) / 1024, (unsigned long long)have / 1024);
}
