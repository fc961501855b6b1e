/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the services do: what whoever starts them says (sv, systemctl), and whether each really does its
 * work. See services.h.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "host/exec.h"
#include "host/services.h"

#define ASK_MS 10000

void sv_state_done(struct sv_state *st)
{
	free(st->says);
	free(st->what);
	*st = (struct sv_state){0};
}

/* ---- processes --------------------------------------------------------------------------------------- */

/* All of its words, each with its NUL; caller frees; NULL: it is gone, or the kernel's. */
static char *words_of(const struct host *h, const char *pid, size_t *ret_len)
{
	_cleanup_free_ char *rel = xasprintf("/proc/%s/cmdline", pid);
	_cleanup_free_ char *at = host_path(h, rel);
	char *text = NULL;
	if (file_read_at(AT_FDCWD, at, 65536, &text, ret_len, NULL) < 0 || !*ret_len) {
		free(text);
		return NULL;
	}
	return text;
}

static bool named(const struct host *h, const char *pid, const char *name)
{
	_cleanup_free_ char *rel = xasprintf("/proc/%s/comm", pid);
	_cleanup_free_ char *at = host_path(h, rel);
	_cleanup_free_ char *text = NULL;
	size_t n = strlen(name) < 15 ? strlen(name) : 15;
	return file_read_at(AT_FDCWD, at, 64, &text, NULL, NULL) == 0 && !strncmp(text, name, n) &&
	       (text[n] == '\n' || !text[n]);
}

static bool has_word(const char *words, size_t len, const char *word)
{
	for (const char *p = words; p < words + len; p += strlen(p) + 1)
		if (!strcmp(p, word))
			return true;
	return false;
}

/* The first process with that name, or with that word on its command line, either may be NULL; 0: none. */
static pid_t process(const struct host *h, const char *name, const char *word)
{
	_cleanup_free_ char *proc = host_path(h, "/proc");
	_cleanup_dir_ DIR *d = opendir(proc);
	struct dirent *e;
	while (d && (e = readdir(d))) {
		size_t len = 0;
		if (!isdigit((unsigned char)*e->d_name) || (name && !named(h, e->d_name, name)))
			continue;
		_cleanup_free_ char *words = words_of(h, e->d_name, &len);
		if (words && (!word || has_word(words, len, word)))
			return (pid_t)strtol(e->d_name, NULL, 10);
	}
	return 0;
}

pid_t services_store_pid(const struct host *h)
{
	pid_t pid = process(h, "oxenstored", NULL);
	return pid ? pid : process(h, "xenstored", NULL);
}

bool services_scanned(const struct host *h, const char *scan)
{
	_cleanup_free_ char *at = host_path(h, scan);
	_cleanup_free_ char *want = realpath(at, NULL);
	_cleanup_free_ char *proc = host_path(h, "/proc");
	_cleanup_dir_ DIR *d = opendir(proc);
	struct dirent *e;
	while (want && d && (e = readdir(d))) {
		size_t len = 0;
		if (!isdigit((unsigned char)*e->d_name) || !named(h, e->d_name, "runsvdir"))
			continue;
		_cleanup_free_ char *words = words_of(h, e->d_name, &len);
		for (char *p = words; words && p < words + len; p += strlen(p) + 1) {
			_cleanup_free_ char *real = *p == '/' ? realpath(p, NULL) : NULL;
			if (real && !strcmp(real, want))
				return true;
		}
	}
	return false;
}

/* ---- what they answer -------------------------------------------------------------------------------- */

/* What xenstore-read prints, without its end of line; NULL: no answer, or no such node. */
static char *store_read(const struct services *s, const char *flag, const char *path)
{
	const char *const argv[] = {s->store_read, flag ? flag : path, flag ? path : NULL, NULL};
	const struct exec e = {.argv = argv, .timeout_ms = ASK_MS};
	char *out = NULL;
	if (!s->store_read || exec_run(&e, &out, NULL, NULL) < 0)
		return NULL;
	out[strcspn(out, "\n")] = '\0';
	return out;
}

static void found(struct sv_state *st, bool answers, const char *good, const char *bad)
{
	st->answers = answers;
	st->what = xstrdup(answers ? good : bad);
}

static void look_store(const struct host *h, const struct services *s, struct sv_state *st)
{
	_cleanup_free_ char *out = store_read(s, "-s", "/");
	st->pid = services_store_pid(h);
	found(st, out != NULL, "answers",
		!s->store_read ? "there is no xenstore-read to ask it with"
		: st->pid      ? "does not answer"
			       : "does not run");
}

static void look_init(const struct host *h, const struct services *s, struct sv_state *st)
{
	_cleanup_free_ char *out = store_read(s, NULL, "/local/domain/0/name");
	(void)h;
	found(st, out && *out, "Domain-0 is in xenstore", "Domain-0 is not in xenstore");
}

