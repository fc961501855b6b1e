/* SPDX-License-Identifier: Apache-2.0 */
/* A new volume's first content, taken from an image that means no good (contract 3.3). */
/* LINK: stage1 appc proto base */
/* VALGRIND: no, 3.19 does not know openat2(2) */
#include "unit.h"

#include <dirent.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "fdcount.h"
#include "mountns.h"
#include "stage1/seed.h"

#define DEEPEST 128  /* as seed.c has it */
#define BLOCK   4096 /* in which a tmpfs has holes */
#define BIG     (17 * 1024 * 1024)

/* The next copy's; what one copied counts for the next. */
static const struct seed_limits no_limits = {.entries = INT64_MAX, .bytes = INT64_MAX};
static struct seed copy;

static int group_setup(void **state)
{
	return mountns_setup(state) < 0 ? -1 : mkdir("t", 0755);
}

/* The image is root/, the volume to/; what no image may reach is outside/. */
static int setup(void **state)
{
	if (chdir(mountns_dir) < 0)
		return -1;
	mountns_tmpfs("t");
	assert_int_equal(chdir("t"), 0);
	mountns_mkdir("root");
	mountns_mkdir("to");
	mountns_mkdir("outside");
	mountns_write("outside/secret", "secret");
	copy = (struct seed){.limits = &no_limits};
	return fd_count_setup(state);
}

static int teardown(void **state)
{
	umask(022);
	int r = fd_count_teardown(state);
	return chdir(mountns_dir) < 0 || umount2("t", MNT_DETACH) < 0 ? -1 : r;
}

static int seed(const char *path, struct err *err)
{
	_cleanup_fd_ int root = open("root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int to = open("to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0 && to >= 0);
	return seed_copy(&copy, root, path, to, err);
}

static void seed_all_but(const char *path, size_t left_out)
{
	struct err err = {0};
	assert_call(seed(path, &err), &err, 1);
	assert_int_equal(copy.left_out, left_out);
}

static void seed_all(const char *path)
{
	seed_all_but(path, 0);
}

static void another_volume(void)
{
	static unsigned n;
	char old[32];
	snprintf(old, sizeof old, "seeded%u", n++);
	assert_int_equal(rename("to", old), 0);
	mountns_mkdir("to");
}

static int entries(const char *path)
{
	int n = 0;
	_cleanup_dir_ DIR *d = opendir(path);
	assert_non_null(d);
	while (readdir(d))
		n++;
	return n - 2;
}

static void link_is(const char *path, const char *want)
{
	char got[PATH_MAX] = "";
	assert_true(readlink(path, got, sizeof got - 1) >= 0);
	assert_string_equal(got, want);
}

/* Owner, mode and times, in that order: the one takes bits of the other. */
static void give(const char *path, uid_t uid, mode_t mode)
{
	const struct timespec times[] = {{1000 + uid, 123456789}, {2000 + uid, 987654321}};
	assert_int_equal(lchown(path, uid, uid + 1), 0);
	if (mode != S_IFLNK)
		assert_int_equal(chmod(path, mode), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void given(const char *path, uid_t uid, mode_t mode)
{
	struct stat st;
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, uid + 1);
	if (mode != S_IFLNK)
		assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(st.st_atim.tv_sec, 1000 + uid);
	assert_int_equal(st.st_atim.tv_nsec, 123456789);
	assert_int_equal(st.st_mtim.tv_sec, 2000 + uid);
	assert_int_equal(st.st_mtim.tv_nsec, 987654321);
}

/* ---- what is copied ---------------------------------------------------------------------------- */

static void owners_modes_and_times_are_the_images(void **state)
{
	(void)state;
	static const struct {
		const char *path; /* what is below comes first: making it changes the times */
		mode_t mode;
	} rows[] = {
		{"/d/e/setuid", 06755},
		{"/d/e/none", 0},
		{"/d/e/link", S_IFLNK},
		{"/d/e", 03770},
		{"/d", 0500},
		{"", 01751},
	};
	char path[64];
	mountns_mkdir("root/data");
	mountns_mkdir("root/data/d");
	mountns_mkdir("root/data/d/e");
	mountns_write("root/data/d/e/setuid", "program");
	mountns_write("root/data/d/e/none", "");
	assert_int_equal(symlink("setuid", "root/data/d/e/link"), 0);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(path, sizeof path, "root/data%s", rows[i].path);
		give(path, 100 * (i + 1), rows[i].mode);
	}
	umask(077);
	seed_all("/data");
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(path, sizeof path, "to%s", rows[i].path);
		given(path, 100 * (i + 1), rows[i].mode);
	}
	mountns_reads(AT_FDCWD, "to/d/e/setuid", "program");
	mountns_reads(AT_FDCWD, "to/d/e/none", "");
	link_is("to/d/e/link", "setuid");
	assert_int_equal(entries("to/d/e"), 3);
}

