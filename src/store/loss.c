/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a database that was lost, in the one that took its place. */
#include "store/priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"

#define KEY_WHY     "lost_why"
#define KEY_KEPT    "lost_kept"
#define KEY_AT      "lost_at"
#define KEY_PENDING "rebuild"
#define SECOND      INT64_C(1000000000)

void loss_load(struct store *s)
{
	_cleanup_free_ char *at = store_meta_get(s, KEY_AT);
	_cleanup_free_ char *pending = store_meta_get(s, KEY_PENDING);
	s->loss.why = store_meta_get(s, KEY_WHY);
	s->loss.kept = store_meta_get(s, KEY_KEPT);
	s->loss.at = at ? strtoll(at, NULL, 10) : 0;
	s->loss.pending = pending && *pending;
}

/*
 * Numbers of history are never given twice, and those that were are lost: the seconds since 1970 are
 * more than there ever were turns.
 */
static int first_row(struct store *s, int64_t now, const char *why, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_HISTORY_FIRST, err);
	if (!stmt)
		return -1;
	sqlite3_bind_int64(stmt, 1, now > SECOND ? now / SECOND : 1);
	stmt_text(stmt, 2, STORE_NOBODY);
	sqlite3_bind_int64(stmt, 3, now);
	stmt_text(stmt, 4, "rebuilt");
	stmt_text(stmt, 5, "lost");
	stmt_text(stmt, 6, "rebuilt");
	stmt_text(stmt, 7, why);
	sqlite3_bind_int64(stmt, 8, -1);
	sqlite3_bind_int64(stmt, 9, 0);
	return stmt_write(s, stmt, "begin the history", NULL, err);
}

int loss_note(struct store *s, const char *id, const char *why, const char *kept, struct err *err)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	int64_t now = (int64_t)ts.tv_sec * SECOND + ts.tv_nsec;
	_cleanup_free_ char *at = xasprintf("%lld", (long long)now);
	if (store_begin(s, err) < 0)
		return -1;
	if (store_meta_set(s, "store_id", id, err) < 0 ||
		store_meta_set(s, KEY_WHY, why, err) < 0 ||
		store_meta_set(s, KEY_KEPT, kept ? kept : "", err) < 0 ||
		store_meta_set(s, KEY_AT, at, err) < 0 ||
		store_meta_set(s, KEY_PENDING, "pending", err) < 0 ||
		first_row(s, now, why, err) < 0) {
		store_rollback(s);
		return -1;
	}
	return store_commit(s, err);
}

const struct store_loss *store_loss(const struct store *s)
{
	return &s->loss;
}

int store_rebuilt(struct store *s, struct err *err)
{
	s->found = store_meta_set(s, KEY_PENDING, "", err) == 0;
	return s->found ? 0 : -1;
}

bool store_damaged(const struct store *s)
{
	return s->damaged;
}
