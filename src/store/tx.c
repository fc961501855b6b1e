/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions and savepoints. A transaction is begun, doomed or not, committed or rolled back;
 * after a commit that failed there is none, so that the same turns can be tried again.
 */
#include "store/priv.h"

#include "base/crash.h"

static int run(struct store *s, enum stmt_id id, const char *what, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, id, err);
	if (!stmt)
		return -1;
	int rc = sqlite3_step(stmt);
	return rc == SQLITE_DONE ? 0 : sql_fail(s, rc, what, err);
}

static int is_damaged(const struct store *s, struct err *err)
{
	return err_set(
		err, ERR_STORE, "store %s is damaged, nothing is written to it any more", s->path);
}

int store_begin(struct store *s, struct err *err)
{
	if (s->in_tx)
		return err_set(err, ERR_STORE, "store %s: a transaction is open", s->path);
	if (s->damaged && s->mode == STORE_RW_CREATE)
		return is_damaged(s, err);
	enum stmt_id id = s->mode == STORE_READONLY ? STMT_BEGIN_READ : STMT_BEGIN;
	if (run(s, id, "begin", err) < 0)
		return -1;
	s->in_tx = true;
	return 0;
}

void store_rollback(struct store *s)
{
	if (!sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	err_done(&s->doom);
	s->in_tx = s->found = false;
}

int store_commit(struct store *s, struct err *err)
{
	int r = -1;
	if (!s->in_tx)
		return err_set(err, ERR_STORE, "store %s: no transaction to commit", s->path);
	crash_point("commit");
	if (s->doom.msg)
		err_move(err, &s->doom);
	else if (s->damaged)
		is_damaged(s, err);
	else
		r = run(s, STMT_COMMIT, "commit", err);
	crash_point("committed");
	if (r == 0) {
		s->in_tx = false;
		s->loss.pending &= !s->found;
	} else {
		store_rollback(s);
	}
	s->found = false;
	return r;
}

int store_savepoint(struct store *s, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_SAVEPOINT, err);
	return stmt ? stmt_write(s, stmt, "savepoint", NULL, err) : -1;
}

int store_savepoint_release(struct store *s, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_SAVEPOINT_RELEASE, err);
	return stmt ? stmt_write(s, stmt, "release a savepoint", NULL, err) : -1;
}

void store_savepoint_rollback(struct store *s)
{
	if (s->doom.msg)
		return; /* the commit will fail and undo everything */
	if (run(s, STMT_SAVEPOINT_ROLLBACK, "undo a turn", &s->doom) == 0)
		(void)run(s, STMT_SAVEPOINT_RELEASE, "undo a turn", &s->doom);
}
