/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's memory: one SQLite file (WAL kept, synchronous=FULL, foreign keys, STRICT
 * tables). States, events, effects are stored by name, never by number. Callers see plain records;
 * no SQLite type leaves src/store. Never logs. Not thread-safe: one owner, one connection.
 *
 * All strings handed in are copied into the database; all strings handed out belong to the record
 * and are freed by its *_done function.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uuid.h"

struct store;

enum store_mode {
	STORE_RW_CREATE, /* the supervisor: migrates, keeps the WAL files at close (PERSIST_WAL) */
	STORE_READONLY,  /* xenpod-status without a supervisor: short read-only transactions */
	STORE_REPAIR,    /* fsck, which holds the owner's lock: as STORE_READONLY, and may write */
};

/*
 * Opens `path` (":memory:" for tests). A schema newer than this program or a foreign file is
 * ERR_STORE with a message that says what to do; nothing is changed then. So is, read only, a damaged
 * one; whatever cannot be read or written (ERR_SYSTEM, ERR_FULL, ERR_DENIED) changes nothing either.
 * STORE_RW_CREATE makes the directory (0700) and the file (0600), and is the only owner: a second
 * one gets ERR_EXISTS until the first has closed or died (flock on <path>.owner).
 * STORE_READONLY: ERR_NOTFOUND when there is no store yet, ERR_DENIED when not root. It works
 * beside a live supervisor, after a clean close and after kill -9.
 */
int store_open(const char *path, enum store_mode mode, struct store **ret, struct err *err);

/*
 * A database that is damaged, or that was there (its id is still kept in <path>.id) and is missing or
 * empty, is not refused by STORE_RW_CREATE: what is left of it is renamed to <path>.corrupt-<UTC
 * time>, never removed, and a new one with the same id takes its place. Whose pods these were has to be
 * found out of the world again: `pending` until store_rebuilt().
 */
struct store_loss {
	char *why;  /* NULL: no database was ever lost */
	char *kept; /* what is left of it; "" when nothing is */
	int64_t at; /* wall clock */
	bool pending;
};
const struct store_loss *store_loss(const struct store *s);
/* Within the transaction that writes the pods that were found. */
int store_rebuilt(struct store *s, struct err *err);
/*
 * Pages that are in the log after the last commit, those as well that are folded into the file already: it
 * begins anew when all are. From STORE_LOG_MAX_PAGES on a commit folds them itself, which takes as long as
 * many commits; somebody else had better do it before that, on another thread: store_fold().
 */
#define STORE_LOG_MAX_PAGES 1000
int store_log_pages(const struct store *s);
/*
 * By a connection of its own, beside readers and the writer: for one other thread, while the store is open. Errors
 * are those of the disk; nothing is lost.
 */
int store_fold(struct store *s, struct err *err);
/*
 * SQLite has met damage since the store was opened. No commit succeeds any more, and nothing can be
 * relied on: end, and open it anew, which looks at every page and index.
 */
bool store_damaged(const struct store *s);
/* To be called before ending because of that: the next opening looks closely. */
void store_suspect(struct store *s);
/* No pod: whose row of history is about the store itself. */
#define STORE_NOBODY "00000000-0000-0000-0000-000000000000"
/* Rolls back what was not committed. NULL is fine. */
void store_close(struct store *s);
void store_closep(struct store **s);
#define _cleanup_store_ __attribute__((cleanup(store_closep)))
/* The random id born with the database: marks our domains in xenstore. 32 hex digits. */
const char *store_id(const struct store *s);
int store_schema_version(const struct store *s);

/* ---- records ------------------------------------------------------------------------------ */

struct pod_row {
	char uuid[UUID_TEXT_SIZE];
	char *state;         /* fsm name */
	char *want;          /* "up" | "down" | "again" */
	int64_t seq;         /* grows by one with each turn of this pod */
	int64_t generation;  /* grows with each create; 0 before the first */
	int64_t domid;       /* -1 when there is none: never 0, which is Dom-0 */
	int64_t deadline_ns; /* CLOCK_BOOTTIME, valid with boot_id; 0 = none */
	char *boot_id;       /* of the boot in which deadline and domid are valid */
	char *request;      /* accept request as JSON text (holds secrets); see store_request_set */
	char *cause;        /* fsm name: why it ended or is ending; "" while it lives */
	char *message;      /* for people: detail of the cause, "" if none */
	int64_t code;       /* the pod's exit code; -1 not known */
	bool forced;        /* ended by stop --force */
	int64_t qemu_pid;   /* 0 when there is none */
	int64_t qemu_start; /* its start time, clock ticks (/proc/<pid>/stat field 22) */
	int64_t lock_dev, lock_ino;               /* of the pod directory */
	int64_t created_at, started_at, ended_at; /* wall clock, ns since 1970; 0 = not yet */
	/* Read only, see store_restart_put. Without a row of its own: "never" and nothing but 0. */
	char *policy;   /* fsm name */
	int64_t burst;  /* short lives one after the other that are borne; 0 = any number */
	int64_t lives;  /* that came to run */
	int64_t starts; /* `run` processes that were asked for */
	int64_t tries;  /* short lives one after the other by now */
	bool given_up;  /* they were too many */
	int64_t running_ns; /* CLOCK_BOOTTIME, valid with boot_id: since when it runs; 0 = it does not */
};
void pod_row_done(struct pod_row *r);
/* A deep copy into `ret` (overwritten), which the caller empties with pod_row_done. */
void pod_row_copy(struct pod_row *ret, const struct pod_row *r);

