/* SPDX-License-Identifier: Apache-2.0 */
/* See record.h. */
#include "host/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/files.h"

#define RECORD_VERSION 1
#define RECORD_MAX     (1 << 20)
/* What one that was killed has started mostly ends in that time. */
#define PATIENCE_MS 5000

static int check_step(const json_t *step, struct err *err)
{
	const char *text;
	if (json_get_str(step, "kind", &text, err) < 0 ||
		json_get_str(step, "name", &text, err) < 0 ||
		json_get_str(step, "say", &text, err) < 0)
		return -1;
	if (!json_object_get(step, "was") || !json_object_get(step, "want"))
		return err_set(err, ERR_INVALID, "\"was\" or \"want\" is missing");
	return 0;
}

static int check(const json_t *doc, struct err *err)
{
	int64_t version;
	bool complete;
	json_t *steps;
	size_t i;
	json_t *step;
	if (json_get_int(doc, "version", &version, err) < 0)
		return -1;
	if (version != RECORD_VERSION)
		return err_set(err, ERR_UNSUPPORTED, "it is of version %lld, this xenpod knows %d",
			(long long)version, RECORD_VERSION);
	if (json_get_bool(doc, "complete", &complete, err) < 0 ||
		json_get_array(doc, "steps", &steps, err) < 0)
		return -1;
	json_array_foreach (steps, i, step)
		if (check_step(step, err) < 0)
			return err_wrap(err, "step %zu", i);
	return 0;
}

static int load(struct record *r, struct err *err)
{
	_cleanup_err_ struct err why = {0};
	_cleanup_free_ char *name = xasprintf("%s.json", r->of);
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (file_read_at(r->dir, name, RECORD_MAX, &text, &len, &why) < 0) {
		if (why.code == ERR_NOTFOUND)
			return 0;
		err_move(err, &why);
		return -1;
	}
	_cleanup_json_ json_t *doc = json_parse(text, len, name, err);
	if (!doc || check(doc, err) < 0)
		return -1;
	r->doc = TAKE_PTR(doc);
	return 0;
}

static int loaded(const struct host *h, struct record *r, struct err *err)
{
	if (load(r, err) == 0)
		return 0;
	record_done(r);
	return err_wrap(err, "the record %s/%s.json", h->state, r->of);
}

int record_read(const struct host *h, const char *of, struct record *ret, struct err *err)
{
	*ret = (struct record){.of = of, .lock = -1};
	ret->dir = open(h->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->dir < 0)
		return errno == ENOENT ? 0 : err_sys(err, "open %s", h->state);
	return loaded(h, ret, err);
}

static int held = -1; /* by record_hold() */

/* Without O_CLOEXEC: a program that we have started has it as long as it runs, should we be killed. */
static int take_lock(int dir, int *ret, struct err *err)
{
	*ret = openat(dir, ".", O_RDONLY | O_DIRECTORY);
	if (*ret < 0)
		return err_sys(err, "open the directory of records");
	int64_t end = clock_ms() + PATIENCE_MS;
	while (flock(*ret, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK && clock_ms() < end)
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	if (flock(*ret, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_STATE,
			"another \"xenpod host\" is at work: wait until it has ended");
	return err_sys(err, "lock the directory of records");
}

static int open_dir(const struct host *h, struct err *err)
{
	if (dir_make_all(h->state, 0755, err) < 0)
		return -1;
	int dir = open(h->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? err_sys(err, "open %s", h->state) : dir;
}

int record_hold(const struct host *h, struct err *err)
{
	_cleanup_fd_ int dir = open_dir(h, err);
	if (dir < 0)
		return -1;
	if (take_lock(dir, &held, err) == 0)
		return 0;
	fd_close(&held);
	return -1;
}

int record_open(const struct host *h, const char *of, struct record *ret, struct err *err)
{
	*ret = (struct record){.of = of, .lock = -1, .dir = open_dir(h, err)};
	if (ret->dir < 0)
		return -1;
	if (held < 0 && take_lock(ret->dir, &ret->lock, err) < 0) {
		record_done(ret);
		return -1;
	}
	return loaded(h, ret, err);
}

int record_save(struct record *r, struct err *err)
{
	_cleanup_free_ char *name = xasprintf("%s.json", r->of);
	if (!r->doc) {
		if (unlinkat(r->dir, name, 0) < 0 && errno != ENOENT)
			return err_sys(err, "remove the record %s", name);
		return dir_sync_at(r->dir, ".", err);
	}
	json_object_set_new(r->doc, "version", json_integer(RECORD_VERSION));
	json_object_set_new(r->doc, "of", json_string(r->of));
	_cleanup_free_ char *text = json_text(r->doc);
	if (file_write_atomic_at(r->dir, name, text, strlen(text), 0644, err) < 0)
		return err_wrap(err, "write the record");
	return 0;
}

json_t *record_steps(const struct record *r)
{
	return r->doc ? json_object_get(r->doc, "steps") : NULL;
}

json_t *record_step(const struct record *r, const char *kind, const char *name)
{
	size_t i;
	json_t *step;
	json_array_foreach (record_steps(r), i, step)
		if (!strcmp(json_str_opt(step, "kind", ""), kind) &&
			!strcmp(json_str_opt(step, "name", ""), name))
			return step;
	return NULL;
}

void record_done(struct record *r)
{
	fd_close(&r->dir);
	fd_close(&r->lock);
	json_decref(r->doc);
	r->doc = NULL;
}
