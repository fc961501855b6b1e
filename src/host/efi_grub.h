/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What grub would boot: kernel, ramdisk and arguments of each Linux entry, from the text of a grub.cfg or of
 * an entry of the boot loader specification (BLS), with grub's quoting and the variables of grubenv. Works on
 * texts; knows no files.
 */
#ifndef HOST_EFI_GRUB_H
#define HOST_EFI_GRUB_H

#include <stdbool.h>
#include <stddef.h>

/* One Linux entry. Paths are as they stand there: relative to the partition that grub reads. */
struct boot_entry {
	char *id; /* of a BLS entry: what grub's saved_entry names it by; else NULL */
	char *title;
	char *kernel;
	char *ramdisk; /* the first that holds no microcode; NULL: none */
	char *args;    /* words with one blank between; "" when there are none */
	char *version; /* of the kernel: BLS `version`, else what follows "vmlinuz-"; may be "" */
	bool others;   /* of another installation, as os-prober has found it: not kept */
	bool rescue;   /* a recovery or rescue entry: never chosen unless it is the only one */
};

struct boot_entries {
	struct boot_entry *entry;
	size_t n;
};

/* Variables, name and value alternating. */
struct grub_vars {
	char **text;
	size_t n;
};

void boot_entries_done(struct boot_entries *e);
void grub_vars_done(struct grub_vars *v);

/* The blank-padded block of grub-editenv(1): NAME=VALUE lines, "\\" escapes; what was set later counts. */
void grub_vars_env(struct grub_vars *v, const char *text);
/* `set NAME=VALUE` of a grub.cfg; variables that are there already stay: grubenv's count. */
void grub_vars_cfg(struct grub_vars *v, const char *text);
/* NULL: there is none of that name. */
const char *grub_vars_get(const struct grub_vars *v, const char *name, size_t len);

/*
 * Adds the entries of a grub.cfg with `linux`, `linux16` or `linuxefi`, those of submenus as well; what is
 * booted by multiboot (a Xen of grub's own) is none.
 */
void grub_cfg_entries(struct boot_entries *e, const char *text, const struct grub_vars *v);
/* Adds the entry of one BLS file; `id` is its name without ".conf". Without a `linux` line it adds none. */
void bls_entry(struct boot_entries *e, const char *id, const char *text, const struct grub_vars *v);

/*
 * The entry to boot Dom-0 with: that of the id `saved` (may be NULL), else of the newest version: what grub
 * would boot, too, after an upgrade. Rescue entries only when there is nothing else. NULL: there are none.
 */
const struct boot_entry *boot_entry_choose(const struct boot_entries *e, const char *saved);

#endif
