/* SPDX-License-Identifier: Apache-2.0 */
/* See plan.h. It knows no kind of thing. */
#include "host/plan.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "host/record.h"

#define _cleanup_record_ _cleanup_(record_done)

void plan_add(struct plan *p, const struct thing *thing, const char *name, json_t *want,
	const char *fmt, ...)
{
	va_list ap;
	for (size_t i = 0; i < p->n; i++)
		if (p->steps[i].thing == thing && !strcmp(p->steps[i].name, name)) {
			json_decref(want);
			return;
		}
	va_start(ap, fmt);
	p->steps = xreallocarray(p->steps, p->n + 1, sizeof(*p->steps));
	p->steps[p->n++] = (struct step){
		.thing = thing, .name = xstrdup(name), .want = want, .say = xvasprintf(fmt, ap)};
	va_end(ap);
}

json_t *plan_steps(const struct plan *p)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(
			list, json_make("{s:s,s:s,s:s,s:O}", "kind", p->steps[i].thing->kind,
				      "name", p->steps[i].name, "say", p->steps[i].say, "want",
				      p->steps[i].want));
	return list;
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->steps[i].name);
		free(p->steps[i].say);
		json_decref(p->steps[i].want);
	}
	free(p->steps);
	json_decref(p->options);
	p->steps = NULL;
	p->options = NULL;
	p->n = 0;
}

const char *plan_state_name(enum plan_state state)
{
	static const char *const names[] = {"none", "interrupted", "up", "changed"};
	return names[state];
}

static bool same(const struct thing *thing, const json_t *now, const json_t *want)
{
	if (json_is_null(now) || json_is_null(want) || !thing->same)
		return json_equal(now, want);
	return thing->same(now, want);
}

static int get(const struct host *h, const struct thing *thing, const char *name, json_t **ret,
	struct err *err)
{
	*ret = NULL;
	if (thing->get(h, name, ret, err) < 0)
		return err_wrap(err, "look at %s %s", thing->kind, name);
	if (!*ret)
		*ret = json_null();
	return 0;
}

static void say(
	enum plan_how how, const char *done, const char *would, const char *what, const char *more)
{
	printf("%-10s  %s%s\n", how == PLAN_DO ? done : would, what, more);
	(void)fflush(stdout);
}

int plan_is_so(const struct host *h, const struct plan *p, bool *ret, struct err *err)
{
	*ret = true;
	for (size_t i = 0; i < p->n && *ret; i++) {
		_cleanup_json_ json_t *now = NULL;
		if (get(h, p->steps[i].thing, p->steps[i].name, &now, err) < 0)
			return -1;
		*ret = same(p->steps[i].thing, now, p->steps[i].want);
	}
	return 0;
}

/* ---- boots ---------------------------------------------------------------------------------------- */

