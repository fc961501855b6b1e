/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: store fsm proto base */
/* LIBS: sqlite3 */
/* WITH: storekit.c */
/* VALGRIND: deep, five seconds of SQLite opening files */
/*
 * Opening: who may, what is refused and left untouched, how a reader sees a store whose supervisor
 * is alive, has closed or was killed; and the schema's names against the machines' lists.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/cleanup.h"
#include "fsm/cause.h"
#include "fsm/pod.h"
#include "proto/gstate.h"
#include "storekit.h"

static struct kit kit;
static struct err err;
/* A store that a process leaves open on purpose when it ends: named here, so it is no leak. */
static struct store *left_open;

static int setup(void **state)
{
	(void)state;
	kit_init(&kit);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kit_done(&kit);
	err_done(&err);
	return 0;
}

static struct store *open_store(enum store_mode mode)
{
	struct store *s = NULL;
	assert_ok(store_open(kit.path, mode, &s, &err), &err);
	return s;
}

static void refused(enum store_mode mode, enum err_code code, const char *text)
{
	struct store *s = NULL;
	assert_fails(store_open(kit.path, mode, &s, &err), &err, code, text);
	assert_null(s);
}

/* The file and its log as they were, and no answer that would need a write. */
static void refused_untouched(enum store_mode mode, const char *text)
{
	_cleanup_free_ char *wal = NULL;
	assert_true(asprintf(&wal, "%s-wal", kit.path) > 0);
	uint64_t db = kit_hash(kit.path);
	uint64_t log = kit_hash(wal);
	refused(mode, ERR_STORE, text);
	assert_true(kit_hash(kit.path) == db);
	assert_true(kit_hash(wal) == log);
}

static void run_child(void (*body)(void), bool killed)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		body();
		if (killed)
			raise(SIGKILL);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(killed ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void child_writes_two_turns(void)
{
	struct err e = {0};
	if (store_open(kit.path, STORE_RW_CREATE, &left_open, &e) < 0 ||
		kit_turn(left_open, KIT_UUID, 0, &e) < 0 ||
		kit_turn(left_open, KIT_UUID, 1, &e) < 0) {
		fprintf(stderr, "child: %s\n", err_msg(&e));
		_exit(1);
	}
}

/* ---- making -----------------------------------------------------------------------------------
 */

static void test_a_new_store_is_private_and_complete(void **state)
{
	(void)state;
	char sub[160];
	struct kit inner = kit;
	snprintf(inner.path, sizeof(inner.path), "%s/a/state/store.db", kit.dir);
	struct store *s = NULL;
	assert_ok(store_open(inner.path, STORE_RW_CREATE, &s, &err), &err);
	_cleanup_free_ char *id = strdup(store_id(s));
	assert_int_equal(strlen(id), 32);
	assert_true(store_schema_version(s) >= 1);
	assert_ok(kit_turn(s, KIT_UUID, 0, &err), &err);
	static const char *const names[] = {
		"", "/store.db", "/store.db-wal", "/store.db-shm", "/store.db.owner"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct stat st;
		snprintf(sub, sizeof(sub), "%s/a/state%s", kit.dir, names[i]);
		assert_int_equal(stat(sub, &st), 0);
		assert_int_equal(st.st_mode & 0777, i ? 0600 : 0700);
	}
	store_close(s);
	s = NULL;
	assert_ok(store_open(inner.path, STORE_RW_CREATE, &s, &err), &err);
	assert_string_equal(store_id(s), id);
	assert_int_equal(kit_seq(s, KIT_UUID), 0);
	store_close(s);
	snprintf(sub, sizeof(sub), "rm -r %s/a", kit.dir);
	assert_int_equal(system(sub), 0);
}

static void test_there_is_one_owner(void **state)
{
	(void)state;
	struct store *s = open_store(STORE_RW_CREATE);
	refused(STORE_RW_CREATE, ERR_EXISTS, "in use by another xenpodd");
	store_close(s);
	run_child(child_writes_two_turns, true);
	s = open_store(STORE_RW_CREATE);
	assert_int_equal(kit_seq(s, KIT_UUID), 1);
	store_close(s);
}

/* ---- refusing ---------------------------------------------------------------------------------
 */

static void test_a_newer_store_is_refused_untouched(void **state)
{
	(void)state;
	run_child(child_writes_two_turns, true);
	kit_sql(&kit, "PRAGMA wal_checkpoint; PRAGMA user_version=4711");
	refused_untouched(STORE_RW_CREATE, "is of version 4711, this xenpod knows up to");
	refused_untouched(STORE_READONLY, "upgrade xenpod");
}

static void test_a_newer_store_with_a_log_is_refused_untouched(void **state)
{
	(void)state;
	struct store *s = open_store(STORE_RW_CREATE);
	store_close(s);
	/* A writer that dies leaves its last commit in the log: it must not be folded in. */
	pid_t pid = fork();
	if (pid == 0) {
		sqlite3 *db = NULL;
		sqlite3_open(kit.path, &db);
		sqlite3_exec(db, "PRAGMA user_version=4712", NULL, NULL, NULL);
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
	refused_untouched(STORE_RW_CREATE, "is of version 4712");
}

static void test_another_programs_database_is_refused_untouched(void **state)
{
	(void)state;
	kit_sql(&kit, "CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('a')");
	refused_untouched(STORE_RW_CREATE, "of another program");
	refused_untouched(STORE_READONLY, "of another program");
}

static void write_file(const char *path, off_t at, const void *data, size_t len)
{
	_cleanup_fd_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, at), (ssize_t)len);
}

