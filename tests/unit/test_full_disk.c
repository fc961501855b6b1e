/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: storekit.c */
/* VALGRIND: deep, thousands of commits */
/*
 * A file system that a guest has filled to the last block: pods still end, and their end is told.
 * And what a guest makes others write about it does not fill one.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "daemon/logs.h"
#include "daemon/rktfiles.h"
#include "mountns.h"
#include "storekit.h"

#define TURNS 3000 /* more than the log holds: it is folded into the database and begins again */

static struct err err;

static void fill(void)
{
	static char block[65536];
	_cleanup_fd_ int fd = open("full/filler", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	for (size_t n = sizeof block; n >= 512; n /= 2)
		while (write(fd, block, n) == (ssize_t)n)
			;
	assert_int_equal(write(fd, block, sizeof block), -1);
	assert_int_equal(errno, ENOSPC);
}

static void setup(void)
{
	mountns_mkdir("full");
	assert_int_equal(mount("test", "full", "tmpfs", 0, "mode=755,size=24m"), 0);
}

static void teardown(void)
{
	assert_int_equal(umount2("full", MNT_DETACH), 0);
	assert_int_equal(rmdir("full"), 0);
	err_done(&err);
}

static void pods_end_on_a_full_disk(void **state)
{
	(void)state;
	struct store *s = NULL;
	setup();
	assert_ok(store_open("full/store/db", STORE_RW_CREATE, &s, &err), &err);
	assert_ok(kit_turn(s, KIT_UUID, 0, &err), &err);
	fill();
	for (int i = 1; i < TURNS; i++) {
		assert_ok(store_begin(s, &err), &err);
		assert_ok(kit_write(s, KIT_UUID, i, &err), &err);
		(void)store_history_prune(s, 10, &err);
		assert_ok(store_commit(s, &err), &err);
	}
	/* A clean end gives nothing back, or it would be taken before the next start. */
	store_close(s);
	fill();
	assert_ok(store_open("full/store/db", STORE_RW_CREATE, &s, &err), &err);
	assert_ok(kit_turn(s, KIT_UUID, TURNS, &err), &err);
	assert_int_equal(kit_seq(s, KIT_UUID), TURNS);
	store_close(s);
	teardown();
}

static void their_codes_are_told_on_a_full_disk(void **state)
{
	(void)state;
	struct pod_app app[] = {
		{.name = "web", .kind = GSTATE_EXITED, .code = 7},
		{.name = "db"},
	};
	setup();
	mountns_mkdir("full/status");
	_cleanup_fd_ int dir = open("full", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ char *path = xasprintf("status/%s", app[i].name);
		assert_ok(file_reserve_at(dir, path, &err), &err);
		assert_int_equal(faccessat(dir, path, F_OK, 0), -1);
	}
	fill();
	assert_int_equal(file_write_atomic_at(dir, "other", "1\n", 2, 0644, &err), -1);
	err_done(&err);
	assert_ok(rktfiles_codes(dir, app, 2, &err), &err);
	mountns_reads(dir, "status/web", "7\n");
	assert_int_equal(faccessat(dir, "status/db", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "status/db.new", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "status/web.new", F_OK, 0), -1);
	teardown();
}

/* ---- logs ----------------------------------------------------------------------------------- */

static off_t on_disk(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_blocks * 512;
}

/* As xenconsoled does it: appends, and keeps its descriptor. */
static void append(int fd, const char *line, size_t times)
{
	for (size_t i = 0; i < times; i++)
		assert_int_equal(write(fd, line, strlen(line)), (ssize_t)strlen(line));
}

static void a_log_is_kept_small_and_its_end_is_kept(void **state)
{
	static char line[65537];
	(void)state;
	setup();
	memset(line, 'x', sizeof line - 1);
	mountns_mkdir("full/console");
	_cleanup_free_ char *path = logs_path("full", 1, KIT_UUID);
	assert_string_equal(path, "full/console/guest-" KIT_UUID ".log");
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	append(fd, line, LOGS_MAX_BYTES / 65536);
	assert_int_equal(logs_trim("full", KIT_UUID), 0);
	assert_int_equal(on_disk(path), LOGS_MAX_BYTES);
	/* more, in all, than the file system has */
	for (int i = 0; i < 30; i++) {
		append(fd, line, 2 << 20 >> 16);
		(void)logs_trim("full", KIT_UUID);
	}
	append(fd, "last words\n", 1);
	assert_true(on_disk(path) <= LOGS_MAX_BYTES + (2 << 20));
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	char end[11];
	_cleanup_fd_ int in = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(in, end, sizeof end, st.st_size - 11), 11);
	assert_memory_equal(end, "last words\n", 11);
	teardown();
}

static void what_is_no_log_is_not_touched(void **state)
{
	(void)state;
	setup();
	mountns_mkdir("full/console");
	assert_int_equal(mkfifo("full/qemu-dm-" KIT_UUID ".log", 0600), 0);
	assert_int_equal(symlink("../elsewhere", "full/console/guest-" KIT_UUID ".log"), 0);
	_cleanup_fd_ int fd = open("full/elsewhere", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(fallocate(fd, 0, 0, 2 * LOGS_MAX_BYTES), 0);
	assert_int_equal(logs_trim("full", KIT_UUID), 0);
	assert_int_equal(on_disk("full/elsewhere"), 2 * LOGS_MAX_BYTES);
	teardown();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_end_on_a_full_disk),
		cmocka_unit_test(their_codes_are_told_on_a_full_disk),
		cmocka_unit_test(a_log_is_kept_small_and_its_end_is_kept),
		cmocka_unit_test(what_is_no_log_is_not_touched),
	};
	return cmocka_run_group_tests(tests, mountns_setup, mountns_teardown);
}
