/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: the same durable calls, bare. SQLite and the kernel, a straight line of prepared
 * statements, nothing of xenpod: no machine, no queue, no loop, no thread, no JSON, no look at the
 * world. It works on a copy of the measured side's database, so schema, rows and pages are the same.
 *   floor read DIR      reads every row that a start reads, once
 *   floor check DIR     the same, after the check of all pages that a start makes
 *   floor serve DIR     for each line on stdin: die, burst N, quit (see engine.c)
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#define BATCH 64 /* ENGINE_BATCH */

static sqlite3 *db;

static int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void must(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "floor: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
	exit(1);
}

static void run(const char *sql)
{
	must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sql);
}

/* As src/store/store.c sets its connection up. */
static void open_db(const char *dir)
{
	char path[4096];
	int on = 1;
	int chunk = 1048576;
	snprintf(path, sizeof path, "%s/store.db", dir);
	must(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
			SQLITE_OK,
		path);
	sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
	sqlite3_file_control(db, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk);
	run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
	    "PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=4194304");
}

/* ---- statements ------------------------------------------------------------------------------- */

enum { BEGIN, COMMIT, POD, HISTORY, ANSWERED, CLEAR, ASK, LEDGER, N };

static const char *const sql[N] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[POD] = "UPDATE pods SET state=?2, want='up', seq=?3, generation=1, domid=?4,"
		" deadline_ns=?5, boot_id=?6, cause=?7, message='', code=-1, forced=0, qemu_pid=?8,"
		" qemu_start=1, lock_dev=1, lock_ino=1, created_at=?9, started_at=?9, ended_at=0"
		" WHERE uuid=?1",
	[HISTORY] = "INSERT INTO history (uuid, at, event, from_state, to_state, cause, domid,"
		    " generation) VALUES (?1,?2,?3,?4,?5,?6,?7,1)",
	[ANSWERED] = "DELETE FROM outbox WHERE id=?1",
	[CLEAR] = "DELETE FROM outbox WHERE uuid=?1",
	[ASK] = "INSERT INTO outbox (uuid, generation, seq, ord, effect) VALUES (?1,1,?2,0,?3)",
	[LEDGER] = "INSERT INTO ledger (uuid, generation, kind, name, state) VALUES"
		   " (?1,?2,?3,?1,'released') ON CONFLICT (uuid, generation, kind, name)"
		   " DO UPDATE SET state=excluded.state",
};
static sqlite3_stmt *stmt[N];

static void prepare(void)
{
	for (int i = 0; i < N; i++)
		must(sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &stmt[i],
			     NULL) == SQLITE_OK,
			sql[i]);
}

static void step(int which)
{
	must(sqlite3_step(stmt[which]) == SQLITE_DONE, sql[which]);
	sqlite3_reset(stmt[which]);
}

static void bind(int which, int index, const char *text)
{
	sqlite3_bind_text(stmt[which], index, text, -1, SQLITE_STATIC);
}

struct pod {
	char uuid[40];
	int64_t seq, domid;
};

static void transition(struct pod *p, const char *event, const char *from, const char *to)
{
	int64_t at = now_ns();
	bind(POD, 1, p->uuid);
	bind(POD, 2, to);
	sqlite3_bind_int64(stmt[POD], 3, ++p->seq);
	sqlite3_bind_int64(stmt[POD], 4, p->domid);
	sqlite3_bind_int64(stmt[POD], 5, at);
	bind(POD, 6, "bench000-0000-4000-8000-000000000001");
	bind(POD, 7, "destroyed");
	sqlite3_bind_int64(stmt[POD], 8, p->domid + 5000000);
	sqlite3_bind_int64(stmt[POD], 9, at);
	step(POD);
	bind(HISTORY, 1, p->uuid);
	sqlite3_bind_int64(stmt[HISTORY], 2, at);
	bind(HISTORY, 3, event);
	bind(HISTORY, 4, from);
	bind(HISTORY, 5, to);
	bind(HISTORY, 6, "destroyed");
	sqlite3_bind_int64(stmt[HISTORY], 7, p->domid);
	step(HISTORY);
}

static int64_t ask(const struct pod *p, const char *effect)
{
	bind(CLEAR, 1, p->uuid);
	step(CLEAR);
	bind(ASK, 1, p->uuid);
	sqlite3_bind_int64(stmt[ASK], 2, p->seq);
	bind(ASK, 3, effect);
	step(ASK);
	return sqlite3_last_insert_rowid(db);
}

static void answered(int64_t id)
{
	sqlite3_bind_int64(stmt[ANSWERED], 1, id);
	step(ANSWERED);
}

static void release(const struct pod *p, const char *kind, int generation)
{
	bind(LEDGER, 1, p->uuid);
	sqlite3_bind_int(stmt[LEDGER], 2, generation);
	bind(LEDGER, 3, kind);
	step(LEDGER);
}

/* ---- one death ------------------------------------------------------------------------------------ */

