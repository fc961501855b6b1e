/* SPDX-License-Identifier: Apache-2.0 */
/* What a host has for a boot by EFI: the ESP. See efi.h. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/mountinfo.h"
#include "host/efi.h"
#include "host/exec.h"

/* UEFI 2.10, 5.3.3: the type of an EFI system partition; on an MBR it is 0xef. */
#define ESP_GUID "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define ESP_MBR  "0xef"
#define SMALL    65536

/* ---- the ESP ------------------------------------------------------------------------------------------- */

void esp_done(struct esp *esp)
{
	free(esp->point);
	free(esp->disk);
	free(esp->uuid);
	*esp = (struct esp){0};
}

/* The value of a line KEY=VALUE; caller frees, NULL: there is none. */
static char *value_of(const char *text, const char *key)
{
	size_t len = strlen(key);
	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, key, len))
			return xstrndup(at + len, strcspn(at + len, "\n"));
	}
	return NULL;
}

static char *small_file(const struct host *h, const char *path)
{
	_cleanup_free_ char *at = host_path(h, path);
	char *text = NULL;
	return file_read_at(AT_FDCWD, at, SMALL, &text, NULL, NULL) < 0 ? NULL : text;
}

/* What udev knows of a block device, or else blkid finds on it. */
static void probe(
	const struct host *h, const char *dev, const char *node, char **ret_type, char **ret_uuid)
{
	_cleanup_free_ char *at = xasprintf("/run/udev/data/b%s", dev);
	_cleanup_free_ char *udev = small_file(h, at);
	const char *const argv[] = {"blkid", "-p", "-o", "export", node, NULL};
	_cleanup_free_ char *said = NULL;
	*ret_type = udev ? value_of(udev, "E:ID_PART_ENTRY_TYPE=") : NULL;
	*ret_uuid = udev ? value_of(udev, "E:ID_PART_ENTRY_UUID=") : NULL;
	if (*ret_type || *h->root || exec_run(&(struct exec){.argv = argv}, &said, NULL, NULL) < 0)
		return;
	free(*ret_uuid);
	*ret_type = value_of(said, "PART_ENTRY_TYPE=");
	*ret_uuid = value_of(said, "PART_ENTRY_UUID=");
}

/* Disk and number of a partition ("8:1"), from sysfs. */
static int partition(
	const struct host *h, const char *dev, struct esp *esp, char **ret_node, struct err *err)
{
	char real[PATH_MAX];
	_cleanup_free_ char *link = xasprintf("%s/sys/dev/block/%s", h->root, dev);
	_cleanup_free_ char *number = xasprintf("/sys/dev/block/%s/partition", dev);
	_cleanup_free_ char *text = small_file(h, number);
	if (!text || !realpath(link, real))
		return err_set(err, ERR_UNSUPPORTED,
			"%s is on no partition of a disk: firmware could not boot from it",
			esp->point);
	char *part = strrchr(real, '/');
	*part++ = '\0';
	const char *disk = strrchr(real, '/');
	esp->part = (int)strtol(text, NULL, 10);
	esp->disk = xasprintf("/dev/%s", disk ? disk + 1 : real);
	*ret_node = xasprintf("/dev/%s", part);
	return 0;
}

/* 1: it is one; 0: it is of another type, *ret_type. */
static int is_esp(
	const struct host *h, const char *dev, struct esp *esp, char **ret_type, struct err *err)
{
	_cleanup_free_ char *node = NULL;
	if (partition(h, dev, esp, &node, err) < 0)
		return -1;
	probe(h, dev, node, ret_type, &esp->uuid);
	if (!esp->uuid)
		esp->uuid = xstrdup("");
	return *ret_type && (!strcasecmp(*ret_type, ESP_GUID) || !strcasecmp(*ret_type, ESP_MBR));
}

/* The device of the file system that is mounted there last; caller frees, NULL: none is. */
static char *device_at(const char *mounts, const char *point)
{
	char *dev = NULL;
	for (const char *at = mounts; at && *at; at = strchr(at, '\n')) {
		char number[32];
		char where[PATH_MAX];
		at += *at == '\n';
		if (sscanf(at, "%*d %*d %31s %*s %4095s", number, where) != 2 ||
			strcmp(where, point) != 0)
			continue;
		free(dev);
		dev = xstrdup(number);
	}
	return dev;
}

static int try_point(const struct host *h, const char *mounts, const char *point, struct esp *ret,
	char **ret_type, struct err *err)
{
	_cleanup_free_ char *dev = device_at(mounts, point);
	struct esp esp = {.point = xstrdup(point)};
	int r = dev ? is_esp(h, dev, &esp, ret_type, err) : 0;
	if (r > 0)
		*ret = esp;
	else
		esp_done(&esp);
	if (r == 0 && !dev)
		err_set(err, ERR_NOTFOUND, "nothing is mounted at %s", point);
	return r;
}

/* An automount is one only when somebody looks into it. */
static char *mounts_of(const struct host *h, const char *const *points, struct err *err)
{
	_cleanup_free_ char *at = host_path(h, MOUNTINFO_PATH);
	char *text;
	for (; *points; points++) {
		_cleanup_free_ char *wake = xasprintf("%s%s/.", h->root, *points);
		(void)access(wake, F_OK);
	}
	return file_read_at(AT_FDCWD, at, MOUNTINFO_MAX, &text, NULL, err) < 0 ? NULL : text;
}

static int one_esp(const struct host *h, const char *mounts, const char *point, struct esp *ret,
	struct err *err)
{
	_cleanup_free_ char *type = NULL;
	_cleanup_err_ struct err why = {0};
	int r = try_point(h, mounts, point, ret, &type, &why);
	if (r > 0)
		return 0;
	if (r < 0 || why.msg) {
		err_move(err, &why);
		return err_wrap(err, "--esp=%s", point);
	}
	return err_set(err, ERR_INVALID,
		"--esp=%s: that is no EFI system partition (its type is %s)", point,
		type ? type : "not known");
}

int esp_find(const struct host *h, const char *point, struct esp *ret, struct err *err)
{
	static const char *const usual[] = {"/boot/efi", "/efi", "/boot", NULL};
	_cleanup_free_ char *mounts =
		mounts_of(h, point ? (const char *const[]){point, NULL} : usual, err);
	if (!mounts)
		return -1;
	if (point)
		return one_esp(h, mounts, point, ret, err);
	_cleanup_err_ struct err first = {0};
	for (size_t i = 0; usual[i]; i++) {
		_cleanup_free_ char *type = NULL;
		_cleanup_err_ struct err why = {0};
		int r = try_point(h, mounts, usual[i], ret, &type, &why);
		if (r > 0)
			return 0;
		/* One on RAID looks like an ESP to whoever has mounted it there. */
		if (r < 0 && !first.msg)
			err_move(&first, &why);
	}
	if (first.msg) {
		err_move(err, &first);
		return -1;
	}
	return err_set(err, ERR_NOTFOUND,
		"no EFI system partition is mounted at /boot/efi, /efi or /boot: mount it, or say "
		"where it is with --esp=DIR");
}
