/* SPDX-License-Identifier: Apache-2.0 */
/* Folding the log into the file beside the commits that write it (sqlite.org/wal.html, "Checkpointing"). */
#include "store/priv.h"

#include "base/alloc.h"

/*
 * In the place of SQLite's own, which folds at 1000 pages within the commit that has reached them: who
 * writes sees how long the log has become, and folds only when nobody else has in time.
 */
static int logged(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct store *s = ctx;
	s->log_pages = pages;
	if (pages >= STORE_LOG_MAX_PAGES)
		(void)sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

void fold_watch(struct store *s)
{
	sqlite3_wal_hook(s->db, logged, s);
}

int store_log_pages(const struct store *s)
{
	return s->damaged ? 0 : s->log_pages;
}

const char *store_path(const struct store *s)
{
	return s->path;
}

int store_fold(const char *path, struct err *err)
{
	_cleanup_free_ char *own = xstrdup(path);
	struct store s = {.path = own, .mode = STORE_READONLY, .owner_fd = -1};
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	int rc = sqlite3_open_v2(path, &s.db, flags, NULL);
	int on = 1;
	if (rc == SQLITE_OK) {
		sqlite3_file_control(s.db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
		reserve_db(&s);
		sqlite3_db_config(s.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		/* That there is a log is known to who has read the file. */
		rc = sqlite3_exec(s.db, "PRAGMA user_version", NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_wal_checkpoint_v2(s.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	/* Somebody else folds: then it is done. */
	int r = rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY
			? 0
			: sql_fail(&s, rc, "fold the log", err);
	sqlite3_close(s.db);
	return r;
}
