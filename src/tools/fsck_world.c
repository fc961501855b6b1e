/* SPDX-License-Identifier: Apache-2.0 */
/* The store's rows held against each other, the records and the pod directories; and the supervisor. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/uuid.h"
#include "fsm/pod.h"
#include "proto/api.h"
#include "store/store.h"
#include "tools/fsck.h"
#include "tools/supervisor.h"

#define ANSWER_MS 5000

/* ---- pods ------------------------------------------------------------------------------------- */

struct look {
	struct fsck_run *run;
	struct store *store;
	json_t *pods;    /* {UUID: state's name} */
	json_t *parents; /* {directory: null}: where pod directories are */
	json_t *work;    /* {UUID: null}: something is in the outbox */
};

__attribute__((format(printf, 4, 5))) static void say(
	struct look *l, const char *why, const char *repair, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	_cleanup_free_ char *what = xvasprintf(fmt, ap);
	va_end(ap);
	fsck_add(l->run, what, why, repair);
}

static void check_dir(struct look *l, const struct pod_row *r, const json_t *request)
{
	const char *dir = json_str_opt(request, "dir", "");
	int state = pod_state_from_name(r->state);
	const char *slash = strrchr(dir, '/');
	if (slash) {
		_cleanup_free_ char *parent = xstrndup(dir, (size_t)(slash - dir));
		json_object_set_new(l->parents, parent, json_null());
	}
	if (state < 0 || pod_state_ended((enum pod_state)state) || access(dir, F_OK) == 0)
		return;
	say(l, "its exit codes cannot be written for rkt", "stop the pod (xenpod stop)",
		"pod %s is %s, and its directory %s is not there", r->uuid, r->state, dir);
}

/* States whose work is a helper's have a row that says so. */
static bool needs_work(const char *state)
{
	static const char *const all[] = {"exporting", "networking", "creating", "unpausing",
		"pausing", "resuming", "destroying", "clearing", "collecting", "releasing"};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(state, all[i]))
			return true;
	return false;
}

static int look_pod(void *ctx, const struct pod_row *r)
{
	struct look *l = ctx;
	_cleanup_json_ json_t *request = r->request ? json_loads(r->request, 0, NULL) : NULL;
	json_object_set_new(l->pods, r->uuid, json_string(r->state));
	check_dir(l, r, request);
	/* Beside a supervisor that may be between the two: only of a store at rest. */
	if (l->run->supervisor || !needs_work(r->state) || json_object_get(l->work, r->uuid))
		return 0;
	say(l, "nobody works on it; its deadline ends that", "start xenpodd",
		"pod %s is %s, and nothing for that is in the outbox", r->uuid, r->state);
	return 0;
}

static int look_outbox(void *ctx, const struct outbox_row *o)
{
	struct look *l = ctx;
	json_object_set_new(l->work, o->uuid, json_true());
	return 0;
}

static int look_ledger(void *ctx, const struct ledger_row *g)
{
	struct look *l = ctx;
	const char *state = json_str_opt(l->pods, g->uuid, "");
	int s = pod_state_from_name(state);
	bool until_gc = !strcmp(g->kind, "log") || !strcmp(g->kind, "network");
	if (s < 0 || (s != POD_EXITED && s != POD_FAILED) || until_gc ||
		!strcmp(g->state, "released"))
		return 0;
	say(l, "a clear of it has failed", "xenpod rm clears it again",
		"pod %s is %s, and has its %s still", g->uuid, state, g->kind);
	return 0;
}

/* ---- directories ------------------------------------------------------------------------------ */

static void look_records(struct look *l)
{
	_cleanup_free_ char *dir = xasprintf("%s/records", l->run->state_dir);
	_cleanup_json_ json_t *found = json_object();
	_cleanup_dir_ DIR *d = opendir(dir);
	const char *uuid;
	json_t *v;
	for (const struct dirent *e; d && (e = readdir(d)) != NULL;)
		if (uuid_valid(e->d_name))
			json_object_set_new(found, e->d_name, json_true());
	/* The supervisor writes them a moment after the rows. */
	if (l->run->supervisor)
		return;
	json_object_foreach (l->pods, uuid, v) {
		_cleanup_free_ char *what = xasprintf("pod %s has no record in %s", uuid, dir);
		if (!json_object_get(found, uuid))
			fsck_note(l->run, what,
				"less would be known of it were the database lost now",
				"xenpodd writes it when it starts");
	}
	json_object_foreach (found, uuid, v) {
		_cleanup_free_ char *what = xasprintf("%s/%s is no pod's", dir, uuid);
		if (!json_object_get(l->pods, uuid))
			fsck_note(l->run, what,
				"it would be taken for a pod were the database lost now",
				"xenpodd removes it when it starts");
	}
}

