/* SPDX-License-Identifier: Apache-2.0 */
/* The last lines of a pod's console: one text, written when the pod has ended. */
#include "store/priv.h"

#include "base/alloc.h"

int store_console_put(struct store *s, const char *uuid, const char *text, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_CONSOLE_PUT, err);
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, uuid);
	stmt_text(stmt, 2, text);
	if (stmt_write(s, stmt, "write the console's lines", NULL, err) < 0)
		return err_wrap(err, "pod %s", uuid);
	return 0;
}

int store_console(struct store *s, const char *uuid, char **ret, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, STMT_CONSOLE_GET, err);
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, uuid);
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sql_fail(s, rc, "read the console's lines", err);
	const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	*ret = text ? xstrdup(text) : NULL;
	return 0;
}
