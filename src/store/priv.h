/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the store share: the handle, kept statements, and rows described by tables of
 * columns. Included by src/store only; here alone SQLite's types may be seen.
 */
#ifndef STORE_PRIV_H
#define STORE_PRIV_H

#include <sqlite3.h>

#include "base/cleanup.h"
#include "store/statements.h"
#include "store/store.h"

enum stmt_id {
#define X(id, text) STMT_##id,
	STATEMENTS(X)
#undef X
		STMT_MAX_
};

struct store {
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	int owner_fd; /* holds flock on <path>.owner; -1 */
	char id[33];
	int version;
	bool in_tx;
	sqlite3 *folder; /* store_fold()'s, for another thread; NULL: none */
	int log_pages;   /* in the log after the last commit, folded ones too */
	bool damaged;    /* SQLite said that the file is: nothing may be written to it any more */
	struct store_loss loss;
	bool found;      /* the open transaction ends it */
	struct err doom; /* set: the transaction is lost, whatever is written now must not count */
	sqlite3_stmt *stmt[STMT_MAX_];
};

/* ---- fold.c: keeps s->log_pages from now on ------------------------------------------------- */

int fold_watch(struct store *s, struct err *err);
void fold_end(struct store *s);
bool store_in_memory(const struct store *s);
/* store.c: the file grows by whole chunks. */
void reserve_db(struct store *s);

/* ---- statement.c ------------------------------------------------------------------------------
 */

/* A result code as an error: "<what>: <SQLite's text>". Returns -1. */
int sql_fail(struct store *s, int rc, const char *what, struct err *err);
/* The kept statement, reset and unbound; NULL on error. Give back with stmt_release. */
sqlite3_stmt *stmt_take(struct store *s, enum stmt_id id, struct err *err);
void stmt_release(sqlite3_stmt **stmt);
#define _cleanup_stmt_ __attribute__((cleanup(stmt_release)))

/* As stmt_take, for a write: refuses outside a transaction and in a doomed one. */
sqlite3_stmt *stmt_take_write(struct store *s, enum stmt_id id, struct err *err);
/* Steps a write to its end; `what` begins the error. ret_changes may be NULL. */
int stmt_write(
	struct store *s, sqlite3_stmt *stmt, const char *what, int *ret_changes, struct err *err);
void stmt_text(sqlite3_stmt *stmt, int index, const char *text); /* borrowed until the step */

/* Runs one statement without parameters or result, outside any transaction's rules. */
int sql_exec(struct store *s, const char *sql, const char *what, struct err *err);
/* One integer from one row. */
int sql_int(struct store *s, const char *sql, int64_t *ret, struct err *err);

/* ---- row.c ------------------------------------------------------------------------------------
 */

enum col_type { COL_UUID, COL_TEXT, COL_INT, COL_BOOL };

struct col {
	enum col_type type;
	size_t offset;
};

struct rowtype {
	const char *what; /* "pods" */
	const struct col *cols;
	size_t ncols;
	size_t size;
};

/* Binds the columns to ?1... in their order. */
void row_bind(const struct rowtype *t, sqlite3_stmt *stmt, const void *row);
void row_done(const struct rowtype *t, void *row);

typedef int (*row_fn)(void *ctx, const void *row);
/* Gives every row of `stmt` to `fn`; a row that cannot be read is reported after the others. */
int row_each(struct store *s, sqlite3_stmt *stmt, const struct rowtype *t, row_fn fn, void *ctx,
	struct err *err);

/* ---- meta.c -----------------------------------------------------------------------------------
 */

/* *ret: malloc'ed, NULL when there is none. -1: that is not known. */
int meta_read(struct store *s, const char *key, char **ret, struct err *err);

/* ---- check.c ----------------------------------------------------------------------------------
 */

/* What is to be done about a database that is damaged, added to err; -1. */
int store_damage(struct store *s, struct err *err);
/* -1: s->damaged, or ERR_SYSTEM: it cannot be read now. */
int check_pages(struct store *s, struct err *err);
/* Is there: the next check is a close one. Caller frees. */
char *check_suspect_path(const struct store *s);

/* ---- keep.c -----------------------------------------------------------------------------------
 */

/* The id that outlives the database, <path>.id; "" when there is none. -1: it cannot be told. */
int keep_read(const char *path, char ret[33], struct err *err);
int keep_write(const char *path, const char *id, struct err *err);
/*
 * Renames the database with its log and index to <path>.corrupt-<UTC time>, none of which was there
 * before; durable when it returns, and <path>.lost says why until keep_settled(). *ret, malloc'ed or NULL: in,
 * the name of a renaming that was cut off; out, the name, NULL when there was nothing to rename. ERR_FULL when there
 * are QUARANTINE_MAX of them already: something destroys one after the other.
 */
#define QUARANTINE_MAX 16
int quarantine(const char *path, const char *why, char **ret, struct err *err);
/* A loss whose new database may not be complete yet; both stay NULL when there is none. */
int keep_lost(const char *path, char **ret_why, char **ret_kept, struct err *err);
void keep_settled(const char *path);

/* ---- loss.c -----------------------------------------------------------------------------------
 */

/* Reads what is stored of a loss. */
void loss_load(struct store *s);
/* In place of a lost database: its id, why and where it is, the first row of history. */
int loss_note(struct store *s, const char *id, const char *why, const char *kept, struct err *err);

/* ---- migrate.c --------------------------------------------------------------------------------
 */

#define STORE_APPLICATION_ID 0x58504f44 /* "XPOD" in the file's header: see file(1) */

/* The newest schema this program knows. */
int migrate_newest(void);
/* Brings a schema of version `from` (0: empty file) to the newest, one transaction for each step.
 */
int migrate(struct store *s, int from, struct err *err);

#endif