/* Directories of pods that the store does not know: never handed over, or from before it was lost. */
static void look_parents(struct look *l)
{
	const char *dir;
	json_t *v;
	json_object_foreach (l->parents, dir, v) {
		_cleanup_dir_ DIR *d = opendir(dir);
		for (const struct dirent *e; d && (e = readdir(d)) != NULL;) {
			if (!uuid_valid(e->d_name) || json_object_get(l->pods, e->d_name))
				continue;
			_cleanup_free_ char *what = xasprintf(
				"%s/%s is of a pod that the store does not know", dir, e->d_name);
			fsck_note(l->run, what,
				"it is being prepared, was refused, or was forgotten",
				"rkt's or xenpod's own gc removes it");
		}
	}
}

static int look_rows(struct look *l, struct err *err)
{
	if (store_begin(l->store, err) < 0)
		return -1;
	int r = store_outbox(l->store, look_outbox, l, err);
	if (r == 0)
		r = store_pods(l->store, look_pod, l, err);
	if (r == 0)
		r = store_ledger(l->store, NULL, look_ledger, l, err);
	store_rollback(l->store);
	return r;
}

int fsck_pods(struct fsck_run *run, const char *store_path, struct err *err)
{
	_cleanup_store_ struct store *s = NULL;
	_cleanup_json_ json_t *pods = json_object();
	_cleanup_json_ json_t *parents = json_object();
	_cleanup_json_ json_t *work = json_object();
	_cleanup_err_ struct err e = {0};
	struct look l = {.run = run, .store = NULL, .pods = pods, .parents = parents, .work = work};
	if (store_open(store_path, STORE_READONLY, &s, err) < 0)
		return -1;
	l.store = s;
	/* Rows that cannot be read were told of already. */
	if (look_rows(&l, &e) < 0 && e.code != ERR_STORE) {
		err_move(err, &e);
		return -1;
	}
	look_records(&l);
	look_parents(&l);
	return 0;
}

/* ---- the supervisor --------------------------------------------------------------------------- */

static void look_health(struct fsck_run *r, const json_t *h)
{
	const char *error = json_str_opt(h, "store_error", "");
	const char *degraded = json_str_opt(h, "degraded", "");
	if (*error)
		fsck_add(r, error, "the supervisor cannot write, everything waits",
			"make room or mend the disk: it tries again by itself");
	if (*degraded)
		fsck_add(r, degraded, "the supervisor does not see Xen",
			"see the journal: it tries again by itself");
	if (json_int_opt(h, "rejected", 0)) {
		_cleanup_free_ char *what = xasprintf("%lld turns were refused by the store",
			(long long)json_int_opt(h, "rejected", 0));
		fsck_add(r, what, "pods are not where they should be", "the journal names them");
	}
}

static void look_domains(struct fsck_run *r, const json_t *orphans)
{
	size_t i;
	const json_t *o;
	json_array_foreach (json_object_get(orphans, "domains"), i, o) {
		_cleanup_free_ char *what = xasprintf("domain %lld (pod %s) is no pod's: %s",
			(long long)json_int_opt(o, "domid", -1), json_str_opt(o, "uuid", ""),
			json_str_opt(o, "why", ""));
		bool kept = !strcmp(json_str_opt(o, "action", ""), "kept");
		fsck_add(r, what, kept ? "it is left alone" : "it is collected after a while",
			"xenpod gc collects what can be");
	}
	json_array_foreach (json_object_get(orphans, "leftovers"), i, o) {
		_cleanup_free_ char *what = xasprintf(
			"%s: %s", json_str_opt(o, "path", ""), json_str_opt(o, "why", ""));
		fsck_note(r, what, "nothing says whose it is", "remove it if it is nobody's");
	}
}

void fsck_supervisor(struct fsck_run *r)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_varlink_ struct varlink *link = supervisor_connect("status", &err);
	_cleanup_json_ json_t *health = NULL;
	_cleanup_json_ json_t *orphans = NULL;
	if (!link || varlink_roundtrip(link, API_HEALTH, NULL, ANSWER_MS, &health, &err) < 0)
		return;
	r->supervisor = true;
	look_health(r, health);
	if (varlink_roundtrip(link, API_ORPHANS, NULL, ANSWER_MS, &orphans, &err) == 0)
		look_domains(r, orphans);
}
