/* SPDX-License-Identifier: Apache-2.0 */
/* What each verb of `xenpod host services` does. See services.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "host/files.h"
#include "host/services.h"
#include "host/systemctl.h"

#define RELOAD_MS 30000

static const struct thing *const kinds[] = {&thing_file, &thing_dir, &thing_symlink, NULL};

/* ---- who starts them --------------------------------------------------------------------------------- */

static struct plan empty_plan(void)
{
	return (struct plan){.of = "services", .kinds = kinds, .may_change = true};
}

/* What setup was asked for when it was last run; NULL: there is no record. */
static int recorded(const struct host *h, json_t **ret, struct err *err)
{
	struct plan p = empty_plan();
	enum plan_state state;
	size_t changed;
	_cleanup_json_ json_t *record = NULL;
	*ret = NULL;
	if (plan_look(h, &p, &state, &changed, &record, err) < 0)
		return -1;
	if (record)
		*ret = json_incref(json_object_get(record, "options"));
	return 0;
}

static enum sv_by by_of(const char *word)
{
	return !strcmp(word, "runit")     ? SV_BY_RUNIT
	       : !strcmp(word, "systemd") ? SV_BY_SYSTEMD
	       : !strcmp(word, "shipped") ? SV_BY_SHIPPED
					  : SV_BY_NOBODY;
}

static const char *by_word(enum sv_by by)
{
	static const char *const words[] = {"nobody", "runit", "systemd", "shipped"};
	return words[by];
}

static void adopt(struct services *s, const json_t *had)
{
	const char *scan = json_str_opt(had, "dir", "");
	const char *prefix = json_str_opt(had, "prefix", "");
	s->by = by_of(json_str_opt(had, "by", ""));
	if (!s->scan && *scan)
		s->scan = xstrdup(scan);
	if (!s->prefix && *prefix)
		s->prefix = xstrdup(prefix);
	s->xenpodd = s->xenpodd || json_bool_opt(had, "xenpodd", false);
	s->alone = json_bool_opt(had, "alone", false);
}

/* What was set up once stays as it is but for what is asked for now. */
static int settle_recorded(struct services *s, const json_t *had, struct err *err)
{
	enum sv_by by = by_of(json_str_opt(had, "by", ""));
	const char *scan = json_str_opt(had, "dir", "");
	bool other = s->by != SV_BY_NOBODY && s->by != by &&
		     !(s->by == SV_BY_SYSTEMD && by == SV_BY_SHIPPED);
	if (other || (s->scan && strcmp(s->scan, scan) != 0))
		return err_set(err, ERR_STATE,
			"the services are set up for %s%s%s already: xenpod host services teardown "
			"first",
			by_word(by), *scan ? " in " : "", scan);
	adopt(s, had);
	return 0;
}

static int settle_runit(const struct host *h, struct services *s, struct err *err)
{
	s->by = SV_BY_RUNIT;
	if (!s->scan)
		s->scan = services_scan_dir(h);
	if (s->scan)
		return 0;
	return err_set(err, ERR_NOTFOUND,
		"there is no directory of runit's services (/etc/service): install runit, or name "
		"it with --runit=DIR");
}

/* Without a word: systemd where it runs, and what is shipped is enough. */
static int settle(const struct host *h, struct services *s, struct err *err)
{
	_cleanup_json_ json_t *had = NULL;
	if (recorded(h, &had, err) < 0)
		return -1;
	if (had)
		return settle_recorded(s, had, err);
	if (s->by == SV_BY_RUNIT)
		return settle_runit(h, s, err);
	const bool systemd = services_under_systemd(h);
	s->shipped = services_shipped(h);
	s->alone = s->shipped && s->by != SV_BY_SYSTEMD && s->xenpodd && !systemd;
	if (s->shipped && !s->alone)
		s->by = SV_BY_SHIPPED;
	else if (s->by == SV_BY_SYSTEMD || systemd)
		s->by = SV_BY_SYSTEMD;
	else
		return settle_runit(h, s, err);
	return 0;
}

/* Units that nobody reads are of no use, and could not be stopped again. */
static int need_systemd(const struct host *h, const struct services *s, struct err *err)
{
	const bool units = s->by == SV_BY_SYSTEMD || (s->by == SV_BY_SHIPPED && s->xenpodd);
	if (!units || *h->root || services_under_systemd(h))
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		"systemd does not run here: use --runit%s (after a teardown, where units are set "
		"up)",
		s->xenpodd ? " --xenpodd" : "");
}

/* ---- plan, setup --------------------------------------------------------------------------------------- */

static json_t *options_of(const struct services *s)
{
	json_t *o = json_make("{s:s,s:b}", "by", by_word(s->by), "xenpodd", s->xenpodd);
	if (s->alone)
		json_object_set_new(o, "alone", json_true());
	if (s->scan)
		json_object_set_new(o, "dir", json_string(s->scan));
	if (s->prefix)
		json_object_set_new(o, "prefix", json_string(s->prefix));
	return o;
}

