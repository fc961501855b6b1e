/* SPDX-License-Identifier: Apache-2.0 */
/* What `xenpod host efi install` makes of what there is. See efi.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/efi.h"
#include "host/files.h"

/* What directories and the file of options need beside the copies; a cluster of a large FAT. */
#define SLACK   (256 * 1024)
#define CLUSTER (64 * 1024)

static const struct thing *const kinds[] = {
	&thing_dir, &thing_copy, &thing_fat_file, &thing_boot_entry, &thing_efivar, NULL};
static const struct thing *const order_kinds[] = {&thing_boot_order, NULL};

struct plan efi_plan_of(void)
{
	return (struct plan){.of = "efi", .kinds = kinds, .may_change = true};
}

struct plan efi_order_plan_of(void)
{
	return (struct plan){.of = "efi-order", .kinds = order_kinds, .may_change = true};
}

void efi_done(struct efi *e)
{
	esp_done(&e->esp);
	dom0_done(&e->dom0);
	free(e->xen);
	free(e->options);
	free(e->loader);
	plan_done(&e->plan);
	json_decref(e->lost);
	e->lost = NULL;
}

/* ---- steps --------------------------------------------------------------------------------------------- */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void add_dir(struct efi *e, const char *name)
{
	_cleanup_free_ char *at = xasprintf("%s/%s", e->esp.point, name);
	plan_add(&e->plan, &thing_dir, at, json_make("{s:i}", "mode", 0755), "directory %s", at);
}

/* Bytes that a copy takes, unless it is there: also when it replaces one, until then both are there. */
static int needs(const struct host *h, const struct step *s, uint64_t *need, struct err *err)
{
	_cleanup_free_ char *from = host_path(h, json_str_opt(s->want, "from", ""));
	_cleanup_json_ json_t *now = NULL;
	struct stat st;
	if (thing_copy.get(h, s->name, &now, err) < 0)
		return -1;
	if (now && thing_copy.same(now, s->want))
		return 0;
	if (stat(from, &st) < 0)
		return err_sys(err, "%s", from);
	*need += ((uint64_t)st.st_size + CLUSTER) / CLUSTER * CLUSTER;
	return 0;
}

static int add_copy(
	const struct host *h, struct efi *e, const char *from, const char *what, struct err *err)
{
	_cleanup_free_ char *to = xasprintf("%s/EFI/xen/%s", e->esp.point, last_part(from));
	json_t *want;
	if (!strcmp(from, to))
		return 0; /* somebody has put it there: it is his */
	if (thing_copy_of(h, from, 0644, &want, err) < 0)
		return -1;
	plan_add(&e->plan, &thing_copy, to, want, "%s %s, from %s", what, to, from);
	return needs(h, &e->plan.steps[e->plan.n - 1], &e->need, err);
}

/* "xen-4.17-amd64.efi" -> "xen-4.17-amd64": Xen's loader looks for the file of options under its own name. */
static char *stem(const char *xen)
{
	const char *last = last_part(xen);
	const char *dot = strrchr(last, '.');
	return xstrndup(last, dot ? (size_t)(dot - last) : strlen(last));
}

static void add_config(struct efi *e, const char *text)
{
	_cleanup_free_ char *name = stem(e->xen);
	_cleanup_free_ char *at = xasprintf("%s/EFI/xen/%s.cfg", e->esp.point, name);
	plan_add(&e->plan, &thing_fat_file, at, thing_text(text, 0777), "options %s", at);
}

/* The entry of an earlier call, unless its number is another's by now; else a free number. */
static int number(const struct host *h, struct efi *e, const json_t *record, struct err *err)
{
	const json_t *step = efi_step(record, &thing_boot_entry);
	const char *had = json_str_opt(step, "name", "");
	const char *label = json_str_opt(json_object_get(step, "now"), "label", EFI_LABEL);
	uint16_t n;
	if (boot_entry_name(had) && !strcmp(label, EFI_LABEL)) {
		memcpy(e->entry, had, sizeof(e->entry));
		return 0;
	}
	if (boot_entry_free(h, &n, err) < 0)
		return -1;
	snprintf(e->entry, sizeof(e->entry), "Boot%04X", n);
	return 0;
}

static void add_entry(struct efi *e)
{
	e->loader = xasprintf("\\EFI\\xen\\%s", last_part(e->xen));
	plan_add(&e->plan, &thing_boot_entry, e->entry,
		json_make("{s:s,s:s,s:s,s:i,s:s}", "label", EFI_LABEL, "loader", e->loader, "disk",
			e->esp.disk, "part", e->esp.part, "uuid", e->esp.uuid),
		"boot entry %s \"%s\", %s on %s partition %d", e->entry, EFI_LABEL, e->loader,
		e->esp.disk, e->esp.part);
}

static void add_next(struct efi *e)
{
	uint16_t next = (uint16_t)strtoul(e->entry + strlen("Boot"), NULL, 16);
	plan_add(&e->plan, &thing_efivar, "BootNext", efivar_numbers(&next, 1),
		"next boot, once: %s", e->entry);
}

/* ---- all of it ----------------------------------------------------------------------------------------- */

