/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking images: what is kept, and every kind of hostile or broken archive that is refused. */
/* LINK: tools appc proto base */
/* LIBS: archive md */
/* VALGRIND: deep, each unpacking is a process for which valgrind translates libarchive anew */
#include "unit.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/fstree.h"
#include "tools/archive.h"
#include "tools/archive_entry.h"
#include "tools/archive_pack.h"

#define MANIFEST "{\"acKind\":\"ImageManifest\"}"

static const struct archive_limits limits = {.entries = 100, .bytes = 1 << 20};
static char base[] = "/tmp/xenpod-archive-XXXXXX";
static int basefd = -1;

static int group_setup(void **state)
{
	(void)state;
	if (!mkdtemp(base))
		return -1;
	basefd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return basefd < 0;
}

static int group_teardown(void **state)
{
	(void)state;
	close(basefd);
	_cleanup_fd_ int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fstree_remove_at(tmp, base + strlen("/tmp/"), NULL);
}

/* A fresh directory "out" to unpack into. */
static int out_dir(void)
{
	struct err err = {0};
	assert_ok(fstree_remove_at(basefd, "out", &err), &err);
	assert_int_equal(mkdirat(basefd, "out", 0755), 0);
	int fd = openat(basefd, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* ---- an archive in a memory file
 * ------------------------------------------------------------------ */

struct maker {
	struct archive *a;
	int fd;
};

static struct maker make_open(int filter)
{
	struct maker m = {.a = archive_write_new(), .fd = memfd_create("aci", MFD_CLOEXEC)};
	assert_true(m.fd >= 0);
	archive_write_set_format_pax(m.a);
	archive_write_add_filter(m.a, filter);
	/* xz's usual level works in 94 MiB, which takes valgrind five seconds to watch over. */
	if (filter != ARCHIVE_FILTER_NONE)
		assert_int_equal(
			archive_write_set_filter_option(m.a, NULL, "compression-level", "1"),
			ARCHIVE_OK);
	assert_int_equal(archive_write_open_fd(m.a, m.fd), ARCHIVE_OK);
	return m;
}

struct item {
	const char *path;
	mode_t type;
	const char *text; /* content, or the link's target */
	mode_t perm;
	uid_t uid;
	const char *xattr;
};

static void make_item(struct maker *m, struct item it)
{
	struct archive_entry *e = archive_entry_new();
	archive_entry_set_pathname(e, it.path);
	archive_entry_set_perm(e, it.perm ? it.perm : 0755);
	archive_entry_set_uid(e, it.uid);
	archive_entry_set_gid(e, it.uid);
	archive_entry_set_mtime(e, 1000000, 0);
	if (it.xattr)
		archive_entry_xattr_add_entry(e, it.xattr, "y", 1);
	if (it.type == 0) /* a hard link */
		archive_entry_set_hardlink(e, it.text);
	else
		archive_entry_set_filetype(e, it.type);
	if (it.type == AE_IFLNK)
		archive_entry_set_symlink(e, it.text);
	size_t len = it.type == AE_IFREG && it.text ? strlen(it.text) : 0;
	archive_entry_set_size(e, (int64_t)len);
	archive_entry_set_rdev(e, makedev(1, 3));
	assert_true(archive_write_header(m->a, e) >= ARCHIVE_WARN);
	if (len)
		assert_int_equal(archive_write_data(m->a, it.text, len), len);
	archive_entry_free(e);
}

static int make_close(struct maker *m)
{
	assert_int_equal(archive_write_free(m->a), ARCHIVE_OK);
	assert_int_equal(lseek(m->fd, 0, SEEK_SET), 0);
	return m->fd;
}

static const struct item manifest = {.path = "manifest", .type = AE_IFREG, .text = MANIFEST};
static const struct item rootfs = {.path = "rootfs", .type = AE_IFDIR};

static int unpack(struct maker *m, int out, char id[IMAGE_ID_SIZE], struct err *err)
{
	int fd = make_close(m);
	int r = archive_unpack(fd, out, &limits, id, err);
	close(fd);
	return r;
}

static void unpack_fails(struct maker *m, enum err_code code, const char *text)
{
	struct err err = {0};
	char id[IMAGE_ID_SIZE];
	_cleanup_fd_ int out = out_dir();
	assert_fails(unpack(m, out, id, &err), &err, code, text);
	/* The wall held: nothing beside "out" came into being. */
	assert_int_equal(faccessat(basefd, "escape", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

/* manifest and rootfs, then these items: must be refused with this text. */
static void refuses(const struct item *items, size_t n, enum err_code code, const char *text)
{
	struct maker m = make_open(ARCHIVE_FILTER_NONE);
	make_item(&m, manifest);
	make_item(&m, rootfs);
	for (size_t i = 0; i < n; i++)
		make_item(&m, items[i]);
	unpack_fails(&m, code, text);
}
#define REFUSES(text, ...)                                                                         \
	do {                                                                                       \
		const struct item items_[] = {__VA_ARGS__};                                        \
		refuses(items_, ARRAY_SIZE(items_), ERR_INVALID, text);                            \
	} while (0)

static void check_file(int dir, const char *path, const char *text, mode_t mode, uid_t uid)
{
	struct err err = {0};
	struct stat st;
	_cleanup_free_ char *got = NULL;
	assert_int_equal(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_mtim.tv_sec, 1000000);
	assert_ok(file_read_at(dir, path, 1000, &got, NULL, &err), &err);
	assert_string_equal(got, text);
}

/* ---- what is kept
 * ----------------------------------------------------------------------------------- */

static void test_keeps(void **state)
{
	(void)state;
	struct err err = {0};
	char id[IMAGE_ID_SIZE];
	_cleanup_fd_ int out = out_dir();
	struct maker m = make_open(ARCHIVE_FILTER_GZIP);
	make_item(&m, (struct item){"./manifest", AE_IFREG, MANIFEST, 0644, 0, NULL});
	make_item(&m, (struct item){"./rootfs/", AE_IFDIR, NULL, 0750, 42, NULL});
	make_item(&m, (struct item){"rootfs//bin/./su", AE_IFREG, "su", 04755, 7, NULL});
	make_item(&m, (struct item){"rootfs/bin/copy", 0, "rootfs/bin/su", 0, 0, NULL});
	make_item(&m, (struct item){"rootfs/abs", AE_IFLNK, "/etc/shadow", 0, 0, NULL});
	make_item(&m, (struct item){"rootfs/\303\244", AE_IFREG, "umlaut", 0600, 0, NULL});
	make_item(&m, (struct item){"rootfs/bin", AE_IFDIR, NULL, 0711, 0, NULL});
	make_item(&m, (struct item){"rootfs/dev/null", AE_IFCHR, NULL, 0666, 0, NULL});
	make_item(&m, (struct item){"rootfs/dev/initctl", AE_IFIFO, NULL, 0600, 0, NULL});
	assert_ok(unpack(&m, out, id, &err), &err);
	assert_int_equal(strlen(id), IMAGE_ID_LEN);
	check_file(out, "manifest", MANIFEST, 0644, 0);
	check_file(out, "rootfs/bin/su", "su", 04755, 7);
	check_file(out, "rootfs/\303\244", "umlaut", 0600, 0);
	struct stat a;
	struct stat b;
	assert_int_equal(fstatat(out, "rootfs/bin/su", &a, 0), 0);
	assert_int_equal(fstatat(out, "rootfs/bin/copy", &b, 0), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(fstatat(out, "rootfs", &a, 0), 0);
	assert_int_equal(a.st_mode & 07777, 0750);
	assert_int_equal(a.st_uid, 42);
	assert_int_equal(fstatat(out, "rootfs/bin", &a, 0), 0);
	assert_int_equal(a.st_mode & 07777, 0711);
	char target[32] = {0};
	assert_int_equal(readlinkat(out, "rootfs/abs", target, 31), 11);
	/* Nodes in /dev are left out, the guest makes its own. */
	assert_int_equal(faccessat(out, "rootfs/dev/null", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(out, "rootfs/dev/initctl", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void test_one_id_whatever_the_compression(void **state)
{
	(void)state;
	static const int filters[] = {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP,
		ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD};
	char id[ARRAY_SIZE(filters)][IMAGE_ID_SIZE];
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct err err = {0};
		_cleanup_fd_ int out = out_dir();
		struct maker m = make_open(filters[i]);
		make_item(&m, manifest);
		make_item(&m, rootfs);
		assert_ok(unpack(&m, out, id[i], &err), &err);
		assert_string_equal(id[i], id[0]);
	}
}

static void test_xattrs(void **state)
{
	(void)state;
	struct err err = {0};
	char id[IMAGE_ID_SIZE];
	char value[8];
	_cleanup_fd_ int out = out_dir();
	struct maker m = make_open(ARCHIVE_FILTER_NONE);
	make_item(&m, manifest);
	/* overlayfs would take this for its own and hide what is below. */
	make_item(&m, (struct item){"rootfs", AE_IFDIR, NULL, 0755, 0, "trusted.overlay.opaque"});
	make_item(&m, (struct item){"rootfs/f", AE_IFREG, "x", 0644, 0, "user.kept"});
	assert_ok(unpack(&m, out, id, &err), &err);
	_cleanup_fd_ int dir = openat(out, "rootfs", O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int file = openat(out, "rootfs/f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(dir, "trusted.overlay.opaque", value, sizeof(value)), -1);
	assert_int_equal(fgetxattr(file, "user.kept", value, sizeof(value)), 1);
}

/* ---- what is refused
 * -------------------------------------------------------------------------------- */

static void test_refuses_paths(void **state)
{
	(void)state;
	REFUSES("leads upwards", {.path = "rootfs/../../escape", .type = AE_IFREG, .text = "x"});
	REFUSES("leads upwards", {.path = "..", .type = AE_IFDIR});
	REFUSES("absolute path", {.path = "/escape", .type = AE_IFREG, .text = "x"});
	REFUSES("nothing but manifest", {.path = "escape", .type = AE_IFREG, .text = "x"});
	REFUSES("nothing but manifest", {.path = "rootfs2/x", .type = AE_IFREG, .text = "x"});
	char deep[7 + 2 * 300] = "rootfs/";
	for (int i = 0; i < 298; i++)
		strcat(deep, "d/");
	REFUSES("nested too deep", {.path = deep, .type = AE_IFDIR});
}

static void test_refuses_links(void **state)
{
	(void)state;
	REFUSES("rootfs/l/escape", {.path = "rootfs/l", .type = AE_IFLNK, .text = "../.."},
		{.path = "rootfs/l/escape", .type = AE_IFREG, .text = "x"});
	REFUSES("rootfs/l/escape", {.path = "rootfs/l", .type = AE_IFLNK, .text = "/"},
		{.path = "rootfs/l/escape", .type = AE_IFREG, .text = "x"});
	REFUSES("leads upwards", {.path = "rootfs/h", .text = "rootfs/../../x"});
	REFUSES("absolute path", {.path = "rootfs/h", .text = "/etc/passwd"});
	REFUSES("leads out of rootfs", {.path = "rootfs/h", .text = "manifest"});
	REFUSES("which is not there", {.path = "rootfs/h", .text = "rootfs/later"});
	REFUSES("which is not a file", {.path = "rootfs/d", .type = AE_IFDIR},
		{.path = "rootfs/h", .text = "rootfs/d"});
	REFUSES("which is not there", {.path = "rootfs/l", .type = AE_IFLNK, .text = "/etc"},
		{.path = "rootfs/h", .text = "rootfs/l/passwd"});
}

static void test_refuses_kinds(void **state)
{
	(void)state;
	REFUSES("a character device", {.path = "rootfs/null", .type = AE_IFCHR});
	REFUSES("a block device", {.path = "rootfs/sda", .type = AE_IFBLK});
	REFUSES("a FIFO", {.path = "rootfs/pipe", .type = AE_IFIFO});
	REFUSES("a block device", {.path = "rootfs/device", .type = AE_IFBLK});
}

static void test_refuses_second_entries(void **state)
{
	(void)state;
	REFUSES("\"manifest\" is there twice", manifest);
	REFUSES("is there twice", {.path = "rootfs/f", .type = AE_IFREG, .text = "1"},
		{.path = "./rootfs//f", .type = AE_IFREG, .text = "2"});
	REFUSES("is there twice", {.path = "rootfs/d", .type = AE_IFDIR},
		{.path = "rootfs/d", .type = AE_IFLNK, .text = "/"});
	REFUSES("rootfs in the image is not a directory",
		{.path = "rootfs", .type = AE_IFLNK, .text = "/"});
}

static void test_refuses_too_many_bytes(void **state)
{
	(void)state;
	struct maker m = make_open(ARCHIVE_FILTER_GZIP);
	make_item(&m, manifest);
	_cleanup_free_ char *zeros = xmalloc(2 << 20);
	memset(zeros, '0', (2 << 20) - 1);
	zeros[(2 << 20) - 1] = '\0';
	make_item(&m, (struct item){"rootfs/big", AE_IFREG, zeros, 0644, 0, NULL});
	unpack_fails(&m, ERR_FULL, "more than 1048576 bytes");
}

static void test_refuses_too_many_entries(void **state)
{
	(void)state;
	struct maker m = make_open(ARCHIVE_FILTER_NONE);
	for (int i = 0; i < 101; i++) {
		char path[32];
		snprintf(path, sizeof(path), "rootfs/%d", i);
		make_item(&m, (struct item){path, AE_IFREG, "x", 0644, 0, NULL});
	}
	unpack_fails(&m, ERR_FULL, "more than 100 entries");
}

static void test_refuses_incomplete(void **state)
{
	(void)state;
	struct maker without_manifest = make_open(ARCHIVE_FILTER_NONE);
	make_item(&without_manifest, rootfs);
	unpack_fails(&without_manifest, ERR_INVALID, "no manifest");
	struct maker without_rootfs = make_open(ARCHIVE_FILTER_NONE);
	make_item(&without_rootfs, manifest);
	unpack_fails(&without_rootfs, ERR_INVALID, "no rootfs");
}

/* Cut at every size that matters: an error each time, never a hang or a crash. */
static void test_refuses_truncated(void **state)
{
	(void)state;
	struct maker m = make_open(ARCHIVE_FILTER_GZIP);
	make_item(&m, manifest);
	make_item(&m, rootfs);
	make_item(&m, (struct item){"rootfs/f", AE_IFREG, "some text", 0644, 0, NULL});
	_cleanup_fd_ int fd = make_close(&m);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t len = st.st_size - 1; len >= 0; len -= 17 * unit_step(5)) {
		struct err err = {0};
		char id[IMAGE_ID_SIZE];
		_cleanup_fd_ int out = out_dir();
		assert_int_equal(ftruncate(fd, len), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(archive_unpack(fd, out, &limits, id, &err), -1);
		assert_true(err.msg && *err.msg);
		err_done(&err);
	}
}

/* ---- directories
 * ------------------------------------------------------------------------------------ */

static void write_in(const char *path, const char *text)
{
	struct err err = {0};
	assert_ok(file_write_atomic_at(basefd, path, text, strlen(text), 0644, &err), &err);
}

static void make_image_dir(void)
{
	assert_int_equal(mkdirat(basefd, "img", 0755), 0);
	assert_int_equal(mkdirat(basefd, "img/rootfs", 0755), 0);
	write_in("img/manifest", MANIFEST);
	write_in("img/rootfs/a", "a");
	assert_int_equal(linkat(basefd, "img/rootfs/a", basefd, "img/rootfs/b", 0), 0);
	assert_int_equal(symlinkat("/nowhere", basefd, "img/rootfs/l"), 0);
	write_in("img/rootfs/run", "r");
	assert_int_equal(fchmodat(basefd, "img/rootfs/run", 04711, 0), 0);
}

static void test_directory(void **state)
{
	(void)state;
	struct err err = {0};
	char id[2][IMAGE_ID_SIZE];
	struct stat a;
	struct stat b;
	make_image_dir();
	_cleanup_free_ char *path = xasprintf("%s/img", base);
	for (int i = 0; i < 2; i++) {
		_cleanup_fd_ int out = out_dir();
		assert_ok(archive_unpack_dir(path, out, &limits, id[i], &err), &err);
		assert_int_equal(fstatat(out, "rootfs/a", &a, 0), 0);
		assert_int_equal(fstatat(out, "rootfs/b", &b, 0), 0);
		assert_int_equal(a.st_ino, b.st_ino);
		assert_int_equal(fstatat(out, "rootfs/run", &a, 0), 0);
		assert_int_equal(a.st_mode & 07777, 04711);
	}
	assert_string_equal(id[0], id[1]);
	write_in("img/rootfs/run", "changed");
	_cleanup_fd_ int out = out_dir();
	assert_ok(archive_unpack_dir(path, out, &limits, id[1], &err), &err);
	assert_string_not_equal(id[0], id[1]);
	assert_fails(archive_unpack_dir("/nonexistent", out, &limits, id[1], &err), &err,
		ERR_NOTFOUND, "/nonexistent");
}

static void test_fingerprint(void **state)
{
	(void)state;
	struct err err = {0};
	char before[65];
	char after[65];
	_cleanup_free_ char *path = xasprintf("%s/file", base);
	/* Too fresh to be trusted: to be seen by who is quick, which a busy machine is not always. */
	for (int i = 0; i == 0 || (*before && i < 100); i++) {
		write_in("file", "1");
		assert_ok(archive_fingerprint(path, before, &err), &err);
	}
	assert_string_equal(before, "");
	usleep(150000);
	assert_ok(archive_fingerprint(path, before, &err), &err);
	assert_int_equal(strlen(before), 64);
	assert_ok(archive_fingerprint(path, after, &err), &err);
	assert_string_equal(before, after);
	write_in("file", "2");
	usleep(150000);
	assert_ok(archive_fingerprint(path, after, &err), &err);
	assert_string_not_equal(before, after);
}

static void test_entry_path(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {{"./a//b/./c/", "a/b/c"}, {".", "."}, {"./", "."},
		{"a", "a"}, {"...", "..."}, {"..a/b..", "..a/b.."}};
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct err err = {0};
		_cleanup_free_ char *got = NULL;
		assert_ok(entry_path(pairs[i][0], &got, &err), &err);
		assert_string_equal(got, pairs[i][1]);
	}
	struct err err = {0};
	char *none = NULL;
	assert_fails(entry_path("", &none, &err), &err, ERR_INVALID, "without a name");
	assert_fails(entry_path("a/..", &none, &err), &err, ERR_INVALID, "upwards");
	assert_null(none);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_keeps),
	cmocka_unit_test(test_one_id_whatever_the_compression),
	cmocka_unit_test(test_xattrs),
	cmocka_unit_test(test_refuses_paths),
	cmocka_unit_test(test_refuses_links),
	cmocka_unit_test(test_refuses_kinds),
	cmocka_unit_test(test_refuses_second_entries),
	cmocka_unit_test(test_refuses_too_many_bytes),
	cmocka_unit_test(test_refuses_too_many_entries),
	cmocka_unit_test(test_refuses_incomplete),
	cmocka_unit_test(test_refuses_truncated),
	cmocka_unit_test(test_directory),
	cmocka_unit_test(test_fingerprint),
	cmocka_unit_test(test_entry_path),
};
UNIT_MAIN(tests, group_setup, group_teardown)
