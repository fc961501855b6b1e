/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod host efi`: Xen in the firmware's boot menu. See efi.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/commands.h"
#include "host/efi.h"
#include "tools/options.h"

enum {
	OPT_ESP = 256,
	OPT_XEN,
	OPT_KERNEL,
	OPT_RAMDISK,
	OPT_KERNEL_ARGS,
	OPT_CONSOLE,
	OPT_LOGLVL,
	OPT_DOM0_MEM,
	OPT_XEN_ARGS,
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
	{"force", no_argument, NULL, OPT_FORCE},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void help(void)
{
	puts("Usage: xenpod host efi plan [OPTIONS] [--json]\n"
	     "       xenpod host efi install [OPTIONS] [--dry-run]\n"
	     "       xenpod host efi confirm [--force] [--dry-run]\n"
	     "       xenpod host efi remove [--dry-run]\n"
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
	     "  --kernel=FILE       Dom-0's kernel (default: grub's entry of the one that runs, "
	     "else\n"
	     "                      of the newest)\n"
	     "  --ramdisk=FILE      its ramdisk, or \"none\" (default: that entry's)\n"
	     "  --kernel-args=ARGS  its arguments (default: that entry's); Xen's console is added\n"
	     "  --dom0-mem=MEM      Dom-0's memory (default 4096M,max:4096M)\n"
	     "  --console=LIST      Xen's consoles (default vga,com1)\n"
	     "  --loglvl=LEVEL      what Xen logs (default all)\n"
	     "  --xen-args=ARGS     more options for Xen, or in the place of usual ones\n"
	     "  --force             confirm although this is not running on that Xen\n"
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

#define FINDS " esp xen kernel ramdisk kernel-args console loglvl dom0-mem xen-args "

static const struct {
	const char *name;
	int (*run)(const struct efi_ask *a, struct err *err);
	const char *takes; /* options, each between spaces */
} verbs[] = {
	{"plan", efi_verb_plan, FINDS "json "},
	{"install", efi_verb_install, FINDS "dry-run "},
	{"confirm", efi_verb_confirm, " force dry-run "},
	{"remove", efi_verb_remove, " dry-run "},
	{"status", efi_verb_status, " json "},
};

static int path(const char **to, const char *name, struct err *err)
{
	size_t n = strlen(optarg);
	if (*optarg != '/')
		return err_set(err, ERR_INVALID, "--%s=%s: a path that begins with / is wanted",
			name, optarg);
	while (n > 1 && optarg[n - 1] == '/')
		optarg[--n] = '\0';
	*to = optarg;
	return 0;
}

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

static int set_option(struct efi_ask *a, int id, struct err *err)
{
	const char *name = option_name(options, id);
	switch (id) {
	case OPT_ESP:
		return path(&a->esp, name, err);
	case OPT_XEN:
		return path(&a->xen, name, err);
	case OPT_KERNEL:
		return path(&a->kernel, name, err);
	case OPT_RAMDISK:
		if (strcmp(optarg, "none") != 0)
			return path(&a->ramdisk, name, err);
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

static int check_verb(int argc, char **argv, const char *verb, const bool *given, size_t *ret_verb,
	struct err *err)
{
	for (*ret_verb = 0; verb && *ret_verb < ARRAY_SIZE(verbs); ++*ret_verb)
		if (!strcmp(verb, verbs[*ret_verb].name))
			break;
	if (!verb || *ret_verb == ARRAY_SIZE(verbs))
		return err_set(err, ERR_INVALID,
			"efi: %s%s%s: plan, install, confirm, remove or status is wanted",
			verb ? "there is no verb \"" : "a verb is missing", verb ? verb : "",
			verb ? "\"" : "");
	if (optind < argc - 1)
		return err_set(err, ERR_INVALID, "efi %s takes no \"%s\"", verb, argv[optind + 1]);
	for (size_t i = 0; options[i].val != 'h'; i++) {
		_cleanup_free_ char *name = xasprintf(" %s ", options[i].name);
		if (given[i] && !strstr(verbs[*ret_verb].takes, name))
			return err_set(
				err, ERR_INVALID, "efi %s takes no --%s", verb, options[i].name);
	}
	return 0;
}

/* 0: go on, *ret_verb is set; 'h': help was printed. */
static int parse(int argc, char **argv, struct efi_ask *a, size_t *ret_verb, struct err *err)
{
	bool given[ARRAY_SIZE(options)] = {false};
	const char *verb = argc > 1 && *argv[1] != '-' ? argv[1] : NULL;
	int id;
	optind = 0;
	while ((id = option_next(argc - !!verb, argv + !!verb, options, err)) > OPTION_END) {
		if (id == 'h') {
			help();
			return 'h';
		}
		if (set_option(a, id, err) < 0)
			return -1;
		given[id - OPT_ESP] = true;
	}
	if (id != OPTION_END)
		return -1;
	return check_verb(argc, argv, verb, given, ret_verb, err);
}

int host_efi(const struct host *h, int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct efi_ask a = {.h = h};
	size_t verb = 0;
	int r = parse(argc, argv, &a, &verb, &err);
	if (r == 0)
		r = verbs[verb].run(&a, &err);
	else if (r > 0)
		r = 0;
	return r < 0 ? host_failed(&err) : r;
}
