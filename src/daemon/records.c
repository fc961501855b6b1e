/* SPDX-License-Identifier: Apache-2.0 */
/* The pods' files beside the store: see records.h. */
#include "daemon/records.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/messages.h"
#include "daemon/worker.h"

#define RECORD_VERSION 1
#define RECORD_MAX     ((size_t)8 * 1024 * 1024) /* plugins' results have no limit of their own */

/* ---- one file --------------------------------------------------------------------------------- */

struct one {
	struct worker_job job;
	char uuid[UUID_TEXT_SIZE];
	const char *dir; /* the engine's configuration */
	char *text;      /* NULL: removed */
	struct err err;
};

static void work(struct worker_job *job)
{
	struct one *o = (struct one *)job;
	_cleanup_free_ char *path = xasprintf("%s/%s", o->dir, o->uuid);
	if (o->text) {
		if (dir_make_all(o->dir, 0700, &o->err) == 0)
			file_write_atomic_at(
				AT_FDCWD, path, o->text, strlen(o->text), 0600, &o->err);
	} else if (unlink(path) < 0 && errno != ENOENT) {
		err_sys(&o->err, "remove %s", path);
	}
}

static void done(struct worker_job *job)
{
	struct one *o = (struct one *)job;
	if (o->err.msg)
		log_pod(LOG_LVL_WARNING, o->uuid,
			"pod %s: if the database is lost now, less will be known of it: %s",
			o->uuid, err_msg(&o->err));
	err_done(&o->err);
	free(o->text);
	free(o);
}

static void submit(struct engine *e, const char *uuid, char *text)
{
	const struct engine_config *cfg = engine_cfg(e);
	struct one *o = xcalloc(1, sizeof *o);
	o->job.work = work;
	o->job.done = done;
	o->dir = cfg->records_dir;
	o->text = text;
	memcpy(o->uuid, uuid, sizeof o->uuid);
	worker_submit(cfg->worker, &o->job);
}

void records_put(struct engine *e, const struct pod *p)
{
	const struct engine_config *cfg = engine_cfg(e);
	if (!cfg->records_dir)
		return;
	_cleanup_json_ json_t *j = json_make("{s:i, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "version",
		RECORD_VERSION, "uuid", p->uuid, "store", store_id(cfg->store), "boot",
		cfg->boot_id, "created", (json_int_t)p->created_at, "generation",
		(json_int_t)p->core.generation, "lock_dev", (json_int_t)p->lock_dev, "lock_ino",
		(json_int_t)p->lock_ino);
	json_object_set(j, "request", pod_request(p));
	if (p->nets)
		json_object_set(j, "nets", p->nets);
	submit(e, p->uuid, json_text(j));
}

void records_turn(struct engine *e, const struct turn_record *t)
{
	if (!engine_cfg(e)->records_dir)
		return;
	bool born = !strcmp(t->event_name, "accept");
	/* The networks came before that, if there are any. */
	bool creates = t->to == POD_CREATING && t->from != POD_CREATING;
	if (t->to == POD_GONE)
		submit(e, t->pod->uuid, NULL);
	else if (born || creates || t->event == EV_NETWORKED)
		records_put(e, t->pod);
}

/* ---- all -------------------------------------------------------------------------------------- */

struct settling {
	struct worker_job job;
	struct engine *e;
	const char *dir;
	struct name {
		char uuid[UUID_TEXT_SIZE];
	} * found;
	size_t n, room;
};

static void add_name(struct settling *s, const char *uuid)
{
	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->found = xreallocarray(s->found, s->room, sizeof *s->found);
	}
	memcpy(s->found[s->n++].uuid, uuid, UUID_TEXT_SIZE);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void find_names(struct worker_job *job)
{
	struct settling *s = (struct settling *)job;
	_cleanup_dir_ DIR *d = opendir(s->dir);
	for (const struct dirent *e; d && (e = readdir(d)) != NULL;)
		if (uuid_valid(e->d_name))
			add_name(s, e->d_name);
	if (s->n)
		qsort(s->found, s->n, sizeof *s->found, by_name);
}

static void put_missing(void *ctx, struct pod *p)
{
	const struct settling *s = ctx;
	if (!s->n || !bsearch(p->uuid, s->found, s->n, sizeof *s->found, by_name))
		records_put(s->e, p);
}

/* A row that makes no sense is a pod, too. */
static bool is_known(const struct engine *e, struct pods *pods, const char *uuid)
{
	_cleanup_err_ struct err err = {0};
	bool known = true;
	return pods_find(pods, uuid) ||
	       store_pod_known(engine_cfg(e)->store, uuid, &known, &err) < 0 || known;
}

static void settle(struct worker_job *job)
{
	struct settling *s = (struct settling *)job;
	struct pods *pods = engine_pods(s->e);
	pods_each(pods, put_missing, s);
	for (size_t i = 0; i < s->n; i++)
		if (!is_known(s->e, pods, s->found[i].uuid))
			submit(s->e, s->found[i].uuid, NULL);
	free(s->found);
	free(s);
}

void records_settle(struct engine *e)
{
	const struct engine_config *cfg = engine_cfg(e);
	if (!cfg->records_dir)
		return;
	struct settling *s = xcalloc(1, sizeof *s);
	s->job.work = find_names;
	s->job.done = settle;
	s->e = e;
	s->dir = cfg->records_dir;
	worker_submit(cfg->worker, &s->job);
}

/* ---- reading ---------------------------------------------------------------------------------- */

static json_t *read_one(const char *dir, const char *name, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	if (file_read_at(AT_FDCWD, path, RECORD_MAX, &text, &len, err) < 0)
		return NULL;
	_cleanup_json_ json_t *j = json_parse(text, len, path, err);
	if (j && (json_int_opt(j, "version", 0) != RECORD_VERSION ||
			 strcmp(json_str_opt(j, "uuid", ""), name) != 0 ||
			 !json_is_object(json_object_get(j, "request")))) {
		err_set(err, ERR_INVALID, "%s is no record of pod %s", path, name);
		return NULL;
	}
	return TAKE_PTR(j);
}

void records_each(const char *dir, void (*fn)(void *ctx, const json_t *record), void *ctx)
{
	_cleanup_dir_ DIR *d = opendir(dir);
	for (const struct dirent *e; d && (e = readdir(d)) != NULL;) {
		if (!uuid_valid(e->d_name))
			continue;
		_cleanup_err_ struct err err = {0};
		_cleanup_json_ json_t *j = read_one(dir, e->d_name, &err);
		if (j)
			fn(ctx, j);
		else
			log_err("a pod's record cannot be used: %s", err_msg(&err));
	}
}
