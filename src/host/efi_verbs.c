/* SPDX-License-Identifier: Apache-2.0 */
/* What each verb of `xenpod host efi` does. See efi.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "host/efi.h"
#include "host/files.h"

static void print_json(const json_t *j)
{
	(void)json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int look(const struct host *h, struct plan p, enum plan_state *ret, json_t **ret_record,
	struct err *err)
{
	size_t changed;
	return plan_look(h, &p, ret, &changed, ret_record, err);
}

/* ---- plan, install ------------------------------------------------------------------------------------- */

static void show(const struct efi *e)
{
	_cleanup_free_ char *args = efi_dom0_args(e->dom0.args);
	printf("%-10s  %s (%s, partition %d), %llu of %llu MiB needed\n", "ESP", e->esp.point,
		e->esp.disk, e->esp.part, (unsigned long long)(e->need >> 20) + 1,
		(unsigned long long)e->room >> 20);
	printf("%-10s  %s\n%-10s  %s\n", "hypervisor", e->xen, "options", e->options);
	printf("%-10s  %s\n%-10s  %s\n%-10s  %s\n", "kernel", e->dom0.kernel, "ramdisk",
		e->dom0.ramdisk ? e->dom0.ramdisk : "none", "arguments", args);
}

#define OUT "out of the boot order: %s"

static json_t *demotion(const char *entry)
{
	_cleanup_free_ char *say = xasprintf(OUT, entry);
	return json_make("{s:s,s:s,s:s}", "kind", thing_boot_order.kind, "name", entry, "say", say);
}

/* Of both records, as run_install() takes them back. */
static int undone(const struct efi_ask *a, const struct efi *e, json_t **ret, struct err *err)
{
	struct plan order = efi_order_plan_of();
	_cleanup_json_ json_t *more = NULL;
	if ((e->take_back && plan_undone(a->h, &order, ret, err) < 0) ||
		plan_undone(a->h, &e->plan, &more, err) < 0)
		return -1;
	if (!*ret)
		*ret = json_array();
	if (e->demote)
		json_array_append_new(*ret, demotion(e->entry));
	json_array_extend(*ret, more);
	return 0;
}

static int show_json(const struct efi_ask *a, const struct efi *e, struct err *err)
{
	_cleanup_json_ json_t *undo = NULL;
	_cleanup_free_ char *args = efi_dom0_args(e->dom0.args);
	if (undone(a, e, &undo, err) < 0)
		return -1;
	_cleanup_json_ json_t *j = json_make(
		"{s:{s:s,s:s,s:i,s:s,s:I,s:I},s:s,s:s,s:s,s:s?,s:s,s:s,s:b,s:O,s:o}", "esp", "at",
		e->esp.point, "disk", e->esp.disk, "partition", e->esp.part, "uuid", e->esp.uuid,
		"needed", (json_int_t)e->need, "free", (json_int_t)e->room, "hypervisor", e->xen,
		"options", e->options, "kernel", e->dom0.kernel, "ramdisk", e->dom0.ramdisk,
		"arguments", args, "entry", e->entry, "confirmed", e->confirmed && !e->untried,
		"undo", undo, "steps", plan_steps(&e->plan));
	print_json(j);
	return 0;
}

/* Not to its end: what stands before it may be of a system that is gone, or switched off. */
static json_t *order_want(bool first)
{
	return first ? json_make("{s:b}", "first", 1) : json_make("{s:b,s:b}", "first", 0, "in", 0);
}

static int order_to(
	const struct host *h, const char *entry, bool first, enum plan_how how, struct err *err)
{
	struct plan p = efi_order_plan_of();
	plan_add(&p, &thing_boot_order, entry, order_want(first),
		first ? "first of the boot order: %s" : OUT, entry);
	int r = plan_up(h, &p, how, err);
	plan_done(&p);
	return r;
}

/* First of all the boot order is what it was before: whatever becomes of the rest, the host boots. */
static int run_install(
	const struct efi_ask *a, const struct efi *e, enum plan_how how, struct err *err)
{
	struct plan order = efi_order_plan_of();
	if (e->take_back && plan_down(a->h, &order, how, NULL, err) < 0)
		return -1;
	if (e->demote && order_to(a->h, e->entry, false, how, err) < 0)
		return -1;
	return plan_up(a->h, &e->plan, how, err);
}

