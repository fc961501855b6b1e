/* SPDX-License-Identifier: Apache-2.0 */
/* The newc archive and the pod's ramdisk, read back by cpio(1), which is not ours. */
/* LINK: act proto base */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/cpio.h"
#include "act/ramdisk.h"
#include "base/cleanup.h"
#include "base/files.h"

static int memfd_of(const void *data, size_t len)
{
	struct err err = {0};
	int fd = memfd_create("test", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_ok(fd_write_all(fd, data, len, &err), &err);
	return fd;
}

/* What `cpio ARGS` prints of the archive in `fd` from `offset` on. Caller frees. */
static char *cpio_says(int fd, off_t offset, const char *args)
{
	char command[256];
	char *out = calloc(1, 65536);
	snprintf(command, sizeof command, "tail -c +%lld /proc/%d/fd/%d | cpio --quiet %s 2>&1",
		(long long)offset + 1, (int)getpid(), fd, args);
	FILE *p = popen(command, "r");
	assert_non_null(p);
	size_t n = fread(out, 1, 65535, p);
	out[n] = '\0';
	assert_int_equal(pclose(p), 0);
	return out;
}

static void cpio_reads_it(void **state)
{
	(void)state;
	_cleanup_cpio_ struct cpio c = {0};
	cpio_add_dir(&c, "d", 0750);
	cpio_add_file(&c, "d/empty", 0644, "", 0);
	cpio_add_file(&c, "d/one", 0600, "1", 1);
	cpio_add_file(&c, "d/four", 04755, "1234", 4);
	cpio_end(&c);
	assert_int_equal(c.len % 4, 0);
	_cleanup_fd_ int fd = memfd_of(c.data, c.len);
	_cleanup_free_ char *names = cpio_says(fd, 0, "-it");
	assert_string_equal(names, "d\nd/empty\nd/one\nd/four\n");
	_cleanup_free_ char *one = cpio_says(fd, 0, "-i --to-stdout d/one");
	assert_string_equal(one, "1");
	_cleanup_free_ char *list = cpio_says(fd, 0, "-itvn");
	assert_non_null(strstr(list, "drwxr-x---   2 0        0"));
	assert_non_null(strstr(list, "-rw-------   1 0        0"));
	assert_non_null(strstr(list, "-rwsr-xr-x   1 0        0"));
}

static void names_of_every_length(void **state)
{
	(void)state;
	_cleanup_cpio_ struct cpio c = {0};
	char name[16] = "";
	char want[128] = "";
	size_t at = 0;
	for (int len = 1; len <= 9; len++) {
		name[len - 1] = 'n';
		cpio_add_file(&c, name, 0644, "abcdefghi", (size_t)len);
		at += (size_t)snprintf(want + at, sizeof want - at, "%s\n", name);
	}
	cpio_end(&c);
	_cleanup_fd_ int fd = memfd_of(c.data, c.len);
	_cleanup_free_ char *names = cpio_says(fd, 0, "-it");
	assert_string_equal(names, want);
	_cleanup_free_ char *last = cpio_says(fd, 0, "-i --to-stdout nnnnnnnnn");
	assert_string_equal(last, "abcdefghi");
}

/* Whatever the base's length, it comes first as it is and the spec's archive begins at 4n. */
static void ramdisk_is_base_then_spec(void **state)
{
	(void)state;
	static const char spec[] = "{\"version\":1}";
	static const char base[] = "07070707base";
	for (size_t len = 5; len <= 12; len++) {
		struct err err = {0};
		char head[16] = "";
		_cleanup_fd_ int from = memfd_of(base, len);
		_cleanup_fd_ int fd = ramdisk_make(from, spec, strlen(spec), &err);
		assert_true(fd >= 0);
		assert_int_equal(pread(fd, head, len, 0), len);
		assert_memory_equal(head, base, len);
		off_t second = (off_t)((len + 3) / 4 * 4);
		_cleanup_free_ char *names = cpio_says(fd, second, "-it");
		assert_string_equal(names, "xenpod\nxenpod/spec.json\n");
		_cleanup_free_ char *text =
			cpio_says(fd, second, "-i --to-stdout xenpod/spec.json");
		assert_string_equal(text, spec);
	}
}

static void ramdisk_needs_a_file(void **state)
{
	(void)state;
	struct err err = {0};
	int p[2];
	assert_int_equal(pipe(p), 0);
	assert_fails(ramdisk_make(p[0], "{}", 2, &err), &err, ERR_INVALID, "ramdisk");
	close(p[0]);
	close(p[1]);
	_cleanup_fd_ int empty = memfd_of("", 0);
	assert_fails(ramdisk_make(empty, "{}", 2, &err), &err, ERR_INVALID, "ramdisk");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(cpio_reads_it),
	cmocka_unit_test(names_of_every_length),
	cmocka_unit_test(ramdisk_is_base_then_spec),
	cmocka_unit_test(ramdisk_needs_a_file),
};

UNIT_MAIN(tests, NULL, NULL)
