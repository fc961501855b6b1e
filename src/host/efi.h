/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Xen from the firmware's boot menu: hypervisor, Dom-0's kernel and ramdisk on the EFI system partition (ESP),
 * a configuration file beside them that Xen's loader reads (Xen: docs/misc/efi.pandoc), and a boot entry.
 * The boot order is not changed before Xen has come up once: install only sets BootNext.
 */
#ifndef HOST_EFI_H
#define HOST_EFI_H

#include <stdint.h>

#include "host/plan.h"

#define EFI_LABEL "Xen (xenpod)"
#define EFI_VARS  "/sys/firmware/efi/efivars"

/* ---- variables and boot entries: efi_vars.c ------------------------------------------------------------ */

/* {"attributes", "data"} (hexadecimal): a global variable, name "BootNext". Needs efivarfs. */
extern const struct thing thing_efivar;
/*
 * {"label", "loader", "disk", "part"}: name "Boot0005". Made and removed by efibootmgr(8); only where
 * there is none. When it gets another loader its place in the boot order stays.
 */
extern const struct thing thing_boot_entry;

/* A variable's data without its attributes; *ret NULL: there is none. Caller frees. */
int efivar_read(const struct host *h, const char *name, uint8_t **ret, size_t *ret_len,
	uint32_t *ret_attributes, struct err *err);
/* The value of thing_efivar with these numbers, of boot entries. */
json_t *efivar_numbers(const uint16_t *number, size_t n);
/* The numbers in BootOrder, BootNext or BootCurrent; none when it is not there. Caller frees. */
int efivar_get_numbers(
	const struct host *h, const char *name, uint16_t **ret, size_t *ret_n, struct err *err);
/* The lowest number that no entry has and no variable names. */
int boot_entry_free(const struct host *h, uint16_t *ret, struct err *err);
/* A load option's label and the path of its file (UTF-8, caller frees). -1: it is none. */
int load_option_parse(const uint8_t *data, size_t len, char **ret_label, char **ret_loader);

/* ---- what there is: efi_find.c, efi_kernel.c ------------------------------------------------------------ */

struct esp {
	char *point; /* where it is mounted, below the host's root */
	char *disk;  /* "/dev/sda" */
	int part;    /* its number there */
	char *uuid;  /* the partition's own, "" when nobody knows */
};

/* The first of /boot/efi, /efi, /boot that is one, else any that is mounted; `point`: that one. */
int esp_find(const struct host *h, const char *point, struct esp *ret, struct err *err);
void esp_done(struct esp *esp);

/* The newest xen-*.efi where distributions and our tarball have it; caller frees. */
int xen_find(const struct host *h, const struct esp *esp, char **ret, struct err *err);

/* What Dom-0 is booted with; paths below the host's root. */
struct dom0 {
	char *kernel;
	char *ramdisk; /* NULL: none */
	char *args;
};
int dom0_find(const struct host *h, const struct esp *esp, struct dom0 *ret, struct err *err);
void dom0_done(struct dom0 *d);

/* ERR_UNSUPPORTED, with the way out: not booted by EFI, no efivarfs, Secure Boot on. */
int efi_usable(const struct host *h, struct err *err);
/* Is this a Dom-0? */
bool efi_under_xen(const struct host *h);

/* ---- what is wanted: efi_config.c, efi_plan.c ------------------------------------------------------------ */

struct efi_ask {
	const struct host *h;
	const char *esp;         /* NULL: look for it; so for the others */
	const char *xen;
	const char *kernel;
	const char *ramdisk;
	const char *kernel_args;
	const char *xen_options; /* put in the place of the usual ones of that name */
	const char *dom0_mem;
	const char *console;
	bool force;
	bool dry_run;
	bool json;
};

/* The hypervisor's options. ERR_INVALID: Xen's loader could not read them. Caller frees. */
int efi_xen_options(const struct efi_ask *a, char **ret, struct err *err);
/* The entry's arguments for Dom-0: Xen's console and the screen in the place of other consoles. Caller frees. */
char *efi_dom0_args(const char *args);
/* The file for Xen's loader. ERR_INVALID: a text has what that would take for something else. Caller frees. */
int efi_config(const char *options, const struct dom0 *d, char **ret, struct err *err);

struct efi {
	struct esp esp;
	struct dom0 dom0;
	char *xen;
	char *config;    /* the text */
	char *loader;    /* "\\EFI\\xen\\xen-4.17-amd64.efi" */
	char entry[9];   /* "Boot0005" */
	bool confirmed;  /* it is the first of the boot order, by us */
	uint64_t need;   /* bytes on the ESP */
	uint64_t room;
	struct plan plan;
};

/* All of it, as `a` wants it; changes nothing. */
int efi_prepare(const struct efi_ask *a, struct efi *ret, struct err *err);
void efi_done(struct efi *e);

/* Records without steps of the plan: for looks, and to take back. */
struct plan efi_plan_of(void);
struct plan efi_order_plan_of(void);

/* The verbs; the exit status. */
int efi_verb_plan(const struct efi_ask *a, struct err *err);
int efi_verb_install(const struct efi_ask *a, struct err *err);
int efi_verb_confirm(const struct efi_ask *a, struct err *err);
int efi_verb_remove(const struct efi_ask *a, struct err *err);
int efi_verb_status(const struct efi_ask *a, struct err *err);

#endif
