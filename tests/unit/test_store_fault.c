/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: store fsm base */
/* LIBS: sqlite3 */
/* WITH: storekit.c faultvfs.c */
/* VALGRIND: deep, a commit is repeated for each of its calls */
/*
 * A full disk and an I/O error at each durable call of a commit: nothing of it happened, the same
 * turns succeed later. And a writer killed by SIGKILL again and again: what it was told is durable
 * is there, and nothing is there by half.
 */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "faultvfs.h"
#include "storekit.h"

#define PODS       3
#define MANY_CALLS 200 /* more durable calls than any commit here makes */

static struct kit kit;
static struct err err;
static struct store *s;
static char uuid[PODS][UUID_TEXT_SIZE];

static int setup(void **state)
{
	(void)state;
	kit_init(&kit);
	assert_ok(store_open(kit.path, STORE_RW_CREATE, &s, &err), &err);
	for (int i = 0; i < PODS; i++) {
		kit_uuid(i, uuid[i]);
		assert_ok(kit_turn(s, uuid[i], 0, &err), &err);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	faultvfs_disarm();
	store_close(s);
	s = NULL;
	err_done(&err);
	kit_done(&kit);
	return 0;
}

/* One shared commit of a turn of every pod. */
static int batch(int64_t seq, struct err *e)
{
	if (store_begin(s, e) < 0)
		return -1;
	for (int i = 0; i < PODS; i++) {
		if (store_savepoint(s, NULL) < 0)
			break;
		if (kit_write(s, uuid[i], seq, NULL) < 0)
			store_savepoint_rollback(s);
		else
			(void)store_savepoint_release(s, NULL);
	}
	return store_commit(s, e);
}

static void assert_all_at(int64_t seq)
{
	for (int i = 0; i < PODS; i++) {
		assert_int_equal(kit_seq(s, uuid[i]), seq);
		assert_int_equal(kit_history(s, uuid[i]), seq + 1);
	}
}

static void reopen(void)
{
	store_close(s);
	s = NULL;
	assert_ok(store_open(kit.path, STORE_RW_CREATE, &s, &err), &err);
}

/* Fails the n-th durable call of a commit for n = 0, 1, ...; returns how many there were. */
static int fail_each_call(int code, enum err_code want)
{
	int64_t seq = 0;
	for (int n = 0; n < MANY_CALLS; n += unit_step(5)) {
		faultvfs_arm(n, 1, code);
		int r = batch(seq + 1, &err);
		int failed = faultvfs_failed();
		faultvfs_disarm();
		if (!failed) {
			assert_int_equal(r, 0);
			return n;
		}
		assert_fails(r, &err, want, "store.db");
		assert_true(store_retryable(want));
		assert_all_at(seq);
		assert_ok(batch(seq + 1, &err), &err);
		assert_all_at(++seq);
	}
	fail_msg("more than %d durable calls in one commit", MANY_CALLS);
	return -1;
}

static void test_full_disk_at_every_call_of_a_commit(void **state)
{
	(void)state;
	assert_in_range(fail_each_call(SQLITE_FULL, ERR_FULL), 2, MANY_CALLS);
}

static void test_io_error_at_every_call_of_a_commit(void **state)
{
	(void)state;
	assert_in_range(fail_each_call(SQLITE_IOERR_WRITE, ERR_SYSTEM), 2, MANY_CALLS);
}

static void test_the_disk_stays_full_for_a_while(void **state)
{
	(void)state;
	faultvfs_arm(0, MANY_CALLS, SQLITE_FULL);
	for (int i = 0; i < 5; i++)
		assert_fails(batch(1, &err), &err, ERR_FULL, "full");
	assert_int_equal(faultvfs_failed(), 5);
	assert_all_at(0);
	faultvfs_disarm();
	assert_ok(batch(1, &err), &err);
	reopen();
	assert_all_at(1);
}

/* After a failed sync nobody can say what a power cut would leave: the old or the new, but whole.
 */
static void test_a_store_opened_after_a_fault_is_whole(void **state)
{
	(void)state;
	int64_t seq = 0;
	for (int n = 0; n < MANY_CALLS; n += unit_step(5)) {
		faultvfs_arm(n, 1, SQLITE_IOERR_FSYNC);
		int r = batch(seq + 1, &err);
		int failed = faultvfs_failed();
		faultvfs_disarm();
		reopen();
		int64_t now = kit_seq(s, uuid[0]);
		assert_true(now == seq + 1 || (r < 0 && now == seq));
		assert_all_at(now);
		seq = now;
		err_done(&err);
		if (!failed)
			return;
	}
	fail_msg("more than %d durable calls", MANY_CALLS);
}

/*
 * A transaction larger than the page cache writes before its commit, and SQLite then rolls back all
 * of it by itself: what follows must not become a transaction of its own.
 */
static void test_a_lost_transaction_takes_no_more_writes(void **state)
{
	(void)state;
	size_t size = 8 << 20;
	_cleanup_free_ char *big = xmalloc(size + 1);
	memset(big, 'x', size);
	big[0] = big[size - 1] = '"';
	big[size] = '\0';
	assert_ok(store_begin(s, &err), &err);
	assert_ok(store_savepoint(s, &err), &err);
	faultvfs_arm(0, 1, SQLITE_FULL);
	assert_fails(store_request_set(s, uuid[0], big, &err), &err, ERR_FULL, "full");
	faultvfs_disarm();
	store_savepoint_rollback(s);
	assert_fails(store_savepoint(s, &err), &err, ERR_FULL, "full");
	assert_fails(kit_write(s, uuid[1], 1, &err), &err, ERR_FULL, "full");
	assert_fails(store_commit(s, &err), &err, ERR_FULL, "full");
	assert_all_at(0);
	reopen();
	assert_all_at(0);
	assert_ok(batch(1, &err), &err);
	assert_all_at(1);
}

static void test_faults_while_a_store_is_made(void **state)
{
	(void)state;
	struct kit fresh;
	for (int n = 0; n < MANY_CALLS; n += unit_step(5)) {
		kit_init(&fresh);
		struct store *f = NULL;
		faultvfs_arm(n, 1, SQLITE_FULL);
		int r = store_open(fresh.path, STORE_RW_CREATE, &f, &err);
		int failed = faultvfs_failed();
		faultvfs_disarm();
		/* Between the steps, or by a switch to WAL that could not be made: try again. */
		if (r < 0) {
			assert_err(&err, ERR_FULL, "full");
			assert_ok(store_open(fresh.path, STORE_RW_CREATE, &f, &err), &err);
		}
		assert_ok(kit_turn(f, KIT_UUID, 0, &err), &err);
		store_close(f);
		kit_done(&fresh);
		if (!failed)
			return;
	}
	fail_msg("more than %d durable calls", MANY_CALLS);
}

/* ---- kill -9 ----------------------------------------------------------------------------------
 */

#define KILLS    25
#define LIFE_US  20000 /* at most, of one writer, beside its first commit */
#define OPEN_SEC 30    /* a generous ceiling for one opening after a kill */

/* Turns for ever; tells of each number that was committed. */
static void writer(int told, int64_t seq)
{
	struct err e = {0};
	struct store *w = NULL;
	if (store_open(kit.path, STORE_RW_CREATE, &w, &e) < 0)
		_exit(1);
	for (;; seq++) {
		if (kit_turn(w, uuid[0], seq, &e) < 0)
			_exit(2);
		if (write(told, &seq, sizeof(seq)) != sizeof(seq))
			_exit(3);
	}
}

static int64_t last_told(int fd, int64_t before)
{
	int64_t seq = before;
	while (read(fd, &seq, sizeof(seq)) == sizeof(seq))
		;
	return seq;
}

/* `work`: only after its first commit; else wherever it is by then, opening too. */
static int64_t kill_one_writer(int64_t seq, bool work, unsigned life_us)
{
	int told[2];
	int64_t first = seq;
	assert_int_equal(pipe(told), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		writer(told[1], seq + 1);
	close(told[1]);
	if (work)
		assert_int_equal(read(told[0], &first, sizeof(first)), sizeof(first));
	usleep(life_us);
	kill(pid, SIGKILL);
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	int64_t last = last_told(told[0], first);
	close(told[0]);
	return last;
}

static void test_kill_9_again_and_again(void **state)
{
	(void)state;
	store_close(s);
	s = NULL;
	int64_t seq = 0;
	unsigned life = 1000;
	for (int i = 0; i < KILLS; i += unit_step(5)) {
		life = (life * 7 + 4999) % LIFE_US; /* every phase of a commit gets its turn */
		int64_t told = kill_one_writer(seq, i % 3 != 0, life);
		time_t start = time(NULL);
		assert_ok(store_open(kit.path, STORE_RW_CREATE, &s, &err), &err);
		assert_in_range(time(NULL) - start, 0, OPEN_SEC);
		int64_t now = kit_seq(s, uuid[0]);
		/* All that was told, at most the one commit whose telling was cut off. */
		assert_true(now == told || now == told + 1);
		assert_int_equal(kit_history(s, uuid[0]), now + 1);
		store_close(s);
		s = NULL;
		seq = now;
	}
	assert_true(seq > KILLS / unit_step(5) / 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_full_disk_at_every_call_of_a_commit),
	T(test_io_error_at_every_call_of_a_commit),
	T(test_the_disk_stays_full_for_a_while),
	T(test_a_store_opened_after_a_fault_is_whole),
	T(test_a_lost_transaction_takes_no_more_writes),
	T(test_faults_while_a_store_is_made),
	T(test_kill_9_again_and_again),
};

static int install(void **state)
{
	(void)state;
	faultvfs_install();
	return 0;
}

UNIT_MAIN(tests, install, NULL)
