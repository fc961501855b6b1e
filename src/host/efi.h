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
 * {"label", "loader", "disk", "part", "uuid"}: name "Boot0005". Made and removed by efibootmgr(8); only where
 * there is none. When it gets another loader its place in the boot order stays.
 */
extern const struct thing thing_boot_entry;

/*
 * {"first"}: name "Boot0005": is it the first of BootOrder? null: it is not in it. Others keep their order, and
 * what is added or moved meanwhile by others stays so when it is taken back.
 */
extern const struct thing thing_boot_order;

/* A variable's data without its attributes; *ret NULL: there is none. Caller frees. */
int efivar_read(const struct host *h, const char *name, uint8_t **ret, size_t *ret_len,
	uint32_t *ret_attributes, struct err *err);
/* The value of thing_efivar with these numbers, of boot entries. */
json_t *efivar_numbers(const uint16_t *number, size_t n);
/* The numbers in BootOrder, BootNext or BootCurrent; none when it is not there. Caller frees. */
int efivar_get_numbers(
	const struct host *h, const char *name, uint16_t **ret, size_t *ret_n, struct err *err);
/* Is the name one of an entry, "Boot0005"? */
bool boot_entry_name(const char *name);
/* Is the entry, which is ours, the first of the boot order? */
int efi_is_first(const struct host *h, const char *entry, bool *ret, struct err *err);
/* The lowest number that no entry has and no variable names. */
int boot_entry_free(const struct host *h, uint16_t *ret, struct err *err);
/* A load option. Texts in UTF-8, "" when it names none. */
struct load_option {
	char *label;
	char *loader; /* the path of its file */
	char *uuid;   /* the partition's, as udev's ID_PART_ENTRY_UUID */
};
/* -1: it is none, and there is nothing to free. */
int load_option_parse(const uint8_t *data, size_t len, struct load_option *ret);
void load_option_done(struct load_option *o);

/* ---- what there is: efi_find.c, efi_kernel.c ------------------------------------------------------------ */

struct efi_ask;

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

/* What Dom-0 is booted with: paths below the host's root, arguments as grub has them. */
struct dom0 {
	char *kernel;
	char *ramdisk; /* NULL: none */
	char *args;
};
/* What grub would boot: its saved entry, else the newest kernel's; but for what `a` says. */
int dom0_find(const struct efi_ask *a, const struct esp *esp, struct dom0 *ret, struct err *err);
void dom0_done(struct dom0 *d);

/* ERR_UNSUPPORTED or ERR_UNAVAILABLE, with the way out: not booted by EFI, no efivarfs, no efibootmgr. */
int efi_usable(const struct host *h, struct err *err);
/* ERR_UNSUPPORTED: Secure Boot is on. */
int efi_not_secure(const struct host *h, struct err *err);
/* Is this a Dom-0? */
bool efi_under_xen(const struct host *h);

/* ---- what is wanted: efi_config.c, efi_plan.c ------------------------------------------------------------ */

struct efi_ask {
	const struct host *h;
	const char *esp; /* NULL: look for it; so for the next four, unless asked for before */
	const char *xen;
	const char *kernel;
	const char *ramdisk; /* "none": without */
	const char *kernel_args;
	const char *console; /* NULL: the usual value; so for the next two */
	const char *loglvl;
	const char *dom0_mem;
	const char *
		xen_args; /* more options; one that is there already is put in its place; NULL: none */
	bool defaults;    /* nothing of what was asked for before */
	bool esp_lost;    /* what was on an ESP that is not there is gone with it */
	bool force;
	bool dry_run;
	bool json;
};

/* The hypervisor's options; caller frees. */
char *efi_xen_options(const struct efi_ask *a);
/* The arguments for Dom-0: Xen's console and the screen in the place of other consoles; caller frees. */
char *efi_dom0_args(const char *args);
/* The file for Xen's loader. ERR_INVALID: a text has what that would take for something else. Caller frees. */
int efi_config(const char *options, const struct dom0 *d, char **ret, struct err *err);

struct efi {
	struct esp esp;
	struct dom0 dom0;
	char *xen;
	char *options;    /* the hypervisor's */
	char *loader;     /* "\\EFI\\xen\\xen-4.17-amd64.efi" */
	char entry[9];    /* "Boot0005" */
	bool confirmed;   /* it is the first of the boot order */
	bool untried;     /* and files or options are others now: first of all it is that no more */
	bool take_back;   /* what `confirm` has done is taken back, */
	bool demote;      /* and where it was first before that, too, it leaves the order */
	json_t *lost;     /* efi_lost() */
	uint64_t need;    /* bytes on the ESP */
	uint64_t room;    /* what it has */
	struct plan plan; /* what makes it so */
};

/* All of it, as `a` wants it; changes nothing. */
int efi_prepare(const struct efi_ask *a, struct efi *ret, struct err *err);
void efi_done(struct efi *e);

/* ---- what there was before: efi_record.c ---------------------------------------------------------------- */

/* What is not given stays as it was asked for; *a then borrows from both. Is there any of these? */
bool efi_complete(struct efi_ask *a, const json_t *record, const json_t *lost);
/* What the record keeps of a call. `boot`: in which the files were put there, and so were not booted yet. */
json_t *efi_options(struct efi_ask *a, const struct esp *esp, const char *boot,
	const json_t *record, const json_t *lost);
/* ERR_STATE: the record has files on that ESP, where it was mounted at another place. */
int efi_same_place(const struct esp *esp, const json_t *record, struct err *err);
/* What --esp-lost is about, for struct plan: the ESPs of the record that are not there; the caller's. */
json_t *efi_lost(const struct efi_ask *a, const json_t *record);
bool efi_is_lost(const json_t *step, const json_t *lost);
/*
 * ERR_UNAVAILABLE, ERR_STATE: an ESP on which something of the record is is not where it was; what cannot be
 * seen would be taken for gone. A record that is NULL needs none.
 */
int efi_reachable(const struct host *h, const json_t *record, struct err *err);

/* Plans without steps: for looks, and to take back. What `confirm` does has a record of its own. */
struct plan efi_plan_of(void);
struct plan efi_order_plan_of(void);
/* The step of that kind in a record, borrowed; NULL. */
const json_t *efi_step(const json_t *record, const struct thing *thing);

/* The verbs (efi_verbs.c): 0, the exit status, or -1. */
int efi_verb_plan(void *ask, struct err *err);
int efi_verb_install(void *ask, struct err *err);
int efi_verb_confirm(void *ask, struct err *err);
int efi_verb_remove(void *ask, struct err *err);
int efi_verb_status(void *ask, struct err *err);

#endif