static void large_files_are_whole(void **state)
{
	(void)state;
	struct stat st;
	char end[4] = "";
	mountns_mkdir("root/data");
	mountns_write("root/data/big", "");
	_cleanup_fd_ int from = open("root/data/big", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(from, "end", 3, BIG), 3);
	seed_all("/data");
	_cleanup_fd_ int to = open("to/big", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_size, BIG + 3);
	assert_int_equal(pread(to, end, 3, BIG), 3);
	assert_string_equal(end, "end");
}

static void links_are_copied_and_never_followed(void **state)
{
	(void)state;
	char absolute[256];
	struct stat st;
	char longest[PATH_MAX];
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	snprintf(absolute, sizeof absolute, "%s/t/outside", mountns_dir);
	mountns_mkdir("root/data");
	assert_int_equal(symlink(absolute, "root/data/absolute"), 0);
	assert_int_equal(symlink("../outside", "root/data/up"), 0);
	assert_int_equal(symlink("../outside/secret", "root/data/secret"), 0);
	assert_int_equal(symlink("nothing", "root/data/dangling"), 0);
	assert_int_equal(symlink("loop", "root/data/loop"), 0);
	assert_int_equal(symlink(longest, "root/data/longest"), 0);
	assert_int_equal(lchown("root/data/secret", 7, 8), 0);
	seed_all("/data");
	link_is("to/absolute", absolute);
	link_is("to/up", "../outside");
	link_is("to/secret", "../outside/secret");
	link_is("to/dangling", "nothing");
	link_is("to/loop", "loop");
	link_is("to/longest", longest);
	assert_int_equal(entries("to"), 6);
	assert_int_equal(stat("outside/secret", &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(entries("outside"), 1);
}

static void make_socket(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	strncpy(sa.sun_path, path, sizeof sa.sun_path - 1);
	_cleanup_fd_ int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&sa, sizeof sa), 0);
}

