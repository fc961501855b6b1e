/* SPDX-License-Identifier: Apache-2.0 */
/* The place of one entry in the boot order (UEFI 2.10, 3.1.2). See efi.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/efi.h"

static uint16_t number_of(const char *name)
{
	return (uint16_t)strtoul(name + strlen("Boot"), NULL, 16);
}

/* By its label: a number that we had can be another system's by now. */
static int is_ours(const struct host *h, const char *name, bool *ret, struct err *err)
{
	_cleanup_json_ json_t *entry = NULL;
	if (thing_boot_entry.get(h, name, &entry, err) < 0)
		return -1;
	*ret = !strcmp(json_str_opt(entry, "label", ""), EFI_LABEL);
	return 0;
}

static int order_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	_cleanup_free_ uint16_t *order = NULL;
	bool ours;
	size_t n;
	size_t i = 0;
	if (is_ours(h, name, &ours, err) < 0 ||
		efivar_get_numbers(h, "BootOrder", &order, &n, err) < 0)
		return -1;
	while (i < n && order[i] != number_of(name))
		i++;
	*ret = json_make("{s:b,s:b,s:i,s:b}", "in", i < n, "first", i == 0 && n > 0, "before",
		i + 1 < n ? (int)order[i + 1] : -1, "ours", ours || i == n);
	return 0;
}

/* First or not is all that counts; where it stood, and whether at all, is of use only to put it back. */
static bool order_same(const json_t *now, const json_t *want)
{
	return json_bool_opt(now, "first", false) == json_bool_opt(want, "first", false) &&
	       json_bool_opt(now, "ours", true) == json_bool_opt(want, "ours", true);
}

int efi_is_first(const struct host *h, const char *entry, bool *ret, struct err *err)
{
	_cleanup_json_ json_t *now = NULL;
	if (order_get(h, entry, &now, err) < 0)
		return -1;
	*ret = json_bool_opt(now, "first", false) && json_bool_opt(now, "ours", false);
	return 0;
}

/*
 * Was it first without us, and shall be so again? Then it was taken out before untried files came, and stays
 * out until the entry goes.
 */
static bool is_promotion(const json_t *value)
{
	return json_bool_opt(value, "first", false) && json_object_get(value, "before");
}

/* Before that one again; at the end where it is gone. */
static size_t place_of(const json_t *value, const uint16_t *others, size_t n)
{
	const json_int_t before = json_int_opt(value, "before", -1);
	size_t i = 0;
	if (json_bool_opt(value, "first", false))
		return 0;
	while (i < n && others[i] != before)
		i++;
	return i;
}

static int order_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	_cleanup_free_ uint16_t *order = NULL;
	_cleanup_json_ json_t *now = NULL;
	bool ours;
	size_t n;
	size_t to = 0;
	if (is_promotion(value))
		return 0;
	if (is_ours(h, name, &ours, err) < 0)
		return -1;
	if (!ours)
		return err_set(err, ERR_STATE, "boot entry %s is not of xenpod", name);
	if (efivar_get_numbers(h, "BootOrder", &order, &n, err) < 0 ||
		thing_efivar.get(h, "BootOrder", &now, err) < 0)
		return -1;
	_cleanup_free_ uint16_t *next = xcalloc(n + 1, sizeof(*next));
	for (size_t i = 0; i < n; i++)
		if (order[i] != number_of(name))
			next[to++] = order[i];
	if (json_bool_opt(value, "in", !json_is_null(value))) {
		size_t at = place_of(value, next, to);
		memmove(next + at + 1, next + at, (to - at) * sizeof(*next));
		next[at] = number_of(name);
		to++;
	}
	_cleanup_json_ json_t *want = to ? efivar_numbers(next, to) : json_null();
	if (now && to)
		json_object_set(want, "attributes", json_object_get(now, "attributes"));
	return thing_efivar.set(h, "BootOrder", want, err);
}

const struct thing thing_boot_order = {
	.kind = "boot-order", .get = order_get, .set = order_set, .same = order_same};
