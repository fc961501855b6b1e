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

int meta_read(struct store *s, const char *key, char **ret, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, STMT_META_GET, err);
	*ret = NULL;
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, key);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return sql_fail(s, rc, key, err);
	const char *value = (const char *)sqlite3_column_text(stmt, 0);
	*ret = value ? xstrdup(value) : NULL;
	return 0;
}

char *store_meta_get(struct store *s, const char *key)
{
	char *value = NULL;
	(void)meta_read(s, key, &value, NULL);
	return value;
}