static void devices_and_their_like_are_left_out_and_counted(void **state)
{
	(void)state;
	struct err err = {0};
	mountns_mkdir("root/data");
	mountns_mkdir("root/data/d");
	mountns_write("root/data/d/file", "file");
	assert_int_equal(mknod("root/data/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	assert_int_equal(mknod("root/data/d/disk", S_IFBLK | 0666, makedev(8, 0)), 0);
	assert_int_equal(mkfifo("root/data/d/fifo", 0666), 0);
	make_socket("root/data/d/socket");
	assert_call(seed("/data", &err), &err, 1);
	assert_int_equal(copy.left_out, 4);
	assert_int_equal(entries("to"), 1);
	assert_int_equal(entries("to/d"), 1);
	mountns_reads(AT_FDCWD, "to/d/file", "file");
}

/* `n` directories, each in the one before. */
static void nest(int n)
{
	char path[4 * DEEPEST] = "root/data";
	mountns_mkdir(path);
	for (int i = 0; i < n; i++)
		mountns_mkdir(strcat(path, "/n"));
}

static void nesting_has_a_limit(void **state)
{
	(void)state;
	struct err err = {0};
	char path[4 * DEEPEST] = "to";
	struct stat st;
	nest(DEEPEST);
	seed_all("/data");
	for (int i = 0; i < DEEPEST; i++)
		strcat(path, "/n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(rename("root/data", "root/less"), 0);
	another_volume();
	nest(DEEPEST + 1);
	assert_fails(seed("/data", &err), &err, ERR_FULL, "nested deeper than 128");
}

/* Everything counts, at any depth, and for all volumes together. */
static void entries_have_a_total_limit(void **state)
{
	(void)state;
	struct err err = {0};
	static const struct seed_limits limits = {.entries = 7, .bytes = INT64_MAX};
	copy.limits = &limits;
	mountns_mkdir("root/data");
	mountns_mkdir("root/data/d");
	mountns_write("root/data/d/file", "");
	assert_int_equal(symlink("x", "root/data/link"), 0);
	assert_int_equal(mkfifo("root/data/fifo", 0666), 0);
	seed_all_but("/data", 1);
	assert_int_equal(copy.entries, 4);
	another_volume();
	assert_fails(seed("/data", &err), &err, ERR_FULL,
		"the pod's volumes would get more than 7 entries from images; give the mount point "
		"a volume");
	assert_int_equal(unlink("root/data/link"), 0);
	copy.entries = 4;
	another_volume();
	seed_all_but("/data", 1);
}

/* By what is written: holes are free, and each name of a file is another file. */
static void bytes_have_a_total_limit(void **state)
{
	(void)state;
	struct err err = {0};
	static const struct seed_limits limits = {.entries = INT64_MAX, .bytes = 2 * BLOCK};
	copy.limits = &limits;
	mountns_mkdir("root/data");
	mountns_write("root/data/sparse", "");
	_cleanup_fd_ int fd = open("root/data/sparse", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, BIG / BLOCK * BLOCK), 1);
	assert_int_equal(ftruncate(fd, BIG + 2 * BLOCK), 0);
	seed_all("/data");
	assert_true(copy.bytes > 0 && copy.bytes <= BLOCK);
	copy.bytes = 0;
	another_volume();
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(link("root/data/sparse", "root/data/again"), 0);
	assert_fails(seed("/data", &err), &err, ERR_FULL,
		"the pod's volumes would get more than 8192 bytes from images; give the mount "
		"point a volume");
	struct stat st;
	off_t used = 0;
	if (stat("to/sparse", &st) == 0)
		used += st.st_blocks * 512;
	if (stat("to/again", &st) == 0)
		used += st.st_blocks * 512;
	assert_true(used <= limits.bytes);
	assert_int_equal(unlink("root/data/again"), 0);
	copy.bytes = 0;
	another_volume();
	seed_all("/data");
}

static void a_full_disk_is_told(void **state)
{
	(void)state;
	struct err err = {0};
	mountns_mkdir("root/data");
	mountns_write("root/data/file", "");
	_cleanup_fd_ int fd = open("root/data/file", O_WRONLY | O_CLOEXEC);
	for (int i = 0; i < 16; i++)
		assert_int_equal(pwrite(fd, "x", 1, i * BLOCK), 1);
	assert_int_equal(mount("test", "to", "tmpfs", 0, "size=16k"), 0);
	assert_fails(seed("/data", &err), &err, ERR_FULL,
		"copy /data of the image: file: copy: No space left on device");
	assert_int_equal(umount2("to", MNT_DETACH), 0);
}

static void what_is_in_the_volume_is_not_written_through(void **state)
{
	(void)state;
	struct err err = {0};
	mountns_mkdir("root/data");
	mountns_write("root/data/file", "evil");
	assert_int_equal(symlink("../outside/secret", "to/file"), 0);
	assert_fails(seed("/data", &err), &err, ERR_EXISTS,
		"copy /data of the image: file: File exists");
	mountns_reads(AT_FDCWD, "outside/secret", "secret");
}

/* ---- the way there ----------------------------------------------------------------------------- */

/* T is replaced by where the test's directory is on the host. */
static const struct way {
	const char *link; /* what root/l points to */
	const char *path; /* the mount point */
	int want;         /* 1: root/data was copied, 0: nothing is there, -1: refused */
	enum err_code code;
} ways[] = {
	{"x", "/data", 1, 0},
	{"x", "data/", 1, 0},
	{"x", "/sub/../data/.", 1, 0},
	{"x", "/../../../data", 1, 0},
	{"data", "/l", 1, 0},
	{"/data", "/l", 1, 0},
	{"../../../../data", "/l", 1, 0},
	{"/sub/../../data", "/l", 1, 0},
	{"/sub/to-data", "/l", 1, 0},
	{"/", "/l/data", 1, 0},
	{"/sub", "/l/to-data/", 1, 0},
	{"x", "/nothing", 0, 0},
	{"x", "/data/no/such", 0, 0},
	{"x", "/l", 0, 0}, /* dangling */
	{"x", "/../outside", 0, 0},
	{"../outside", "/l", 0, 0},
	{"../../outside", "/sub/../l", 0, 0},
	{"T/outside", "/l", 0, 0},
	{"..", "/l/outside", 0, 0},
	{"x", "/file", -1, ERR_INVALID},
	{"x", "/file/below", -1, ERR_INVALID},
	{"file", "/l", -1, ERR_INVALID},
	{"x", "/fifo", -1, ERR_INVALID}, /* nor is it waited for */
	{"x", "/null", -1, ERR_INVALID},
	{"l", "/l", -1, ERR_SYSTEM},
};

static void make_image(const char *link)
{
	char target[256];
	mountns_mkdir("root/data");
	mountns_write("root/data/image", "image");
	mountns_mkdir("root/sub");
	assert_int_equal(symlink("../../data", "root/sub/to-data"), 0);
	mountns_write("root/file", "");
	assert_int_equal(mkfifo("root/fifo", 0600), 0);
	assert_int_equal(mknod("root/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	snprintf(target, sizeof target, "%s/t%s", mountns_dir, link + 1);
	assert_int_equal(symlink(*link == 'T' ? target : link, "root/l"), 0);
}

static void check_way(const struct way *w)
{
	struct err err = {0};
	int got = seed(w->path, &err);
	if (got != w->want || err.code != w->code || entries("to") != (got > 0))
		fail_msg("%s, link to %s: %d %s, %d entries", w->path, w->link, got, err_msg(&err),
			entries("to"));
	if (got < 0)
		assert_non_null(strstr(err_msg(&err), w->path));
	else if (got > 0)
		mountns_reads(AT_FDCWD, "to/image", "image");
	assert_int_equal(copy.left_out, 0);
	err_done(&err);
}

static void links_on_the_way_stay_inside_the_image(void **state)
{
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		make_image(ways[i].link);
		check_way(&ways[i]);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static void nothing_there_leaves_the_volume_alone(void **state)
{
	(void)state;
	struct err err = {0};
	give("to", 300, 0712);
	assert_call(seed("/data", &err), &err, 0);
	given("to", 300, 0712);
}

#define seed_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
	seed_test(owners_modes_and_times_are_the_images),
	seed_test(large_files_are_whole),
	seed_test(links_are_copied_and_never_followed),
	seed_test(devices_and_their_like_are_left_out_and_counted),
	seed_test(nesting_has_a_limit),
	seed_test(entries_have_a_total_limit),
	seed_test(bytes_have_a_total_limit),
	seed_test(a_full_disk_is_told),
	seed_test(what_is_in_the_volume_is_not_written_through),
	seed_test(links_on_the_way_stay_inside_the_image),
	seed_test(nothing_there_leaves_the_volume_alone),
};

UNIT_MAIN(tests, group_setup, mountns_teardown)