static void test_what_is_no_database_is_not_read(void **state)
{
	(void)state;
	char junk[8192];
	memset(junk, 'x', sizeof(junk));
	write_file(kit.path, 0, junk, sizeof(junk));
	refused_untouched(STORE_READONLY, "not a database");
}

static void test_an_older_store_is_not_read_by_a_reader_that_cannot_upgrade_it(void **state)
{
	(void)state;
	struct store *s = open_store(STORE_RW_CREATE);
	store_close(s);
	kit_sql(&kit, "PRAGMA user_version=0");
	refused_untouched(STORE_READONLY, "start xenpodd once");
}

/* ---- reading beside, after, without a supervisor
 * --------------------------------------------------- */

static void test_a_reader_without_a_store_says_so_and_makes_none(void **state)
{
	(void)state;
	refused(STORE_READONLY, ERR_NOTFOUND, "xenpodd has not run here");
	assert_int_equal(access(kit.path, F_OK), -1);
	write_file(kit.path, 0, "", 0);
	refused(STORE_READONLY, ERR_NOTFOUND, "is empty");
}

static void assert_reads_both_turns(void)
{
	_cleanup_store_ struct store *r = open_store(STORE_READONLY);
	assert_int_equal(kit_seq(r, KIT_UUID), 1);
	assert_int_equal(kit_history(r, KIT_UUID), 2);
	assert_int_equal(strlen(store_id(r)), 32);
	assert_ok(store_begin(r, &err), &err);
	assert_fails(store_meta_set(r, "a", "b", &err), &err, ERR_STORE, "a write outside");
	assert_ok(store_commit(r, &err), &err);
}

static void child_writes_and_closes(void)
{
	struct err e = {0};
	struct store *s = NULL;
	if (store_open(kit.path, STORE_RW_CREATE, &s, &e) < 0 || kit_turn(s, KIT_UUID, 0, &e) < 0 ||
		kit_turn(s, KIT_UUID, 1, &e) < 0)
		_exit(1);
	store_close(s);
}

