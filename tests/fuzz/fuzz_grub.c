/* SPDX-License-Identifier: Apache-2.0 */
/* What grub has on a disk: grubenv, grub.cfg and BLS entries, whoever has written them. */
/* LINK: host base */
/* LIBS: md */
#include "fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/efi_grub.h"

/* The one that is chosen is of the list, and never a rescue entry beside another one. */
static void check_choice(const struct boot_entries *e, const char *saved)
{
	const struct boot_entry *one = boot_entry_choose(e, saved);
	must(!one == !e->n);
	for (size_t i = 0; i < e->n; i++) {
		must(e->entry[i].kernel && e->entry[i].args && e->entry[i].version);
		must(!one->rescue || e->entry[i].rescue);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	_cleanup_(grub_vars_done) struct grub_vars v = {0};
	_cleanup_(boot_entries_done) struct boot_entries cfg = {0};
	_cleanup_(boot_entries_done) struct boot_entries bls = {0};
	grub_vars_env(&v, text);
	grub_vars_cfg(&v, text);
	grub_cfg_entries(&cfg, text, &v);
	check_choice(&cfg, NULL);
	bls_entry(&bls, "id", text, &v);
	must(bls.n <= 1);
	bls_entry(&bls, "other", text, &v);
	check_choice(&bls, "other");
	must(!bls.n || bls.entry[0].rescue ||
		!strcmp(boot_entry_choose(&bls, "other")->id, "other"));
	return 0;
}