/* One file for the app's code, durable with its name; the readiness link goes. */
static void write_code(int rkt)
{
	int fd = openat(rkt, "status/web.new", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	must(fd >= 0 && write(fd, "0\n", 2) == 2 && ftruncate(fd, 2) == 0 &&
			fchmod(fd, 0644) == 0 && fsync(fd) == 0 && close(fd) == 0,
		"status/web.new");
	must(renameat(rkt, "status/web.new", rkt, "status/web") == 0, "status/web");
	fd = openat(rkt, "status", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0 && fsync(fd) == 0 && close(fd) == 0, "status");
	must(unlinkat(rkt, "supervisor-status", 0) == 0, "supervisor-status");
}

/* The directory with what `run` prepares in it. */
static void make_dir(const char *dir, char *path, size_t size)
{
	static const char block[4096];
	char name[4200];
	snprintf(path, size, "%s/pod", dir);
	mkdir(path, 0700);
	snprintf(name, sizeof name, "%s/status", path);
	mkdir(name, 0700);
	snprintf(name, sizeof name, "%s/supervisor-status", path);
	must(symlink("ready", name) == 0, name);
	snprintf(name, sizeof name, "%s/status/web", path);
	unlink(name);
	snprintf(name, sizeof name, "%s/status/web.new", path);
	int fd = open(name, O_WRONLY | O_CREAT, 0600);
	must(fd >= 0 && write(fd, block, sizeof block) == (ssize_t)sizeof block && fsync(fd) == 0 &&
			close(fd) == 0,
		name);
}

static void two_commits(struct pod *p)
{
	step(BEGIN);
	transition(p, "domain-dead", "running", "dying");
	transition(p, "quiet", "dying", "clearing");
	int64_t id = ask(p, "clear");
	release(p, "domain", 1);
	release(p, "qemu", 1);
	step(COMMIT);
	step(BEGIN);
	transition(p, "cleared", "clearing", "collecting");
	answered(id);
	ask(p, "collect");
	release(p, "exports", 0);
	release(p, "cgroup", 0);
	step(COMMIT);
}

static void one_death(const char *dir, struct pod *p)
{
	char path[4096];
	make_dir(dir, path, sizeof path);
	int lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int probe = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(flock(lock, LOCK_EX | LOCK_NB) == 0, "lock");
	int64_t began = now_ns();
	two_commits(p);
	write_code(lock);
	close(lock);
	must(flock(probe, LOCK_EX | LOCK_NB) == 0, "the lock is not free");
	printf("{\"ns\": %lld}\n", (long long)(now_ns() - began));
	close(probe);
	bind(CLEAR, 1, p->uuid);
	step(CLEAR);
}

/* ---- many at once ------------------------------------------------------------------------------- */

static int order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void burst(struct pod *pods, int n)
{
	static int64_t took[1024];
	int batches = 0;
	int64_t began = now_ns();
	int64_t at = began;
	for (int i = 0; i < n && batches < 1024; batches++) {
		step(BEGIN);
		for (int k = 0; k < BATCH && i < n; k++, i++)
			transition(&pods[i], "domain-paused", "running", "paused");
		step(COMMIT);
		int64_t now = now_ns();
		took[batches] = now - at;
		at = now;
	}
	int64_t ns = at - began;
	qsort(took, (size_t)batches, sizeof *took, order);
	printf("{\"ns\": %lld, \"turns\": %d, \"batch\": %lld, \"longest\": %lld}\n", (long long)ns,
		n, (long long)took[batches / 2], (long long)took[batches - 1]);
}

static struct pod *load(int *ret_n)
{
	sqlite3_stmt *s = NULL;
	struct pod *pods = calloc(20000, sizeof *pods);
	int n = 0;
	must(pods && sqlite3_prepare_v2(db, "SELECT uuid, seq, domid FROM pods", -1, &s, NULL) ==
				SQLITE_OK,
		"load");
	while (n < 20000 && sqlite3_step(s) == SQLITE_ROW) {
		snprintf(pods[n].uuid, sizeof pods[n].uuid, "%s", sqlite3_column_text(s, 0));
		pods[n].seq = sqlite3_column_int64(s, 1);
		pods[n++].domid = sqlite3_column_int64(s, 2);
	}
	sqlite3_finalize(s);
	*ret_n = n;
	return pods;
}

static void serve(const char *dir)
{
	char line[64];
	int n = 0;
	unsigned next = 0;
	open_db(dir);
	prepare();
	struct pod *pods = load(&n);
	puts("{\"ready\": true}");
	while (fgets(line, sizeof line, stdin) && strncmp(line, "quit", 4)) {
		if (!strncmp(line, "die", 3)) {
			one_death(dir, &pods[next++ % (unsigned)n]);
		} else if (!strncmp(line, "burst ", 6)) {
			int m = atoi(line + 6);
			burst(pods, m < n ? m : n);
		}
	}
	free(pods);
	for (int i = 0; i < N; i++)
		sqlite3_finalize(stmt[i]);
	sqlite3_close(db);
}

/* ---- reading --------------------------------------------------------------------------------------- */

static size_t read_all(const char *query)
{
	sqlite3_stmt *s = NULL;
	size_t sum = 0;
	must(sqlite3_prepare_v2(db, query, -1, &s, NULL) == SQLITE_OK, query);
	while (sqlite3_step(s) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(s); i++) {
			const char *text = (const char *)sqlite3_column_text(s, i);
			sum += text ? strlen(text) : 0;
		}
	sqlite3_finalize(s);
	return sum;
}

static void read_rows(const char *dir, int check)
{
	int64_t began = now_ns();
	open_db(dir);
	if (check)
		run("PRAGMA ignore_check_constraints=ON; PRAGMA quick_check(1)");
	size_t sum = read_all("SELECT * FROM pods p LEFT JOIN requests r ON r.uuid = p.uuid"
			      " ORDER BY p.rowid");
	sum += read_all("SELECT * FROM apps");
	sum += read_all("SELECT * FROM networks");
	sum += read_all("SELECT * FROM outbox");
	sum += read_all("SELECT * FROM orphans");
	printf("{\"ns\": %lld, \"bytes\": %zu}\n", (long long)(now_ns() - began), sum);
	sqlite3_close(db);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && (!strcmp(argv[1], "read") || !strcmp(argv[1], "check")))
		read_rows(argv[2], argv[1][0] == 'c');
	else if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(argv[2]);
	else
		return 2;
	return 0;
}