static void test_reader_after_a_clean_close(void **state)
{
	(void)state;
	run_child(child_writes_and_closes, false);
	/* Without them a reader that may not write could not open it (design-review item 11). */
	static const char *const kept[] = {"-wal", "-shm"};
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		_cleanup_free_ char *path = NULL;
		assert_true(asprintf(&path, "%s%s", kit.path, kept[i]) > 0);
		assert_int_equal(access(path, F_OK), 0);
	}
	uint64_t before = kit_hash(kit.path);
	assert_reads_both_turns();
	assert_reads_both_turns();
	assert_true(kit_hash(kit.path) == before);
}

static void test_reader_after_kill_9(void **state)
{
	(void)state;
	run_child(child_writes_two_turns, true);
	_cleanup_free_ char *wal = NULL;
	assert_true(asprintf(&wal, "%s-wal", kit.path) > 0);
	uint64_t db = kit_hash(kit.path);
	uint64_t log = kit_hash(wal);
	assert_reads_both_turns();
	assert_reads_both_turns();
	/* A reader neither folds the log in nor throws it away. */
	assert_true(kit_hash(kit.path) == db);
	assert_true(kit_hash(wal) == log);
	struct store *s = open_store(STORE_RW_CREATE);
	assert_ok(kit_turn(s, KIT_UUID, 2, &err), &err);
	store_close(s);
}

static void test_reader_beside_a_supervisor_hinders_no_commit(void **state)
{
	(void)state;
	struct store *s = open_store(STORE_RW_CREATE);
	left_open = s; /* by the child */
	assert_ok(kit_turn(s, KIT_UUID, 0, &err), &err);
	/* In a process of its own, as POSIX locks do not count within one. */
	int ready[2];
	int go[2];
	assert_int_equal(pipe(ready) | pipe(go), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct store *r = open_store(STORE_READONLY);
		assert_ok(store_begin(r, &err), &err);
		int64_t first = kit_seq(r, KIT_UUID);
		if (write(ready[1], "r", 1) != 1)
			_exit(9);
		char c;
		if (read(go[0], &c, 1) != 1)
			_exit(9);
		bool same = kit_seq(r, KIT_UUID) == first; /* one moment's picture */
		assert_ok(store_commit(r, &err), &err);
		bool newer = kit_seq(r, KIT_UUID) == first + 50;
		store_close(r);
		_exit(same && newer ? 0 : 1);
	}
	char c;
	assert_int_equal(read(ready[0], &c, 1), 1);
	for (int i = 1; i <= 50; i++)
		assert_ok(kit_turn(s, KIT_UUID, i, &err), &err);
	assert_int_equal(write(go[1], "g", 1), 1);
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_close(s);
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	close(go[1]);
}

/* ---- one bad row -------------------------------------------------------------------------------
 */

static int count_pod(void *ctx, const struct pod_row *r)
{
	(void)r;
	++*(int *)ctx;
	return 0;
}

static void test_one_bad_row_hides_no_other(void **state)
{
	(void)state;
	struct store *s = open_store(STORE_RW_CREATE);
	for (int i = 0; i < 3; i++) {
		char id[UUID_TEXT_SIZE];
		kit_uuid(i, id);
		assert_ok(kit_turn(s, id, 0, &err), &err);
	}
	store_close(s);
	kit_sql(&kit, "PRAGMA ignore_check_constraints=ON;"
		      "UPDATE pods SET uuid='nonsense' WHERE rowid=1;"
		      "DELETE FROM requests WHERE uuid LIKE '%1'");
	s = open_store(STORE_RW_CREATE);
	int n = 0;
	assert_fails(store_pods(s, count_pod, &n, &err), &err, ERR_STORE, "row nonsense of pods");
	assert_int_equal(n, 1);
	store_close(s);
}

/* ---- the schema against the lists
 * ---------------------------------------------------------------- */

#define COMMA_NAME(id, name, ...) name,

