/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services as units of systemd, by upstream's names, for a distribution that ships none; and the units of
 * our supervisor as they are in an installation that does not have them where systemd looks (the tarball for
 * /opt). See services.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/self.h"
#include "host/files.h"
#include "host/services.h"

#define UNIT_MAX 65536

#define MADE "# Made by \"xenpod host services\", whose teardown takes it away.\n"

/* The installation's own units, with @PREFIX@ in them. */
#define TEMPLATES "../share/xenpod/units"

#define PLAIN                                                                                      \
	"/._+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" /* @PREFIX@ has no quotes */

/* A word of ExecStart= (systemd.service(5)). */
static char *word(const char *text)
{
	char *ret = xmalloc(strlen(text) * 2 + 3);
	char *p = stpcpy(ret, "\"");
	for (; *text; text++) {
		if (*text == '%' || *text == '$')
			*p++ = *text;
		else if (*text == '"' || *text == '\\')
			*p++ = '\\';
		*p++ = *text;
	}
	memcpy(p, "\"", 2);
	return ret;
}

/* ---- Xen's ------------------------------------------------------------------------------------------- */

static char *unit_store(const struct services *s, const char *program)
{
	_cleanup_free_ char *read = word(s->store_read);
	/* No Restart=: the kernel knows the first xenstored of a boot and no other. */
	return xasprintf("[Unit]\n"
			 "Description=Xen's store\n"
			 "ConditionPathExists=/proc/xen\n"
			 "Requires=proc-xen.mount\n"
			 "After=proc-xen.mount\n"
			 "\n"
			 "[Service]\n"
			 "Type=simple\n"
			 "RuntimeDirectory=xenstored xen\n"
			 "RuntimeDirectoryPreserve=yes\n"
			 "Environment=XENSTORED_ROOTDIR=/run/xenstored\n"
			 "OOMScoreAdjust=-1000\n"
			 "LimitNOFILE=100000\n"
			 "ExecStart=%s --no-fork\n"
			 "ExecStartPost=/bin/sh -c 'until timeout 5 \"$$0\" -s / >/dev/null 2>&1; "
			 "do kill -0 $MAINPID || exit 1; sleep 0.2; done' %s\n",
		program, read);
}

static char *unit_init(const struct services *s, const char *program)
{
	(void)s;
	return xasprintf("[Unit]\n"
			 "Description=Domain-0 in Xen's store\n"
			 "ConditionPathExists=/proc/xen\n"
			 "Requires=xenstored.service\n"
			 "After=xenstored.service\n"
			 "\n"
			 "[Service]\n"
			 "Type=oneshot\n"
			 "RemainAfterExit=yes\n"
			 "TimeoutStartSec=120\n"
			 "ExecStart=%s\n",
		program);
}

static char *unit_console(const struct services *s, const char *program)
{
	(void)s;
	return xasprintf("[Unit]\n"
			 "Description=Consoles of Xen's guests\n"
			 "ConditionPathExists=/proc/xen\n"
			 "Requires=xenstored.service\n"
			 "After=xenstored.service\n"
			 "\n"
			 "[Service]\n"
			 "Type=simple\n"
			 "LogsDirectory=xen/console\n"
			 "ExecStart=%s -i --log=guest --log-dir=/var/log/xen/console\n"
			 "Restart=on-failure\n",
		program);
}

static char *unit_disk(const struct services *s, const char *program)
{
	(void)s;
	return xasprintf("[Unit]\n"
			 "Description=QEMU as the disk backend of Domain-0\n"
			 "ConditionPathExists=/proc/xen\n"
			 "Requires=xen-init-dom0.service\n"
			 "After=xen-init-dom0.service xenconsoled.service\n"
			 "\n"
			 "[Service]\n"
			 "Type=simple\n"
			 "ExecStart=%s -xen-domid 0 -xen-attach -name dom0 -nographic -M xenpv "
			 "-monitor none -serial none -parallel none -pidfile /run/qemu-dom0.pid\n"
			 "Restart=on-failure\n",
		program);
}

static const char mount_unit[] = MADE "[Unit]\n"
				      "Description=Xen's files in /proc/xen\n"
				      "ConditionPathExists=/proc/xen\n"
				      "DefaultDependencies=no\n"
				      "\n"
				      "[Mount]\n"
				      "What=xenfs\n"
				      "Where=/proc/xen\n"
				      "Type=xenfs\n";

static void add_unit(struct plan *p, const char *name, const char *text)
{
	_cleanup_free_ char *path = xasprintf(SV_UNITS "/%s", name);
	plan_add(p, &thing_file, path, thing_text(text, 0644), "unit %s", name);
}

