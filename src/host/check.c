/* SPDX-License-Identifier: Apache-2.0 */
/* See check.h. */
#include "host/check.h"

#include <stdlib.h>
#include <string.h>

#include "cni/conf.h"

/* clang-format off */
const struct check CHECKS[] = {
	{"root",         NULL,                   check_root},
	{"xen",          NULL,                   check_xen},
	{"secure-boot",  NULL,                   check_secure_boot},
	{"dom0",         "xen",                  check_dom0},
	{"devices",      "dom0",                 check_devices},
	{"libxl",        "xen",                  check_libxl},
	{"xenstored",    "root devices",         check_xenstored},
	{"init-dom0",    "xenstored",            check_init_dom0},
	{"xenconsoled",  "xenstored",            check_xenconsoled},
	{"console-log",  "xenconsoled",          check_console_log},
	{"disk-backend", "init-dom0",            check_disk_backend},
	{"xl",           "xenstored libxl",      check_xl},
	{"cpu",          "xl",                   check_cpu},
	{"memory",       "xl",                   check_memory},
	{"autoballoon",  "memory",               check_autoballoon},
	{"qemu",         NULL,                   check_qemu},
	{"cgroup",       NULL,                   check_cgroup},
	{"selinux",      NULL,                   check_selinux},
	{"net-modules",  "dom0",                 check_net_modules},
	{"networks",     NULL,                   check_networks},
	{"cni-plugins",  "networks",             check_cni_plugins},
	{"bridges",      "networks",             check_bridges},
	{"forwarding",   "bridges",              check_forwarding},
	{"manager",      NULL,                   check_manager},
	{"supervisor",   "xenstored",            check_supervisor},
	{"rkt",          NULL,                   check_rkt},
	{0},
};
/* clang-format on */

_Static_assert(sizeof(CHECKS) / sizeof(CHECKS[0]) <= CHECKS_MAX, "CHECKS_MAX");

static size_t place_of(const char *name, size_t len)
{
	size_t i = 0;
	while (CHECKS[i].name &&
		(strlen(CHECKS[i].name) != len || strncmp(CHECKS[i].name, name, len)))
		i++;
	if (!CHECKS[i].name)
		abort();
	return i;
}

/* The check that has failed among those which this one needs, itself or by what it needs. */
static const char *failed_need(const struct check *c, const struct finding *made)
{
	const char *at = c->needs ? c->needs : "";
	while (*at) {
		size_t len = strcspn(at, " ");
		size_t i = place_of(at, len);
		if (made[i].state == FINDING_FAIL)
			return CHECKS[i].name;
		if (made[i].state == FINDING_SKIP)
			return made[i].needs;
		at += len;
		at += strspn(at, " ");
	}
	return NULL;
}

size_t checks_make(struct doctor *d, struct finding ret[CHECKS_MAX])
{
	size_t n = 0;
	for (; CHECKS[n].name; n++) {
		ret[n] = (struct finding){.needs = failed_need(&CHECKS[n], ret)};
		if (ret[n].needs)
			finding_bad(&ret[n], FINDING_SKIP, "needs %s", ret[n].needs);
		else
			CHECKS[n].probe(d, &ret[n]);
	}
	return n;
}

void doctor_done(struct doctor *d)
{
	for (size_t i = 0; i < d->nets; i++)
		cni_net_done(&d->net[i]);
	free(d->net);
	free(d->xl_info);
	*d = (struct doctor){0};
}

void finding_done(struct finding *f)
{
	free(f->text);
	free(f->todo);
	*f = (struct finding){0};
}

const char *finding_state_name(enum finding_state state)
{
	static const char *const names[] = {"ok", "warn", "fail", "skip"};
	return names[state];
}
