/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements and result codes: prepares each statement once, turns SQLite's codes into ours, and
 * dooms a transaction when one of its writes met a full disk or an I/O error. Knows no table.
 */
#include "store/priv.h"

#include <string.h>

#include "base/alloc.h"

static const char *const statement_text[] = {
#define X(id, text) [STMT_##id] = text,
	STATEMENTS(X)
#undef X
};

static enum err_code code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
	case SQLITE_NOMEM:
		return ERR_FULL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return ERR_TIMEOUT;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY: /* the file system went read-only: mounted anew it goes on */
	case SQLITE_INTERRUPT:
		return ERR_SYSTEM;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return ERR_DENIED;
	case SQLITE_CONSTRAINT:
		return rc == SQLITE_CONSTRAINT_PRIMARYKEY || rc == SQLITE_CONSTRAINT_UNIQUE
			       ? ERR_EXISTS
			       : ERR_STORE;
	default:
		return ERR_STORE;
	}
}

bool store_retryable(enum err_code code)
{
	return code == ERR_FULL || code == ERR_TIMEOUT || code == ERR_SYSTEM;
}

int sql_fail(struct store *s, int rc, const char *what, struct err *err)
{
	const char *text = s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc);
	s->damaged |= (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
	int e = s->db && (rc & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(s->db) : 0;
	return err_set(err, code_of(rc), "store %s: %s: %s%s%s%s", s->path, what, text,
		e ? " (" : "", e ? strerror(e) : "", e ? ")" : "");
}

sqlite3_stmt *stmt_take(struct store *s, enum stmt_id id, struct err *err)
{
	if (!s->stmt[id]) {
		int rc = sqlite3_prepare_v3(s->db, statement_text[id], -1,
			SQLITE_PREPARE_PERSISTENT, &s->stmt[id], NULL);
		if (rc != SQLITE_OK) {
			sql_fail(s, rc, "prepare a statement", err);
			return NULL;
		}
	}
	return s->stmt[id];
}

void stmt_release(sqlite3_stmt **stmt)
{
	if (!*stmt)
		return;
	sqlite3_reset(*stmt);
	sqlite3_clear_bindings(*stmt);
	*stmt = NULL;
}

static int doomed(struct store *s, struct err *err)
{
	return err_set(err, s->doom.code, "%s", err_msg(&s->doom));
}

sqlite3_stmt *stmt_take_write(struct store *s, enum stmt_id id, struct err *err)
{
	if (!s->in_tx || s->mode == STORE_READONLY) {
		err_set(err, ERR_STORE, "store %s: a write outside of a transaction", s->path);
		return NULL;
	}
	if (s->doom.msg) {
		doomed(s, err);
		return NULL;
	}
	sqlite3_stmt *stmt = stmt_take(s, id, &s->doom);
	if (!stmt)
		doomed(s, err);
	return stmt;
}

int stmt_write(
	struct store *s, sqlite3_stmt *stmt, const char *what, int *ret_changes, struct err *err)
{
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE) {
		if (ret_changes)
			*ret_changes = sqlite3_changes(s->db);
		return 0;
	}
	_cleanup_err_ struct err e = {0};
	sql_fail(s, rc, what, &e);
	/*
	 * After such an error SQLite may have rolled back everything by itself and would take what
	 * follows as transactions of their own (sqlite.org/lang_transaction.html, "automatic
	 * rollback"): half a batch would become durable.
	 */
	bool lost = s->in_tx && sqlite3_get_autocommit(s->db);
	if (lost || s->damaged || store_retryable(e.code))
		err_set(&s->doom, e.code, "%s", err_msg(&e));
	err_move(err, &e);
	return -1;
}

void stmt_text(sqlite3_stmt *stmt, int index, const char *text)
{
	sqlite3_bind_text(stmt, index, text ? text : "", -1, SQLITE_STATIC);
}

int sql_exec(struct store *s, const char *sql, const char *what, struct err *err)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : sql_fail(s, rc, what, err);
}

int sql_int(struct store *s, const char *sql, int64_t *ret, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	int r = 0;
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(stmt, 0);
	else
		r = sql_fail(s, rc, sql, err);
	sqlite3_finalize(stmt);
	return r;
}