/* As `systemctl enable` does it. */
static void enable(struct plan *p, const char *name, const char *target)
{
	_cleanup_free_ char *dir = xasprintf(SV_UNITS "/%s.wants", target);
	_cleanup_free_ char *link = xasprintf("%s/%s", dir, name);
	_cleanup_free_ char *to = xasprintf(SV_UNITS "/%s", name);
	plan_add(p, &thing_dir, dir, json_make("{s:i}", "mode", 0755), "directory %s", dir);
	plan_add(p, &thing_symlink, link, json_string(to), "%s wants %s", target, name);
}

static void plan_xen(const struct services *s, struct plan *p)
{
	static char *(*const unit[])(const struct services *, const char *) = {
		unit_store, unit_init, unit_console, unit_disk};
	_cleanup_free_ char *libs =
		s->libs ? xasprintf("Environment=\"LD_LIBRARY_PATH=%s\"\n", s->libs) : xstrdup("");
	add_unit(p, "proc-xen.mount", mount_unit);
	for (enum sv sv = SV_STORE; sv <= SV_DISK; sv++) {
		_cleanup_free_ char *program = word(s->program[sv]);
		_cleanup_free_ char *text = unit[sv](s, program);
		_cleanup_free_ char *whole =
			xasprintf(MADE "%s%s\n[Install]\nWantedBy=multi-user.target\n", text, libs);
		add_unit(p, sv_unit(sv), whole);
	}
	for (enum sv sv = SV_STORE; sv <= SV_DISK; sv++)
		enable(p, sv_unit(sv), "multi-user.target");
}

/* ---- our supervisor's -------------------------------------------------------------------------------- */

/* `text` with @PREFIX@ filled in. */
static char *fill(const char *text, const char *prefix)
{
	static const char mark[] = "@PREFIX@";
	char *all = xstrdup(MADE);
	for (;;) {
		const char *at = strstr(text, mark);
		int n = at ? (int)(at - text) : (int)strlen(text);
		char *more = xasprintf("%s%.*s%s", all, n, text, at ? prefix : "");
		free(all);
		all = more;
		if (!at)
			return all;
		text = at + strlen(mark);
	}
}

static int add_template(
	struct plan *p, const char *dir, const char *name, const char *prefix, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	_cleanup_free_ char *text = NULL;
	if (file_read_at(AT_FDCWD, path, UNIT_MAX, &text, NULL, err) < 0)
		return -1;
	_cleanup_free_ char *whole = fill(text, prefix);
	add_unit(p, name, whole);
	return 0;
}

static int plan_xenpodd(const struct host *h, struct plan *p, struct err *err)
{
	static const char *const units[] = {"xenpod.slice", "xenpod-admin.socket",
		"xenpod-status.socket", "xenpodd.service", "xenpod-pods.service", "xenpod@.service",
		"xenpod-gc.service", "xenpod-gc.timer", "xenpod-metrics.socket",
		"xenpod-metrics.service"};
	_cleanup_free_ char *dir = self_beside(TEMPLATES);
	_cleanup_free_ char *prefix = self_beside("..");
	(void)h;
	if (!dir || !prefix)
		return err_set(err, ERR_UNSUPPORTED,
			"the units of xenpodd are not in " TEMPLATES " beside xenpod-host: this "
			"installation has them where systemd looks (systemctl enable --now "
			"xenpodd)");
	if (prefix[strspn(prefix, PLAIN)])
		return err_set(err, ERR_UNSUPPORTED,
			"%s has characters that units do not take as they are: unpack it in a "
			"directory of letters, digits and \"._+-\"",
			prefix);
	plan_add(p, &thing_dir, "/etc/sysusers.d", json_make("{s:i}", "mode", 0755),
		"directory /etc/sysusers.d");
	plan_add(p, &thing_file, "/etc/sysusers.d/xenpod.conf",
		thing_text(MADE "g xenpod -\n", 0644), "group xenpod");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (add_template(p, dir, units[i], prefix, err) < 0)
			return -1;
	enable(p, "xenpod-admin.socket", "sockets.target");
	enable(p, "xenpod-status.socket", "sockets.target");
	enable(p, "xenpodd.service", "multi-user.target");
	enable(p, "xenpod-pods.service", "multi-user.target");
	return 0;
}

int services_plan_units(
	const struct host *h, const struct services *s, struct plan *p, struct err *err)
{
	if (s->by == SV_BY_SYSTEMD)
		plan_xen(s, p);
	return s->xenpodd ? plan_xenpodd(h, p, err) : 0;
}