char *plan_boot_id(const struct host *h)
{
	_cleanup_free_ char *at = host_path(h, "/proc/sys/kernel/random/boot_id");
	_cleanup_err_ struct err why = {0};
	char *text = NULL;
	size_t len;
	if (file_read_at(AT_FDCWD, at, 64, &text, &len, &why) < 0)
		return xstrdup("");
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* Was it made in an earlier boot, and has ended with it? */
static bool is_gone(const struct host *h, const struct thing *thing, const json_t *step)
{
	_cleanup_free_ char *now = plan_boot_id(h);
	return thing->till_boot && strcmp(json_str_opt(step, "boot", ""), now) != 0;
}

static void forget(struct record *r, const json_t *step)
{
	json_t *steps = record_steps(r);
	for (size_t i = json_array_size(steps); i-- > 0;)
		if (json_array_get(steps, i) == step)
			json_array_remove(steps, i);
}

/* ---- up ------------------------------------------------------------------------------------------- */

/* Has it a value that we gave it: the one it shall have, or the one before that? */
static bool ours(const struct thing *thing, const json_t *step, const json_t *now)
{
	const json_t *had = json_object_get(step, "had");
	return same(thing, now, json_object_get(step, "want")) || (had && same(thing, now, had));
}

/* Whatever it was is on disk before it is changed. */
static int note(const struct host *h, struct record *r, const struct step *s, const json_t *now,
	struct err *err)
{
	json_t *step = record_step(r, s->thing->kind, s->name);
	_cleanup_free_ char *boot = plan_boot_id(h);
	json_object_set_new(r->doc, "complete", json_false());
	if (step && is_gone(h, s->thing, step)) {
		forget(r, step);
		step = NULL;
	}
	if (step) {
		/* It keeps that value when we are interrupted now, and still is ours. */
		if (ours(s->thing, step, now))
			json_object_set_new(step, "had", json_deep_copy(now));
		json_object_set(step, "want", s->want);
		json_object_set_new(step, "say", json_string(s->say));
		return record_save(r, err);
	}
	step = json_pack("{s:s,s:s,s:s,s:O,s:O}", "kind", s->thing->kind, "name", s->name, "say",
		s->say, "was", now, "want", s->want);
	if (s->thing->till_boot)
		json_object_set_new(step, "boot", json_string(boot));
	json_array_append_new(record_steps(r), step);
	return record_save(r, err);
}

/* Made by an earlier boot's call, and there again without us: it is not ours any more. */
static int disown(const struct host *h, struct record *r, const struct step *s, struct err *err)
{
	json_t *step = record_step(r, s->thing->kind, s->name);
	if (!step || !is_gone(h, s->thing, step))
		return 0;
	forget(r, step);
	return record_save(r, err);
}

/* Has somebody else given it a value since we did? */
static bool is_changed(
	const struct host *h, const struct record *r, const struct step *s, const json_t *now)
{
	const json_t *step = record_step(r, s->thing->kind, s->name);
	return step && !is_gone(h, s->thing, step) && !ours(s->thing, step, now) &&
	       !same(s->thing, now, json_object_get(step, "was"));
}

static int do_step(const struct host *h, struct record *r, const struct step *s, enum plan_how how,
	struct err *err)
{
	_cleanup_json_ json_t *now = NULL;
	if (get(h, s->thing, s->name, &now, err) < 0)
		return -1;
	if (same(s->thing, now, s->want)) {
		say(how, "is so", "is so", s->say, "");
		return how == PLAN_DO ? disown(h, r, s, err) : 0;
	}
	bool changed = is_changed(h, r, s, now);
	if (how == PLAN_DO &&
		(note(h, r, s, now, err) < 0 || s->thing->set(h, s->name, s->want, err) < 0))
		return err_wrap(err, "%s", s->say);
	say(how, "done", "would do", s->say, changed ? " (changed since)" : "");
	return 0;
}

static int begin(const struct plan *p, struct record *r, struct err *err)
{
	if (!r->doc) {
		r->doc =
			json_pack("{s:b,s:O*,s:[]}", "complete", 0, "options", p->options, "steps");
		return 0;
	}
	if (json_equal(json_object_get(r->doc, "options"), p->options) ||
		(!p->options && !json_object_get(r->doc, "options")))
		return 0;
	if (!p->may_change)
		return err_set(err, ERR_STATE,
			"%s is in force with other options: take that back first (xenpod host %s "
			"--help)",
			p->of, p->of);
	json_object_set(r->doc, "options", p->options);
	json_object_set_new(r->doc, "complete", json_false());
	return 0;
}

/* What is there in the place of something that is only made new, and was not made by us? */
static int refuse_others(
	const struct host *h, const struct record *r, const struct step *s, struct err *err)
{
	const json_t *step = record_step(r, s->thing->kind, s->name);
	_cleanup_json_ json_t *now = NULL;
	if (!s->thing->only_new || (step && !is_gone(h, s->thing, step)))
		return 0;
	if (get(h, s->thing, s->name, &now, err) < 0)
		return -1;
	if (json_is_null(now) || same(s->thing, now, s->want))
		return 0;
	return err_set(err, ERR_EXISTS,
		"%s is there already, and is not of xenpod: move it away first", s->say);
}

static int check(const struct host *h, const struct plan *p, struct record *r, struct err *err)
{
	if (begin(p, r, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		if (refuse_others(h, r, &p->steps[i], err) < 0)
			return -1;
	return 0;
}

int plan_check(const struct host *h, const struct plan *p, struct err *err)
{
	_cleanup_record_ struct record r;
	return record_read(h, p->of, &r, err) < 0 ? -1 : check(h, p, &r, err);
}

static const struct thing *kind_of(const struct plan *p, const json_t *step, struct err *err)
{
	const char *kind = json_str_opt(step, "kind", "");
	for (const struct thing *const *t = p->kinds; *t; t++)
		if (!strcmp((*t)->kind, kind))
			return *t;
	err_set(err, ERR_UNSUPPORTED,
		"the record of %s holds a \"%s\", which this xenpod does not know", p->of, kind);
	return NULL;
}

/* ret_left: it is not as it was made, or it is in use. */
static int undo_step(const struct host *h, const struct plan *p, const json_t *step,
	enum plan_how how, bool *ret_left, struct err *err)
{
	const struct thing *thing = kind_of(p, step, err);
	const char *name = json_str_opt(step, "name", "");
	const char *what = json_str_opt(step, "say", "");
	const json_t *was = json_object_get(step, "was");
	_cleanup_json_ json_t *now = NULL;
	_cleanup_err_ struct err why = {0};
	*ret_left = false;
	if (!thing || get(h, thing, name, &now, err) < 0)
		return -1;
	if (how == PLAN_DO && thing->tidy)
		thing->tidy(h, name);
	if (is_gone(h, thing, step) || same(thing, now, was)) {
		say(how, "was undone", "is undone", what, "");
		return 0;
	}
	*ret_left = !ours(thing, step, now);
	if (!*ret_left && how == PLAN_DO && thing->set(h, name, was, &why) < 0) {
		if (why.code != ERR_STATE)
			return err_set(err, why.code, "take back %s: %s", what, err_msg(&why));
		*ret_left = true;
	}
	if (*ret_left)
		printf("%-10s  %s (%s)\n", "left", what, why.msg ? err_msg(&why) : "changed since");
	else
		say(how, "undone", "would undo", what, "");
	return 0;
}

static bool planned(const struct plan *p, const json_t *step)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->steps[i].thing->kind, json_str_opt(step, "kind", "")) &&
			!strcmp(p->steps[i].name, json_str_opt(step, "name", "")))
			return true;
	return false;
}

