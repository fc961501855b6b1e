/* SPDX-License-Identifier: Apache-2.0 */
/* What `xl info` says of Xen, and the QEMU that serves pods' files. */
#include <glob.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/check.h"
#include "host/check_parse.h"
#include "host/exec.h"

/* The smallest pod: apps' 128 MB and what its domain needs besides (stage1/size.h), rounded up. */
#define POD_MIB 256
/* One without limits: 1024 MB and what its domain needs besides, rounded up. */
#define POD_USUAL_MIB 1056
/* The first Xen whose libxl builds PVH domains as they are now. */
#define PVH_MAJOR 4
#define PVH_MINOR 10

void check_xl(struct doctor *d, struct finding *f)
{
	static const char *const argv[] = {"xl", "info", NULL};
	const struct exec e = {.argv = argv, .timeout_ms = d->timeout_ms};
	_cleanup_err_ struct err err = {0};
	if (exec_run(&e, &d->xl_info, NULL, &err) == 0) {
		finding_ok(f, "answers");
		return;
	}
	finding_bad(f, FINDING_FAIL, "%s", err_msg(&err));
	if (err.code == ERR_NOTFOUND) {
		_cleanup_free_ char *install =
			doctor_install_of(d, "xen-system-amd64", "xen-runtime");
		finding_todo(f, "%s", install);
	} else {
		finding_todo(f, "see what \"xl -vvv info\" says; after an upgrade of Xen reboot");
	}
}

/* What pods can be: contract of `xenpod run --type`. */
void check_cpu(struct doctor *d, struct finding *f)
{
	_cleanup_free_ char *caps = xl_info_value(d->xl_info, "xen_caps");
	_cleanup_free_ char *virt = xl_info_value(d->xl_info, "virt_caps");
	long major = xl_info_number(d->xl_info, "xen_major");
	long minor = xl_info_number(d->xl_info, "xen_minor");
	bool pv = caps && list_has_begin(caps, "xen-3.0-x86_64");
	bool hvm = caps && list_has_begin(caps, "hvm-3.0-x86_64") &&
		   version_at_least((int)major, (int)minor, PVH_MAJOR, PVH_MINOR);
	bool iommu = virt && (list_has(virt, "hvm_directio") || list_has(virt, "pv_directio"));
	if (pv || hvm)
		finding_ok(f, "pods can be %s (%s, %s)",
			!pv   ? "PVH"
			: hvm ? "PV or PVH"
			      : "PV",
			hvm ? "VT-x or SVM" : "no VT-x or SVM in use",
			iommu ? "IOMMU" : "no IOMMU");
	else
		finding_bad(f, FINDING_FAIL, "Xen runs no 64-bit guests (xen_caps: %s)",
			caps ? caps : "none");
	if (!pv && !hvm)
		finding_todo(f, "turn on VT-x and VT-d, or SVM and IOMMU, in the firmware's menu");
}

/* ---- memory ------------------------------------------------------------------------------------------ */

void check_memory(struct doctor *d, struct finding *f)
{
	long mib = xl_info_number(d->xl_info, "free_memory");
	long total = xl_info_number(d->xl_info, "total_memory");
	if (mib >= POD_USUAL_MIB) {
		finding_ok(f, "%ld of %ld MiB are free for pods", mib, total);
		return;
	}
	if (mib >= POD_MIB)
		finding_bad(f, FINDING_WARN,
			"%ld of %ld MiB are free: only a pod with a limit below the usual 1024 has "
			"room (--memory)",
			mib, total);
	else
		finding_bad(f, FINDING_FAIL, "%ld of %ld MiB are free: no pod has room (%d MiB)",
			mib, total, POD_MIB);
	finding_todo(f,
		"stop a domain (xl list), or give Dom-0 less: xl mem-set 0 2048, and for each "
		"boot dom0_mem=2048M,max:2048M on Xen's command line");
}

/* xl.conf(5): "auto" is off when Xen was told how much Dom-0 gets. */
void check_autoballoon(struct doctor *d, struct finding *f)
{
	_cleanup_free_ char *conf = doctor_read(d, "/etc/xen/xl.conf");
	_cleanup_free_ char *value = conf ? conf_value(conf, "autoballoon") : NULL;
	_cleanup_free_ char *line = xl_info_value(d->xl_info, "xen_commandline");
	bool fixed = line && list_has_begin(line, "dom0_mem=");
	bool on = value && (!strcmp(value, "on") || !strcmp(value, "1"));
	bool off = value && (!strcmp(value, "off") || !strcmp(value, "0"));
	if (off || (fixed && !on)) {
		finding_ok(f, "off: Dom-0's memory stays as it is");
		return;
	}
	finding_bad(f, FINDING_WARN,
		"on: xl takes memory from Dom-0 and gives none back, while pods count on what is "
		"free");
	finding_todo(f, "autoballoon=\"off\" in /etc/xen/xl.conf, and dom0_mem=2048M,max:2048M on "
			"Xen's command line");
}

/* ---- QEMU ------------------------------------------------------------------------------------------------ */

/* Where libxl's builds look: Debian, Fedora, Xen's own; one of its own directory. */
static char *qemu_path(const struct doctor *d)
{
	static const char *const places[] = {
		"/usr/libexec/xen-qemu-system-i386",
		"/usr/lib/xen/bin/qemu-system-i386",
		"/usr/libexec/xen/bin/qemu-system-i386",
		"/usr/local/lib/xen/bin/qemu-system-i386",
		"/opt/xen*/lib/xen/bin/qemu-system-i386",
		"/opt/xen*/libexec/xen/bin/qemu-system-i386",
		"/usr/bin/qemu-system-i386",
	};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *all = host_path(d->host, places[i]);
		_cleanup_(globfree) glob_t found = {0};
		if (glob(all, 0, NULL, &found) == 0)
			return xstrdup(found.gl_pathv[0]);
	}
	return NULL;
}

static int qemu_says(const struct doctor *d, const char *const *argv, char **ret, struct err *err)
{
	const struct exec e = {.argv = argv, .timeout_ms = d->timeout_ms};
	return exec_run(&e, ret, NULL, err);
}

/* Options are read in their order: without 9p it ends at the first, else it tells its version. */
static int qemu_look(const struct doctor *d, const char *qemu, char **ret, struct err *err)
{
	const char *const version[] = {qemu, "-fsdev", "local,id=none", "-version", NULL};
	const char *const machines[] = {qemu, "-machine", "help", NULL};
	_cleanup_free_ char *kinds = NULL;
	if (qemu_says(d, version, ret, err) < 0 || qemu_says(d, machines, &kinds, err) < 0)
		return -1;
	return strstr(kinds, "xenpv") ? 0
				      : err_set(err, ERR_UNSUPPORTED, "it was built without Xen");
}

void check_qemu(struct doctor *d, struct finding *f)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *qemu = qemu_path(d);
	_cleanup_free_ char *version = NULL;
	if (!qemu)
		err_set(&err, ERR_NOTFOUND, "no QEMU of Xen's is installed");
	if (qemu && qemu_look(d, qemu, &version, &err) == 0) {
		version[strcspn(version, "\n")] = '\0';
		finding_ok(f, "with 9p and Xen: %s", version);
		return;
	}
	finding_bad(f, FINDING_FAIL, "%s: pods' files cannot be served", err_msg(&err));
	_cleanup_free_ char *install =
		doctor_install_of(d, "qemu-system-xen", "qemu-system-x86-core xen-runtime");
	finding_todo(f, "%s", install);
}