int efi_verb_plan(void *ask, struct err *err)
{
	const struct efi_ask *a = ask;
	struct efi e = {0};
	int r = efi_prepare(a, &e, err);
	if (r == 0 && a->json) {
		r = show_json(a, &e, err);
	} else if (r == 0) {
		show(&e);
		r = run_install(a, &e, PLAN_SHOW, err);
	}
	efi_done(&e);
	return r;
}

int efi_verb_install(void *ask, struct err *err)
{
	const struct efi_ask *a = ask;
	struct efi e = {0};
	if (!a->dry_run && host_begin(a->h, "efi", "install", err) < 0)
		return -1;
	int r = efi_prepare(a, &e, err);
	if (r == 0)
		r = run_install(a, &e, a->dry_run ? PLAN_SHOW : PLAN_DO, err);
	if (r == 0 && !a->dry_run && (!e.confirmed || e.untried))
		log_notice("the next boot is into Xen, later ones as before: reboot, then \"xenpod "
			   "host efi confirm\" makes it the first");
	efi_done(&e);
	return r;
}

/* ---- what is so --------------------------------------------------------------------------------------- */

/* BootNext is used up by the boot that it was for. */
static bool used_up(const struct host *h, const json_t *step)
{
	_cleanup_json_ json_t *now = NULL;
	return strcmp(json_str_opt(step, "kind", ""), thing_efivar.kind) == 0 &&
	       (thing_efivar.get(h, json_str_opt(step, "name", ""), &now, NULL) < 0 ||
		       !json_equal(now, json_object_get(step, "want")));
}

static size_t not_so(const struct host *h, const json_t *record, bool print)
{
	size_t bad = 0;
	size_t i;
	json_t *step;
	json_array_foreach (json_object_get(record, "steps"), i, step) {
		const char *kind = json_str_opt(step, "kind", "");
		bool used = used_up(h, step);
		/* After a kexec BootNext is there still. */
		bool so =
			!strcmp(kind, thing_efivar.kind) ? !used : json_bool_opt(step, "so", false);
		bad += !so && !used;
		if (print)
			printf("%-10s  %s\n",
				so     ? "is so"
				: used ? "used up"
				       : "changed",
				json_str_opt(step, "say", ""));
	}
	return bad;
}

/* ---- confirm ----------------------------------------------------------------------------------------- */

/* The entry that we have made and that is there, "Boot0005"; "": there is none. */
static const char *entry_of(const json_t *record)
{
	const json_t *step = efi_step(record, &thing_boot_entry);
	return json_bool_opt(step, "so", false) ? json_str_opt(step, "name", "") : "";
}

static int refuse_untried(
	const struct efi_ask *a, const json_t *record, const char *entry, struct err *err)
{
	_cleanup_free_ uint16_t *current = NULL;
	_cleanup_free_ char *boot = plan_boot_id(a->h);
	const json_t *options = json_object_get(record, "options");
	size_t n;
	if (a->force)
		return 0;
	if (!efi_under_xen(a->h))
		return err_set(err, ERR_STATE,
			"this is not running on Xen: reboot into it first (xenpod host efi install "
			"makes it the next boot), or use --force");
	if (not_so(a->h, record, false) > 0)
		return err_set(err, ERR_STATE,
			"something has changed since it was installed (xenpod host efi status): "
			"install it again and boot it, or use --force");
	if (*boot && !strcmp(json_str_opt(options, "boot", ""), boot))
		return err_set(err, ERR_STATE,
			"what is installed was not booted yet: reboot into it first, or use "
			"--force");
	if (efivar_get_numbers(a->h, "BootCurrent", &current, &n, err) < 0)
		return -1;
	if (n && current[0] != (uint16_t)strtoul(entry + strlen("Boot"), NULL, 16))
		return err_set(err, ERR_STATE,
			"this Xen was started by Boot%04X, not by %s: reboot into that one first, "
			"or use --force",
			current[0], entry);
	return 0;
}

