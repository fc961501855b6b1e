/* SPDX-License-Identifier: Apache-2.0 */
/* Repairing a store that nobody else has: nothing is lost, what is taken out is kept beside it. */
#include "store/fsck_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/files.h"

/* ---- rows ------------------------------------------------------------------------------------- */

static const char *aside(struct fsck *f)
{
	char when[32];
	time_t now = time(NULL);
	struct tm tm;
	if (f->aside)
		return f->aside;
	(void)strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	f->aside = xasprintf("%s.aside-%s", f->path, when);
	return f->aside;
}

/* On disk before the row goes. */
static int append(struct fsck *f, const char *text, struct err *err)
{
	_cleanup_fd_ int fd =
		open(aside(f), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(err, "%s", aside(f));
	if (fd_write_all(fd, text, strlen(text), err) < 0)
		return -1;
	return fsync(fd) < 0 ? err_sys(err, "%s", aside(f)) : 0;
}

/* One text for all rows of a query of one column; NULL: err. */
static char *gather(struct fsck *f, const char *sql, const char *between, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	char *all = xstrdup("");
	int rc = sqlite3_prepare_v2(f->s->db, sql, -1, &stmt, NULL);
	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);
		char *more = xasprintf("%s%s%s", all, *all ? between : "", text ? text : "");
		free(all);
		all = more;
		rc = SQLITE_OK;
	}
	if (rc != SQLITE_DONE) {
		sql_fail(f->s, rc, "read what is taken out", err);
		free(all);
		all = NULL;
	}
	sqlite3_finalize(stmt);
	return all;
}

static int keep_rows(struct fsck *f, const char *table, const char *where, struct err *err)
{
	_cleanup_free_ char *names = xasprintf(
		"SELECT 'quote(\"'||name||'\")' FROM pragma_table_info('%s') ORDER BY cid", table);
	_cleanup_free_ char *quoted = gather(f, names, "||','||", err);
	if (!quoted)
		return -1;
	_cleanup_free_ char *sql =
		xasprintf("SELECT 'INSERT INTO %s VALUES ('||%s||');' FROM %s WHERE %s", table,
			quoted, table, where);
	_cleanup_free_ char *rows = gather(f, sql, "\n", err);
	if (!rows)
		return -1;
	_cleanup_free_ char *text = xasprintf("%s\n", rows);
	return *rows ? append(f, text, err) : 0;
}

static int take_out(struct fsck *f, const char *table, const char *where, struct err *err)
{
	_cleanup_free_ char *sql = xasprintf("DELETE FROM %s WHERE %s", table, where);
	return sql_exec(f->s, sql, "take a row out", err);
}

bool repair_rows(struct fsck *f, const char *table, const char *where, struct err *err)
{
	static const char *const of_pod[] = {
		"requests", "apps", "consoles", "networks", "outbox", "ledger"};
	bool pod = !strcmp(table, "pods");
	if (keep_rows(f, table, where, err) < 0)
		return false;
	for (size_t i = 0; pod && i < ARRAY_SIZE(of_pod); i++)
		if (keep_rows(f, of_pod[i], where, err) < 0)
			return false;
	if (sql_exec(f->s, "BEGIN IMMEDIATE", "begin", err) < 0)
		return false;
	int r = 0;
	for (size_t i = 0; r == 0 && pod && i < ARRAY_SIZE(of_pod); i++)
		r = take_out(f, of_pod[i], where, err);
	if (r == 0)
		r = take_out(f, table, where, err);
	if (r == 0)
		r = sql_exec(f->s, "COMMIT", "commit", err);
	if (r < 0)
		(void)sql_exec(f->s, "ROLLBACK", "undo", NULL);
	return r == 0;
}

/* ---- the file --------------------------------------------------------------------------------- */

bool repair_indexes(struct fsck *f, struct err *err)
{
	return sql_exec(f->s, "REINDEX", "make the indexes anew", err) == 0;
}

static void close_it(struct fsck *f)
{
	/* Its log stays what it is. */
	if (f->s)
		f->s->damaged = true;
	store_close(f->s);
	f->s = NULL;
}

/* Every row of every table, or nothing: half of them would be taken for all. */
static bool copy(struct fsck *f, const char *to)
{
	_cleanup_free_ char *sql = xasprintf("VACUUM INTO '%s'", to);
	_cleanup_err_ struct err err = {0};
	struct store *s = NULL;
	int64_t was = 0;
	int64_t is = -1;
	static const char count[] = "SELECT count(*) FROM pods";
	bool good = sql_int(f->s, count, &was, &err) == 0 &&
		    sql_exec(f->s, sql, "copy", &err) == 0 &&
		    store_open(to, STORE_REPAIR, &s, &err) == 0 && check_pages(s, &err) == 0 &&
		    sql_int(s, count, &is, &err) == 0 && is == was;
	store_close(s);
	return good;
}

static void remove_copy(const char *to)
{
	static const char *const parts[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *path = xasprintf("%s%s", to, parts[i]);
		(void)unlink(path);
	}
}

bool repair_file(struct fsck *f, const char *why, struct err *err)
{
	_cleanup_free_ char *to = xasprintf("%s.copy", f->path);
	_cleanup_free_ char *kept = NULL;
	remove_copy(to);
	bool copied = f->s && !strchr(to, '\'') && copy(f, to);
	close_it(f);
	if (quarantine(f->path, why, &kept, err) < 0)
		return false;
	if (!copied) {
		remove_copy(to);
		return true;
	}
	_cleanup_free_ char *wal = xasprintf("%s-wal", to);
	(void)unlink(wal);
	if (rename(to, f->path) < 0) {
		err_sys(err, "rename %s", to);
		return false;
	}
	keep_settled(f->path);
	return store_open(f->path, STORE_REPAIR, &f->s, err) == 0;
}
