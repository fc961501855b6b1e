/* SPDX-License-Identifier: Apache-2.0 */
/* What of `xenpod host network` concerns services of systemd: networkd, and a unit for each boot. See network.h. */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "host/exec.h"
#include "host/files.h"
#include "host/network.h"
#include "host/systemctl.h"

#define UNIT           "xenpod-host-network.service"
#define NETWORKD_STATE "/run/systemd/netif/state"
#define STOP_MS        60000

/* ---- systemd-networkd ---------------------------------------------------------------------------------- */

/* It reads its files when it starts, and when it is told. */
static void tell_networkd(const char *path)
{
	static const char *const argv[] = {"networkctl", "reload", NULL};
	_cleanup_err_ struct err why = {0};
	if (access(NETWORKD_STATE, F_OK) == 0 &&
		exec_run(&(struct exec){.argv = argv}, NULL, NULL, &why) < 0)
		log_warning("systemd-networkd has not read %s yet (%s): \"networkctl reload\", or "
			    "restart it",
			path, err_msg(&why));
}

static int networkd_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	return thing_file.get(h, name, ret, err);
}

static int networkd_set(
	const struct host *h, const char *name, const json_t *value, struct err *err)
{
	if (thing_file.set(h, name, value, err) < 0)
		return -1;
	tell_networkd(name);
	return 0;
}

static void networkd_tidy(const struct host *h, const char *name)
{
	thing_file.tidy(h, name);
}

const struct thing thing_networkd = {
	.kind = "networkd", .get = networkd_get, .set = networkd_set, .tidy = networkd_tidy};

/* It runs, or will at the next boot. */
static bool networkd_wanted(void)
{
	return access(NETWORKD_STATE, F_OK) == 0 ||
	       access("/etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
		       F_OK) == 0;
}

/* Pods' ports, too: the name is that of the bridge plugin (CNI's ip.RandomVethName). */
void network_add_networkd(const struct network_ask *a, struct plan *p)
{
	_cleanup_free_ char *at = xasprintf("/etc/systemd/network/05-xenpod-%s.network", a->bridge);
	_cleanup_free_ char *port = a->port ? xasprintf(" %s-dummy", a->bridge) : xstrdup("");
	_cleanup_free_ char *text = xasprintf(
		"[Match]\nName=%s%s veth????????\n\n[Link]\nUnmanaged=yes\n", a->bridge, port);
	if (!networkd_wanted())
		return;
	plan_add(p, &thing_dir, "/etc/systemd/network", json_make("{s:i}", "mode", 0755),
		"directory /etc/systemd/network");
	plan_add(p, &thing_networkd, at, thing_text(text, 0644),
		"systemd-networkd leaves %s alone: %s", a->bridge, at);
}

/* ---- each boot ------------------------------------------------------------------------------------------- */

void network_unit_stop(void)
{
	_cleanup_err_ struct err why = {0};
	if (systemctl_there() && systemctl_stop(UNIT, STOP_MS, &why) < 0)
		log_warning("%s may do it again (%s): \"systemctl stop %s\", then call this again",
			UNIT, err_msg(&why), UNIT);
}

void network_unit_changed(void)
{
	_cleanup_err_ struct err why = {0};
	if (systemctl_there() && !getenv("INVOCATION_ID") &&
		systemctl("daemon-reload", NULL, STOP_MS, &why) < 0)
		log_warning("systemd has not read its units anew (%s): \"systemctl daemon-reload\"",
			err_msg(&why));
}

/* Tried again for ever: an interface that comes and goes is none of a host that has failed. */
int network_add_unit(const struct network_ask *a, struct plan *p, struct err *err)
{
	char self[PATH_MAX];
	_cleanup_free_ char *state = strcmp(a->h->state, HOST_STATE) != 0
					     ? xasprintf(" --state-dir=%s", a->h->state)
					     : xstrdup("");
	if (!systemctl_there())
		return err_set(err, ERR_UNSUPPORTED,
			"--persistent makes a unit of systemd, which does not run here: have "
			"\"xenpod host network up\" called at each boot");
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return err_sys(err, "where this program is");
	self[n] = '\0';
	_cleanup_free_ char *text = xasprintf(
		"[Unit]\nDescription=Internal bridge for "
		"pods\nDocumentation=man:xenpod-host-network(8)\n"
		"Wants=network-online.target\nAfter=network-online.target\n"
		"Before=xenpodd.service\nStartLimitIntervalSec=0\n\n"
		"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=\"%s\"%s network up\n"
		"Restart=on-failure\nRestartSec=10\n\n"
		"[Install]\nWantedBy=multi-user.target\n",
		self, state);
	plan_add(p, &thing_dir, "/etc/systemd/system/multi-user.target.wants",
		json_make("{s:i}", "mode", 0755), "directory of units wanted at boot");
	plan_add(p, &thing_file, "/etc/systemd/system/" UNIT, thing_text(text, 0644),
		"unit " UNIT ", which does this at boot");
	plan_add(p, &thing_symlink, "/etc/systemd/system/multi-user.target.wants/" UNIT,
		json_string("/etc/systemd/system/" UNIT), "unit " UNIT " enabled");
	return 0;
}
