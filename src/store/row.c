/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records to and from statements by tables of columns, so that the order of columns is written down
 * once per table. Knows no table and no SQL.
 */
#include "store/priv.h"

#include <string.h>

#include "base/alloc.h"

void row_bind(const struct rowtype *t, sqlite3_stmt *stmt, const void *row)
{
	for (size_t i = 0; i < t->ncols; i++) {
		const char *field = (const char *)row + t->cols[i].offset;
		int index = (int)i + 1;
		switch (t->cols[i].type) {
		case COL_UUID:
			stmt_text(stmt, index, field);
			break;
		case COL_TEXT:
			stmt_text(stmt, index, *(const char *const *)(const void *)field);
			break;
		case COL_INT:
			sqlite3_bind_int64(stmt, index, *(const int64_t *)(const void *)field);
			break;
		case COL_BOOL:
			sqlite3_bind_int(stmt, index, *(const bool *)(const void *)field);
			break;
		}
	}
}

void row_done(const struct rowtype *t, void *row)
{
	for (size_t i = 0; i < t->ncols; i++)
		if (t->cols[i].type == COL_TEXT)
			free(*(char **)(void *)((char *)row + t->cols[i].offset));
	memset(row, 0, t->size);
}

/* STRICT and NOT NULL keep types right; what is left is an outer join's NULL and a damaged file. */
static int read_col(const struct col *c, sqlite3_stmt *stmt, int index, void *row)
{
	void *field = (char *)row + c->offset;
	const char *text;
	switch (c->type) {
	case COL_UUID:
		text = (const char *)sqlite3_column_text(stmt, index);
		if (!text || !uuid_valid(text))
			return -1;
		memcpy(field, text, UUID_TEXT_SIZE);
		return 0;
	case COL_TEXT:
		text = (const char *)sqlite3_column_text(stmt, index);
		if (!text)
			return -1;
		*(char **)field = xstrdup(text);
		return 0;
	case COL_INT:
		*(int64_t *)field = sqlite3_column_int64(stmt, index);
		return 0;
	case COL_BOOL:
		*(bool *)field = sqlite3_column_int(stmt, index) != 0;
		return 0;
	}
	return -1;
}

static int read_row(const struct rowtype *t, sqlite3_stmt *stmt, void *row)
{
	for (size_t i = 0; i < t->ncols; i++)
		if (read_col(&t->cols[i], stmt, (int)i, row) < 0)
			return -1;
	return 0;
}

static void note_bad(
	struct store *s, const struct rowtype *t, sqlite3_stmt *stmt, struct err *first)
{
	if (first->msg)
		return;
	const char *key = (const char *)sqlite3_column_text(stmt, 0);
	err_set(first, ERR_STORE, "store %s: row %s of %s cannot be read: it is left alone",
		s->path, key ? key : "(null)", t->what);
}

int row_each(struct store *s, sqlite3_stmt *stmt, const struct rowtype *t, row_fn fn, void *ctx,
	struct err *err)
{
	_cleanup_err_ struct err bad = {0};
	_cleanup_free_ void *row = xcalloc(1, t->size);
	int rc;
	bool stop = false;
	while (!stop && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (read_row(t, stmt, row) < 0)
			note_bad(s, t, stmt, &bad);
		else
			stop = fn(ctx, row) != 0;
		row_done(t, row);
	}
	if (!stop && rc != SQLITE_DONE)
		return sql_fail(s, rc, t->what, err);
	if (!bad.msg)
		return 0;
	err_move(err, &bad);
	return -1;
}
