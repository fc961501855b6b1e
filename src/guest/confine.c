/* SPDX-License-Identifier: Apache-2.0 */
/* Confinement of a program: see confine.h. capset(2) by hand: no libcap in the ramdisk. */
#include "guest/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "proto/caps.h"

#define BIT(n) (UINT64_C(1) << (n))

int confine_oom(int adj, struct err *err)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", adj);
	_cleanup_fd_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		return err_sys(err, "set oom_score_adj to %d", adj);
	return 0;
}

/* Up to the last capability that the kernel knows: it may be newer than our list. */
int confine_bound(uint64_t caps, struct err *err)
{
	int there = 0;
	if (caps == CAPS_ALL)
		return 0;
	for (int cap = 0; cap < 64 && (there = prctl(PR_CAPBSET_READ, cap, 0, 0, 0)) >= 0; cap++) {
		if (!there || (caps & BIT(cap)))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return err_sys(err, "drop capability %d", cap);
	}
	return 0;
}

struct cap_sets {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static void limit_word(struct __user_cap_data_struct *d, uint32_t keep)
{
	d->permitted &= keep;
	d->effective &= keep;
	/* An inheritable set lets file capabilities through that nobody meant (CVE-2022-24769). */
	d->inheritable = 0;
}

/* What the process itself has until execve(2) computes it anew from the bounding set. */
static int limit_own(uint64_t keep, bool *ret_admin, struct err *err)
{
	struct cap_sets sets = {.head = {.version = _LINUX_CAPABILITY_VERSION_3}};
	if (syscall(SYS_capget, &sets.head, sets.data) < 0)
		return err_sys(err, "read the capabilities");
	limit_word(&sets.data[0], (uint32_t)keep);
	limit_word(&sets.data[1], (uint32_t)(keep >> 32));
	if (syscall(SYS_capset, &sets.head, sets.data) < 0)
		return err_sys(err, "limit the capabilities");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(err, "clear the ambient capabilities");
	*ret_admin = sets.data[0].effective & BIT(CAPS_SYS_ADMIN);
	return 0;
}

static int install_filter(const struct podspec_filter *filter, struct err *err)
{
	struct sock_fprog program = {
		.len = (unsigned short)(filter->size / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(void *)filter->program,
	};
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return err_sys(err, "install the system call filter");
	return 0;
}

int confine_seal(const struct confine *c, struct err *err)
{
	bool admin = false;
	/* Needed once more, for the filter; the bounding set takes it away at execve(2). */
	uint64_t keep = c->caps | (c->filter ? BIT(CAPS_SYS_ADMIN) : 0);
	if (limit_own(c->caps == CAPS_ALL ? UINT64_MAX : keep, &admin, err) < 0)
		return -1;
	if ((c->no_new_privileges || (c->filter && !admin)) &&
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "set no_new_privs");
	return c->filter ? install_filter(c->filter, err) : 0;
}
