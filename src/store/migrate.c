/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Migrations: the numbered files of sql/, built in. Each runs in one transaction together with the
 * new version number, so a crash leaves the schema before it or after it. Forward only.
 */
#include "store/priv.h"

#include <stdio.h>

#include "base/alloc.h"
#include "store_sql.h"

int migrate_newest(void)
{
	return migrations[ARRAY_SIZE(migrations) - 1].version;
}

/* While tables are rebuilt references dangle, so they are checked once at the end instead. */
static int check_references(struct store *s, struct err *err)
{
	int64_t dangling = 0;
	if (sql_int(s, "SELECT count(*) FROM pragma_foreign_key_check", &dangling, err) < 0)
		return -1;
	if (dangling)
		return err_set(err, ERR_STORE, "%lld rows refer to what is not there",
			(long long)dangling);
	return 0;
}

static int apply(struct store *s, const struct migration *m, struct err *err)
{
	char head[96];
	snprintf(head, sizeof(head), "PRAGMA application_id=%d; PRAGMA user_version=%d;",
		STORE_APPLICATION_ID, m->version);
	if (store_begin(s, err) < 0)
		return -1;
	if (sql_exec(s, head, "write the schema's version", err) < 0 ||
		sql_exec(s, m->sql, "change the schema", err) < 0 || check_references(s, err) < 0) {
		store_rollback(s);
		return -1;
	}
	return store_commit(s, err);
}

int migrate(struct store *s, int from, struct err *err)
{
	/* No effect inside a transaction, so around it (sqlite.org/lang_altertable.html, 7). */
	if (sql_exec(s, "PRAGMA foreign_keys=OFF", "set up", err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(migrations); i++) {
		if (migrations[i].version <= from)
			continue;
		if (apply(s, &migrations[i], err) < 0)
			return err_wrap(err, "migrate to schema %d", migrations[i].version);
	}
	return sql_exec(s, "PRAGMA foreign_keys=ON", "set up", err);
}
