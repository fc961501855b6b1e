/* SPDX-License-Identifier: Apache-2.0 */
/* Xen's services in Dom-0: the store, what fills it at first, consoles, Dom-0's own disks. */
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/check.h"
#include "host/check_parse.h"
#include "host/xenstore_ask.h"

static const char *const stores[] = {"xenstored", "oxenstored", NULL};
static const char *const consoles[] = {"xenconsoled", NULL};

static void todo_start(const struct doctor *d, const char *service, struct finding *f)
{
	_cleanup_free_ char *start = doctor_start_of(d, service);
	finding_todo(f, "%s", start);
}

/* ---- xenstored ------------------------------------------------------------------------------------------ */

/* As libxenstore's xs_daemon_socket() has it. */
static char *store_socket(const struct doctor *d)
{
	const char *path = getenv("XENSTORED_PATH");
	const char *dir = getenv("XENSTORED_RUNDIR");
	if (path)
		return xstrdup(path);
	return xasprintf("%s%s/socket", d->host->root, dir ? dir : "/run/xenstored");
}

static int ask(const struct doctor *d, const char *node, char **ret, struct err *err)
{
	_cleanup_free_ char *path = store_socket(d);
	return xenstore_ask(path, node, d->timeout_ms, ret, err);
}

static void store_is_silent(const struct doctor *d, struct finding *f, const struct err *why)
{
	struct process p;
	bool runs = doctor_process(d, stores, NULL, NULL, &p);
	if (!runs) {
		finding_bad(f, FINDING_FAIL, "it does not run (%s)", err_msg(why));
		todo_start(d, "xenstored", f);
	} else if (p.state == 'T') {
		finding_bad(f, FINDING_FAIL, "process %d has been stopped", (int)p.pid);
		finding_todo(f, "kill -CONT %d", (int)p.pid);
	} else {
		finding_bad(f, FINDING_FAIL, "process %d: %s", (int)p.pid, err_msg(why));
		finding_todo(f, "look at the log of xenstored; when it does not come back, reboot: "
				"its content does not outlive it");
	}
}

void check_xenstored(struct doctor *d, struct finding *f)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *value = NULL;
	if (ask(d, "/", &value, &err) < 0)
		store_is_silent(d, f, &err);
	else
		finding_ok(f, "answers");
}

/* xl and libxl read both of Dom-0 as of any domain. */
void check_init_dom0(struct doctor *d, struct finding *f)
{
	static const char *const nodes[] = {"/local/domain/0/domid", "/local/domain/0/name"};
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		_cleanup_err_ struct err err = {0};
		_cleanup_free_ char *value = NULL;
		if (ask(d, nodes[i], &value, &err) == 0 && value)
			continue;
		finding_bad(f, FINDING_FAIL, "%s: %s", nodes[i],
			err.msg ? err_msg(&err) : "xenstore does not have it");
		todo_start(d, "xen-init-dom0", f);
		return;
	}
	finding_ok(f, "Dom-0 is in xenstore");
}

/* ---- consoles -------------------------------------------------------------------------------------------- */

void check_xenconsoled(struct doctor *d, struct finding *f)
{
	struct process p;
	if (!doctor_process(d, consoles, NULL, NULL, &p)) {
		finding_bad(f, FINDING_FAIL, "it does not run: pods' domains have no console");
		todo_start(d, "xenconsoled", f);
	} else if (p.state == 'T') {
		finding_bad(f, FINDING_FAIL, "process %d has been stopped", (int)p.pid);
		finding_todo(f, "kill -CONT %d", (int)p.pid);
	} else {
		d->xenconsoled = p.pid;
		finding_ok(f, "runs");
	}
}

/* Where this host has xenconsoled's options: upstream's name, Debian's, Fedora's. */
static void todo_log(const struct doctor *d, struct finding *f)
{
	static const char *const files[][3] = {
		{"/etc/sysconfig/xencommons", "XENCONSOLED_TRACE=guest", "xenconsoled"},
		{"/etc/default/xencommons", "XENCONSOLED_TRACE=guest", "xenconsoled"},
		{"/etc/default/xen", "XENCONSOLED_ARGS=--log=guest", "xen"},
	};
	const bool runit = doctor_has(d, "/etc/service/xenconsoled");
	const bool systemd = doctor_has(d, "/run/systemd/system");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (runit || !doctor_has(d, files[i][0]))
			continue;
		finding_todo(f, "echo %s >>%s, and %s%s", files[i][1], files[i][0],
			systemd ? "systemctl restart " : "start xenconsoled anew",
			systemd ? files[i][2] : "");
		return;
	}
	finding_todo(f, "start xenconsoled with --log=guest");
}

static bool logs(const struct doctor *d, const char *what)
{
	struct process p;
	return doctor_process(d, consoles, "--log", what, &p);
}

void check_console_log(struct doctor *d, struct finding *f)
{
	if (logs(d, "guest") || logs(d, "all")) {
		finding_ok(f, "guests' consoles are logged");
		return;
	}
	finding_bad(f, FINDING_WARN,
		"guests' consoles are not logged: what a kernel says when it dies is lost");
	todo_log(d, f);
}

/* ---- disks --------------------------------------------------------------------------------------------------- */

void check_disk_backend(struct doctor *d, struct finding *f)
{
	static const char *const names[] = {
		"qemu-system-i38", "qemu-system-x86", "xen-qemu-system", "qemu-dm", NULL};
	struct process p;
	if (doctor_process(d, names, "-xen-domid", "0", &p)) {
		finding_ok(f, "QEMU serves Dom-0's own disks");
		return;
	}
	finding_bad(f, FINDING_WARN, "no QEMU serves Dom-0's own disks (pods need none)");
	todo_start(d, "xen-qemu-dom0-disk-backend", f);
}
