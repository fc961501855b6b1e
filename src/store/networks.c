/* SPDX-License-Identifier: Apache-2.0 */
/* What a pod's networks turned out to be: one JSON text, written when they are made. */
#include "store/priv.h"

#include "base/alloc.h"

int store_networks_put(struct store *s, const char *uuid, const char *nets, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_NETWORKS_PUT, err);
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, uuid);
	stmt_text(stmt, 2, nets);
	if (stmt_write(s, stmt, "write the networks", NULL, err) < 0)
		return err_wrap(err, "pod %s", uuid);
	return 0;
}

int store_networks(struct store *s, const char *uuid, char **ret, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, STMT_NETWORKS_GET, err);
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, uuid);
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sql_fail(s, rc, "read the networks", err);
	const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	*ret = text ? xstrdup(text) : NULL;
	return 0;
}
