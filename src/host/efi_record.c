/* SPDX-License-Identifier: Apache-2.0 */
/* What the record of `xenpod host efi` says of earlier calls: what they were asked for, and where. See efi.h. */
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/efi.h"

const json_t *efi_step(const json_t *record, const struct thing *thing)
{
	size_t i;
	json_t *step;
	json_array_foreach (json_object_get(record, "steps"), i, step)
		if (!strcmp(json_str_opt(step, "kind", ""), thing->kind))
			return step;
	return NULL;
}

/* ---- ESPs ------------------------------------------------------------------------------------------------- */

/* [{"at", "uuid"}], the caller's; of an older record, too. */
static json_t *esps_in(const json_t *record)
{
	const json_t *options = json_object_get(record, "options");
	json_t *list = json_object_get(options, "esps");
	if (json_is_array(list))
		return json_incref(list);
	if (!json_object_get(options, "esp"))
		return json_array();
	return json_make("[{s:s,s:s}]", "at", json_str_opt(options, "esp", ""), "uuid",
		json_str_opt(options, "uuid", ""));
}

static bool is_below(const char *name, const char *point)
{
	const size_t len = strlen(point);
	return !strncmp(name, point, len) && name[len] == '/';
}

/* Of "/boot" and "/boot/efi" it is the longer one that a file is on. */
static const char *esp_of(const json_t *esps, const char *name)
{
	const char *best = "";
	size_t i;
	json_t *one;
	json_array_foreach (esps, i, one) {
		const char *point = json_str_opt(one, "at", "");
		if (is_below(name, point) && strlen(point) > strlen(best))
			best = point;
	}
	return best;
}

/* Is anything of the record on that one? */
static bool is_used(const json_t *record, const json_t *esps, const char *point)
{
	size_t i;
	json_t *step;
	json_array_foreach (json_object_get(record, "steps"), i, step)
		if (!strcmp(esp_of(esps, json_str_opt(step, "name", "")), point))
			return true;
	return false;
}

static int check_esp(const struct host *h, const char *point, const char *uuid, struct err *err)
{
	struct esp esp = {0};
	if (esp_find(h, point, &esp, NULL) < 0)
		return err_set(err, ERR_UNAVAILABLE,
			"the ESP is not mounted at %s as it was (partition %s): mount it there, "
			"or, "
			"if it is gone for good, use --esp-lost",
			point, uuid);
	int other = strcmp(esp.uuid, uuid);
	esp_done(&esp);
	if (!other)
		return 0;
	return err_set(err, ERR_STATE,
		"at %s is another ESP than the one that was written to (partition %s): mount that "
		"one there, or, if it is gone for good, use --esp-lost",
		point, uuid);
}

int efi_reachable(const struct host *h, const json_t *record, struct err *err)
{
	_cleanup_json_ json_t *esps = esps_in(record);
	size_t i;
	json_t *one;
	if (!record)
		return 0;
	if (efi_usable(h, err) < 0)
		return -1;
	json_array_foreach (esps, i, one) {
		const char *point = json_str_opt(one, "at", "");
		if (is_used(record, esps, point) &&
			check_esp(h, point, json_str_opt(one, "uuid", ""), err) < 0)
			return -1;
	}
	return 0;
}

/* By another name the same files would be made there, and then be taken away here. */
int efi_same_place(const struct esp *esp, const json_t *record, struct err *err)
{
	_cleanup_json_ json_t *esps = esps_in(record);
	size_t i;
	json_t *one;
	json_array_foreach (esps, i, one) {
		const char *point = json_str_opt(one, "at", "");
		if (*esp->uuid && !strcmp(json_str_opt(one, "uuid", ""), esp->uuid) &&
			strcmp(point, esp->point) != 0 && is_used(record, esps, point))
			return err_set(err, ERR_STATE,
				"what is mounted at %s is the ESP that was written to at %s: "
				"mount it there, and leave out --esp; to have it at %s, take that "
				"back first (xenpod host efi remove)",
				esp->point, point, esp->point);
	}
	return 0;
}

json_t *efi_lost(const struct efi_ask *a, const json_t *record)
{
	_cleanup_json_ json_t *esps = esps_in(record);
	json_t *lost = json_make("{s:O,s:[]}", "esps", esps, "lost");
	size_t i;
	json_t *one;
	json_array_foreach (esps, i, one)
		if (a->esp_lost && check_esp(a->h, json_str_opt(one, "at", ""),
					   json_str_opt(one, "uuid", ""), NULL) < 0)
			json_array_append(json_object_get(lost, "lost"), one);
	return lost;
}

static bool is_listed(const json_t *list, const char *point)
{
	size_t i;
	json_t *one;
	json_array_foreach (list, i, one)
		if (!strcmp(json_str_opt(one, "at", ""), point))
			return true;
	return false;
}

bool efi_is_lost(const json_t *step, const json_t *lost)
{
	return is_listed(json_object_get(lost, "lost"),
		esp_of(json_object_get(lost, "esps"), json_str_opt(step, "name", "")));
}

/* That one, and those before it from which not everything has been taken back yet. */
static json_t *esps_of(const struct esp *esp, const json_t *record, const json_t *lost)
{
	_cleanup_json_ json_t *esps = esps_in(record);
	json_t *list = json_make("[{s:s,s:s}]", "at", esp->point, "uuid", esp->uuid);
	size_t i;
	json_t *one;
	json_array_foreach (esps, i, one) {
		const char *point = json_str_opt(one, "at", "");
		if (strcmp(point, esp->point) != 0 && is_used(record, esps, point) &&
			!is_listed(json_object_get(lost, "lost"), point))
			json_array_append(list, one);
	}
	return list;
}

/* ---- what was asked for before -------------------------------------------------------------------------- */

static const struct {
	const char *key;
	size_t at;
} given[] = {
	{"xen", offsetof(struct efi_ask, xen)},
	{"kernel", offsetof(struct efi_ask, kernel)},
	{"ramdisk", offsetof(struct efi_ask, ramdisk)},
	{"kernel_args", offsetof(struct efi_ask, kernel_args)},
	{"console", offsetof(struct efi_ask, console)},
	{"loglvl", offsetof(struct efi_ask, loglvl)},
	{"dom0_mem", offsetof(struct efi_ask, dom0_mem)},
	{"xen_args", offsetof(struct efi_ask, xen_args)},
};

static const char **field(struct efi_ask *a, size_t i)
{
	return (const char **)(void *)((char *)a + given[i].at);
}

bool efi_complete(struct efi_ask *a, const json_t *record, const json_t *lost)
{
	const json_t *options = json_object_get(record, "options");
	const bool other = a->kernel != NULL; /* the ramdisk is that kernel's */
	bool any = false;
	const json_t *first = json_array_get(json_object_get(lost, "esps"), 0);
	const char *esp = json_str_opt(first, "at", NULL);
	if (!a->esp && esp && !is_listed(json_object_get(lost, "lost"), esp))
		a->esp = esp;
	for (size_t i = 0; i < ARRAY_SIZE(given) && !a->defaults; i++)
		if (!*field(a, i) && !(other && field(a, i) == &a->ramdisk)) {
			*field(a, i) = json_str_opt(options, given[i].key, NULL);
			any |= *field(a, i) != NULL;
		}
	return any;
}

json_t *efi_options(struct efi_ask *a, const struct esp *esp, const char *boot,
	const json_t *record, const json_t *lost)
{
	json_t *o = json_make("{s:s,s:o}", "boot", boot, "esps", esps_of(esp, record, lost));
	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (*field(a, i))
			json_object_set_new(o, given[i].key, json_string(*field(a, i)));
	return o;
}