static int find_xen(const struct efi_ask *a, struct efi *e, struct err *err)
{
	_cleanup_free_ char *xen = a->xen ? host_path(a->h, a->xen) : NULL;
	struct stat st;
	if (!xen)
		return xen_find(a->h, &e->esp, &e->xen, err);
	if (stat(xen, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_NOTFOUND, "--xen=%s: there is no such file", a->xen);
	e->xen = xstrdup(a->xen);
	return 0;
}

/* `kept`: options of earlier calls are among them. */
static int find(const struct efi_ask *a, bool kept, struct efi *e, struct err *err)
{
	if (efi_not_secure(a->h, err) < 0 || esp_find(a->h, a->esp, &e->esp, err) < 0)
		return -1;
	if (find_xen(a, e, err) < 0 || dom0_find(a, &e->esp, &e->dom0, err) < 0)
		return kept ? err_wrap(err, "with the options of before (--defaults forgets them)")
			    : -1;
	e->options = efi_xen_options(a);
	return 0;
}

/* FAT cares for no case. */
static int check_names(const struct efi *e, struct err *err)
{
	const char *const from[] = {e->xen, e->dom0.kernel, e->dom0.ramdisk};
	for (size_t i = 0; i < ARRAY_SIZE(from); i++)
		for (size_t k = 0; k < i; k++)
			if (from[i] && !strcasecmp(last_part(from[i]), last_part(from[k])))
				return err_set(err, ERR_INVALID,
					"%s and %s would have one name on the ESP: copy one to "
					"another name",
					from[k], from[i]);
	return 0;
}

static int add_steps(const struct efi_ask *a, struct efi *e, const json_t *record, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	if (efi_config(e->options, &e->dom0, &text, err) < 0 || check_names(e, err) < 0)
		return -1;
	e->need = SLACK;
	add_dir(e, "EFI");
	add_dir(e, "EFI/xen");
	if (add_copy(a->h, e, e->xen, "hypervisor", err) < 0 ||
		add_copy(a->h, e, e->dom0.kernel, "kernel", err) < 0 ||
		(e->dom0.ramdisk && add_copy(a->h, e, e->dom0.ramdisk, "ramdisk", err) < 0) ||
		number(a->h, e, record, err) < 0)
		return -1;
	add_config(e, text);
	add_entry(e);
	return 0;
}

static int room(const struct efi_ask *a, struct efi *e, struct err *err)
{
	_cleanup_free_ char *at = host_path(a->h, e->esp.point);
	struct statvfs fs;
	if (statvfs(at, &fs) < 0)
		return err_sys(err, "%s", at);
	e->room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (e->need <= e->room)
		return 0;
	return err_set(err, ERR_FULL,
		"the ESP at %s has %llu MiB left, and %llu are needed: make room there",
		e->esp.point, (unsigned long long)e->room >> 20,
		(unsigned long long)(e->need >> 20) + 1);
}

/* How the entry stands in the boot order, and what has to be done about it before anything else. */
static int settle_order(
	struct efi_ask *a, struct efi *e, const json_t *ordered, bool so, struct err *err)
{
	const json_t *step = efi_step(ordered, &thing_boot_order);
	const bool same = !strcmp(json_str_opt(step, "name", ""), e->entry);
	const bool demoted = step && !json_bool_opt(json_object_get(step, "want"), "first", false);
	if (efi_is_first(a->h, e->entry, &e->confirmed, err) < 0)
		return -1;
	/* What was confirmed is not what the next boot would start. */
	e->untried = e->confirmed && !so && !a->force;
	/* One that was interrupted in that is ended. */
	e->take_back = step && (e->untried || !same || (!e->confirmed && !demoted));
	/* It was first without us: by the firmware, or by somebody. */
	e->demote = e->untried &&
		    (!step || !same || json_bool_opt(json_object_get(step, "was"), "first", false));
	return 0;
}

/* Of the same files and options it is the boot of the call that has put them there. */
static int settle(struct efi_ask *a, struct efi *e, const json_t *record, const json_t *ordered,
	struct err *err)
{
	const char *had = json_str_opt(json_object_get(record, "options"), "boot", NULL);
	_cleanup_free_ char *boot = plan_boot_id(a->h);
	bool so;
	if (plan_is_so(a->h, &e->plan, &so, err) < 0)
		return -1;
	/* A call that was interrupted has not looked after the boot order to its end. */
	so = so && json_bool_opt(record, "complete", true);
	if (settle_order(a, e, ordered, so, err) < 0)
		return -1;
	e->plan.options = efi_options(a, &e->esp, so && had ? had : boot, record, e->lost);
	if (!e->confirmed || e->untried)
		add_next(e);
	return plan_check(a->h, &e->plan, err);
}

int efi_prepare(const struct efi_ask *ask, struct efi *ret, struct err *err)
{
	struct efi_ask a = *ask;
	struct plan order = efi_order_plan_of();
	enum plan_state state;
	size_t changed;
	_cleanup_json_ json_t *record = NULL;
	_cleanup_json_ json_t *ordered = NULL;
	ret->plan = efi_plan_of();
	if (efi_usable(a.h, err) < 0 ||
		plan_look(a.h, &ret->plan, &state, &changed, &record, err) < 0 ||
		plan_look(a.h, &order, &state, &changed, &ordered, err) < 0)
		return -1;
	if (!a.esp_lost && efi_reachable(a.h, record, err) < 0)
		return -1;
	ret->lost = efi_lost(&a, record);
	bool kept = efi_complete(&a, record, ret->lost);
	ret->plan.lost = ret->lost;
	ret->plan.is_lost = efi_is_lost;
	if (find(&a, kept, ret, err) < 0 || efi_same_place(&ret->esp, record, err) < 0 ||
		add_steps(&a, ret, record, err) < 0 || room(&a, ret, err) < 0)
		return -1;
	return settle(&a, ret, record, ordered, err);
}
