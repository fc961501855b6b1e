/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EFI's global variables, by efivarfs (Linux: Documentation/filesystems/efivarfs.rst): a file is four bytes of
 * attributes, then the data. A variable is written by one write(2), and most files are immutable until then.
 */
#include "host/efi.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"

#define GLOBAL     "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define VAR_MAX    (64 * 1024)
#define ATTR_BYTES 4
/* Non-volatile, for boot services and at run time: what boot variables have (UEFI 2.10, 3.3). */
#define ATTR_BOOT 7

static char *var_path(const struct host *h, const char *name)
{
	return xasprintf("%s" EFI_VARS "/%s-" GLOBAL, h->root, name);
}

int efivar_read(const struct host *h, const char *name, uint8_t **ret, size_t *ret_len,
	uint32_t *ret_attributes, struct err *err)
{
	_cleanup_free_ char *at = var_path(h, name);
	_cleanup_err_ struct err why = {0};
	char *text;
	size_t len;
	*ret = NULL;
	*ret_len = 0;
	if (file_read_at(AT_FDCWD, at, VAR_MAX, &text, &len, &why) < 0) {
		if (why.code == ERR_NOTFOUND)
			return 0;
		err_move(err, &why);
		return -1;
	}
	if (len < ATTR_BYTES) {
		free(text);
		return 0; /* efivarfs shows what is being deleted as empty */
	}
	if (ret_attributes)
		memcpy(ret_attributes, text, ATTR_BYTES);
	memmove(text, text + ATTR_BYTES, len - ATTR_BYTES);
	*ret = (uint8_t *)text;
	*ret_len = len - ATTR_BYTES;
	return 0;
}

/* ---- a variable ---------------------------------------------------------------------------------------- */

static char *hex_of(const uint8_t *data, size_t len)
{
	char *text = xmalloc(2 * len + 1);
	text[0] = '\0';
	for (size_t i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", data[i]);
	return text;
}

static int var_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	_cleanup_free_ uint8_t *data = NULL;
	uint32_t attributes = 0;
	size_t len;
	if (efivar_read(h, name, &data, &len, &attributes, err) < 0)
		return -1;
	if (!data)
		return 0;
	_cleanup_free_ char *hex = hex_of(data, len);
	*ret = json_make("{s:i,s:s}", "attributes", (int)attributes, "data", hex);
	return 0;
}

/* What the kernel protects from rm -r; other file systems than efivarfs know no such flag. */
static void make_mutable(const char *at)
{
	_cleanup_fd_ int fd = open(at, O_RDONLY | O_CLOEXEC);
	int flags;
	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 || !(flags & FS_IMMUTABLE_FL))
		return;
	flags &= ~FS_IMMUTABLE_FL;
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static size_t bytes_of(const json_t *value, uint8_t *to, size_t max)
{
	const char *hex = json_str_opt(value, "data", "");
	uint32_t attributes = (uint32_t)json_int_opt(value, "attributes", ATTR_BOOT);
	size_t n = ATTR_BYTES;
	memcpy(to, &attributes, ATTR_BYTES);
	for (; n < max && isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1]);
		hex += 2)
		to[n++] = (uint8_t)strtoul((char[]){hex[0], hex[1], '\0'}, NULL, 16);
	return n;
}

static int var_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	_cleanup_free_ char *at = var_path(h, name);
	_cleanup_free_ uint8_t *data = xmalloc(VAR_MAX);
	struct stat st;
	make_mutable(at);
	if (json_is_null(value))
		return unlink(at) < 0 && errno != ENOENT ? err_sys(err, "remove %s", at) : 0;
	_cleanup_fd_ int fd = open(at, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(err, "open %s", at);
	size_t len = bytes_of(value, data, VAR_MAX);
	ssize_t n = write(fd, data, len);
	if (n != (ssize_t)len)
		return err_sys(err, "write %s", at);
	/* efivarfs has cut it to size by itself. */
	if (fstat(fd, &st) == 0 && st.st_size > (off_t)len && ftruncate(fd, (off_t)len) < 0)
		return err_sys(err, "write %s", at);
	return 0;
}

/* BootNext: the boot that it was for has used it up. */
const struct thing thing_efivar = {
	.kind = "efivar", .get = var_get, .set = var_set, .till_boot = true};

/* ---- numbers of entries -------------------------------------------------------------------------------- */

json_t *efivar_numbers(const uint16_t *number, size_t n)
{
	_cleanup_free_ uint8_t *data = xmalloc(2 * n + 1);
	for (size_t i = 0; i < n; i++) {
		data[2 * i] = (uint8_t)(number[i] & 0xff);
		data[2 * i + 1] = (uint8_t)(number[i] >> 8);
	}
	_cleanup_free_ char *hex = hex_of(data, 2 * n);
	return json_make("{s:i,s:s}", "attributes", ATTR_BOOT, "data", hex);
}

int efivar_get_numbers(
	const struct host *h, const char *name, uint16_t **ret, size_t *ret_n, struct err *err)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t len;
	if (efivar_read(h, name, &data, &len, NULL, err) < 0)
		return -1;
	*ret_n = len / 2;
	*ret = xcalloc(len / 2 + 1, sizeof(**ret));
	for (size_t i = 0; i < len / 2; i++)
		(*ret)[i] = (uint16_t)(data[2 * i] | data[2 * i + 1] << 8);
	return 0;
}

static int mark_named(const struct host *h, const char *name, uint8_t *used, struct err *err)
{
	_cleanup_free_ uint16_t *number = NULL;
	size_t n;
	if (efivar_get_numbers(h, name, &number, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		used[number[i]] = 1;
	return 0;
}

static int mark_entries(const struct host *h, uint8_t *used, struct err *err)
{
	_cleanup_free_ char *at = host_path(h, EFI_VARS);
	_cleanup_dir_ DIR *d = opendir(at);
	if (!d)
		return err_sys(err, "open %s", at);
	for (struct dirent *e; (e = readdir(d));) {
		const char *digits = e->d_name + strlen("Boot");
		if (!strncmp(e->d_name, "Boot", strlen("Boot")) &&
			strspn(digits, "0123456789ABCDEF") == 4 && digits[4] == '-')
			used[strtoul(digits, NULL, 16)] = 1;
	}
	return 0;
}

int boot_entry_free(const struct host *h, uint16_t *ret, struct err *err)
{
	_cleanup_free_ uint8_t *used = xcalloc(0x10000, 1);
	if (mark_entries(h, used, err) < 0 || mark_named(h, "BootOrder", used, err) < 0 ||
		mark_named(h, "BootNext", used, err) < 0)
		return -1;
	for (unsigned i = 0; i < 0x10000; i++)
		if (!used[i]) {
			*ret = (uint16_t)i;
			return 0;
		}
	return err_set(err, ERR_FULL, "the firmware has no number left for a boot entry");
}
