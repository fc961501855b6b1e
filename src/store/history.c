/* SPDX-License-Identifier: Apache-2.0 */
/*
 * History: every turn of every pod under one global sequence number, which a rolled back
 * transaction gives back and pruning does not: watchers resume from it without gaps.
 */
#include "store/priv.h"

#include <stddef.h>

#define F(type, field)                                                                             \
	{                                                                                          \
		COL_##type, offsetof(struct history_row, field)                                    \
	}
static const struct col history_cols[] = {F(INT, seq), F(UUID, uuid), F(INT, at), F(TEXT, event),
	F(TEXT, from), F(TEXT, to), F(TEXT, cause), F(INT, domid), F(INT, generation)};
#undef F

static const struct rowtype history_type = {
	"history", history_cols, ARRAY_SIZE(history_cols), sizeof(struct history_row)};

void history_row_done(struct history_row *r)
{
	row_done(&history_type, r);
}

int store_history_add(
	struct store *s, const struct history_row *r, int64_t *ret_seq, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_HISTORY_ADD, err);
	if (!stmt)
		return -1;
	row_bind(&history_type, stmt, r);
	if (stmt_write(s, stmt, "add history", NULL, err) < 0)
		return err_wrap(err, "pod %s", r->uuid);
	if (ret_seq)
		*ret_seq = sqlite3_last_insert_rowid(s->db);
	return 0;
}

int store_history_prune(struct store *s, int64_t keep_rows, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_HISTORY_PRUNE, err);
	if (!stmt)
		return -1;
	sqlite3_bind_int64(stmt, 1, keep_rows);
	return stmt_write(s, stmt, "prune history", NULL, err);
}

struct history_call {
	store_history_fn fn;
	void *ctx;
};

static int call_history(void *ctx, const void *row)
{
	const struct history_call *c = ctx;
	return c->fn(c->ctx, row);
}

int store_history(struct store *s, const char *uuid, int64_t since, int64_t limit,
	store_history_fn fn, void *ctx, struct err *err)
{
	enum stmt_id id = uuid ? STMT_HISTORY_LIST_POD : STMT_HISTORY_LIST;
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, id, err);
	if (!stmt)
		return -1;
	sqlite3_bind_int64(stmt, 1, since);
	sqlite3_bind_int64(stmt, 2, limit > 0 ? limit : -1);
	if (uuid)
		stmt_text(stmt, 3, uuid);
	struct history_call c = {fn, ctx};
	return row_each(s, stmt, &history_type, call_history, &c, err);
}

int store_history_bounds(struct store *s, int64_t *ret_oldest, int64_t *ret_newest, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, STMT_HISTORY_BOUNDS, err);
	if (!stmt)
		return -1;
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return sql_fail(s, rc, "read the bounds of history", err);
	int64_t newest = sqlite3_column_int64(stmt, 1); /* NULL reads as 0: none yet */
	bool none = sqlite3_column_type(stmt, 0) == SQLITE_NULL;
	*ret_oldest = none ? newest + 1 : sqlite3_column_int64(stmt, 0);
	*ret_newest = newest;
	return 0;
}
