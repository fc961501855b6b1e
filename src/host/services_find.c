/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are on a host: Xen's programs, runit's directory, what the distribution ships. See services.h. */
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/self.h"
#include "host/services.h"

const char *sv_name(enum sv sv)
{
	static const char *const names[] = {"xenstored", "xen-init-dom0", "xenconsoled",
		"xen-init-dom0-disk-backend", "xenpodd"};
	return names[sv];
}

const char *sv_unit(enum sv sv)
{
	static const char *const names[] = {"xenstored.service", "xen-init-dom0.service",
		"xenconsoled.service", "xen-qemu-dom0-disk-backend.service", "xenpodd.service"};
	return names[sv];
}

/* Xen's are left to the distribution when it has them. */
bool sv_wanted(const struct services *s, enum sv sv)
{
	return sv == SV_XENPODD ? s->xenpodd : s->by != SV_BY_SHIPPED && !s->alone;
}

static bool is(const struct host *h, const char *path, mode_t type)
{
	_cleanup_free_ char *at = host_path(h, path);
	struct stat st;
	return stat(at, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

long services_number(const struct host *h, const char *path)
{
	_cleanup_free_ char *at = host_path(h, path);
	_cleanup_free_ char *text = NULL;
	char *end;
	if (file_read_at(AT_FDCWD, at, 64, &text, NULL, NULL) < 0)
		return -1;
	long n = strtol(text, &end, 10);
	return end == text ? -1 : n;
}

/* ---- who starts services ----------------------------------------------------------------------------- */

/* upstream's and Void's; Debian's where its link is missing; Artix's, Void's other one */
char *services_scan_dir(const struct host *h)
{
	static const char *const places[] = {"/etc/service", "/etc/runit/runsvdir/default",
		"/var/service", "/service", "/run/runit/service"};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (is(h, places[i], S_IFDIR))
			return xstrdup(places[i]);
	return NULL;
}

bool services_under_systemd(const struct host *h)
{
	return is(h, "/run/systemd/system", S_IFDIR);
}

/* Units that are in /etc may be ours: what starts with our word. */
static bool ours(const struct host *h, const char *path)
{
	_cleanup_free_ char *at = host_path(h, path);
	_cleanup_file_ FILE *f = fopen(at, "re");
	char line[160] = "";
	while (f && fgets(line, sizeof line, f) && *line == '#')
		if (strstr(line, "xenpod host services"))
			return true;
	return false;
}

/* Somebody has seen to it that it does not start (`systemctl mask`). */
static bool masked(const struct host *h, const char *unit)
{
	_cleanup_free_ char *path = xasprintf(SV_UNITS "/%s", unit);
	_cleanup_free_ char *at = host_path(h, path);
	char target[16] = "";
	return readlink(at, target, sizeof(target) - 1) > 0 && !strcmp(target, "/dev/null");
}

static char *shipped_unit(const struct host *h, const char *unit)
{
	static const char *const dirs[] = {SV_UNITS, "/usr/local/lib/systemd/system",
		"/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/generator.late"};
	for (size_t i = 0; i < ARRAY_SIZE(dirs) && !masked(h, unit); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", dirs[i], unit);
		if (is(h, path, S_IFREG) && !ours(h, path))
			return TAKE_PTR(path);
	}
	return NULL;
}

/* Debian's name, upstream's; for other init systems Debian's script, of which systemd makes xen.service. */
char *services_shipped(const struct host *h)
{
	static const char *const scripts[] = {"/etc/init.d/xen", "/etc/init.d/xencommons"};
	char *found = shipped_unit(h, "xen.service");
	if (!found)
		found = shipped_unit(h, "xenstored.service");
	for (size_t i = 0; !found && i < ARRAY_SIZE(scripts); i++)
		if (is(h, scripts[i], S_IFREG) && !(i == 0 && masked(h, "xen.service")))
			found = xstrdup(scripts[i]);
	return found;
}

/* ---- programs ---------------------------------------------------------------------------------------- */

/* The program of that name in a directory that matches; of several the last: the newest version. */
static char *in_dir(const struct host *h, const char *pattern, const char *name)
{
	_cleanup_free_ char *all = xasprintf("%s%s/%s", h->root, pattern, name);
	glob_t g;
	char *found = NULL;
	if (glob(all, 0, NULL, &g) == 0)
		for (size_t i = g.gl_pathc; !found && i-- > 0;) {
			const char *path = g.gl_pathv[i] + strlen(h->root);
			if (is(h, path, S_IFREG) && access(g.gl_pathv[i], X_OK) == 0)
				found = xstrdup(path);
		}
	globfree(&g);
	return found;
}

/* Below a prefix, as Xen's own `make install` and distributions lay it out. */
static char *below(const struct host *h, const char *prefix, const char *name)
{
	static const char *const places[] = {"", "/bin", "/sbin", "/lib/xen/bin", "/lib64/xen/bin",
		"/libexec/xen/bin", "/lib/xen-*/bin", "/libexec"};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *dir = xasprintf("%s%s", prefix, places[i]);
		char *found = in_dir(h, dir, name);
		if (found)
			return found;
	}
	return NULL;
}

/* The directory for the very Xen that runs, where a distribution keeps several (Debian). */
static char *for_running(const struct host *h, const char *name)
{
	long major = services_number(h, "/sys/hypervisor/version/major");
	long minor = services_number(h, "/sys/hypervisor/version/minor");
	if (major < 0 || minor < 0)
		return NULL;
	_cleanup_free_ char *dir = xasprintf("/usr/lib/xen-%ld.%ld/bin", major, minor);
	return in_dir(h, dir, name);
}

static char *elsewhere(const struct host *h, const char *name)
{
	static const char *const prefixes[] = {"/usr", "/usr/local", "/opt/xen*", "/opt/qemu*"};
	char *found = NULL;
	for (size_t i = 0; !found && i < ARRAY_SIZE(prefixes); i++)
		found = below(h, prefixes[i], name);
	return found;
}

/* The first of these. `anywhere`: it need not be part of the Xen below the prefix. */
static char *find(const struct host *h, const char *prefix, const char *const *names, bool anywhere)
{
	char *found = NULL;
	for (const char *const *n = names; !found && *n; n++)
		found = prefix ? below(h, prefix, *n) : for_running(h, *n);
	for (const char *const *n = names; !found && (!prefix || anywhere) && *n; n++)
		found = elsewhere(h, *n);
	return found;
}

/* A Xen outside of the usual places brings its libraries, which ld.so does not look for there. */
static char *find_libs(const struct host *h, const char *program)
{
	_cleanup_free_ char *dir = xstrdup(program);
	if (!strncmp(program, "/usr/", 5))
		return NULL;
	for (char *slash = strrchr(dir, '/'); slash && slash != dir; slash = strrchr(dir, '/')) {
		*slash = '\0';
		for (int k = 0; k < 2; k++) {
			_cleanup_free_ char *lib = xasprintf("%s/lib%s", dir, k ? "64" : "");
			_cleanup_free_ char *all = xasprintf("%s%s/libxenstore.so*", h->root, lib);
			glob_t g;
			int r = glob(all, 0, NULL, &g);
			globfree(&g);
			if (r == 0)
				return TAKE_PTR(lib);
		}
	}
	return NULL;
}

static int missing(const struct services *s, const char *what, struct err *err)
{
	if (s->prefix)
		return err_set(err, ERR_NOTFOUND,
			"%s is not below %s: name the directory of Xen's programs with --prefix",
			what, s->prefix);
	return err_set(err, ERR_NOTFOUND,
		"%s is not where Xen's programs usually are: install Xen's tools, or name their "
		"directory with --prefix",
		what);
}

static char *own_dir(const char *name)
{
	char *path = self_beside(name);
	if (path)
		*strrchr(path, '/') = '\0';
	return path;
}

static int find_xenpodd(struct services *s, struct err *err)
{
	s->program[SV_XENPODD] = self_beside("../sbin/xenpodd");
	if (!s->program[SV_XENPODD])
		s->program[SV_XENPODD] = self_beside("xenpodd");
	if (s->program[SV_XENPODD])
		return 0;
	return err_set(err, ERR_NOTFOUND,
		"xenpodd is neither in ../sbin nor beside xenpod-host: install all of xenpod");
}

int services_find(const struct host *h, struct services *s, struct err *err)
{
	static const char *const names[][5] = {{"oxenstored", "xenstored"}, {"xen-init-dom0"},
		{"xenconsoled"},
		{"xen-qemu-system-i386", "qemu-system-i386", "qemu-system-xen",
			"qemu-system-x86_64"}};
	static const char *const readers[] = {"xenstore-read", NULL};
	static const char *const what[] = {"oxenstored or xenstored", "xen-init-dom0",
		"xenconsoled", "QEMU (qemu-system-i386)"};
	for (enum sv sv = SV_STORE; sv <= SV_DISK; sv++)
		s->program[sv] = find(h, s->prefix, names[sv], sv == SV_DISK);
	s->store_read = find(h, s->prefix, readers, true);
	s->bin = own_dir("xenpod-host");
	if (s->program[SV_STORE])
		s->libs = find_libs(h, s->program[SV_STORE]);
	for (enum sv sv = SV_STORE; sv <= SV_DISK; sv++)
		if (!s->program[sv] && sv_wanted(s, sv))
			return missing(s, what[sv], err);
	if (!s->store_read)
		return missing(s, "xenstore-read", err);
	return s->xenpodd ? find_xenpodd(s, err) : 0;
}

void services_done(struct services *s)
{
	for (enum sv sv = SV_STORE; sv < SV_COUNT; sv++)
		free(s->program[sv]);
	free(s->scan);
	free(s->shipped);
	free(s->prefix);
	free(s->store_read);
	free(s->libs);
	free(s->bin);
}
