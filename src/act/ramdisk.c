/* SPDX-License-Identifier: Apache-2.0 */
/* Base cpio + spec cpio in a memfd: see ramdisk.h. */
#include "act/ramdisk.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/cpio.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "proto/spec.h"

static int copy_base(int to, int from, struct err *err)
{
	off_t at = 0;
	struct stat st;
	if (fstat(from, &st) < 0)
		return err_sys(err, "ramdisk");
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return err_set(err, ERR_INVALID, "the ramdisk is not a file with something in it");
	while (at < st.st_size) {
		ssize_t n = sendfile(to, from, &at, (size_t)(st.st_size - at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "copy ramdisk");
		if (n == 0)
			return err_set(err, ERR_INVALID, "the ramdisk shrank while it was copied");
	}
	return 0;
}

/* The kernel looks for the next archive at a multiple of four. */
static int pad_to_4(int fd, struct err *err)
{
	static const char zeros[4];
	off_t len = lseek(fd, 0, SEEK_CUR);
	if (len < 0)
		return err_sys(err, "ramdisk");
	return fd_write_all(fd, zeros, (size_t)((4 - len % 4) % 4), err);
}

static int write_spec(int fd, const char *spec, size_t len, struct err *err)
{
	_cleanup_cpio_ struct cpio c = {0};
	/* SPEC_PATH_IN_GUEST, without its leading slash */
	cpio_add_dir(&c, "xenpod", 0700);
	cpio_add_file(&c, &SPEC_PATH_IN_GUEST[1], 0600, spec, len);
	cpio_end(&c);
	return fd_write_all(fd, c.data, c.len, err);
}

int ramdisk_make(int base, const char *spec, size_t len, struct err *err)
{
	_cleanup_fd_ int fd = memfd_create("xenpod-ramdisk", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "memory for the ramdisk");
	if (copy_base(fd, base, err) < 0 || pad_to_4(fd, err) < 0 ||
		write_spec(fd, spec, len, err) < 0)
		return err_wrap(err, "cannot make the pod's ramdisk");
	return TAKE_FD(fd);
}
