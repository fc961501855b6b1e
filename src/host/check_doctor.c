/* SPDX-License-Identifier: Apache-2.0 */
/* What probes share: findings, files and processes of the host, commands as this host has them. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "host/check.h"
#include "host/check_parse.h"

/* The list of modules of a large kernel is the largest of what is read. */
#define FILE_MAX (16 << 20)

void finding_ok(struct finding *f, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	f->state = FINDING_OK;
	f->text = xvasprintf(fmt, ap);
	va_end(ap);
}

void finding_bad(struct finding *f, enum finding_state state, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	f->state = state;
	f->text = xvasprintf(fmt, ap);
	va_end(ap);
}

void finding_todo(struct finding *f, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	f->todo = xvasprintf(fmt, ap);
	va_end(ap);
}

/* Never opens what would wait: a FIFO, a device. */
char *doctor_read(const struct doctor *d, const char *path)
{
	_cleanup_free_ char *at = host_path(d->host, path);
	char *text = NULL;
	struct stat st;
	if (stat(at, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	return file_read_at(AT_FDCWD, at, FILE_MAX, &text, NULL, NULL) < 0 ? NULL : text;
}

bool doctor_has(const struct doctor *d, const char *path)
{
	_cleanup_free_ char *at = host_path(d->host, path);
	return access(at, F_OK) == 0;
}

/* ---- commands ---------------------------------------------------------------------------------------- */

static bool is_masked(const struct doctor *d, const char *unit)
{
	_cleanup_free_ char *at =
		xasprintf("%s/etc/systemd/system/%s.service", d->host->root, unit);
	char target[16] = "";
	return readlink(at, target, sizeof(target) - 1) > 0 && !strcmp(target, "/dev/null");
}

bool doctor_has_unit(const struct doctor *d, const char *unit)
{
	static const char *const dirs[] = {"/etc/systemd/system", "/usr/local/lib/systemd/system",
		"/usr/lib/systemd/system", "/lib/systemd/system"};
	for (size_t i = 0; i < ARRAY_SIZE(dirs) && !is_masked(d, unit); i++) {
		_cleanup_free_ char *at = xasprintf("%s/%s.service", dirs[i], unit);
		if (doctor_has(d, at))
			return true;
	}
	return false;
}

char *doctor_start_of(const struct doctor *d, const char *service)
{
	/* The name of that directory is the walk-through's. */
	const char *sv = !strcmp(service, "xen-qemu-dom0-disk-backend")
				 ? "xen-init-dom0-disk-backend"
				 : service;
	_cleanup_free_ char *runit = xasprintf("/etc/service/%s", sv);
	const char *script = doctor_has(d, "/etc/init.d/xencommons") ? "xencommons" : "xen";
	_cleanup_free_ char *init = xasprintf("/etc/init.d/%s", script);
	const bool systemd = doctor_has(d, "/run/systemd/system");
	/* systemd makes a unit of the script, which can be masked. */
	const bool started = doctor_has(d, init) && !(systemd && is_masked(d, script));
	if (doctor_has(d, runit))
		return xasprintf("sv start %s", sv);
	if (!started && !doctor_has_unit(d, service) && !doctor_has_unit(d, script))
		return xstrdup("xenpod host services setup");
	if (!systemd)
		return xasprintf("service %s start", script);
	return xasprintf("systemctl start %s", doctor_has_unit(d, service) ? service : script);
}

char *doctor_install_of(const struct doctor *d, const char *debian, const char *fedora)
{
	if (doctor_has(d, "/etc/debian_version"))
		return xasprintf("apt-get install %s", debian);
	return xasprintf("dnf install %s", fedora);
}

/* ---- processes --------------------------------------------------------------------------------------- */

/* proc(5): the state stands behind the name, which is in parentheses and may hold any character. */
static char state_of(const struct doctor *d, const char *pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%s/stat", pid);
	_cleanup_free_ char *text = doctor_read(d, path);
	const char *end = text ? strrchr(text, ')') : NULL;
	return end && end[1] == ' ' ? end[2] : '?';
}

static bool named(const struct doctor *d, const char *pid, const char *const *names)
{
	_cleanup_free_ char *path = xasprintf("/proc/%s/comm", pid);
	_cleanup_free_ char *comm = doctor_read(d, path);
	if (!comm)
		return false;
	comm[strcspn(comm, "\n")] = '\0';
	for (; *names; names++)
		if (!strcmp(comm, *names))
			return true;
	return false;
}

static bool has_words(const struct doctor *d, const char *pid, const char *arg, const char *value)
{
	_cleanup_free_ char *path = xasprintf("%s/proc/%s/cmdline", d->host->root, pid);
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (!arg)
		return true;
	if (file_read_at(AT_FDCWD, path, FILE_MAX, &text, &len, NULL) < 0)
		return false;
	const char *found = words_value(text, len, arg);
	return found && !strcmp(found, value);
}

bool doctor_process(const struct doctor *d, const char *const *names, const char *arg,
	const char *value, struct process *ret)
{
	_cleanup_free_ char *path = host_path(d->host, "/proc");
	_cleanup_dir_ DIR *dir = opendir(path);
	const struct dirent *e;
	while (dir && (e = readdir(dir))) {
		if (!isdigit((unsigned char)e->d_name[0]) || !named(d, e->d_name, names) ||
			!has_words(d, e->d_name, arg, value))
			continue;
		*ret = (struct process){
			.pid = (pid_t)strtol(e->d_name, NULL, 10), .state = state_of(d, e->d_name)};
		if (ret->state != 'Z')
			return true;
	}
	return false;
}

char *doctor_own_program(const char *name)
{
	static const char *const places[] = {"", "../lib/xenpod/"};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	const char *slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *at =
			xasprintf("%.*s%s%s", (int)(slash + 1 - self), self, places[i], name);
		if (access(at, X_OK) == 0)
			return TAKE_PTR(at);
	}
	return NULL;
}
