/* SPDX-License-Identifier: Apache-2.0 */
/* The filter for QEMU: see guard.h. Made before the fork, since libseccomp allocates. */
#include "act/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"

#define NO_FLAGS UINT32_MAX /* the call has none that matter */

/* Calls that set a file's mode: which argument it is, and which has open(2)'s flags. */
static const struct {
	int call;
	unsigned mode;
	unsigned flags;
} setters[] = {
	{SCMP_SYS(chmod), 1, NO_FLAGS},
	{SCMP_SYS(fchmod), 1, NO_FLAGS},
	{SCMP_SYS(fchmodat), 2, NO_FLAGS},
	{SCMP_SYS(creat), 1, NO_FLAGS},
	{SCMP_SYS(open), 2, 1},
	{SCMP_SYS(openat), 3, 2},
};

/* setgid without the group's execute bit is no program. A directory with both is refused as well:
 * the call does not say what it is for. */
static const uint64_t programs[] = {S_ISUID, S_ISGID | S_IXGRP};

static int refuse_mode(scmp_filter_ctx ctx, int call, unsigned mode, unsigned flags, uint64_t bits)
{
	struct scmp_arg_cmp of_mode = SCMP_CMP64(mode, SCMP_CMP_MASKED_EQ, bits, bits);
	if (flags == NO_FLAGS)
		return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call, 1, of_mode);
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call, 2,
		SCMP_CMP64(flags, SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT), of_mode);
}

static int refuse_node(scmp_filter_ctx ctx, int call, unsigned mode, uint64_t type)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call, 1,
		SCMP_CMP64(mode, SCMP_CMP_MASKED_EQ, S_IFMT, type));
}

static int fill(scmp_filter_ctx ctx)
{
	static const uint64_t devices[] = {S_IFCHR, S_IFBLK};
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(setters); i++)
		for (size_t k = 0; k < ARRAY_SIZE(programs) && r == 0; k++)
			r = refuse_mode(ctx, setters[i].call, setters[i].mode, setters[i].flags,
				programs[k]);
	for (size_t k = 0; k < ARRAY_SIZE(devices) && r == 0; k++) {
		r = refuse_node(ctx, SCMP_SYS(mknod), 1, devices[k]);
		if (r == 0)
			r = refuse_node(ctx, SCMP_SYS(mknodat), 2, devices[k]);
	}
	return r;
}

static int export(scmp_filter_ctx ctx, struct guard *g, struct err *err)
{
	struct stat st;
	_cleanup_fd_ int fd = memfd_create("guard", MFD_CLOEXEC);
	if (fd < 0 || seccomp_export_bpf(ctx, fd) < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "make the filter for QEMU");
	size_t size = (size_t)st.st_size;
	_cleanup_free_ struct sock_filter *program = xmalloc(size);
	if (pread(fd, program, size, 0) != (ssize_t)size)
		return err_sys(err, "read the filter for QEMU");
	g->n = size / sizeof *program;
	g->program = TAKE_PTR(program);
	return 0;
}

bool guard_needed(const json_t *trees)
{
	size_t i;
	json_t *tree;
	json_array_foreach (trees, i, tree)
		if (json_bool_opt(tree, "host", false) && !json_bool_opt(tree, "read_only", false))
			return true;
	return false;
}

int guard_make(struct guard *g, struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	if (!ctx)
		return err_set(err, ERR_SYSTEM, "libseccomp gives no filter");
	int r = fill(ctx);
	if (r < 0) {
		errno = -r;
		r = err_sys(err, "make the filter for QEMU");
	} else {
		r = export(ctx, g, err);
	}
	seccomp_release(ctx);
	return r;
}

void guard_done(struct guard *g)
{
	free(g->program);
	*g = (struct guard){0};
}

int guard_apply(const struct guard *g)
{
	struct sock_fprog program = {.len = (unsigned short)g->n, .filter = g->program};
	if (!g->n)
		return 0;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
