/* SPDX-License-Identifier: Apache-2.0 */
/* Opens paths confined to a root: see inroot.h. */
#include "base/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AGAIN_MAX 32

int inroot_open(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = -1;
	/* EAGAIN: something was renamed or mounted meanwhile, and a ".." could not be trusted. */
	for (int i = 0; i < AGAIN_MAX; i++) {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}
