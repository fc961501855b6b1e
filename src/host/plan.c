/* SPDX-License-Identifier: Apache-2.0 */
/* See plan.h. It knows no kind of thing. */
#include "host/plan.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/plan_step.h"

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

static void say(
	enum plan_how how, const char *done, const char *would, const char *what, const char *more)
{
	printf("%-10s  %s%s\n", how == PLAN_DO ? done : would, what, more);
	(void)fflush(stdout);
}

/* ---- up ------------------------------------------------------------------------------------------- */

static void forget(struct record *r, const json_t *step)
{
	json_t *steps = record_steps(r);
	for (size_t i = json_array_size(steps); i-- > 0;)
		if (json_array_get(steps, i) == step)
			json_array_remove(steps, i);
}

/* What an earlier boot's call has made counts no more. */
static void forget_gone(const struct host *h, struct record *r, const struct step *s)
{
	const json_t *step = record_step(r, s->thing->kind, s->name);
	if (step && step_is_gone(h, s->thing, step))
		forget(r, step);
}

static int add_step(const struct host *h, struct record *r, const struct step *s, const json_t *now,
	struct err *err)
{
	_cleanup_free_ char *boot = plan_boot_id(h);
	json_t *step = json_pack("{s:s,s:s,s:s,s:O,s:O}", "kind", s->thing->kind, "name", s->name,
		"say", s->say, "was", now, "want", s->want);
	if (!step)
		return err_set(err, ERR_INVALID, "that is a name which is not UTF-8");
	if (s->thing->till_boot)
		json_object_set_new(step, "boot", json_string(boot));
	json_array_append_new(record_steps(r), step);
	return record_save(r, err);
}

/* Whatever it was is on disk before it is changed. */
static int note(const struct host *h, struct record *r, const struct step *s, const json_t *now,
	struct err *err)
{
	json_object_set_new(r->doc, "complete", json_false());
	forget_gone(h, r, s);
	json_t *step = record_step(r, s->thing->kind, s->name);
	if (!step)
		return add_step(h, r, s, now, err);
	/* It keeps that value when we are interrupted now, and still is ours. */
	if (step_is_ours(s->thing, step, now))
		json_object_set_new(step, "had", json_deep_copy(now));
	json_object_set(step, "want", s->want);
	json_object_set_new(step, "say", json_string(s->say));
	return record_save(r, err);
}

/*
 * It is so without us. Made by an earlier boot's call it is not ours any more. One that shall be something
 * else than before, and is it already, is ours still: that is what it shall be from now on.
 */
static int adopt(const struct host *h, struct record *r, const struct step *s, struct err *err)
{
	json_t *step = record_step(r, s->thing->kind, s->name);
	if (!step || (!step_is_gone(h, s->thing, step) &&
			     json_equal(json_object_get(step, "want"), s->want)))
		return 0;
	forget_gone(h, r, s);
	step = record_step(r, s->thing->kind, s->name);
	if (step) {
		json_object_set(step, "want", s->want);
		json_object_set_new(step, "say", json_string(s->say));
	}
	return record_save(r, err);
}

/* Has somebody else given it a value since we did? */
static bool is_changed(const struct thing *thing, const json_t *step, const json_t *now)
{
	return step && !step_is_ours(thing, step, now) &&
	       !step_same(thing, now, json_object_get(step, "was"));
}

static int do_step(const struct host *h, struct record *r, const struct step *s, enum plan_how how,
	struct err *err)
{
	const json_t *step = step_recorded(h, r, s);
	_cleanup_json_ json_t *now = NULL;
	if (step_get(h, s->thing, s->name, step != NULL, &now, err) < 0)
		return -1;
	if (step_same(s->thing, now, s->want)) {
		say(how, "is so", "is so", s->say, "");
		return how == PLAN_DO ? adopt(h, r, s, err) : 0;
	}
	bool changed = is_changed(s->thing, step, now);
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
	_cleanup_json_ json_t *now = NULL;
	if (!s->thing->only_new || step_recorded(h, r, s))
		return 0;
	if (step_get(h, s->thing, s->name, false, &now, err) < 0)
		return -1;
	if (json_is_null(now) || step_same(s->thing, now, s->want))
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
	return step_open(h, p, PLAN_SHOW, false, &r, err) < 0 ? -1 : check(h, p, &r, err);
}

/* ---- taken back ----------------------------------------------------------------------------------- */

struct undoing {
	const struct host *h;
	const struct plan *p;
	enum plan_how how;
	json_t *gone; /* names of what was taken back so far, or would be */
	size_t left;
};

