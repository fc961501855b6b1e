/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the store's tests: see storekit.h. */
#include "storekit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "unit.h"

#include "base/cleanup.h"
#include "base/files.h"

void kit_init(struct kit *k)
{
	strcpy(k->dir, "/tmp/xenpod-store-XXXXXX");
	assert_non_null(mkdtemp(k->dir));
	snprintf(k->path, sizeof(k->path), "%s/store.db", k->dir);
}

void kit_done(struct kit *k)
{
	DIR *d = opendir(k->dir);
	assert_non_null(d);
	struct dirent *e;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	assert_int_equal(rmdir(k->dir), 0);
}

struct pod_row kit_pod(const char *uuid)
{
	struct pod_row r = {
		.state = (char *)(uintptr_t) "running",
		.want = (char *)(uintptr_t) "up",
		.seq = 0,
		.generation = 3,
		.domid = 17,
		.deadline_ns = 123456789012345,
		.boot_id = (char *)(uintptr_t) "6b1f9a52-0c4e-4d6f-8f0e-5a3c2b1d0e9f",
		.request = (char *)(uintptr_t) "{\"uuid\":\"x\",\"env\":[\"K=\\u00e4\"]}",
		.cause = (char *)(uintptr_t) "crashed",
		.message = (char *)(uintptr_t) "the guest's kernel said 'no'; -- \xc3\xa4",
		.code = 254,
		.forced = true,
		.qemu_pid = 4242,
		.qemu_start = 99887766,
		.lock_dev = 0xfd01,
		.lock_ino = INT64_MAX,
		.created_at = 1700000000000000001,
		.started_at = 1700000000000000002,
		.ended_at = 1700000000000000003,
	};
	strcpy(r.uuid, uuid);
	return r;
}

void kit_assert_same(const struct pod_row *a, const struct pod_row *b)
{
	assert_string_equal(a->uuid, b->uuid);
	assert_string_equal(a->state, b->state);
	assert_string_equal(a->want, b->want);
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->generation, b->generation);
	assert_int_equal(a->domid, b->domid);
	assert_int_equal(a->deadline_ns, b->deadline_ns);
	assert_string_equal(a->boot_id, b->boot_id);
	assert_string_equal(a->request, b->request);
	assert_string_equal(a->cause, b->cause);
	assert_string_equal(a->message, b->message);
	assert_int_equal(a->code, b->code);
	assert_int_equal(a->forced, b->forced);
	assert_int_equal(a->qemu_pid, b->qemu_pid);
	assert_int_equal(a->qemu_start, b->qemu_start);
	assert_int_equal(a->lock_dev, b->lock_dev);
	assert_int_equal(a->lock_ino, b->lock_ino);
	assert_int_equal(a->created_at, b->created_at);
	assert_int_equal(a->started_at, b->started_at);
	assert_int_equal(a->ended_at, b->ended_at);
}

void kit_uuid(int n, char *ret)
{
	snprintf(ret, UUID_TEXT_SIZE, "00000000-0000-4000-8000-%012x", (unsigned)n);
}

int kit_write(struct store *s, const char *uuid, int64_t seq, struct err *err)
{
	struct pod_row r = kit_pod(uuid);
	r.seq = seq;
	struct history_row h = {
		.at = 1,
		.event = (char *)(uintptr_t) "guest-app",
		.from = (char *)(uintptr_t) "booting",
		.to = r.state,
		.domid = -1,
	};
	strcpy(h.uuid, uuid);
	if ((seq ? store_pod_update(s, &r, err) : store_pod_insert(s, &r, err)) < 0)
		return -1;
	return store_history_add(s, &h, NULL, err);
}

int kit_turn(struct store *s, const char *uuid, int64_t seq, struct err *err)
{
	if (store_begin(s, err) < 0)
		return -1;
	if (kit_write(s, uuid, seq, err) < 0) {
		store_rollback(s);
		return -1;
	}
	return store_commit(s, err);
}

struct find {
	const char *uuid;
	int64_t seq;
};

static int find_pod(void *ctx, const struct pod_row *r)
{
	struct find *f = ctx;
	if (strcmp(r->uuid, f->uuid) != 0)
		return 0;
	f->seq = r->seq;
	return 1;
}

int64_t kit_seq(struct store *s, const char *uuid)
{
	struct err err = {0};
	struct find f = {uuid, -1};
	assert_ok(store_pods(s, find_pod, &f, &err), &err);
	return f.seq;
}

static int count_history(void *ctx, const struct history_row *r)
{
	(void)r;
	++*(int64_t *)ctx;
	return 0;
}

int64_t kit_history(struct store *s, const char *uuid)
{
	struct err err = {0};
	int64_t n = 0;
	assert_ok(store_history(s, uuid, 0, 0, count_history, &n, &err), &err);
	return n;
}

void kit_sql(const struct kit *k, const char *sql)
{
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
	char *why = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

uint64_t kit_hash(const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	if (file_read_at(AT_FDCWD, path, 1U << 28, &text, &len, NULL) < 0)
		return 0;
	if (len == 0)
		return 0;
	uint64_t h = 14695981039346656037U; /* FNV-1a */
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * 1099511628211U;
	return h;
}