/* Last first; `all`: else those that the plan has no more. Each is forgotten when it has been taken back. */
static int undo(const struct host *h, const struct plan *p, struct record *r, bool all,
	enum plan_how how, size_t *ret_left, struct err *err)
{
	json_t *steps = record_steps(r);
	for (size_t i = json_array_size(steps); i-- > 0;) {
		bool left;
		const json_t *step = json_array_get(steps, i);
		if (!all && planned(p, step))
			continue;
		if (undo_step(h, p, step, how, &left, err) < 0)
			return -1;
		*ret_left += left;
		if (how == PLAN_SHOW)
			continue;
		json_array_remove(steps, i);
		json_object_set_new(r->doc, "complete", json_false());
		if (record_save(r, err) < 0)
			return -1;
	}
	return 0;
}

int plan_undone(const struct host *h, const struct plan *p, json_t **ret, struct err *err)
{
	_cleanup_record_ struct record r;
	if (record_read(h, p->of, &r, err) < 0)
		return -1;
	*ret = json_array();
	for (size_t i = json_array_size(record_steps(&r)); i-- > 0;) {
		const json_t *step = json_array_get(record_steps(&r), i);
		if (!planned(p, step))
			json_array_append_new(*ret,
				json_make("{s:O,s:O,s:O}", "kind", json_object_get(step, "kind"),
					"name", json_object_get(step, "name"), "say",
					json_object_get(step, "say")));
	}
	return 0;
}

int plan_up(const struct host *h, const struct plan *p, enum plan_how how, struct err *err)
{
	_cleanup_record_ struct record r;
	size_t left = 0;
	int opened =
		how == PLAN_DO ? record_open(h, p->of, &r, err) : record_read(h, p->of, &r, err);
	if (opened < 0 || check(h, p, &r, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		if (do_step(h, &r, &p->steps[i], how, err) < 0)
			return -1;
	if (undo(h, p, &r, false, how, &left, err) < 0)
		return -1;
	if (how == PLAN_SHOW || json_bool_opt(r.doc, "complete", false))
		return 0;
	json_object_set_new(r.doc, "complete", json_true());
	return record_save(&r, err);
}

/* ---- down, and a look ------------------------------------------------------------------------------- */

int plan_down(const struct host *h, const struct plan *p, enum plan_how how, size_t *ret_left,
	struct err *err)
{
	_cleanup_record_ struct record r;
	size_t left = 0;
	int opened =
		how == PLAN_DO ? record_open(h, p->of, &r, err) : record_read(h, p->of, &r, err);
	if (opened < 0)
		return -1;
	/* From here on it is not in force, whatever comes in between. */
	if (r.doc)
		json_object_set_new(r.doc, "complete", json_false());
	if (r.doc && how == PLAN_DO && record_save(&r, err) < 0)
		return -1;
	if (undo(h, p, &r, true, how, &left, err) < 0)
		return -1;
	if (ret_left)
		*ret_left = left;
	if (how == PLAN_SHOW || !r.doc)
		return 0;
	json_decref(r.doc);
	r.doc = NULL;
	return record_save(&r, err);
}

int plan_look(const struct host *h, const struct plan *p, enum plan_state *ret, size_t *ret_changed,
	json_t **ret_record, struct err *err)
{
	_cleanup_record_ struct record r;
	size_t changed = 0;
	size_t i;
	json_t *step;
	if (record_read(h, p->of, &r, err) < 0)
		return -1;
	json_array_foreach (record_steps(&r), i, step) {
		const struct thing *thing = kind_of(p, step, err);
		json_t *now;
		if (!thing || get(h, thing, json_str_opt(step, "name", ""), &now, err) < 0)
			return -1;
		bool so = same(thing, now, json_object_get(step, "want"));
		changed += !so;
		json_object_set_new(step, "now", now);
		json_object_set_new(step, "so", json_boolean(so));
	}
	*ret = !r.doc                                     ? PLAN_NONE
	       : !json_bool_opt(r.doc, "complete", false) ? PLAN_INTERRUPTED
	       : changed                                  ? PLAN_CHANGED
							  : PLAN_UP;
	*ret_changed = changed;
	if (ret_record)
		*ret_record = TAKE_PTR(r.doc);
	return 0;
}
