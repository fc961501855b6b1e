/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox: effects that are decided but not known to be complete, in the order of decision. */
#include "store/priv.h"

#include <stddef.h>

#define F(type, field)                                                                             \
	{                                                                                          \
		COL_##type, offsetof(struct outbox_row, field)                                     \
	}
static const struct col outbox_cols[] = {
	F(INT, id), F(UUID, uuid), F(INT, generation), F(INT, seq), F(INT, ord), F(TEXT, effect)};
#undef F

static const struct rowtype outbox_type = {
	"outbox", outbox_cols, ARRAY_SIZE(outbox_cols), sizeof(struct outbox_row)};

void outbox_row_done(struct outbox_row *r)
{
	row_done(&outbox_type, r);
}

int store_outbox_add(struct store *s, const struct outbox_row *r, int64_t *ret_id, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_OUTBOX_ADD, err);
	if (!stmt)
		return -1;
	row_bind(&outbox_type, stmt, r);
	if (stmt_write(s, stmt, "add to the outbox", NULL, err) < 0)
		return err_wrap(err, "pod %s: effect %s", r->uuid, r->effect ? r->effect : "");
	if (ret_id)
		*ret_id = sqlite3_last_insert_rowid(s->db);
	return 0;
}

int store_outbox_delete(struct store *s, int64_t id, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_OUTBOX_DELETE, err);
	if (!stmt)
		return -1;
	sqlite3_bind_int64(stmt, 1, id);
	return stmt_write(s, stmt, "delete from the outbox", NULL, err);
}

int store_outbox_clear(struct store *s, const char *uuid, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_OUTBOX_CLEAR, err);
	if (!stmt)
		return -1;
	sqlite3_bind_text(stmt, 1, uuid, -1, SQLITE_TRANSIENT);
	return stmt_write(s, stmt, "clear the outbox", NULL, err);
}

struct outbox_call {
	store_outbox_fn fn;
	void *ctx;
};

static int call_outbox(void *ctx, const void *row)
{
	const struct outbox_call *c = ctx;
	return c->fn(c->ctx, row);
}

int store_outbox(struct store *s, store_outbox_fn fn, void *ctx, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, STMT_OUTBOX_LIST, err);
	if (!stmt)
		return -1;
	struct outbox_call c = {fn, ctx};
	return row_each(s, stmt, &outbox_type, call_outbox, &c, err);
}
