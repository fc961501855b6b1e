/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services as directories for runsv(8): run, check (sv(8) waits for it), and for our supervisor a log.
 * Each waits for what it needs by asking it, with an end; then runsv tries again. See services.h.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/files.h"
#include "host/services.h"

/* Five times a second, for a minute. */
#define POLLS "300"

#define MADE "#!/bin/sh\n# Made by \"xenpod host services\", whose teardown takes it away.\n"

char *services_quote(const char *text)
{
	char *ret = xmalloc(strlen(text) * 4 + 3);
	char *p = stpcpy(ret, "'");
	for (; *text; text++) {
		if (*text == '\'')
			p = stpcpy(p, "'\\''");
		else
			*p++ = *text;
	}
	memcpy(p, "'", 2);
	return ret;
}

/* A text that grows. */
static void add(char **text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(char **text, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	_cleanup_free_ char *more = xvasprintf(fmt, ap);
	va_end(ap);
	char *all = xasprintf("%s%s", *text ? *text : "", more);
	free(*text);
	*text = all;
}

/* Without Xen below it a Linux of the same disk has nothing to do here, and does not try again and again. */
static void add_head(char **text, const struct services *s)
{
	add(text,
		MADE "exec 2>&1\n"
		     "[ -e /proc/xen/capabilities ] || mount -t xenfs xenfs /proc/xen 2>/dev/null\n"
		     "if ! grep -qs control_d /proc/xen/capabilities; then\n"
		     "\techo 'this is no Dom-0: it stays down'\n"
		     "\texec sv down .\n"
		     "fi\n");
	if (s->libs) {
		_cleanup_free_ char *libs = services_quote(s->libs);
		add(text, "export LD_LIBRARY_PATH=%s\n", libs);
	}
}

/* `test`: a shell command that succeeds when it is there. */
static void add_wait(char **text, const char *test, const char *missing)
{
	add(text,
		"n=0\n"
		"until %s >/dev/null 2>&1; do\n"
		"\tn=$((n + 1))\n"
		"\t[ $n -lt " POLLS " ] || { echo '%s'; exit 1; }\n"
		"\tsleep 0.2\n"
		"done\n",
		test, missing);
}

/* Commands that succeed when a service does what it is there for. */
static char *answers(const struct services *s, enum sv sv)
{
	_cleanup_free_ char *read = services_quote(s->store_read);
	switch (sv) {
	case SV_STORE:
		return xasprintf("timeout 5 %s -s /", read);
	case SV_INIT:
		return xasprintf("timeout 5 %s /local/domain/0/name", read);
	case SV_DISK: /* QEMU says so when it serves; the node of one before it may be there */
		return xasprintf("{ [ \"$(timeout 5 %s /local/domain/0/device-model/0/state)\" = "
				 "running ]; }",
			read);
	default:
		return xstrdup("true");
	}
}

static void add_wait_for(char **text, const struct services *s, enum sv sv)
{
	static const char *const missing[] = {
		"xenstored does not answer", "xen-init-dom0 has not told xenstored of Domain-0"};
	_cleanup_free_ char *test = answers(s, sv);
	add_wait(text, test, missing[sv]);
}

/* ---- run ------------------------------------------------------------------------------------------- */

/*
 * The kernel knows the first xenstored of a boot and no other (docs/RECOVERY.md): a second one would be empty,
 * and nobody would speak to it.
 */
static void run_store(char **text, const struct services *s, const char *program)
{
	(void)s;
	add(text,
		"if [ -e " SV_BEGAN " ] || [ -e " SV_SOCKET " ]; then\n"
		"\techo 'there was a xenstored in this boot: another one cannot take its place'\n"
		"\texec sv down .\n"
		"fi\n"
		"for module in xen-evtchn xen-gntdev xen-gntalloc xen-blkback xen-netback; do\n"
		"\tmodprobe -q $module || :\n"
		"done\n"
		"mkdir -p /run/xen /run/xenstored || exit 1\n"
		": >" SV_BEGAN " || exit 1\n"
		"export XENSTORED_ROOTDIR=/run/xenstored\n"
		"ulimit -n 100000 2>/dev/null\n"
		"echo -1000 2>/dev/null >/proc/self/oom_score_adj\n"
		"exec %s --no-fork\n",
		program);
}

/* It ends when it has done its work; sleep stands for that. */
static void run_init(char **text, const struct services *s, const char *program)
{
	_cleanup_free_ char *done = answers(s, SV_INIT);
	add_wait_for(text, s, SV_STORE);
	add(text,
		"%s >/dev/null 2>&1 || %s || exit 1\n"
		"exec sleep infinity\n",
		done, program);
}

static void run_console(char **text, const struct services *s, const char *program)
{
	add_wait_for(text, s, SV_STORE);
	add(text,
		"mkdir -p /var/log/xen/console || exit 1\n"
		"exec %s -i --log=guest --log-dir=/var/log/xen/console\n",
		program);
}

static void run_disk(char **text, const struct services *s, const char *program)
{
	add_wait_for(text, s, SV_STORE);
	add_wait_for(text, s, SV_INIT);
	add(text,
		"exec %s -xen-domid 0 -xen-attach -name dom0 -nographic -M xenpv -monitor none \\\n"
		"\t-serial none -parallel none -pidfile /run/qemu-dom0.pid </dev/null\n",
		program);
}

static void run_xenpodd(char **text, const struct services *s, const char *program)
{
	add_wait_for(text, s, SV_STORE);
	add_wait_for(text, s, SV_INIT);
	add(text,
		"ulimit -n 262144 2>/dev/null\n"
		"exec %s\n",
		program);
}

static json_t *run_script(const struct services *s, enum sv sv)
{
	static void (*const run[])(char **, const struct services *, const char *) = {
		run_store, run_init, run_console, run_disk, run_xenpodd};
	_cleanup_free_ char *program = services_quote(s->program[sv]);
	_cleanup_free_ char *text = NULL;
	add_head(&text, s);
	run[sv](&text, s, program);
	return thing_text(text, 0755);
}

/* ---- check ------------------------------------------------------------------------------------------ */

/* Has the script become the program? Its name is cut as the kernel does (TASK_COMM_LEN). */
static void add_became(char **text, const char *program)
{
	_cleanup_free_ char *comm = xasprintf("%.15s", strrchr(program, '/') + 1);
	_cleanup_free_ char *quoted = services_quote(comm);
	add(text,
		"read -r pid <supervise/pid && read -r name <\"/proc/$pid/comm\" || exit 1\n"
		"[ \"$name\" = %s ] || exit 1\n",
		quoted);
}

static json_t *check_script(const struct services *s, enum sv sv)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *test = answers(s, sv);
	add(&text, MADE "exec >/dev/null 2>&1\n");
	if (s->libs) {
		_cleanup_free_ char *libs = services_quote(s->libs);
		add(&text, "export LD_LIBRARY_PATH=%s\n", libs);
	}
	add_became(&text, sv == SV_INIT ? "/sleep" : s->program[sv]);
	if (sv == SV_XENPODD) {
		_cleanup_free_ char *status = xasprintf("%s/xenpod-status", s->bin);
		_cleanup_free_ char *quoted = services_quote(status);
		add(&text, "timeout 10 %s --health\n", quoted);
	} else {
		add(&text, "%s\n", test);
	}
	return thing_text(text, 0755);
}

