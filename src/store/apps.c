/* SPDX-License-Identifier: Apache-2.0 */
/* The apps of a pod: one row each, replaced as the guest reports. */
#include "store/priv.h"

#include <stddef.h>

#define F(type, field)                                                                             \
	{                                                                                          \
		COL_##type, offsetof(struct app_row, field)                                        \
	}
static const struct col app_cols[] = {F(INT, idx), F(TEXT, name), F(TEXT, state), F(INT, code),
	F(INT, signal), F(INT, seq), F(INT, started_at), F(INT, ended_at), F(TEXT, message),
	F(UUID, uuid)};
#undef F

/* Of one pod, the UUID, last in the list, is known. */
static const struct rowtype app_type = {
	"apps", app_cols, ARRAY_SIZE(app_cols) - 1, sizeof(struct app_row)};
static const struct rowtype app_all = {
	"apps", app_cols, ARRAY_SIZE(app_cols), sizeof(struct app_row)};
#define APP_PUT_UUID 10 /* the parameter after the columns */

void app_row_done(struct app_row *r)
{
	row_done(&app_type, r);
}

int store_app_put(struct store *s, const char *uuid, const struct app_row *a, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = stmt_take_write(s, STMT_APP_PUT, err);
	if (!stmt)
		return -1;
	row_bind(&app_type, stmt, a);
	stmt_text(stmt, APP_PUT_UUID, uuid);
	if (stmt_write(s, stmt, "write the app", NULL, err) < 0)
		return err_wrap(err, "pod %s: app %s", uuid, a->name ? a->name : "");
	return 0;
}

struct app_call {
	store_app_fn fn;
	void *ctx;
};

static int call_app(void *ctx, const void *row)
{
	const struct app_call *c = ctx;
	return c->fn(c->ctx, row);
}

int store_apps(struct store *s, const char *uuid, store_app_fn fn, void *ctx, struct err *err)
{
	_cleanup_stmt_ sqlite3_stmt *stmt =
		stmt_take(s, uuid ? STMT_APP_LIST : STMT_APP_LIST_ALL, err);
	if (!stmt)
		return -1;
	if (uuid)
		stmt_text(stmt, 1, uuid);
	struct app_call c = {fn, ctx};
	return row_each(s, stmt, uuid ? &app_type : &app_all, call_app, &c, err);
}
