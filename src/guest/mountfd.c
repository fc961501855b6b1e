/* SPDX-License-Identifier: Apache-2.0 */
/* Mounting between descriptors: see mountfd.h, open_tree(2), move_mount(2), mount_setattr(2). */
#include "guest/mountfd.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>

#include "base/cleanup.h"

int mountfd_new(
	int target, const char *type, unsigned long flags, const char *options, struct err *err)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", target);
	if (mount(type, path, type, flags, options) < 0)
		return err_sys(err, "mount %s", type);
	return 0;
}

static int set_attrs(int fd, uint64_t attrs, struct err *err)
{
	struct mount_attr attr = {.attr_set = attrs};
	if (attrs && mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(err, "set the flags of a mount");
	return 0;
}

int mountfd_bind(int source, int target, uint64_t attrs, struct err *err)
{
	/* Flags are set before anybody can see it: it was never there without them. */
	_cleanup_fd_ int tree = open_tree(
		source, "", (unsigned)AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return err_sys(err, "clone a mount");
	if (set_attrs(tree, attrs, err) < 0)
		return -1;
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "attach a mount");
	return 0;
}

int mountfd_read_only(int fd, struct err *err)
{
	return set_attrs(fd, MOUNT_ATTR_RDONLY, err);
}