struct app_row {
	int64_t idx;
	char *name;
	char *state;    /* gstate kind name, "waiting" before the first report */
	int64_t code;   /* exit code; -1 */
	int64_t signal; /* signal number; -1 */
	int64_t seq;    /* last guest sequence number taken */
	int64_t started_at, ended_at;
	char *message;             /* for people: why it failed, "" if nothing is known */
	char uuid[UUID_TEXT_SIZE]; /* its pod; set when those of all are read */
};
void app_row_done(struct app_row *r);

struct history_row {
	int64_t seq; /* global, without gaps while the database lives: what Watch resumes from */
	char uuid[UUID_TEXT_SIZE];
	int64_t at; /* wall clock, ns */
	char *event, *from, *to, *cause;
	int64_t domid, generation;
};
void history_row_done(struct history_row *r);

struct outbox_row {
	int64_t id;
	char uuid[UUID_TEXT_SIZE];
	int64_t generation;
	int64_t seq;  /* the pod's seq of the turn that asked */
	int64_t ord;  /* place in the turn's ordered list */
	char *effect; /* fsm name */
};
void outbox_row_done(struct outbox_row *r);

/* Ledger: intended before the effect, held after, released when undone. */
struct ledger_row {
	int64_t id;
	char uuid[UUID_TEXT_SIZE];
	int64_t generation;
	char *kind;  /* "domain" | "exports" | "cgroup" | "qemu" | "lock" | "log" | "network" */
	char *name;  /* what identifies it within its kind */
	char *state; /* "intended" | "held" | "released" */
};
void ledger_row_done(struct ledger_row *r);

/* A domain of ours without a pod, whose end is decided. */
struct orphan_row {
	char uuid[UUID_TEXT_SIZE];
	int64_t generation, domid;
	char *boot_id; /* of the boot in which domid is valid */
	int64_t since; /* wall clock: when it was first seen */
	char *why;     /* for people: why no pod accounts for it */
};
void orphan_row_done(struct orphan_row *r);

/* ---- transactions ------------------------------------------------------------------------- */

/*
 * Takes the write lock; ERR_TIMEOUT when somebody else holds it. On a STORE_READONLY store: what is
 * read until store_commit (or store_rollback) is one moment's picture; keep it short and print
 * afterwards, for the log cannot be folded back into the file while it lasts.
 */
int store_begin(struct store *s, struct err *err);
/*
 * Durable when it returns 0. On -1 nothing of the transaction happened (it is rolled back) and
 * err->code says which: ERR_FULL (disk full), ERR_TIMEOUT (busy), ERR_SYSTEM (I/O): retry later;
 * ERR_STORE: the data is at fault, retrying will not help.
 * The first of those three met by any write dooms the transaction: the writes after it and the
 * commit fail with the same error, so the caller need not look before the commit.
 * After an I/O error a power cut may still bring the transaction back, as if the commit had
 * succeeded and nothing been done since: recovery's ordinary case.
 */
int store_commit(struct store *s, struct err *err);
void store_rollback(struct store *s);
/* True when store_commit or a write failed with `code` and the same turns may be tried again. */
bool store_retryable(enum err_code code);
/* Turns of one shared commit are isolated by savepoints: a bad one is undone alone. No nesting. */
int store_savepoint(struct store *s, struct err *err);
int store_savepoint_release(struct store *s, struct err *err);
void store_savepoint_rollback(struct store *s);

/* ---- writing: only between store_begin and store_commit ----------------------------------------
 * A text that is NULL is stored as "". A value that the schema refuses is ERR_STORE; the row is not
 * written, the transaction goes on. */

int store_pod_insert(struct store *s, const struct pod_row *r, struct err *err); /* ERR_EXISTS */
/*
 * Writes every column but `request` where the stored seq is r->seq - 1, else ERR_STORE: nobody else
 * wrote. (A turn rewrites its row; the long request that does not change lives in another table.)
 */
