/* SPDX-License-Identifier: Apache-2.0 */
/* Examining a store: see fsck.h. One function for each thing that can be wrong. */
#include "store/fsck_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

#define LINES_MAX "100" /* of an integrity check: who has more has lost it all */

void fsck_tell(struct fsck *f, struct store_finding *found)
{
	if (!found->note) {
		f->ret->found++;
		f->ret->left += !found->repaired;
	}
	f->fn(f->ctx, found);
}

static void tell(struct fsck *f, const char *what, const char *why, const char *repair)
{
	struct store_finding x = {.what = what, .why = why, .repair = repair};
	fsck_tell(f, &x);
}

/* As tell(), of what can be repaired: `done` says that it was. */
static void tell_repair(struct fsck *f, struct store_finding *x, bool done, const struct err *err)
{
	_cleanup_free_ char *failed =
		f->repair && !done ? xasprintf("failed: %s", err_msg(err)) : NULL;
	x->repairable = true;
	x->repaired = done;
	if (failed)
		x->repair = failed;
	fsck_tell(f, x);
}

/* ---- rows ------------------------------------------------------------------------------------- */

/*
 * Each query answers with which row (a condition) and what is wrong with it. Names are looked up in the
 * schema's own lists, which a test holds against the machines'.
 */
#define UUID_OK(column)                                                                            \
	"(" column " LIKE '________-____-____-____-____________' AND " column                      \
	" NOT GLOB '*[^0-9a-f-]*')"
#define OF_NO_POD(table)                                                                           \
	{                                                                                          \
		table, "SELECT 'uuid='||quote(uuid), 'belongs to no pod ('||quote(uuid)||')' "     \
		       "FROM " table " WHERE uuid NOT IN (SELECT uuid FROM pods) GROUP BY uuid"    \
	}
static const struct {
	const char *table;
	const char *query;
} row_checks[] = {
	{"pods", "SELECT 'uuid='||quote(uuid), quote(uuid)||': '||why FROM (SELECT p.uuid, CASE"
		 " WHEN NOT " UUID_OK(
			 "p.uuid") " THEN 'that is no UUID'"
				   " WHEN state NOT IN (SELECT name FROM pod_states) THEN 'there "
				   "is no state '||"
				   "quote(state)"
				   " WHEN want NOT IN (SELECT name FROM pod_wants) THEN 'it cannot "
				   "want '||quote(want)"
				   " WHEN cause NOT IN (SELECT name FROM pod_causes) THEN 'there "
				   "is no cause '||"
				   "quote(cause)"
				   " WHEN r.request IS NULL THEN 'what was asked for it is missing'"
				   " WHEN NOT json_valid(r.request) THEN 'what was asked for it is "
				   "no JSON'"
				   " WHEN seq<0 OR generation<0 OR domid<-1 THEN 'a number is out "
				   "of range' END AS why"
				   " FROM pods p LEFT JOIN requests r ON r.uuid=p.uuid) WHERE why "
				   "IS NOT NULL"},
	OF_NO_POD("requests"),
	OF_NO_POD("apps"),
	OF_NO_POD("consoles"),
	OF_NO_POD("networks"),
	OF_NO_POD("outbox"),
	OF_NO_POD("ledger"),
	{"apps", "SELECT 'uuid='||quote(uuid)||' AND idx='||quote(idx), 'app '||quote(name)||' of '"
		 "||uuid||': there is no state '||quote(state) FROM apps WHERE uuid IN (SELECT uuid"
		 " FROM pods) AND state NOT IN (SELECT name FROM app_states)"},
	{"networks", "SELECT 'uuid='||quote(uuid), uuid||': that is no JSON' FROM networks WHERE"
		     " uuid IN (SELECT uuid FROM pods) AND NOT json_valid(nets)"},
	{"outbox",
		"SELECT 'id='||id, uuid||': there is no effect '||quote(effect) FROM outbox WHERE"
		" uuid IN (SELECT uuid FROM pods) AND effect NOT IN (SELECT name FROM"
		" pod_effects)"},
	{"ledger",
		"SELECT 'id='||id, uuid||': there is no '||quote(kind)||' that is '||quote(state)"
		" FROM ledger WHERE uuid IN (SELECT uuid FROM pods) AND (kind NOT IN (SELECT"
		" name FROM ledger_kinds) OR state NOT IN ('intended', 'held', 'released'))"},
	{"history", "SELECT 'seq='||seq, 'number '||seq||': its pod is '||quote(uuid) FROM history"
		    " WHERE NOT " UUID_OK("uuid")},
	{"orphans", "SELECT 'uuid='||quote(uuid)||' AND domid='||domid, quote(uuid)||': that is no"
		    " UUID' FROM orphans WHERE NOT " UUID_OK("uuid")},
};