static void look_console(const struct host *h, const struct services *s, struct sv_state *st)
{
	(void)s;
	st->pid = process(h, "xenconsoled", NULL);
	found(st, st->pid != 0, "runs", "does not run");
}

static void look_disk(const struct host *h, const struct services *s, struct sv_state *st)
{
	_cleanup_free_ char *out = store_read(s, NULL, "/local/domain/0/device-model/0/state");
	st->pid = process(h, NULL, "-xen-attach");
	found(st, st->pid && out && !strcmp(out, "running"), "its QEMU serves",
		st->pid ? "its QEMU does not serve yet" : "its QEMU does not run");
}

static void look_xenpodd(const struct host *h, const struct services *s, struct sv_state *st)
{
	_cleanup_free_ char *status =
		s->bin ? xasprintf("%s/xenpod-status", s->bin) : xstrdup("xenpod-status");
	const char *const argv[] = {status, "--health", NULL};
	const struct exec e = {.argv = argv, .timeout_ms = ASK_MS};
	st->pid = process(h, "xenpodd", NULL);
	found(st, exec_run(&e, NULL, NULL, NULL) == 0, "answers", "does not answer");
}

/* ---- what is said of them ----------------------------------------------------------------------------- */

/* "run: /etc/service/xenconsoled: (pid 29673) 115s" without the directory, as `sv status NAME` has it. */
static void says_runit(const struct services *s, enum sv sv, struct sv_state *st)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", s->scan, sv_name(sv));
	const char *const argv[] = {"sv", "status", dir, NULL};
	_cleanup_free_ char *out = NULL;
	_cleanup_err_ struct err err = {0};
	int status;
	if (exec_run(&(struct exec){.argv = argv, .timeout_ms = ASK_MS}, &out, &status, &err) < 0) {
		st->says = xstrdup(err_msg(&err));
		return;
	}
	out[strcspn(out, "\n")] = '\0';
	st->run = !strncmp(out, "run: ", 5);
	char *at = strstr(out, dir);
	st->says = at ? xasprintf("%.*s%s%s", (int)(at - out), out, sv_name(sv), at + strlen(dir))
		      : xstrdup(*out ? out : "sv says nothing");
}

static bool systemctl_show(const char *unit, char **ret)
{
	const char *const argv[] = {"systemctl", "show", "--value", "--property=LoadState",
		"--property=ActiveState", unit, NULL};
	return exec_run(&(struct exec){.argv = argv, .timeout_ms = ASK_MS}, ret, NULL, NULL) == 0;
}

/* Debian's xen.service is all four in one. */
static void says_systemd(enum sv sv, struct sv_state *st)
{
	const char *const units[] = {sv_unit(sv), sv == SV_XENPODD ? NULL : "xen.service", NULL};
	for (size_t i = 0; units[i]; i++) {
		_cleanup_free_ char *out = NULL;
		if (!systemctl_show(units[i], &out) || !strstr(out, "loaded"))
			continue;
		st->run = strstr(out, "\nactive") || !strncmp(out, "active", 6);
		char *state = strstr(out, "loaded") == out ? strchr(out, '\n') : out;
		state += *state == '\n';
		st->says = xasprintf("%s: %.*s", units[i], (int)strcspn(state, "\n"), state);
		return;
	}
	st->run = true;
	st->says = xstrdup("no unit starts it");
}

void services_look(const struct host *h, const struct services *s, enum sv sv, struct sv_state *ret)
{
	static void (*const look[])(const struct host *, const struct services *,
		struct sv_state *) = {look_store, look_init, look_console, look_disk, look_xenpodd};
	*ret = (struct sv_state){0};
	look[sv](h, s, ret);
	if (s->by == SV_BY_RUNIT && s->scan && (sv == SV_XENPODD || !s->alone))
		says_runit(s, sv, ret);
	else if (s->by == SV_BY_SYSTEMD || services_under_systemd(h))
		says_systemd(sv, ret);
	else {
		ret->run = true;
		ret->says = xstrdup("nobody is known to start it");
	}
}

char *services_domains(const struct services *s)
{
	_cleanup_free_ char *dir = s->store_read ? xstrdup(s->store_read) : xstrdup("/");
	*strrchr(dir, '/') = '\0';
	_cleanup_free_ char *list = xasprintf("%s/xenstore-list", dir);
	const char *const argv[] = {list, "/local/domain", NULL};
	_cleanup_free_ char *out = NULL;
	char *save = NULL;
	char *all = NULL;
	if (exec_run(&(struct exec){.argv = argv, .timeout_ms = ASK_MS}, &out, NULL, NULL) < 0)
		return NULL;
	for (char *id = strtok_r(out, "\n", &save); id; id = strtok_r(NULL, "\n", &save)) {
		if (!strcmp(id, "0"))
			continue;
		char *more = xasprintf("%s%s%s", all ? all : "", all ? " " : "", id);
		free(all);
		all = more;
	}
	return all ? all : xstrdup("");
}
