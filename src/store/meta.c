/* SPDX-License-Identifier: Apache-2.0 */
/* Meta: a few names with a value each, such as the store's id and the last boot's id. */
#include "store/priv.h"

#include "base/alloc.h"

int store_meta_set(struct store *s, const char *key, const char *value, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_META_SET, err);
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, key);
	stmt_text(stmt, 2, value);
	return stmt_write(s, stmt, key, NULL, err);
}

char *store_meta_get(struct store *s, const char *key)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, STMT_META_GET, NULL);
	if (!stmt)
		return NULL;
	stmt_text(stmt, 1, key);
	if (sqlite3_step(stmt) != SQLITE_ROW)
		return NULL;
	const char *value = (const char *)sqlite3_column_text(stmt, 0);
	return value ? xstrdup(value) : NULL;
}