static void check_row(struct fsck *f, const char *table, const char *where, const char *what)
{
	_cleanup_err_ struct err err = {0};
	bool pod = !strcmp(table, "pods");
	_cleanup_free_ char *line = xasprintf("%s: %s", table, what);
	_cleanup_free_ char *kept = xasprintf("the row%s taken out and kept in %s.aside-TIME",
		pod ? " and all that belongs to the pod are" : " is", f->path);
	struct store_finding x = {
		.what = line,
		.why = pod ? "xenpodd leaves the pod and its domain alone for ever"
			   : "it is passed over, and stays",
		.repair = kept,
	};
	bool done = f->repair && repair_rows(f, table, where, &err);
	tell_repair(f, &x, done, &err);
}

struct line {
	struct line *next;
	const char *table;
	char *where, *what;
};

/* Collected first: repairing changes what is being read. */
static struct line *read_lines(struct fsck *f, size_t check)
{
	struct line *all = NULL;
	struct line **at = &all;
	sqlite3_stmt *stmt = NULL;
	if (sqlite3_prepare_v2(f->s->db, row_checks[check].query, -1, &stmt, NULL) != SQLITE_OK)
		return NULL; /* a table that this version of the schema does not have */
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *where = (const char *)sqlite3_column_text(stmt, 0);
		const char *what = (const char *)sqlite3_column_text(stmt, 1);
		if (!where || !what)
			continue;
		struct line *l = xcalloc(1, sizeof *l);
		l->table = row_checks[check].table;
		l->where = xstrdup(where);
		l->what = xstrdup(what);
		*at = l;
		at = &l->next;
	}
	sqlite3_finalize(stmt);
	return all;
}

static void check_rows(struct fsck *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(row_checks); i++) {
		struct line *next;
		for (struct line *l = read_lines(f, i); l; l = next) {
			next = l->next;
			check_row(f, l->table, l->where, l->what);
			free(l->where);
			free(l->what);
			free(l);
		}
	}
}

/* ---- pages and indexes ------------------------------------------------------------------------ */

struct integrity {
	struct fsck *f;
	char *first;
};

/* "row 3 missing from index x", "wrong # of entries in index x", "non-unique entry in index x". */
static int note_line(void *ctx, int n, char **values, char **names)
{
	struct integrity *g = ctx;
	(void)names;
	if (n < 1 || !values[0] || !strcmp(values[0], "ok"))
		return 0;
	/* A row's content is told of one by one, and is no damage of the file. */
	if (strstr(values[0], "constraint failed") || !strncmp(values[0], "NULL value in", 13) ||
		strstr(values[0], " value in "))
		return 0;
	bool index = strstr(values[0], " index ") && !strstr(values[0], "page");
	g->f->indexes += index;
	g->f->bad += !index;
	if (!g->first || !index) {
		free(g->first);
		g->first = xstrdup(values[0]);
	}
	return 0;
}

static void check_integrity(struct fsck *f)
{
	_cleanup_err_ struct err err = {0};
	struct integrity g = {.f = f};
	f->indexes = f->bad = 0;
	int rc = sqlite3_exec(
		f->s->db, "PRAGMA integrity_check(" LINES_MAX ")", note_line, &g, NULL);
	if (rc != SQLITE_OK) {
		f->bad++;
		free(g.first);
		g.first = xstrdup(sqlite3_errmsg(f->s->db));
	}
	_cleanup_free_ char *first = g.first;
	_cleanup_free_ char *what = xasprintf("%s: %s", f->path, first ? first : "");
	if (f->bad) {
		struct store_finding x = {
			.what = what,
			.why = "the file is damaged; xenpodd puts it aside when it starts",
			.repair = "what can be read is copied if that is all of it; else the file "
				  "is put aside",
		};
		bool done = f->repair && repair_file(f, what, &err);
		f->ret->readable = done && f->s;
		tell_repair(f, &x, done, &err);
	} else if (f->indexes) {
		struct store_finding x = {
			.what = what,
			.why = "rows may be missed by those who look for them",
			.repair = "the indexes are made anew",
		};
		bool done = f->repair && repair_indexes(f, &err);
		tell_repair(f, &x, done, &err);
	}
}

/* ---- what is beside it ------------------------------------------------------------------------ */

