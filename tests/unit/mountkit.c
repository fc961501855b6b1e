/* SPDX-License-Identifier: Apache-2.0 */
/* See mountkit.h. */
#include "unit.h"

#include "mountkit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/inroot.h"
#include "fdcount.h"
#include "guest/rootfs.h"

#define TEXT_MAX 4096

struct kit kit;

static char base[] = "/tmp/xenpod-unit-XXXXXX";
static char apps[64];
static char files[64];
static char hidden[64];
static char volumes[64];
static char shm[64];

int kit_group_setup(void **state)
{
	(void)state;
	umask(022);
	assert_non_null(mkdtemp(base));
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	return 0;
}

int kit_group_teardown(void **state)
{
	(void)state;
	return rmdir(base);
}

static int mount_export(const char *tag, const char *dir, unsigned long flags, struct err *err)
{
	_cleanup_free_ char *source = xasprintf("%s/trees/%s", base, tag);
	kit.mounted++;
	if (mount(source, dir, NULL, MS_BIND, NULL) < 0 ||
		mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND | flags, NULL) < 0)
		return err_sys(err, "mount the export \"%s\"", tag);
	return 0;
}

int kit_setup(void **state)
{
	(void)state;
	snprintf(apps, sizeof(apps), "%s/apps", base);
	snprintf(files, sizeof(files), "%s/private/files", base);
	snprintf(hidden, sizeof(hidden), "%s/private/hidden", base);
	snprintf(volumes, sizeof(volumes), "%s/volumes", base);
	snprintf(shm, sizeof(shm), "%s/shm", base);
	assert_int_equal(mount("tmpfs", base, "tmpfs", 0, "size=32m"), 0);
	kit = (struct kit){
		.fs = {.apps = apps,
			.files = files,
			.hidden = hidden,
			.devpts = "/dev/pts",
			.devshm = shm,
			.volumes = {.dir = volumes, .mount = mount_export}},
		.dir = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	};
	assert_true(kit.dir >= 0);
	kit_dir("trees/root");
	kit_dir("trees/a");
	kit_dir("trees/b");
	kit_dir("outside");
	kit_dir("shm");
	assert_int_equal(chmod(shm, 01777), 0);
	kit_app("one", "root");
	kit.fds = fd_count();
	return 0;
}

int kit_teardown(void **state)
{
	(void)state;
	int fds = fd_count();
	if (fds != kit.fds)
		print_error("# %d descriptors open before, %d after\n", kit.fds, fds);
	close(kit.dir);
	return umount2(base, MNT_DETACH) < 0 || fds != kit.fds ? -1 : 0;
}

/* ---- what is on the host ----------------------------------------------------------------------- */

void kit_dir(const char *path)
{
	struct err err = {0};
	_cleanup_free_ char *full = xasprintf("%s/%s", base, path);
	assert_ok(dir_make_all(full, 0755, &err), &err);
}

static void parents_of(const char *path)
{
	_cleanup_free_ char *parent = xstrdup(path);
	*strrchr(parent, '/') = '\0';
	kit_dir(parent);
}

void kit_file(const char *path, const char *text)
{
	parents_of(path);
	int fd = openat(kit.dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

void kit_link(const char *to, const char *path)
{
	parents_of(path);
	assert_int_equal(symlinkat(to, kit.dir, path), 0);
}

mode_t kit_mode(const char *path)
{
	struct stat st;
	return fstatat(kit.dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mode : 0;
}

void kit_has(const char *path, const char *text)
{
	struct err err = {0};
	_cleanup_free_ char *got = NULL;
	assert_ok(file_read_at(kit.dir, path, TEXT_MAX, &got, NULL, &err), &err);
	assert_string_equal(got, text);
}

/* ---- the spec ---------------------------------------------------------------------------------- */

void kit_app(const char *name, const char *tag)
{
	kit.app = (struct podspec_app){
		.name = (char *)(uintptr_t)name,
		.tag = (char *)(uintptr_t)tag,
		.mounts = kit.mounts,
		.files = kit.files,
	};
}

void kit_mount(const char *path, const char *tag, const char *sub, bool read_only)
{
	assert_true(kit.app.n_mounts < KIT_MAX);
	kit.mounts[kit.app.n_mounts++] = (struct podspec_mount){
		.path = (char *)(uintptr_t)path,
		.tag = (char *)(uintptr_t)tag,
		.sub = (char *)(uintptr_t)sub,
		.read_only = read_only,
	};
}

void kit_put(const char *path, const char *text, bool if_absent)
{
	assert_true(kit.app.n_files < KIT_MAX);
	kit.files[kit.app.n_files++] = (struct podspec_file){
		.path = (char *)(uintptr_t)path,
		.text = (char *)(uintptr_t)text,
		.if_absent = if_absent,
	};
}

int kit_make(struct err *err)
{
	int root = -1;
	return appfs_make(&kit.fs, &kit.app, &root, err) < 0 ? -1 : root;
}

/* ---- what the app sees ------------------------------------------------------------------------- */

void in_has(int root, const char *path, const char *text)
{
	struct err err = {0};
	_cleanup_free_ char *got = NULL;
	assert_ok(rootfs_read(root, path, TEXT_MAX, &got, &err), &err);
	assert_string_equal(got, text);
}

int in_write(int root, const char *path)
{
	_cleanup_fd_ int fd = inroot_open(root, path, O_WRONLY);
	if (fd < 0 && errno == ENOENT) {
		_cleanup_free_ char *parent = xstrdup(path);
		char *slash = strrchr(parent, '/');
		*slash = '\0';
		_cleanup_fd_ int dir = inroot_open(root, *parent ? parent : "/", O_PATH);
		fd = openat(dir, slash + 1, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	}
	return fd < 0 ? errno : 0;
}

unsigned long in_flags(int root, const char *path)
{
	struct statvfs st;
	_cleanup_fd_ int fd = inroot_open(root, path, O_PATH);
	assert_true(fd >= 0);
	assert_int_equal(fstatvfs(fd, &st), 0);
	return st.f_flag;
}

mode_t in_mode(int root, const char *path)
{
	struct stat st;
	return rootfs_stat(root, path, /*nofollow*/ 1, &st) == 0 ? st.st_mode : 0;
}