int efi_verb_confirm(void *ask, struct err *err)
{
	const struct efi_ask *a = ask;
	enum plan_state state;
	_cleanup_json_ json_t *record = NULL;
	if (!a->dry_run && host_begin(a->h, "efi", "confirm", err) < 0)
		return -1;
	if (efi_usable(a->h, err) < 0 || look(a->h, efi_plan_of(), &state, &record, err) < 0)
		return -1;
	const char *entry = entry_of(record);
	if (state == PLAN_NONE || state == PLAN_INTERRUPTED || !*entry)
		return err_set(err, ERR_STATE,
			"Xen is not installed for EFI, or not all of it: xenpod host efi install");
	if (refuse_untried(a, record, entry, err) < 0)
		return -1;
	return order_to(a->h, entry, true, a->dry_run ? PLAN_SHOW : PLAN_DO, err);
}

/* ---- remove ---------------------------------------------------------------------------------------------- */

/* An ESP that is mounted at another place is not lost. */
static int elsewhere(const struct host *h, const json_t *record, struct err *err)
{
	struct esp esp = {0};
	int r = esp_find(h, NULL, &esp, NULL) < 0 ? 0 : efi_same_place(&esp, record, err);
	esp_done(&esp);
	return r;
}

int efi_verb_remove(void *ask, struct err *err)
{
	const struct efi_ask *a = ask;
	enum plan_how how = a->dry_run ? PLAN_SHOW : PLAN_DO;
	struct plan p = efi_plan_of();
	struct plan order = efi_order_plan_of();
	enum plan_state state;
	enum plan_state ordered;
	_cleanup_json_ json_t *record = NULL;
	if (!a->dry_run && host_begin(a->h, "efi", "remove", err) < 0)
		return -1;
	if (look(a->h, p, &state, &record, err) < 0 || look(a->h, order, &ordered, NULL, err) < 0)
		return -1;
	if (state == PLAN_NONE && ordered == PLAN_NONE) {
		puts("nothing is installed");
		return 0;
	}
	if (efi_usable(a->h, err) < 0 || (a->esp_lost && elsewhere(a->h, record, err) < 0) ||
		(!a->esp_lost && efi_reachable(a->h, record, err) < 0))
		return -1;
	_cleanup_json_ json_t *lost = efi_lost(a, record);
	p.lost = lost;
	p.is_lost = efi_is_lost;
	if (plan_down(a->h, &order, how, NULL, err) < 0)
		return -1;
	return plan_down(a->h, &p, how, NULL, err);
}

/* ---- status ---------------------------------------------------------------------------------------------- */

int efi_verb_status(void *ask, struct err *err)
{
	const struct efi_ask *a = ask;
	enum plan_state state;
	enum plan_state ordered;
	_cleanup_json_ json_t *record = NULL;
	_cleanup_json_ json_t *order = NULL;
	if (look(a->h, efi_plan_of(), &state, &record, err) < 0 ||
		look(a->h, efi_order_plan_of(), &ordered, &order, err) < 0 ||
		efi_reachable(a->h, record, err) < 0)
		return -1;
	size_t bad = not_so(a->h, record, !a->json) + not_so(a->h, order, !a->json);
	bool up = state != PLAN_NONE && state != PLAN_INTERRUPTED && !bad;
	const char *word = up ? "up" : state == PLAN_UP ? "changed" : plan_state_name(state);
	bool first = false;
	if (up && efi_is_first(a->h, entry_of(record), &first, err) < 0)
		return -1;
	bool xen = efi_under_xen(a->h);
	if (a->json) {
		_cleanup_json_ json_t *j = json_make("{s:s,s:b,s:b,s:s,s:O?}", "state", word,
			"confirmed", first, "xen", xen, "entry", entry_of(record), "steps",
			json_object_get(record, "steps"));
		print_json(j);
	} else {
		printf("%-10s  %s%s\n", "state", word,
			!up     ? ""
			: first ? ", confirmed"
			: xen   ? ", not confirmed yet: xenpod host efi confirm"
				: ", not confirmed yet: reboot, then xenpod host efi confirm");
		printf("%-10s  %s\n", "this boot", xen ? "on Xen" : "not on Xen");
	}
	return up ? 0 : HOST_EXIT_NOT_SO;
}