static void check_id(struct fsck *f)
{
	_cleanup_err_ struct err err = {0};
	char kept[33];
	_cleanup_free_ char *id = store_meta_get(f->s, "store_id");
	if (keep_read(f->path, kept, &err) < 0) {
		tell(f, err_msg(&err), "nobody would know this store's domains without it",
			"look at the file");
		return;
	}
	if (!id || !strcmp(id, kept))
		return;
	_cleanup_free_ char *what = xasprintf(
		"%s.id %s", f->path, *kept ? "is another store's" : "is missing or damaged");
	struct store_finding x = {
		.what = what,
		.why = "were the database lost now, its domains would be taken for strangers'",
		.repair = "the database's id is written there",
	};
	bool done = f->repair && keep_write(f->path, id, &err) == 0;
	tell_repair(f, &x, done, &err);
}

static void check_loss(struct fsck *f)
{
	const struct store_loss *l = &f->s->loss;
	if (!l->why)
		return;
	_cleanup_free_ char *what = xasprintf("the database was lost and built anew%s: %s",
		l->pending ? ", which is not complete" : "", l->why);
	_cleanup_free_ char *kept = *l->kept ? xasprintf("what was left is %s", l->kept)
					     : xstrdup("nothing was left of it");
	struct store_finding x = {
		.what = what, .why = kept, .repair = "nothing is to be done", .note = true};
	fsck_tell(f, &x);
}

/* ---- the file --------------------------------------------------------------------------------- */

static void lost(struct fsck *f, const char *what)
{
	struct store_finding x = {
		.what = what,
		.why = "there is no record of any pod",
		.repair = "nothing: xenpodd makes a new one when it starts, and finds the pods in "
			  "the world",
	};
	fsck_tell(f, &x);
}

/* 1: go on. 0: told, there is nothing to look at. */
static int check_there(struct fsck *f, struct err *err)
{
	struct stat st;
	char kept[33];
	if (keep_read(f->path, kept, err) < 0)
		return -1;
	bool there = lstat(f->path, &st) == 0;
	if (!there && errno == EACCES)
		return err_set(err, ERR_DENIED, "store %s may be read by root only", f->path);
	if (!there && errno != ENOENT && errno != ENOTDIR)
		return err_sys(err, "store %s", f->path);
	if (there && st.st_size > 0)
		return 1;
	if (!*kept && !there)
		return err_set(err, ERR_NOTFOUND,
			"no store at %s: xenpodd has not run here, or runs with another state "
			"directory",
			f->path);
	_cleanup_free_ char *what = xasprintf("%s %s", f->path, there ? "is empty" : "is missing");
	if (*kept)
		lost(f, what);
	return 0;
}

/* A refusal is no damage: nothing here can help, and the message says what does. */
static int open_it(struct fsck *f, struct err *err)
{
	_cleanup_err_ struct err e = {0};
	enum store_mode mode = f->repair ? STORE_REPAIR : STORE_READONLY;
	if (store_open(f->path, mode, &f->s, &e) == 0) {
		f->ret->readable = true;
		return 0;
	}
	if (e.code != ERR_STORE) {
		err_move(err, &e);
		return -1;
	}
	if (!strstr(err_msg(&e), "xenpod fsck")) {
		tell(f, err_msg(&e), "xenpodd refuses to start with it", "as it says");
		return 0;
	}
	_cleanup_err_ struct err why = {0};
	struct store_finding x = {
		.what = err_msg(&e),
		.why = "no row can be read",
		.repair = "the file is put aside; xenpodd finds the pods in the world",
	};
	bool done = f->repair && repair_file(f, err_msg(&e), &why);
	tell_repair(f, &x, done, &why);
	return 0;
}

static int own(const char *path, int *ret_fd, struct err *err)
{
	_cleanup_free_ char *file = xasprintf("%s.owner", path);
	_cleanup_fd_ int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(err, "%s", file);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, ERR_EXISTS,
			"store %s is in use by xenpodd: stop that first (systemctl stop xenpodd; "
			"pods "
			"go on)",
			path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int examine(struct fsck *f, struct err *err)
{
	int r = check_there(f, err);
	if (r <= 0)
		return r;
	if (open_it(f, err) < 0)
		return -1;
	if (f->s)
		check_integrity(f);
	if (!f->s)
		return 0;
	if (f->ret->readable)
		check_rows(f);
	check_id(f);
	check_loss(f);
	return 0;
}

int store_fsck(const char *path, bool repair, store_finding_fn fn, void *ctx,
	struct store_fsck_result *ret, struct err *err)
{
	_cleanup_fd_ int owner = -1;
	*ret = (struct store_fsck_result){0};
	struct fsck f = {.path = path, .repair = repair, .fn = fn, .ctx = ctx, .ret = ret};
	if (repair && own(path, &owner, err) < 0)
		return -1;
	int r = examine(&f, err);
	store_close(f.s);
	free(f.aside);
	return r;
}
