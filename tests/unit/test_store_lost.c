/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: store fsm base */
/* LIBS: sqlite3 */
/* WITH: storekit.c faultvfs.c */
/* VALGRIND: deep, many databases are made and destroyed */
/*
 * A database that is damaged, emptied or removed: what is left of it is kept, a new one with the same
 * id takes its place and says so, wherever that is cut off.
 */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "lostkit.h"

static void write_at(const char *path, off_t at, const void *data, size_t len)
{
	_cleanup_fd_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, at), (ssize_t)len);
}

static void damage(void)
{
	char junk[4096];
	struct stat st;
	memset(junk, 0xa5, sizeof junk);
	assert_int_equal(stat(kit.path, &st), 0);
	for (off_t at = 4096; at + 4096 <= st.st_size; at += 8192)
		write_at(kit.path, at, junk, sizeof junk);
}

static int first_row(void *ctx, const struct history_row *h)
{
	int64_t *seq = ctx;
	assert_string_equal(h->event, "rebuilt");
	assert_string_equal(h->uuid, STORE_NOBODY);
	*seq = h->seq;
	return 1;
}

/* It is a new store with the old one's id, and says why. Finds the pods: that loss is over then. */
static void assert_lost(const char *why)
{
	const struct store_loss *l = store_loss(s);
	int64_t seq = 0;
	assert_string_equal(store_id(s), id);
	assert_non_null(l->why);
	if (!strstr(l->why, why))
		fail_msg("the loss is \"%s\", not \"%s\"", l->why, why);
	assert_true(l->pending);
	assert_true(l->at > 0);
	assert_int_equal(pods(), 0);
	assert_ok(store_history(s, NULL, 0, 0, first_row, &seq, &err), &err);
	assert_true(seq > 1000000); /* more than any number that was given */
	assert_ok(store_begin(s, &err), &err);
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	assert_ok(store_rebuilt(s, &err), &err);
	assert_true(l->pending);
	assert_ok(store_commit(s, &err), &err);
	assert_false(l->pending);
	close_store();
	open_store();
	assert_false(store_loss(s)->pending);
	assert_non_null(store_loss(s)->why);
	assert_int_equal(pods(), 1);
}

/* ---- what is quarantine ----------------------------------------------------------------------- */

static void test_a_store_is_not_lost(void **state)
{
	(void)state;
	open_store();
	assert_null(store_loss(s)->why);
	assert_false(store_loss(s)->pending);
	assert_int_equal(pods(), PODS);
	assert_int_equal(kept(), 0);
}

static void test_damaged_pages_are_put_aside(void **state)
{
	(void)state;
	damage();
	uint64_t was = kit_hash(kit.path);
	open_store();
	_cleanup_free_ char *name = xstrdup(store_loss(s)->kept);
	assert_lost("store.db");
	assert_int_equal(kept(), 1);
	assert_true(kit_hash(name) == was);
}

static void test_what_is_no_database_is_put_aside(void **state)
{
	(void)state;
	char junk[64];
	memset(junk, 'x', sizeof junk);
	write_at(kit.path, 0, junk, sizeof junk);
	open_store();
	assert_lost("not a database");
	assert_int_equal(kept(), 1);
}

static void test_an_emptied_store_is_put_aside(void **state)
{
	(void)state;
	assert_int_equal(truncate(kit.path, 0), 0);
	open_store();
	assert_lost("it is empty");
}

static void test_a_store_cut_short_is_put_aside(void **state)
{
	(void)state;
	_cleanup_free_ char *wal = beside("-wal");
	assert_int_equal(truncate(kit.path, 8192), 0);
	assert_int_equal(unlink(wal), 0);
	open_store();
	assert_lost("store.db");
	assert_int_equal(kept(), 1);
}

static void test_a_removed_store_leaves_its_log(void **state)
{
	(void)state;
	_cleanup_free_ char *wal = beside("-wal");
	write_at(wal, 0, "a log", 5);
	assert_int_equal(unlink(kit.path), 0);
	open_store();
	_cleanup_free_ char *log = xasprintf("%s-wal", store_loss(s)->kept);
	assert_true(exists(log));
	assert_lost("it is missing");
}

