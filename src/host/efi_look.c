/* SPDX-License-Identifier: Apache-2.0 */
/* What a host has for a boot by EFI, without the ESP: the firmware's ways, the hypervisor. See efi.h. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/efi.h"
#include "host/exec.h"

/* ---- the firmware -------------------------------------------------------------------------------------- */

static bool there(const struct host *h, const char *path)
{
	_cleanup_free_ char *at = host_path(h, path);
	return access(at, F_OK) == 0;
}

static bool any(const struct host *h, const char *pattern)
{
	_cleanup_free_ char *all = host_path(h, pattern);
	_cleanup_(globfree) glob_t found = {0};
	return glob(all, 0, NULL, &found) == 0;
}

int efi_usable(const struct host *h, struct err *err)
{
	if (!there(h, "/sys/firmware/efi"))
		return err_set(err, ERR_UNSUPPORTED,
			"this host was not booted by EFI: boot entries can only be made when it "
			"was");
	if (!any(h, EFI_VARS "/Boot*-8be4df61-93ca-11d2-aa0d-00e098032b8c"))
		return err_set(err, ERR_UNAVAILABLE,
			"the firmware's variables are not at " EFI_VARS
			": mount -t efivarfs efivarfs " EFI_VARS);
	if (!exec_exists("efibootmgr"))
		return err_set(err, ERR_NOTFOUND,
			"there is no efibootmgr, which makes boot entries: install its package");
	return 0;
}

int efi_not_secure(const struct host *h, struct err *err)
{
	_cleanup_free_ uint8_t *secure = NULL;
	size_t len;
	if (efivar_read(h, "SecureBoot", &secure, &len, NULL, err) < 0)
		return -1;
	if (len && secure[0] == 1)
		return err_set(err, ERR_UNSUPPORTED,
			"Secure Boot is on, and the firmware would not start Xen: switch it off in "
			"its setup (systemctl reboot --firmware-setup)");
	return 0;
}

bool efi_under_xen(const struct host *h)
{
	return there(h, "/proc/xen/capabilities") || there(h, "/sys/hypervisor/version/major");
}

/* ---- the hypervisor ------------------------------------------------------------------------------------ */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* Others could not be recorded. */
static bool is_utf8(const char *text)
{
	_cleanup_json_ json_t *j = json_string(text);
	return j != NULL;
}

/* Links are other names of the same ("xen-4.efi"). */
static void newest(const struct host *h, const char *pattern, char **best)
{
	_cleanup_free_ char *full = host_path(h, pattern);
	glob_t found = {0};
	struct stat st;
	if (glob(full, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++) {
			const char *at = found.gl_pathv[i];
			if (lstat(at, &st) < 0 || !S_ISREG(st.st_mode) || !is_utf8(at) ||
				(*best && strverscmp(last_part(at), last_part(*best)) <= 0))
				continue;
			free(*best);
			*best = xstrdup(at + strlen(h->root));
		}
	globfree(&found);
}

int xen_find(const struct host *h, const struct esp *esp, char **ret, struct err *err)
{
	/* Debian; Fedora before and since 34; SUSE; the tarball for /opt. */
	static const char *const places[] = {"/boot/xen-*.efi", "/usr/lib64/efi/xen-*.efi",
		"/usr/share/efi/*/xen-*.efi", "/opt/xen-*/boot/efi/EFI/xen/xen-*.efi",
		"/opt/*/xen-*/boot/efi/EFI/xen/xen-*.efi"};
	_cleanup_free_ char *fedora = xasprintf("%s/EFI/fedora/xen-*.efi", esp->point);
	char *best = NULL;
	newest(h, fedora, &best);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		newest(h, places[i], &best);
	if (!best)
		return err_set(err, ERR_NOTFOUND,
			"no xen-*.efi is in /boot, %s/EFI/fedora or /opt/xen-*: install the "
			"hypervisor's package, or name it with --xen=FILE",
			esp->point);
	*ret = best;
	return 0;
}