static void assert_names(sqlite3 *db, const char *table, const char *const *names, size_t n)
{
	char sql[128];
	sqlite3_stmt *stmt = NULL;
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE name=?1", table);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	for (size_t i = 0; i < n; i++) {
		sqlite3_bind_text(stmt, 1, names[i], -1, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
		if (sqlite3_column_int(stmt, 0) != 1)
			fail_msg("%s: \"%s\" is missing: add it in a migration", table, names[i]);
		sqlite3_reset(stmt);
	}
	sqlite3_finalize(stmt);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	if (sqlite3_column_int(stmt, 0) != (int)n)
		fail_msg("%s: %d names, the list has %zu", table, sqlite3_column_int(stmt, 0), n);
	sqlite3_finalize(stmt);
}

static void test_names_are_those_of_the_machines(void **state)
{
	(void)state;
	static const char *const states[] = {POD_STATES(COMMA_NAME)};
	static const char *const causes[] = {POD_CAUSES(COMMA_NAME)};
	static const char *const effects[] = {POD_EFFECTS(COMMA_NAME)};
	const char *wants[WANT_MAX_];
	for (int i = 0; i < WANT_MAX_; i++)
		wants[i] = pod_want_name((enum pod_want)i);
	const char *apps[GSTATE_MAX_ + 1] = {"waiting"};
	size_t napps = 1;
	for (int i = 0; i < GSTATE_MAX_; i++) {
		/* A kind that the grammar takes for an app. */
		char value[64];
		struct gstate g;
		const char *name = gstate_kind_name((enum gstate_kind)i);
		int n = snprintf(value, sizeof(value), "1 %s", name);
		bool plain = gstate_parse(GSTATE_APP, value, (size_t)n, &g) == 0;
		n = snprintf(value, sizeof(value), "1 %s 1", name);
		if (plain || gstate_parse(GSTATE_APP, value, (size_t)n, &g) == 0)
			apps[napps++] = name;
	}
	struct store *s = open_store(STORE_RW_CREATE);
	store_close(s);
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(kit.path, &db), SQLITE_OK);
	assert_names(db, "pod_states", states, ARRAY_SIZE(states));
	assert_names(db, "pod_causes", causes, ARRAY_SIZE(causes));
	assert_names(db, "pod_effects", effects, ARRAY_SIZE(effects));
	assert_names(db, "pod_wants", wants, ARRAY_SIZE(wants));
	assert_names(db, "app_states", apps, napps);
	sqlite3_close(db);
}

static void test_every_table_is_strict_and_references_are_whole(void **state)
{
	(void)state;
	struct store *s = open_store(STORE_RW_CREATE);
	store_close(s);
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(kit.path, &db), SQLITE_OK);
	sqlite3_stmt *stmt = NULL;
	assert_int_equal(sqlite3_prepare_v2(db,
				 "SELECT count(*), sum(strict) FROM pragma_table_list"
				 " WHERE schema='main' AND name NOT LIKE 'sqlite_%'",
				 -1, &stmt, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_true(sqlite3_column_int(stmt, 0) >= 7);
	assert_int_equal(sqlite3_column_int(stmt, 0), sqlite3_column_int(stmt, 1));
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "wal");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_a_new_store_is_private_and_complete),
	T(test_there_is_one_owner),
	T(test_a_newer_store_is_refused_untouched),
	T(test_a_newer_store_with_a_log_is_refused_untouched),
	T(test_another_programs_database_is_refused_untouched),
	T(test_what_is_no_database_is_not_read),
	T(test_an_older_store_is_not_read_by_a_reader_that_cannot_upgrade_it),
	T(test_a_reader_without_a_store_says_so_and_makes_none),
	T(test_reader_after_a_clean_close),
	T(test_reader_after_kill_9),
	T(test_reader_beside_a_supervisor_hinders_no_commit),
	T(test_one_bad_row_hides_no_other),
	T(test_names_are_those_of_the_machines),
	T(test_every_table_is_strict_and_references_are_whole),
};

UNIT_MAIN(tests, NULL, NULL)