static void test_all_is_removed_but_the_id(void **state)
{
	(void)state;
	static const char *const all[] = {"", "-wal", "-shm", ".owner"};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		_cleanup_free_ char *path = beside(all[i]);
		assert_int_equal(unlink(path), 0);
	}
	open_store();
	assert_string_equal(store_loss(s)->kept, "");
	assert_lost("it is missing");
}

/* ---- the id ----------------------------------------------------------------------------------- */

static void test_a_store_of_before_gets_its_id_file(void **state)
{
	(void)state;
	_cleanup_free_ char *file = beside(".id");
	assert_int_equal(unlink(file), 0);
	open_store();
	assert_string_equal(store_id(s), id);
	assert_null(store_loss(s)->why);
	close_store();
	assert_int_equal(unlink(kit.path), 0);
	open_store();
	assert_lost("it is missing");
}

static void test_the_databases_id_is_the_one(void **state)
{
	(void)state;
	_cleanup_free_ char *file = beside(".id");
	write_at(file, 0, "0123456789abcdef0123456789abcdef\n", 33);
	open_store();
	assert_string_equal(store_id(s), id);
	close_store();
	write_at(file, 0, "?", 1);
	open_store();
	assert_string_equal(store_id(s), id);
	close_store();
	_cleanup_free_ char *text = NULL;
	assert_ok(file_read_at(AT_FDCWD, file, 64, &text, NULL, &err), &err);
	assert_memory_equal(text, id, 32);
}

/* ---- cut off ---------------------------------------------------------------------------------- */

static void test_a_log_follows_its_database(void **state)
{
	(void)state;
	_cleanup_free_ char *wal = beside("-wal");
	_cleanup_free_ char *moved = beside(".corrupt-20200101T000000Z");
	_cleanup_free_ char *log = xasprintf("%s-wal", moved);
	_cleanup_free_ char *note = beside(".lost");
	_cleanup_free_ char *text = xasprintf("%s\nit rots\n", moved);
	write_at(wal, 0, "a log", 5);
	write_at(note, 0, text, strlen(text));
	assert_int_equal(rename(kit.path, moved), 0);
	open_store();
	assert_false(exists(note));
	assert_true(exists(log));
	assert_string_equal(store_loss(s)->kept, moved);
	assert_int_equal(kept(), 1);
	assert_lost("it rots");
}

static void test_a_start_died_before_the_loss_was_noted(void **state)
{
	(void)state;
	kit_sql(&kit, "DELETE FROM pods; DELETE FROM history; DELETE FROM meta");
	open_store();
	assert_lost("a start died over it");
}

static void child_opens(void)
{
	struct err e = {0};
	struct store *c = NULL;
	if (store_open(kit.path, STORE_RW_CREATE, &c, &e) < 0)
		_exit(1);
	for (;;)
		pause();
}

static void test_kill_9_while_it_is_replaced(void **state)
{
	(void)state;
	for (unsigned us = 200; us < 40000; us = us * 3 / 2 + 1) {
		damage();
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			child_opens();
		usleep(us);
		kill(pid, SIGKILL);
		int status = 0;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		open_store();
		assert_lost("");
		for (int i = 0; i < PODS; i++) {
			char uuid[UUID_TEXT_SIZE];
			kit_uuid(i, uuid);
			assert_ok(kit_turn(s, uuid, 0, &err), &err);
		}
		close_store();
		char cmd[160];
		snprintf(cmd, sizeof cmd, "rm -f %s/store.db.corrupt-*", kit.dir);
		assert_int_equal(system(cmd), 0);
	}
}