int store_pod_update(struct store *s, const struct pod_row *r, struct err *err);
int store_request_set(struct store *s, const char *uuid, const char *request, struct err *err);
/* What the row says of restarts; put again, it is replaced. */
int store_restart_put(struct store *s, const struct pod_row *r, struct err *err);
/* Removes the pod, its apps, console, networks, restarts, outbox and ledger; history stays until pruned. */
int store_pod_delete(struct store *s, const char *uuid, struct err *err);
int store_app_put(struct store *s, const char *uuid, const struct app_row *a, struct err *err);
/* The last lines of a pod's console; put again, they are replaced. */
int store_console_put(struct store *s, const char *uuid, const char *text, struct err *err);
/* What the pod's networks turned out to be (world.h, "network"), as JSON text; put again, replaced. */
int store_networks_put(struct store *s, const char *uuid, const char *nets, struct err *err);
/* Sets *ret_seq to the new global sequence number. r->seq is ignored. */
int store_history_add(
	struct store *s, const struct history_row *r, int64_t *ret_seq, struct err *err);
/* Keeps the newest `keep_rows`; numbers are never used again. */
int store_history_prune(struct store *s, int64_t keep_rows, struct err *err);
int store_outbox_add(struct store *s, const struct outbox_row *r, int64_t *ret_id, struct err *err);
/* All rows of a pod: a new asynchronous effect takes the place of what was under way. */
int store_outbox_clear(struct store *s, const char *uuid, struct err *err);
int store_outbox_delete(struct store *s, int64_t id, struct err *err);
int store_ledger_put(struct store *s, const char *uuid, int64_t generation, const char *kind,
	const char *name, const char *state, struct err *err); /* insert or change the state */
/* What a pod's lives before had is forgotten, but for what is not given back between two lives. */
int store_ledger_new_life(struct store *s, const char *uuid, struct err *err);
/* By uuid, generation and domid: put again, it is replaced; delete looks at nothing else. */
int store_orphan_put(struct store *s, const struct orphan_row *r, struct err *err);
int store_orphan_delete(struct store *s, const struct orphan_row *r, struct err *err);
int store_meta_set(struct store *s, const char *key, const char *value, struct err *err);

/* ---- reading ------------------------------------------------------------------------------------
 * The callback returns non-zero to stop (the result is then 0 all the same); rows are valid during
 * the call only. It may read other kinds of rows, but not the kind it is given, and must not write.
 */

typedef int (*store_pod_fn)(void *ctx, const struct pod_row *r);
typedef int (*store_app_fn)(void *ctx, const struct app_row *r);
typedef int (*store_history_fn)(void *ctx, const struct history_row *r);
typedef int (*store_outbox_fn)(void *ctx, const struct outbox_row *r);
typedef int (*store_ledger_fn)(void *ctx, const struct ledger_row *r);
typedef int (*store_orphan_fn)(void *ctx, const struct orphan_row *r);

/*
 * One bad row never hides the others: it is reported as err after all good ones were given. True of
 * all the functions here. Pods come in the order of creation.
 */
int store_pods(struct store *s, store_pod_fn fn, void *ctx, struct err *err);
/* Is there a row of that pod, be it one that makes no sense? */
int store_pod_known(struct store *s, const char *uuid, bool *ret, struct err *err);
/* uuid NULL: of all pods, in one pass; those of a pod together and in their order. */
int store_apps(struct store *s, const char *uuid, store_app_fn fn, void *ctx, struct err *err);
/* *ret: malloc'ed, NULL when none were kept. */
int store_console(struct store *s, const char *uuid, char **ret, struct err *err);
/* *ret: malloc'ed, NULL when none were made. */
int store_networks(struct store *s, const char *uuid, char **ret, struct err *err);
/* uuid NULL: of all pods. since: rows with seq > since; limit 0: no limit. Oldest first. */
int store_history(struct store *s, const char *uuid, int64_t since, int64_t limit,
	store_history_fn fn, void *ctx, struct err *err);
/*
 * Newest number ever given (0: none yet) and oldest row still there (newest + 1: none). A watcher
 * that asks for less than oldest - 1 has missed pruned rows.
 */
int store_history_bounds(
	struct store *s, int64_t *ret_oldest, int64_t *ret_newest, struct err *err);
int store_outbox(struct store *s, store_outbox_fn fn, void *ctx, struct err *err); /* in order */
/* uuid NULL: of all pods. */
int store_ledger(struct store *s, const char *uuid, store_ledger_fn fn, void *ctx, struct err *err);
int store_orphans(struct store *s, store_orphan_fn fn, void *ctx, struct err *err);
/* NULL when absent; caller frees. */
char *store_meta_get(struct store *s, const char *key);

#endif
