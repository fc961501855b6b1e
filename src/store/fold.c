/* SPDX-License-Identifier: Apache-2.0 */
/* Folding the log into the file beside the commits that write it (sqlite.org/wal.html, "Checkpointing"). */
#include "store/priv.h"

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

/*
 * The connection that folds is there from the beginning, so that the first fold opens nothing: SQLite keeps
 * a file open that one of its connections has closed while another one has a lock on it (fcntl(2)).
 */
static int open_folder(struct store *s, struct err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	int on = 1;
	struct store other = {.path = s->path, .mode = STORE_READONLY, .owner_fd = -1};
	int rc = sqlite3_open_v2(s->path, &other.db, flags, NULL);
	s->folder = other.db;
	if (rc != SQLITE_OK)
		return sql_fail(&other, rc, "open", err);
	sqlite3_file_control(s->folder, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
	reserve_db(&other);
	sqlite3_db_config(s->folder, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	/* That there is a log is known to who has read the file. */
	return sql_exec(&other, "PRAGMA user_version", "open", err);
}

int fold_watch(struct store *s, struct err *err)
{
	sqlite3_wal_hook(s->db, logged, s);
	return s->mode == STORE_RW_CREATE && !store_in_memory(s) ? open_folder(s, err) : 0;
}

void fold_end(struct store *s)
{
	sqlite3_close(s->folder);
	s->folder = NULL;
}

int store_log_pages(const struct store *s)
{
	return s->damaged ? 0 : s->log_pages;
}

int store_fold(struct store *s, struct err *err)
{
	struct store other = {
		.path = s->path, .db = s->folder, .mode = STORE_READONLY, .owner_fd = -1};
	if (!s->folder)
		return 0;
	int rc = sqlite3_wal_checkpoint_v2(s->folder, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	/* Somebody else folds: then it is done. */
	if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY)
		return 0;
	return sql_fail(&other, rc, "fold the log", err);
}
