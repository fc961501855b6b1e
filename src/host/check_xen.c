/* SPDX-License-Identifier: Apache-2.0 */
/* The machine: is it Dom-0 of a Xen that pods can run on, and that ours was built for? */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "host/check.h"
#include "host/check_parse.h"
#include "host/exec.h"

/* The first with 9pfs; what libxl's JSON and device names are taken from. */
#define XEN_MAJOR 4
#define XEN_MINOR 9

#define SECURE_BOOT "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define PROGRAM_MAX (64 << 20)

void check_root(struct doctor *d, struct finding *f)
{
	(void)d;
	if (geteuid() == 0) {
		finding_ok(f, "all can be looked at");
		return;
	}
	finding_bad(f, FINDING_FAIL, "not root: Xen and the supervisor cannot be asked");
	finding_todo(f, "sudo xenpod host check");
}

/* A file of one line; "" when it is not there. */
static char *line_of(const struct doctor *d, const char *path)
{
	char *text = doctor_read(d, path);
	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text ? text : xstrdup("");
}

static void xen_version(const struct doctor *d, int *ret_major, int *ret_minor)
{
	_cleanup_free_ char *major = line_of(d, "/sys/hypervisor/version/major");
	_cleanup_free_ char *minor = line_of(d, "/sys/hypervisor/version/minor");
	*ret_major = (int)strtol(major, NULL, 10);
	*ret_minor = (int)strtol(minor, NULL, 10);
}

void check_xen(struct doctor *d, struct finding *f)
{
	_cleanup_free_ char *type = line_of(d, "/sys/hypervisor/type");
	_cleanup_free_ char *extra = line_of(d, "/sys/hypervisor/version/extra");
	int major;
	int minor;
	if (strcmp(type, "xen") != 0) {
		finding_bad(f, FINDING_FAIL, "this machine does not run under Xen");
		finding_todo(f,
			"install Xen%s, and choose its entry when the machine boots "
			"(xenpod-host(8), BOOTING XEN)",
			doctor_has(d, "/sys/firmware/efi") ? ", then \"xenpod host efi plan\""
							   : "");
		return;
	}
	xen_version(d, &major, &minor);
	if (version_at_least(major, minor, XEN_MAJOR, XEN_MINOR)) {
		finding_ok(f, "Xen %d.%d%s", major, minor, extra);
		return;
	}
	finding_bad(f, FINDING_FAIL, "Xen %d.%d%s is too old: it has no 9pfs", major, minor, extra);
	finding_todo(f, "boot Xen %d.%d or a later one", XEN_MAJOR, XEN_MINOR);
}

void check_dom0(struct doctor *d, struct finding *f)
{
	_cleanup_free_ char *caps = doctor_read(d, "/proc/xen/capabilities");
	if (!caps) {
		finding_bad(f, FINDING_FAIL, "xenfs is not mounted: no /proc/xen/capabilities");
		finding_todo(f, "mount -t xenfs xenfs /proc/xen");
	} else if (strstr(caps, "control_d")) {
		finding_ok(f, "control_d: this is Dom-0");
	} else {
		finding_bad(f, FINDING_FAIL, "this is a guest of Xen, not its Dom-0");
		finding_todo(f, "run pods in Dom-0: the system that Xen itself boots");
	}
}

/* efivarfs: four bytes of attributes, then the value (UEFI 2.10, 3.3). */
void check_secure_boot(struct doctor *d, struct finding *f)
{
	_cleanup_free_ char *at = host_path(d->host, SECURE_BOOT);
	_cleanup_free_ char *value = NULL;
	size_t len = 0;
	bool booted = doctor_has(d, "/proc/xen/capabilities");
	bool there = doctor_has(d, SECURE_BOOT) &&
		     file_read_at(AT_FDCWD, at, 64, &value, &len, NULL) == 0 && len == 5;
	if (!there || value[4] != 1) {
		finding_ok(f, there ? "off" : "the firmware knows none");
	} else if (booted) {
		finding_ok(f, "on, and Xen has booted with it");
	} else {
		finding_bad(f, FINDING_WARN, "on: firmware boots no Xen that is not signed for it");
		finding_todo(f, "turn Secure Boot off in the firmware's menu: systemctl reboot "
				"--firmware-setup");
	}
}

/* ---- libxl ------------------------------------------------------------------------------------------- */

/* "4.17" of the program that creates domains; NULL. Caller frees. */
static char *built_for(const char *program)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (file_read_at(AT_FDCWD, program, PROGRAM_MAX, &text, &len, NULL) < 0)
		return NULL;
	return wanted_libxl(text, len);
}

/* A program whose libraries are not there does not even tell its version. */
static int starts(const struct doctor *d, const char *program, struct err *err)
{
	const char *const argv[] = {program, "--version", NULL};
	const struct exec e = {.argv = argv, .timeout_ms = d->timeout_ms};
	return exec_run(&e, NULL, NULL, err);
}

void check_libxl(struct doctor *d, struct finding *f)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *program = doctor_own_program("xenpod-act");
	_cleanup_free_ char *wants = program ? built_for(program) : NULL;
	int major;
	int minor;
	if (!wants) {
		finding_bad(f, FINDING_FAIL, "xenpod-act is not installed beside xenpod-host");
		finding_todo(f, "install xenpod anew");
		return;
	}
	xen_version(d, &major, &minor);
	_cleanup_free_ char *runs = xasprintf("%d.%d", major, minor);
	if (strcmp(wants, runs) != 0) {
		finding_bad(f, FINDING_FAIL, "xenpod was built for libxl %s, but Xen %s runs",
			wants, runs);
		finding_todo(
			f, "boot Xen %s, or install the xenpod that was built for %s", wants, runs);
	} else if (starts(d, program, &err) < 0) {
		finding_bad(f, FINDING_FAIL, "%s", err_msg(&err));
		finding_todo(f, "install Xen's libraries of version %s (libxenlight.so.%s)", wants,
			wants);
	} else {
		finding_ok(f, "libxl %s, for which xenpod was built", wants);
	}
}
