/* SPDX-License-Identifier: Apache-2.0 */
/* What a host has for a boot by EFI: Dom-0's kernel, as grub would boot it. See efi.h. */
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "host/efi.h"
#include "host/efi_grub.h"

#define CFG_MAX (4 << 20)
/* Of grubenv: the default entry where GRUB_DEFAULT=saved, as grub2-set-default and grubby leave it. */
#define SAVED "saved_entry"
/* machine-id(5) in hexadecimal, which names of BLS files begin with */
#define MACHINE_ID_LEN 32

void dom0_done(struct dom0 *d)
{
	free(d->kernel);
	free(d->ramdisk);
	free(d->args);
	*d = (struct dom0){0};
}

/* ---- reading ------------------------------------------------------------------------------------------- */

struct reading {
	const struct host *h;
	struct grub_vars vars;
	struct boot_entries entries;
};

/* `pattern` below the root, in the order of names; what cannot be read is not there. */
static void each_text(struct reading *r, const char *pattern,
	void (*use)(struct reading *r, const char *name, const char *text))
{
	_cleanup_free_ char *full = host_path(r->h, pattern);
	glob_t found = {0};
	if (glob(full, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++) {
			_cleanup_free_ char *text = NULL;
			const char *at = found.gl_pathv[i];
			if (file_read_at(AT_FDCWD, at, CFG_MAX, &text, NULL, NULL) == 0)
				use(r, strrchr(at, '/') + 1, text);
		}
	globfree(&found);
}

static void use_env(struct reading *r, const char *name, const char *text)
{
	(void)name;
	grub_vars_env(&r->vars, text);
}

static void use_vars(struct reading *r, const char *name, const char *text)
{
	(void)name;
	grub_vars_cfg(&r->vars, text);
}

static void use_cfg(struct reading *r, const char *name, const char *text)
{
	(void)name;
	grub_cfg_entries(&r->entries, text, &r->vars);
}

/* Of another installation that shares /boot: its name begins with that one's machine-id. */
static bool is_of_others(const struct reading *r, const char *name)
{
	_cleanup_free_ char *at = host_path(r->h, "/etc/machine-id");
	_cleanup_free_ char *mine = NULL;
	if (strspn(name, "0123456789abcdef") != MACHINE_ID_LEN || name[MACHINE_ID_LEN] != '-' ||
		file_read_at(AT_FDCWD, at, 64, &mine, NULL, NULL) < 0)
		return false;
	return strncmp(name, mine, MACHINE_ID_LEN) != 0;
}

static void use_bls(struct reading *r, const char *name, const char *text)
{
	if (is_of_others(r, name))
		return;
	_cleanup_free_ char *id = xstrndup(name, strlen(name) - strlen(".conf"));
	bls_entry(&r->entries, id, text, &r->vars);
}

/* Debian; Fedora, and with EFI before 34; whatever is on the ESP. BLS entries are the newer way: first. */
static void read_all(struct reading *r, const struct esp *esp)
{
	_cleanup_free_ char *esp_env = xasprintf("%s/EFI/*/grubenv", esp->point);
	_cleanup_free_ char *esp_cfg = xasprintf("%s/EFI/*/grub.cfg", esp->point);
	_cleanup_free_ char *esp_bls = xasprintf("%s/loader/entries/*.conf", esp->point);
	const char *const cfg[] = {"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", esp_cfg};
	each_text(r, esp_env, use_env);
	each_text(r, "/boot/grub/grubenv", use_env);
	each_text(r, "/boot/grub2/grubenv", use_env);
	for (size_t i = 0; i < ARRAY_SIZE(cfg); i++)
		each_text(r, cfg[i], use_vars);
	each_text(r, "/boot/loader/entries/*.conf", use_bls);
	if (strcmp(esp->point, "/boot") != 0)
		each_text(r, esp_bls, use_bls);
	for (size_t i = 0; i < ARRAY_SIZE(cfg); i++)
		each_text(r, cfg[i], use_cfg);
}

/* ---- paths --------------------------------------------------------------------------------------------- */

static bool is_file(const struct host *h, const char *path)
{
	_cleanup_free_ char *at = host_path(h, path);
	struct stat st;
	return stat(at, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * What grub calls `path` is on the partition that it reads: the root, a /boot of its own, the ESP, or a
 * subvolume whose name stands before it ("/@/boot/vmlinuz"). Caller frees; NULL: there is no such file.
 */
static char *resolve(const struct host *h, const struct esp *esp, const char *path)
{
	const char *head = *path == '(' ? strchr(path, ')') : NULL;
	path = head ? head + 1 : path;
	const char *sub = strstr(path, "/boot/");
	const char *const before[] = {"", "/boot", esp->point};
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		_cleanup_free_ char *at = xasprintf("%s%s", before[i], path);
		if (is_file(h, at))
			return TAKE_PTR(at);
	}
	return sub && is_file(h, sub) ? xstrdup(sub) : NULL;
}

/* Entries of kernels that are gone are of no use. *ret_gone: one of these, in the entries; or NULL. */
static void drop_gone(struct reading *r, const struct esp *esp, char **ret_gone)
{
	struct boot_entries all = r->entries;
	r->entries = (struct boot_entries){.entry = xcalloc(all.n + 1, sizeof(*all.entry))};
	*ret_gone = NULL;
	for (size_t i = 0; i < all.n; i++) {
		struct boot_entry *e = &all.entry[i];
		char *kernel = resolve(r->h, esp, e->kernel);
		if (!kernel) {
			free(*ret_gone);
			*ret_gone = xstrdup(e->kernel);
			continue;
		}
		struct boot_entry *kept = &r->entries.entry[r->entries.n++];
		*kept = *e;
		kept->kernel = kernel;
		*e = (struct boot_entry){.kernel = e->kernel};
	}
	boot_entries_done(&all);
}

/* ---- choosing ------------------------------------------------------------------------------------------ */

static const struct boot_entry *of_kernel(const struct boot_entries *e, const char *kernel)
{
	for (size_t i = 0; i < e->n; i++)
		if (!strcmp(e->entry[i].kernel, kernel))
			return &e->entry[i];
	return NULL;
}

static int named(
	const struct host *h, const char *option, const char *path, char **ret, struct err *err)
{
	if (!is_file(h, path))
		return err_set(err, ERR_NOTFOUND, "--%s=%s: there is no such file", option, path);
	*ret = xstrdup(path);
	return 0;
}

static int ramdisk_of(const struct efi_ask *a, const struct esp *esp, const struct boot_entry *e,
	char **ret, struct err *err)
{
	if (a->ramdisk)
		return strcmp(a->ramdisk, "none") != 0
			       ? named(a->h, "ramdisk", a->ramdisk, ret, err)
			       : 0;
	if (!e)
		return err_set(err, ERR_INVALID,
			"--kernel=%s has no entry of grub: say --ramdisk=FILE, or --ramdisk=none",
			a->kernel);
	if (!e->ramdisk)
		return 0;
	*ret = resolve(a->h, esp, e->ramdisk);
	if (*ret)
		return 0;
	return err_set(err, ERR_NOTFOUND,
		"the ramdisk %s of grub's entry \"%s\" is not there: say --ramdisk=FILE",
		e->ramdisk, e->title);
}

static int choose(const struct efi_ask *a, const struct esp *esp, struct reading *r,
	struct dom0 *ret, struct err *err)
{
	_cleanup_free_ char *gone = NULL;
	drop_gone(r, esp, &gone);
	const struct boot_entry *usual =
		boot_entry_choose(&r->entries, grub_vars_get(&r->vars, SAVED, strlen(SAVED)));
	const struct boot_entry *e = a->kernel ? of_kernel(&r->entries, a->kernel) : usual;
	if (!a->kernel && !e && geteuid() != 0)
		return err_set(err, ERR_DENIED,
			"grub's files are for root alone, or have no entry of a Linux: try it as "
			"root");
	if (!a->kernel && !e)
		return err_set(err, ERR_NOTFOUND,
			gone ? "the kernel %s of grub's entries is not there: say --kernel=FILE "
			       "and "
			       "--ramdisk=FILE"
			     : "grub has no entry of a Linux%s: say --kernel=FILE, --ramdisk=FILE "
			       "and "
			       "--kernel-args=ARGS",
			gone ? gone : "");
	if (a->kernel ? named(a->h, "kernel", a->kernel, &ret->kernel, err) < 0
		      : !(ret->kernel = xstrdup(e->kernel)))
		return -1;
	if (ramdisk_of(a, esp, e, &ret->ramdisk, err) < 0)
		return -1;
	if (!a->kernel_args && !e && !usual)
		return err_set(err, ERR_INVALID,
			"--kernel=%s has no entry of grub: say --kernel-args=ARGS (root=...)",
			a->kernel);
	ret->args = xstrdup(a->kernel_args ? a->kernel_args : e ? e->args : usual->args);
	return 0;
}

int dom0_find(const struct efi_ask *a, const struct esp *esp, struct dom0 *ret, struct err *err)
{
	struct reading r = {.h = a->h};
	read_all(&r, esp);
	int done = choose(a, esp, &r, ret, err);
	boot_entries_done(&r.entries);
	grub_vars_done(&r.vars);
	if (done < 0)
		dom0_done(ret);
	return done;
}