/* A service of that name which is somebody else's is left alone. */
static int refuse_foreign(const struct host *h, const struct services *s, struct err *err)
{
	for (enum sv sv = SV_STORE; s->by == SV_BY_RUNIT && sv < SV_COUNT; sv++) {
		_cleanup_free_ char *link = xasprintf("%s/%s", s->scan, sv_name(sv));
		_cleanup_free_ char *at = host_path(h, link);
		_cleanup_free_ char *own = xasprintf(SV_DIR "/%s", sv_name(sv));
		char target[4096] = "";
		if (!sv_wanted(s, sv) || access(at, F_OK) < 0)
			continue;
		if (readlink(at, target, sizeof target - 1) < 0 || strcmp(target, own) != 0)
			return err_set(err, ERR_EXISTS,
				"%s is there already, and is not of xenpod: it starts a service of "
				"that name, so move it away first",
				link);
	}
	return 0;
}

/* The one that is looked after by what we have made. */
static bool store_is_ours(const struct host *h, const struct services *s, pid_t pid)
{
	struct sv_state st;
	if (s->by == SV_BY_RUNIT)
		return services_number(h, SV_RUN "xenstored/pid") == pid;
	services_look(h, s, SV_STORE, &st);
	bool ours = st.run && st.says && !strncmp(st.says, sv_unit(SV_STORE), 17);
	sv_state_done(&st);
	return ours;
}

/* Xen's kernel side knows one xenstored from boot to boot: a second one would break what runs. */
static int refuse_store(const struct host *h, const struct services *s, struct err *err)
{
	_cleanup_free_ char *began = host_path(h, SV_BEGAN);
	_cleanup_free_ char *sock = host_path(h, SV_SOCKET);
	pid_t pid = services_store_pid(h);
	if (!sv_wanted(s, SV_STORE) || (pid && store_is_ours(h, s, pid)))
		return 0;
	if (pid)
		return err_set(err, ERR_STATE,
			"xenstored runs already (process %d), and there can be only one from boot "
			"to "
			"boot: disable what starts it, reboot, then set up these",
			(int)pid);
	if (access(began, F_OK) == 0 || access(sock, F_OK) == 0)
		return err_set(err, ERR_STATE,
			"a xenstored has run and ended since the host was booted, and another one "
			"cannot take its place: reboot the host first");
	return 0;
}

static int make_plan(const struct services_ask *a, struct plan *p, struct err *err)
{
	*p = empty_plan();
	p->options = options_of(&a->s);
	if (a->s.by == SV_BY_RUNIT) {
		services_plan_runit(&a->s, p);
		return 0;
	}
	return services_plan_units(a->h, &a->s, p, err);
}

static void print_plan_json(const struct services_ask *a, const struct plan *p)
{
	_cleanup_json_ json_t *j = json_make("{s:s,s:O,s:{},s:o}", "by", by_word(a->s.by),
		"options", p->options, "programs", "steps", plan_steps(p));
	for (enum sv sv = SV_STORE; sv < SV_COUNT; sv++)
		if (sv_wanted(&a->s, sv))
			json_object_set_new(json_object_get(j, "programs"), sv_name(sv),
				json_string(a->s.program[sv]));
	(void)json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
}

/* What is made has to be started, on the host that we run on. */
static int start(const struct services_ask *a, struct err *err)
{
	const struct services *s = &a->s;
	if (*a->h->root)
		return 0;
	if (s->by == SV_BY_RUNIT && !services_scanned(a->h, s->scan)) {
		log_notice("no runsvdir looks at %s: the services start when one does "
			   "(\"systemctl enable --now runit\" or what starts it here)",
			s->scan);
		return 0;
	}
	if (s->by != SV_BY_RUNIT && services_start_units(s, err) < 0)
		return -1;
	return a->timeout ? services_await(a->h, s, a->timeout, err) : 0;
}

static int do_setup(struct services_ask *a, bool show, struct err *err)
{
	struct plan p = empty_plan();
	if (settle(a->h, &a->s, err) < 0)
		return -1;
	if ((a->s.by == SV_BY_SHIPPED || a->s.alone) && a->s.shipped && !a->json)
		printf("%-10s  Xen's services: %s starts them\n", "is so", a->s.shipped);
	if (a->s.by == SV_BY_SHIPPED && !a->s.xenpodd && !a->json)
		return 0;
	if (need_systemd(a->h, &a->s, err) < 0 || services_find(a->h, &a->s, err) < 0 ||
		refuse_foreign(a->h, &a->s, err) < 0 || refuse_store(a->h, &a->s, err) < 0)
		return -1;
	int r = make_plan(a, &p, err);
	if (r == 0 && a->json)
		print_plan_json(a, &p);
	else if (r == 0)
		r = plan_up(a->h, &p, show ? PLAN_SHOW : PLAN_DO, err);
	plan_done(&p);
	return r < 0 || show ? r : start(a, err);
}

