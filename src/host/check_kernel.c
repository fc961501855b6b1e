/* SPDX-License-Identifier: Apache-2.0 */
/* Dom-0's kernel: devices of Xen, modules for networks, cgroups, SELinux. */
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/check.h"
#include "host/check_parse.h"

enum module {
	MODULE_IN,       /* loaded, or built in */
	MODULE_LOADABLE, /* its file is there */
	MODULE_NONE,
};

static enum module module_look(const struct doctor *d, const char *name)
{
	_cleanup_free_ char *loaded = doctor_read(d, "/proc/modules");
	_cleanup_free_ char *release = doctor_read(d, "/proc/sys/kernel/osrelease");
	if (loaded && modules_loaded(loaded, name))
		return MODULE_IN;
	if (!release)
		return MODULE_NONE;
	release[strcspn(release, "\n")] = '\0';
	_cleanup_free_ char *builtin_at = xasprintf("/lib/modules/%s/modules.builtin", release);
	_cleanup_free_ char *builtin = doctor_read(d, builtin_at);
	_cleanup_free_ char *in = builtin ? modules_path(builtin, name) : NULL;
	if (in)
		return MODULE_IN;
	_cleanup_free_ char *deps_at = xasprintf("/lib/modules/%s/modules.dep", release);
	_cleanup_free_ char *deps = doctor_read(d, deps_at);
	_cleanup_free_ char *path = deps ? modules_path(deps, name) : NULL;
	if (!path)
		return MODULE_NONE;
	_cleanup_free_ char *file = xasprintf("/lib/modules/%s/%s", release, path);
	return doctor_has(d, file) ? MODULE_LOADABLE : MODULE_NONE;
}

static void todo_kernel(const struct doctor *d, struct finding *f)
{
	_cleanup_free_ char *install = doctor_install_of(d, "linux-image-amd64", "kernel-modules");
	finding_todo(f, "%s, and boot that kernel", install);
}

/* ---- devices ----------------------------------------------------------------------------------------- */

static bool device_is_there(const struct doctor *d, const char *name, struct finding *f)
{
	_cleanup_free_ char *node = xasprintf("/dev/xen/%s", name);
	_cleanup_free_ char *module = xasprintf("xen-%s", name);
	if (doctor_has(d, node))
		return true;
	switch (module_look(d, module)) {
	case MODULE_IN:
		finding_bad(f, FINDING_FAIL, "there is no %s, but %s is loaded", node, module);
		finding_todo(
			f, "modprobe -r %s; modprobe %s, and see that udevd runs", module, module);
		break;
	case MODULE_LOADABLE:
		finding_bad(f, FINDING_FAIL, "%s is not loaded: there is no %s", module, node);
		finding_todo(f,
			"modprobe %s; echo %s >/etc/modules-load.d/xenpod-%s.conf for each boot",
			module, module, name);
		break;
	case MODULE_NONE:
		finding_bad(f, FINDING_FAIL, "this kernel has no %s: there is no %s", module, node);
		todo_kernel(d, f);
	}
	return false;
}

/* privcmd and evtchn are libxl's, gntdev is that of QEMU's 9pfs and of the streams of apps. */
void check_devices(struct doctor *d, struct finding *f)
{
	static const char *const devices[] = {"privcmd", "evtchn", "gntdev"};
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (!device_is_there(d, devices[i], f))
			return;
	finding_ok(f, "privcmd, evtchn, gntdev");
}

/* The kernel loads them by itself when they are wanted. */
void check_net_modules(struct doctor *d, struct finding *f)
{
	static const char *const modules[] = {
		"xen-netback", "veth", "sch_ingress", "cls_bpf", "act_mirred"};
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		if (module_look(d, modules[i]) != MODULE_NONE)
			continue;
		finding_bad(f, FINDING_FAIL,
			"this kernel has no %s: pods with a network do not start", modules[i]);
		todo_kernel(d, f);
		return;
	}
	finding_ok(f, "xen-netback and what joins interfaces");
}

/* ---- policies ---------------------------------------------------------------------------------------- */

void check_cgroup(struct doctor *d, struct finding *f)
{
	if (doctor_has(d, "/sys/fs/cgroup/cgroup.controllers")) {
		finding_ok(f, "version 2");
		return;
	}
	finding_bad(
		f, FINDING_WARN, "no version 2 at /sys/fs/cgroup: pods' processes are not bounded");
	finding_todo(f, doctor_has(d, "/run/systemd/system")
				? "boot Dom-0's kernel with systemd.unified_cgroup_hierarchy=1"
				: "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
}

void check_selinux(struct doctor *d, struct finding *f)
{
	_cleanup_free_ char *enforce = doctor_read(d, "/sys/fs/selinux/enforce");
	if (!enforce || *enforce != '1') {
		finding_ok(f, enforce ? "permissive" : "none");
		return;
	}
	finding_bad(f, FINDING_WARN, "enforcing: there is no policy for pods, QEMU is refused");
	finding_todo(f, "setenforce 0; SELINUX=permissive in /etc/selinux/config for each boot");
}
