/* SPDX-License-Identifier: Apache-2.0 */
/* Orphaned domains whose end is decided and not known to be complete. */
#include "store/priv.h"

#include <stddef.h>

#define F(type, field)                                                                             \
	{                                                                                          \
		COL_##type, offsetof(struct orphan_row, field)                                     \
	}
static const struct col orphan_cols[] = {F(UUID, uuid), F(INT, generation), F(INT, domid),
	F(TEXT, boot_id), F(INT, since), F(TEXT, why)};
#undef F

static const struct rowtype orphan_type = {
	"orphans", orphan_cols, ARRAY_SIZE(orphan_cols), sizeof(struct orphan_row)};

void orphan_row_done(struct orphan_row *r)
{
	row_done(&orphan_type, r);
}

int store_orphan_put(struct store *s, const struct orphan_row *r, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_ORPHAN_PUT, err);
	if (!stmt)
		return -1;
	row_bind(&orphan_type, stmt, r);
	if (stmt_write(s, stmt, "write an orphan", NULL, err) < 0)
		return err_wrap(err, "domain %lld", (long long)r->domid);
	return 0;
}

int store_orphan_delete(struct store *s, const struct orphan_row *r, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_ORPHAN_DELETE, err);
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, r->uuid);
	sqlite3_bind_int64(stmt, 2, r->generation);
	sqlite3_bind_int64(stmt, 3, r->domid);
	return stmt_write(s, stmt, "delete an orphan", NULL, err);
}

struct orphan_call {
	store_orphan_fn fn;
	void *ctx;
};

static int call_orphan(void *ctx, const void *row)
{
	const struct orphan_call *c = ctx;
	return c->fn(c->ctx, row);
}

int store_orphans(struct store *s, store_orphan_fn fn, void *ctx, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, STMT_ORPHAN_LIST, err);
	if (!stmt)
		return -1;
	struct orphan_call c = {fn, ctx};
	return row_each(s, stmt, &orphan_type, call_orphan, &c, err);
}