int services_plan(void *ask, struct err *err)
{
	struct services_ask *a = ask;
	return do_setup(a, true, err);
}

int services_setup(void *ask, struct err *err)
{
	struct services_ask *a = ask;
	if (!a->dry_run && host_begin(a->h, "services", "setup", err) < 0)
		return -1;
	return do_setup(a, a->dry_run, err);
}

/* ---- teardown ---------------------------------------------------------------------------------------- */

/* Without xenstored no domain starts, ends or can be reached any more. */
static int refuse_domains(const struct services_ask *a, struct err *err)
{
	if (a->force || a->s.by == SV_BY_SHIPPED || a->s.alone)
		return 0;
	_cleanup_free_ char *domains = services_domains(&a->s);
	if (!domains && !services_store_pid(a->h))
		return 0;
	if (!domains)
		return err_set(err, ERR_UNAVAILABLE,
			"xenstored does not answer, so it cannot be told whether domains run: stop "
			"them first, or use --force");
	if (!*domains)
		return 0;
	return err_set(err, ERR_STATE,
		"domains run (%s), and cannot go on without these services: stop them first "
		"(xenpod "
		"stop --all), or use --force",
		domains);
}

/* `ask` as the record has it. */
static int from_record(struct services_ask *a, bool *ret_there, struct err *err)
{
	_cleanup_json_ json_t *had = NULL;
	if (recorded(a->h, &had, err) < 0)
		return -1;
	*ret_there = had != NULL;
	if (had)
		adopt(&a->s, had);
	/* Its programs may be gone: what is missing is not asked. */
	(void)services_find(a->h, &a->s, NULL);
	return 0;
}

static int after_teardown(const struct services_ask *a, struct err *err)
{
	if (a->s.by == SV_BY_RUNIT)
		return services_forget(a->h, &a->s, err);
	return systemctl_there() ? systemctl("daemon-reload", NULL, RELOAD_MS, err) : 0;
}

int services_teardown(void *ask, struct err *err)
{
	struct services_ask *a = ask;
	struct plan p = empty_plan();
	bool there;
	bool live = !*a->h->root;
	if (!a->dry_run && host_begin(a->h, "services", "teardown", err) < 0)
		return -1;
	if (from_record(a, &there, err) < 0)
		return -1;
	if (!there) {
		puts("nothing is set up");
		return 0;
	}
	if (live && refuse_domains(a, err) < 0)
		return -1;
	if (live && !a->dry_run && services_stop(a->h, &a->s, err) < 0)
		return -1;
	if (plan_down(a->h, &p, a->dry_run ? PLAN_SHOW : PLAN_DO, NULL, err) < 0)
		return -1;
	return live && !a->dry_run ? after_teardown(a, err) : 0;
}

/* ---- status ------------------------------------------------------------------------------------------ */

static json_t *state_json(enum sv sv, const struct sv_state *st)
{
	return json_make("{s:s,s:b,s:b,s:s,s:b,s:s,s:i}", "name", sv_name(sv), "up",
		st->run && st->answers, "run", st->run, "says", st->says, "answers", st->answers,
		"what", st->what, "pid", (int)st->pid);
}

static bool show_one(const struct services_ask *a, enum sv sv, json_t *list)
{
	struct sv_state st;
	services_look(a->h, &a->s, sv, &st);
	bool up = st.run && st.answers;
	if (a->json)
		json_array_append_new(list, state_json(sv, &st));
	else
		printf("%-5s %-27s %s; %s\n", up ? "up" : "down", sv_name(sv), st.what, st.says);
	sv_state_done(&st);
	return up;
}

int services_status(void *ask, struct err *err)
{
	struct services_ask *a = ask;
	bool there;
	bool all = true;
	_cleanup_json_ json_t *list = json_array();
	if (*a->h->root)
		return err_set(err, ERR_UNSUPPORTED,
			"status asks services of the host that runs: it goes without --root");
	if (from_record(a, &there, err) < 0)
		return -1;
	for (enum sv sv = SV_STORE; sv < SV_COUNT; sv++)
		if (sv != SV_XENPODD || a->s.xenpodd)
			all = show_one(a, sv, list) && all;
	if (a->json) {
		_cleanup_json_ json_t *j = json_make("{s:s,s:b,s:O}", "by",
			there ? by_word(a->s.by) : "nobody", "up", all, "services", list);
		(void)json_dumpf(j, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	return all ? 0 : HOST_EXIT_NOT_SO;
}