/* Gives it its old value. ERR_STATE: it is in use. */
static int give_back(
	struct undoing *u, const struct thing *thing, const json_t *step, struct err *err)
{
	const char *name = json_str_opt(step, "name", "");
	const json_t *was = json_object_get(step, "was");
	if (u->how == PLAN_DO)
		return thing->set(u->h, name, was, err);
	return thing->try_back ? thing->try_back(u->h, name, was, u->gone, err) : 0;
}

/* What is not as it was made, or is in use, is left and told. */
static int undo_step(struct undoing *u, const json_t *step, struct err *err)
{
	const struct thing *thing = step_kind(u->p, step, err);
	const char *name = json_str_opt(step, "name", "");
	const char *what = json_str_opt(step, "say", "");
	_cleanup_json_ json_t *now = NULL;
	_cleanup_err_ struct err why = {0};
	bool gone = thing && step_is_gone(u->h, thing, step);
	if (!thing || (!gone && step_get(u->h, thing, name, true, &now, err) < 0))
		return -1;
	if (u->how == PLAN_DO && thing->tidy)
		thing->tidy(u->h, name);
	if (gone || step_same(thing, now, json_object_get(step, "was"))) {
		say(u->how, "was undone", "is undone", what, "");
		return 0;
	}
	if (!step_is_ours(thing, step, now))
		err_set(&why, ERR_STATE, "changed since");
	if (!why.msg && give_back(u, thing, step, &why) == 0) {
		say(u->how, "undone", "would undo", what, "");
		json_array_append_new(u->gone, json_string(name));
		return 0;
	}
	if (why.code != ERR_STATE)
		return err_set(err, why.code, "take back %s: %s", what, err_msg(&why));
	printf("%-10s  %s (%s)\n", u->how == PLAN_DO ? "left" : "would leave", what, err_msg(&why));
	u->left++;
	return 0;
}

/* Last first; `all`: else those that the plan has no more. Each is forgotten when it has been taken back. */
static int undo(struct undoing *u, struct record *r, bool all, struct err *err)
{
	json_t *steps = record_steps(r);
	for (size_t i = json_array_size(steps); i-- > 0;) {
		const json_t *step = json_array_get(steps, i);
		if (!all && step_planned(u->p, step))
			continue;
		if (undo_step(u, step, err) < 0)
			return -1;
		if (u->how == PLAN_SHOW)
			continue;
		json_array_remove(steps, i);
		json_object_set_new(r->doc, "complete", json_false());
		if (record_save(r, err) < 0)
			return -1;
	}
	return 0;
}

static int undo_all(const struct host *h, const struct plan *p, struct record *r, bool all,
	enum plan_how how, size_t *ret_left, struct err *err)
{
	_cleanup_json_ json_t *gone = json_array();
	struct undoing u = {.h = h, .p = p, .how = how, .gone = gone};
	int done = undo(&u, r, all, err);
	*ret_left = u.left;
	return done;
}

int plan_up(const struct host *h, const struct plan *p, enum plan_how how, struct err *err)
{
	_cleanup_record_ struct record r;
	size_t left = 0;
	if (step_open(h, p, how, true, &r, err) < 0 || check(h, p, &r, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		if (do_step(h, &r, &p->steps[i], how, err) < 0)
			return -1;
	if (undo_all(h, p, &r, false, how, &left, err) < 0)
		return -1;
	if (how == PLAN_SHOW || json_bool_opt(r.doc, "complete", false))
		return 0;
	json_object_set_new(r.doc, "complete", json_true());
	return record_save(&r, err);
}

/* ---- up and down ------------------------------------------------------------------------------------ */

int plan_down(const struct host *h, const struct plan *p, enum plan_how how, size_t *ret_left,
	struct err *err)
{
	_cleanup_record_ struct record r;
	size_t left = 0;
	if (step_open(h, p, how, true, &r, err) < 0)
		return -1;
	/* From here on it is not in force, whatever comes in between. */
	if (r.doc)
		json_object_set_new(r.doc, "complete", json_false());
	if (r.doc && how == PLAN_DO && record_save(&r, err) < 0)
		return -1;
	if (undo_all(h, p, &r, true, how, &left, err) < 0)
		return -1;
	if (ret_left)
		*ret_left = left;
	if (how == PLAN_SHOW || !r.doc)
		return 0;
	json_decref(r.doc);
	r.doc = NULL;
	return record_save(&r, err);
}