static json_t *log_script(void)
{
	return thing_text(MADE "mkdir -p /var/log/xenpodd || exit 1\n"
			       "exec svlogd -tt /var/log/xenpodd\n",
		0755);
}

/* ---- the plan ---------------------------------------------------------------------------------------- */

static void add_dir(struct plan *p, const char *path)
{
	plan_add(p, &thing_dir, path, json_make("{s:i}", "mode", 0755), "directory %s", path);
}

/* What runsv keeps goes to /run: nothing of it stays over a boot, nor in a directory that goes. */
static void add_supervise(struct plan *p, const char *dir, const char *run)
{
	_cleanup_free_ char *link = xasprintf("%s/supervise", dir);
	plan_add(p, &thing_symlink, link, json_string(run), "link %s", link);
}

static void plan_log(const char *dir, const char *name, struct plan *p)
{
	_cleanup_free_ char *log = xasprintf("%s/log", dir);
	_cleanup_free_ char *run = xasprintf("%s/run", log);
	_cleanup_free_ char *kept = xasprintf(SV_RUN "%s.log", name);
	add_dir(p, log);
	plan_add(p, &thing_file, run, log_script(), "script %s", run);
	add_supervise(p, log, kept);
}

static void plan_one(const struct services *s, enum sv sv, struct plan *p)
{
	_cleanup_free_ char *dir = xasprintf(SV_DIR "/%s", sv_name(sv));
	_cleanup_free_ char *run = xasprintf("%s/run", dir);
	_cleanup_free_ char *check = xasprintf("%s/check", dir);
	_cleanup_free_ char *kept = xasprintf(SV_RUN "%s", sv_name(sv));
	add_dir(p, dir);
	plan_add(p, &thing_file, run, run_script(s, sv), "script %s", run);
	plan_add(p, &thing_file, check, check_script(s, sv), "script %s", check);
	add_supervise(p, dir, kept);
	if (sv == SV_XENPODD)
		plan_log(dir, sv_name(sv), p);
}

/* The links come last: when the first one is there all directories are whole. */
void services_plan_runit(const struct services *s, struct plan *p)
{
	add_dir(p, "/etc/xenpod");
	add_dir(p, SV_DIR);
	for (enum sv sv = SV_STORE; sv < SV_COUNT; sv++)
		if (sv_wanted(s, sv))
			plan_one(s, sv, p);
	for (enum sv sv = SV_STORE; sv < SV_COUNT; sv++) {
		_cleanup_free_ char *link = xasprintf("%s/%s", s->scan, sv_name(sv));
		_cleanup_free_ char *target = xasprintf(SV_DIR "/%s", sv_name(sv));
		if (sv_wanted(s, sv))
			plan_add(p, &thing_symlink, link, json_string(target), "service %s", link);
	}
}
