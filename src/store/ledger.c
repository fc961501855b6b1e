/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger: what a pod has or may have in the world, so that nothing of it is forgotten. */
#include "store/priv.h"

#include <stddef.h>

#define F(type, field)                                                                             \
	{                                                                                          \
		COL_##type, offsetof(struct ledger_row, field)                                     \
	}
static const struct col ledger_cols[] = {F(INT, id), F(UUID, uuid), F(INT, generation),
	F(TEXT, kind), F(TEXT, name), F(TEXT, state)};
#undef F

static const struct rowtype ledger_type = {
	"ledger", ledger_cols, ARRAY_SIZE(ledger_cols), sizeof(struct ledger_row)};

void ledger_row_done(struct ledger_row *r)
{
	row_done(&ledger_type, r);
}

int store_ledger_put(struct store *s, const char *uuid, int64_t generation, const char *kind,
	const char *name, const char *state, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_LEDGER_PUT, err);
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, uuid);
	sqlite3_bind_int64(stmt, 2, generation);
	stmt_text(stmt, 3, kind);
	stmt_text(stmt, 4, name);
	stmt_text(stmt, 5, state);
	if (stmt_write(s, stmt, "write the ledger", NULL, err) < 0)
		return err_wrap(err, "pod %s: %s %s", uuid, kind, name);
	return 0;
}

int store_ledger_new_life(struct store *s, const char *uuid, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_LEDGER_NEW_LIFE, err);
	if (!stmt)
		return -1;
	stmt_text(stmt, 1, uuid);
	if (stmt_write(s, stmt, "write the ledger", NULL, err) < 0)
		return err_wrap(err, "pod %s", uuid);
	return 0;
}

struct ledger_call {
	store_ledger_fn fn;
	void *ctx;
};

static int call_ledger(void *ctx, const void *row)
{
	const struct ledger_call *c = ctx;
	return c->fn(c->ctx, row);
}

int store_ledger(struct store *s, const char *uuid, store_ledger_fn fn, void *ctx, struct err *err)
{
	enum stmt_id id = uuid ? STMT_LEDGER_LIST_POD : STMT_LEDGER_LIST;
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take(s, id, err);
	if (!stmt)
		return -1;
	if (uuid)
		stmt_text(stmt, 1, uuid);
	struct ledger_call c = {fn, ctx};
	return row_each(s, stmt, &ledger_type, call_ledger, &c, err);
}
