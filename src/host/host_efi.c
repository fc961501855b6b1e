/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod host efi`: Xen in the firmware's boot menu. See efi.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/commands.h"
#include "host/efi.h"
#include "host/verbs.h"
#include "tools/options.h"

enum {
	OPT_ESP = HOST_OPT_FIRST,
	OPT_XEN,
	OPT_KERNEL,
	OPT_RAMDISK,
	OPT_KERNEL_ARGS,
	OPT_CONSOLE,
	OPT_LOGLVL,
	OPT_DOM0_MEM,
	OPT_XEN_ARGS,
	OPT_DEFAULTS,
	OPT_ESP_LOST,
	OPT_FORCE,
	OPT_DRY_RUN,
	OPT_JSON
};

static const struct option options[] = {
	{"esp", required_argument, NULL, OPT_ESP},
	{"xen", required_argument, NULL, OPT_XEN},
	{"kernel", required_argument, NULL, OPT_KERNEL},
	{"ramdisk", required_argument, NULL, OPT_RAMDISK},
	{"kernel-args", required_argument, NULL, OPT_KERNEL_ARGS},
	{"console", required_argument, NULL, OPT_CONSOLE},
	{"loglvl", required_argument, NULL, OPT_LOGLVL},
	{"dom0-mem", required_argument, NULL, OPT_DOM0_MEM},
	{"xen-args", required_argument, NULL, OPT_XEN_ARGS},
	{"defaults", no_argument, NULL, OPT_DEFAULTS},
	{"esp-lost", no_argument, NULL, OPT_ESP_LOST},
	{"force", no_argument, NULL, OPT_FORCE},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void help(void)
{
	puts("Usage: xenpod host efi plan [OPTIONS] [--force] [--json]\n"
	     "       xenpod host efi install [OPTIONS] [--force] [--dry-run]\n"
	     "       xenpod host efi confirm [--force] [--dry-run]\n"
	     "       xenpod host efi remove [--esp-lost] [--dry-run]\n"
	     "       xenpod host efi status [--json]\n"
	     "Xen in the firmware's boot menu, with the Linux that grub would boot as its Dom-0. "
	     "The\n"
	     "boot order stays as it is until Xen has come up once and that was confirmed.\n"
	     "\n"
	     "  plan     show what install would do\n"
	     "  install  copy hypervisor, kernel and ramdisk to the EFI system partition, make a "
	     "boot\n"
	     "           entry, and have the next boot use it; again after an upgrade of one of "
	     "them\n"
	     "  confirm  make that entry the first of the boot order, once Xen runs\n"
	     "  remove   take all of that back\n"
	     "  status   what of it is there\n");
	puts("  --esp=DIR           where the EFI system partition is mounted (default: /boot/efi, "
	     "/efi\n"
	     "                      or /boot)\n"
	     "  --xen=FILE          the hypervisor (default: the newest xen-*.efi)\n"
	     "  --kernel=FILE       Dom-0's kernel (default: that of grub's saved entry, else the\n"
	     "                      newest)\n"
	     "  --ramdisk=FILE      its ramdisk, or \"none\" (default: that entry's)\n"
	     "  --kernel-args=ARGS  its arguments (default: that entry's); Xen's console is added\n"
	     "  --dom0-mem=MEM      Dom-0's memory (default 4096M,max:4096M)\n"
	     "  --console=LIST      Xen's consoles (default vga,com1)\n"
	     "  --loglvl=LEVEL      what Xen logs (default all)\n"
	     "  --xen-args=ARGS     more options for Xen, or in the place of usual ones\n"
	     "  --defaults          forget options of earlier calls: without it they stay\n"
	     "  --esp-lost          forget what was put on an ESP that is gone for good\n"
	     "  --force             confirm although this is not running on that Xen; install what "
	     "is\n"
	     "                      new, and keep a boot order that was confirmed without it\n"
	     "  --dry-run           change nothing, show what would be done\n"
	     "  --json              as JSON\n"
	     "  --help              show this\n"
	     "\n"
	     "Exit status:\n"
	     "  0    done, shown, or it is in force\n"
	     "  1    status: it is not in force, or not all of it\n"
	     "  254  wrong usage, or it could not be done");
}

/* ---- the command line ---------------------------------------------------------------------------------- */

#define FINDS                                                                                      \
	" esp xen kernel ramdisk kernel-args console loglvl dom0-mem xen-args defaults esp-lost "

static const struct host_verb verbs[] = {
	{"plan", efi_verb_plan, FINDS "force json "},
	{"install", efi_verb_install, FINDS "force dry-run "},
	{"confirm", efi_verb_confirm, " force dry-run "},
	{"remove", efi_verb_remove, " esp-lost dry-run "},
	{"status", efi_verb_status, " json "},
	{0},
};

/* One word of Xen's command line. */
static int word(const char **to, const char *name, struct err *err)
{
	for (const char *c = optarg; *c; c++)
		if (!isgraph((unsigned char)*c))
			return err_set(err, ERR_INVALID, "--%s=%s: no blanks can stand there", name,
				optarg);
	if (!*optarg)
		return err_set(err, ERR_INVALID, "--%s: a value is wanted", name);
	*to = optarg;
	return 0;
}

/* "4096M", "2G,max:4G": Xen would boot with all the memory for Dom-0 when it cannot read it. */
static int memory(const char **to, struct err *err)
{
	const char *at = optarg;
	for (;;) {
		if (!strncmp(at, "max:", 4) || !strncmp(at, "min:", 4))
			at += 4;
		size_t digits = strspn(at, "0123456789");
		at += digits;
		at += *at && strchr("kKmMgGtT", *at) ? 1 : 0;
		if (!digits || (*at && *at != ','))
			return err_set(err, ERR_INVALID,
				"--dom0-mem=%s: a size is wanted, as 4096M or 2G,max:4G", optarg);
		if (!*at)
			break;
		at++;
	}
	*to = optarg;
	return 0;
}

static int set_option(void *ask, int id, struct err *err)
{
	struct efi_ask *a = ask;
	const char *name = option_name(options, id);
	switch (id) {
	case OPT_ESP:
		return host_path_option(name, &a->esp, err);
	case OPT_XEN:
		return host_path_option(name, &a->xen, err);
	case OPT_KERNEL:
		return host_path_option(name, &a->kernel, err);
	case OPT_RAMDISK:
		if (strcmp(optarg, "none") != 0)
			return host_path_option(name, &a->ramdisk, err);
		a->ramdisk = optarg;
		return 0;
	case OPT_CONSOLE:
		return word(&a->console, name, err);
	case OPT_LOGLVL:
		return word(&a->loglvl, name, err);
	case OPT_DOM0_MEM:
		return memory(&a->dom0_mem, err);
	case OPT_KERNEL_ARGS:
		a->kernel_args = optarg;
		return 0;
	case OPT_XEN_ARGS:
		a->xen_args = optarg;
		return 0;
	case OPT_DEFAULTS:
		a->defaults = true;
		return 0;
	case OPT_ESP_LOST:
		a->esp_lost = true;
		return 0;
	case OPT_FORCE:
		a->force = true;
		return 0;
	case OPT_DRY_RUN:
		a->dry_run = true;
		return 0;
	default:
		a->json = true;
		return 0;
	}
}

int host_efi(const struct host *h, int argc, char **argv)
{
	static const struct host_verbs c = {"efi", options, verbs, help, set_option};
	struct efi_ask a = {.h = h};
	return host_verbs_run(&c, argc, argv, &a);
}
