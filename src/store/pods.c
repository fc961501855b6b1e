/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods and their requests. Checks that nobody else wrote a pod between two turns; the meaning of
 * states and causes is the machine's.
 */
#include "store/priv.h"

#include <stddef.h>

#include "base/alloc.h"

#define F(type, field)                                                                             \
	{                                                                                          \
		COL_##type, offsetof(struct pod_row, field)                                        \
	}
static const struct col pod_cols[] = {F(UUID, uuid), F(TEXT, state), F(TEXT, want), F(INT, seq),
	F(INT, generation), F(INT, domid), F(INT, deadline_ns), F(TEXT, boot_id), F(TEXT, cause),
	F(TEXT, message), F(INT, code), F(BOOL, forced), F(INT, qemu_pid), F(INT, qemu_start),
	F(INT, lock_dev), F(INT, lock_ino), F(INT, created_at), F(INT, started_at),
	F(INT, ended_at), F(TEXT, request), F(TEXT, policy), F(INT, burst), F(INT, lives),
	F(INT, starts), F(INT, tries), F(BOOL, given_up), F(INT, running_ns)};
static const struct col restart_cols[] = {F(UUID, uuid), F(TEXT, policy), F(INT, burst),
	F(INT, lives), F(INT, starts), F(INT, tries), F(BOOL, given_up), F(INT, running_ns)};
#undef F

/* The request and restarts, last in the list, are other tables'. */
#define POD_COLS_WRITTEN (ARRAY_SIZE(pod_cols) - ARRAY_SIZE(restart_cols))

static const struct rowtype pod_read = {
	"pods", pod_cols, ARRAY_SIZE(pod_cols), sizeof(struct pod_row)};
static const struct rowtype pod_write = {
	"pods", pod_cols, POD_COLS_WRITTEN, sizeof(struct pod_row)};
static const struct rowtype restart_write = {
	"restarts", restart_cols, ARRAY_SIZE(restart_cols), sizeof(struct pod_row)};

void pod_row_done(struct pod_row *r)
{
	row_done(&pod_read, r);
}

static char *text_copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

void pod_row_copy(struct pod_row *ret, const struct pod_row *r)
{
	*ret = *r;
	ret->state = text_copy(r->state);
	ret->want = text_copy(r->want);
	ret->boot_id = text_copy(r->boot_id);
	ret->request = text_copy(r->request);
	ret->cause = text_copy(r->cause);
	ret->message = text_copy(r->message);
	ret->policy = text_copy(r->policy);
}

int store_request_set(struct store *s, const char *uuid, const char *request, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_REQUEST_PUT, err);
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, uuid);
	stmt_text(stmt, 2, request);
	if (stmt_write(s, stmt, "write the request", NULL, err) < 0)
		return err_wrap(err, "pod %s", uuid);
	return 0;
}

static int insert_row(struct store *s, const struct pod_row *r, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_POD_INSERT, err);
	if (!stmt)
		return -1;
	row_bind(&pod_write, stmt, r);
	if (stmt_write(s, stmt, "insert", NULL, err) < 0)
		return err_wrap(err, "pod %s", r->uuid);
	return 0;
}

int store_pod_insert(struct store *s, const struct pod_row *r, struct err *err)
{
	if (insert_row(s, r, err) < 0)
		return -1;
	if (store_request_set(s, r->uuid, r->request, err) == 0)
		return 0;
	/* A row without its request must not stay when the caller goes on without a savepoint. */
	(void)store_pod_delete(s, r->uuid, NULL);
	return -1;
}

/* Says why no row matched. */
static int not_ours(struct store *s, const struct pod_row *r, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, STMT_POD_SEQ, err);
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, r->uuid);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE)
		return err_set(err, ERR_STORE, "store %s: pod %s is not in it", s->path, r->uuid);
	if (rc != SQLITE_ROW)
		return sql_fail(s, rc, "read a pod", err);
	return err_set(err, ERR_STORE,
		"store %s: pod %s has sequence %lld, turn %lld does not follow it: somebody else "
		"wrote",
		s->path, r->uuid, (long long)sqlite3_column_int64(stmt, 0), (long long)r->seq);
}

int store_pod_update(struct store *s, const struct pod_row *r, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_POD_UPDATE, err);
	if (!stmt)
		return -1;
	row_bind(&pod_write, stmt, r);
	int changes = 0;
	if (stmt_write(s, stmt, "update", &changes, err) < 0)
		return err_wrap(err, "pod %s", r->uuid);
	return changes == 1 ? 0 : not_ours(s, r, err);
}

int store_restart_put(struct store *s, const struct pod_row *r, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_RESTART_PUT, err);
	if (!stmt)
		return -1;
	row_bind(&restart_write, stmt, r);
	if (stmt_write(s, stmt, "write restarts", NULL, err) < 0)
		return err_wrap(err, "pod %s", r->uuid);
	return 0;
}

int store_pod_delete(struct store *s, const char *uuid, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_POD_DELETE, err);
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, uuid);
	if (stmt_write(s, stmt, "delete", NULL, err) < 0)
		return err_wrap(err, "pod %s", uuid);
	return 0;
}

int store_pod_known(struct store *s, const char *uuid, bool *ret, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, STMT_POD_SEQ, err);
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, uuid);
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sql_fail(s, rc, "read a pod", err);
	*ret = rc == SQLITE_ROW;
	return 0;
}

struct pod_call {
	store_pod_fn fn;
	void *ctx;
};

static int call_pod(void *ctx, const void *row)
{
	const struct pod_call *c = ctx;
	return c->fn(c->ctx, row);
}

int store_pods(struct store *s, store_pod_fn fn, void *ctx, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, STMT_POD_LIST, err);
	if (!stmt)
		return -1;
	struct pod_call c = {fn, ctx};
	return row_each(s, stmt, &pod_read, call_pod, &c, err);
}
