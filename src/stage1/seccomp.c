/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles seccomp isolators: see seccomp.h. What is not allowed ends the process by SIGSYS, as with
 * systemd's SystemCallFilter=, or gets the isolator's errno.
 */
#include "stage1/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "proto/spec.h"
#include "stage1/syscalls.h"

#define ERRNO_LAST  133 /* EHWPOISON, the last of <asm-generic/errno.h> */
#define CALL_MAX    64
#define API_LEVEL   3 /* of libseccomp: knows SCMP_ACT_KILL_PROCESS; the guest's kernel does */
#define OPTIMIZE    2 /* a binary tree: what is asked for last is found as quickly as the first */
#define PROGRAM_MAX (SPEC_FILTER_MAX * sizeof(struct sock_filter))

struct filter {
	scmp_filter_ctx ctx;
	bool allows;     /* what is listed is allowed, else it is what is denied */
	uint32_t action; /* for what is listed */
	size_t added;
};

static int errno_of(const char *name, int *ret, struct err *err)
{
	for (int e = 1; e <= ERRNO_LAST; e++) {
		const char *known = strerrorname_np(e);
		if (!known || strcmp(known, name))
			continue;
		*ret = e;
		return 0;
	}
	return err_set(err, ERR_INVALID, "\"errno\": \"%s\" is not the name of an error", name);
}

static int add_call(struct filter *f, const char *name, bool ours, struct err *err)
{
	int nr = seccomp_syscall_resolve_name(name);
	if (nr == __NR_SCMP_ERROR && ours)
		return 0; /* newer than this libseccomp: nobody can call it by a rule anyway */
	if (nr == __NR_SCMP_ERROR)
		return err_set(err, ERR_INVALID, "\"%s\" is not a system call", name);
	if (!f->allows && !strcmp(name, "execve"))
		return err_set(err, ERR_INVALID,
			"\"set\" takes execve away, by which the app itself is started");
	int r = seccomp_rule_add(f->ctx, f->action, nr, 0);
	if (r < 0 && r != -EEXIST) {
		errno = -r;
		return err_sys(err, "system call %s", name);
	}
	f->added++;
	return 0;
}

static int add_named_set(struct filter *f, const char *set, struct err *err)
{
	const char *calls = syscalls_of(set);
	for (const char *p = calls ? calls : ""; *p;) {
		char name[CALL_MAX];
		size_t len = strcspn(p, " ");
		memcpy(name, p, len);
		name[len] = '\0';
		if (add_call(f, name, true, err) < 0)
			return -1;
		p += len + (p[len] ? 1 : 0);
	}
	if (!calls)
		log_debug("seccomp: there is no set %s, it is left out", set);
	return 0;
}

static bool names_have(const json_t *names, const char *wanted)
{
	size_t i;
	const json_t *v;
	json_array_foreach (names, i, v) {
		if (!strcmp(json_string_value(v), wanted))
			return true;
	}
	return false;
}

/* Nothing of a set may be left to be asked of the default: rkt looks for these two first. */
static const json_t *listed(const struct appc_set *set)
{
	bool none =
		names_have(set->names, "@appc.io/empty") || names_have(set->names, "@appc.io/all");
	return none ? NULL : set->names;
}

static int add_listed(struct filter *f, const json_t *names, struct err *err)
{
	size_t i;
	const json_t *v;
	json_array_foreach (names, i, v) {
		const char *name = json_string_value(v);
		int r = *name == '@' ? add_named_set(f, name, err) : add_call(f, name, false, err);
		if (r < 0)
			return -1;
	}
	return 0;
}

static int filter_begin(struct filter *f, bool allows, uint32_t refusal, struct err *err)
{
	if (f->ctx)
		seccomp_release(f->ctx);
	*f = (struct filter){.allows = allows, .action = allows ? SCMP_ACT_ALLOW : refusal};
	f->ctx = seccomp_init(allows ? refusal : SCMP_ACT_ALLOW);
	if (!f->ctx || seccomp_arch_add(f->ctx, SCMP_ARCH_X86) < 0 ||
		seccomp_arch_add(f->ctx, SCMP_ARCH_X32) < 0 ||
		seccomp_attr_set(f->ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) < 0 ||
		seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE) < 0)
		return err_set(err, ERR_SYSTEM, "libseccomp cannot make a filter");
	return 0;
}

static int fill(struct filter *f, const struct appc_set *set, uint32_t refusal, struct err *err)
{
	const json_t *names = listed(set);
	if (filter_begin(f, set->kind == APPC_SET_RETAIN, refusal, err) < 0 ||
		add_listed(f, names, err) < 0)
		return -1;
	if (!f->added && (filter_begin(f, true, refusal, err) < 0 ||
				 add_named_set(f, SYSCALLS_DEFAULT, err) < 0))
		return -1;
	return f->allows ? add_named_set(f, SYSCALLS_IMPLIED, err) : 0;
}

static int export(const struct filter *f, char **ret, struct err *err)
{
	_cleanup_fd_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	_cleanup_free_ char *program = NULL;
	if (fd < 0)
		return err_sys(err, "memfd");
	int r = seccomp_export_bpf(f->ctx, fd);
	if (r < 0) {
		errno = -r;
		return err_sys(err, "libseccomp cannot make the program");
	}
	program = xmalloc(PROGRAM_MAX + 1);
	ssize_t len = pread(fd, program, PROGRAM_MAX + 1, 0);
	if (len < 0)
		return err_sys(err, "memfd");
	if ((size_t)len > PROGRAM_MAX)
		return err_set(err, ERR_INVALID, "the program is longer than the kernel takes");
	*ret = base64_encode(program, (size_t)len);
	return 0;
}

int seccomp_program(const struct appc_set *set, char **ret, struct err *err)
{
	struct filter f = {0};
	uint32_t refusal = SCMP_ACT_KILL_PROCESS;
	int number = 0;
	*ret = NULL;
	if (set->kind == APPC_SET_RETAIN && names_have(set->names, "@appc.io/all"))
		return 0;
	if (set->kind != APPC_SET_NONE && *set->error_name) {
		if (errno_of(set->error_name, &number, err) < 0)
			return -1;
		refusal = SCMP_ACT_ERRNO((uint16_t)number);
	}
	seccomp_api_set(API_LEVEL); /* Dom-0's kernel, which libseccomp asks, is not the guest's */
	int r = fill(&f, set, refusal, err);
	if (r == 0)
		r = export(&f, ret, err);
	if (f.ctx)
		seccomp_release(f.ctx);
	return r;
}
