/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel modules: see modules.h. */
#include "guest/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

#define LIST_MAX 65536

static int module_load(const char *path, struct err *err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open module %s", path);
	if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
		return err_sys(err, "load module %s", path);
	return 0;
}

int modules_load(const char *list, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	if (file_read_at(AT_FDCWD, list, LIST_MAX, &text, NULL, err) < 0)
		return -1;
	char *save = NULL;
	for (char *p = strtok_r(text, "\n", &save); p; p = strtok_r(NULL, "\n", &save)) {
		if (module_load(p, err) < 0)
			return -1;
	}
	return 0;
}