static void test_nothing_is_overwritten_and_there_is_an_end(void **state)
{
	(void)state;
	int n = 0;
	for (; n < 100; n++) {
		write_at(kit.path, 0, "no database at all, whatever it was", 35);
		if (store_open(kit.path, STORE_RW_CREATE, &s, &err) < 0)
			break;
		assert_int_equal(kept(), n + 1);
		close_store();
	}
	assert_err(&err, ERR_FULL, "check the disk");
	assert_int_equal(kept(), 16);
	assert_int_equal(n, 16);
	char cmd[160];
	snprintf(cmd, sizeof cmd, "rm -f %s/store.db.corrupt-*", kit.dir);
	assert_int_equal(system(cmd), 0);
	open_store();
	assert_string_equal(store_id(s), id);
}

/* ---- what is refusal -------------------------------------------------------------------------- */

static void test_a_newer_store_is_not_damaged(void **state)
{
	(void)state;
	kit_sql(&kit, "PRAGMA user_version=4711");
	uint64_t was = kit_hash(kit.path);
	assert_fails(
		store_open(kit.path, STORE_RW_CREATE, &s, &err), &err, ERR_STORE, "upgrade xenpod");
	kit_sql(&kit, "PRAGMA user_version=1; PRAGMA application_id=77");
	assert_fails(store_open(kit.path, STORE_RW_CREATE, &s, &err), &err, ERR_STORE,
		"of another program");
	assert_int_equal(kept(), 0);
	(void)was;
}

static void test_a_full_disk_while_it_is_replaced(void **state)
{
	(void)state;
	damage();
	int failed = 1;
	for (int n = 0; failed; n += unit_step(5)) {
		faultvfs_arm(n, 1000000, SQLITE_FULL);
		int r = store_open(kit.path, STORE_RW_CREATE, &s, &err);
		failed = faultvfs_failed();
		faultvfs_disarm();
		if (r < 0)
			assert_int_equal(err.code, ERR_FULL);
		else
			assert_int_equal(failed, 0);
		err_done(&err);
		close_store();
	}
	open_store();
	assert_int_equal(kept(), 1);
	assert_lost("");
}

/* Entries that an index lacks are not seen by a look at pages: only by the close one. */
static void test_a_suspected_store_is_looked_at_closely(void **state)
{
	(void)state;
	_cleanup_free_ char *suspect = beside(".suspect");
	kit_sql(&kit, "PRAGMA writable_schema=ON;"
		      "UPDATE sqlite_schema SET sql=replace(sql, '(uuid, seq)', '(uuid, seq) WHERE "
		      "uuid > ''x''') WHERE name='history_of_pod'");
	kit_sql(&kit, "INSERT INTO history (uuid, at, event, from_state, to_state, cause, domid,"
		      " generation) VALUES ('a', 1, 'e', 'f', 't', '', -1, 0);"
		      "PRAGMA writable_schema=ON;"
		      "UPDATE sqlite_schema SET sql='CREATE INDEX history_of_pod ON history (uuid, "
		      "seq)' WHERE name='history_of_pod'");
	open_store();
	assert_null(store_loss(s)->why);
	close_store();
	write_at(suspect, 0, "", 0);
	open_store();
	assert_false(exists(suspect));
	assert_int_equal(kept(), 1);
	assert_lost("damaged");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_a_store_is_not_lost),
	T(test_damaged_pages_are_put_aside),
	T(test_what_is_no_database_is_put_aside),
	T(test_an_emptied_store_is_put_aside),
	T(test_a_store_cut_short_is_put_aside),
	T(test_a_removed_store_leaves_its_log),
	T(test_all_is_removed_but_the_id),
	T(test_a_store_of_before_gets_its_id_file),
	T(test_the_databases_id_is_the_one),
	T(test_a_log_follows_its_database),
	T(test_a_start_died_before_the_loss_was_noted),
	T(test_kill_9_while_it_is_replaced),
	T(test_nothing_is_overwritten_and_there_is_an_end),
	T(test_a_newer_store_is_not_damaged),
	T(test_a_full_disk_while_it_is_replaced),
	T(test_a_suspected_store_is_looked_at_closely),
};

static int install(void **state)
{
	(void)state;
	faultvfs_install();
	return 0;
}

UNIT_MAIN(tests, install, NULL)
