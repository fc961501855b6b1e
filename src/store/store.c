/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing. Whatever is wrong with the file is found out before anything is written to
 * it: who made it, which schema, whether it is damaged. Only then are migrations run.
 */
#include "store/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/files.h"
#include "base/log.h"

#define BUSY_MS       1000 /* longest wait for a reader that repairs the index after a crash */
#define WAL_KEEP_SIZE "4194304"
#define WAL_RESERVED  4194304
#define DB_CHUNK      1048576

bool store_in_memory(const struct store *s)
{
	return !strcmp(s->path, ":memory:");
}

static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* Secrets are inside: the directory is made 0700, its parents as the system has them. */
static int make_dir(const char *path, struct err *err)
{
	_cleanup_free_ char *dir = parent_of(path);
	_cleanup_free_ char *above = parent_of(dir);
	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return err_sys(err, "make directory %s", dir);
	if (dir_make_all(above, 0755, err) < 0)
		return -1;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "make directory %s", dir);
	return 0;
}

/* SQLite gives -wal and -shm the mode of the file, which is made here: never wider, not even once.
 */
static int make_file(const char *path, struct err *err)
{
	_cleanup_fd_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(err, "store %s", path);
	_cleanup_free_ char *dir = parent_of(path);
	_cleanup_fd_ int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 || fsync(dirfd) < 0)
		return err_sys(err, "directory %s", dir);
	return 0;
}

/* A file of its own: closing any descriptor of the database would drop SQLite's POSIX locks. */
static int own(struct store *s, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s.owner", s->path);
	_cleanup_fd_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(err, "%s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_sys(err, "lock %s", path);
		return err_set(err, ERR_EXISTS,
			"store %s is in use by another xenpodd (it holds %s): stop that one first",
			s->path, path);
	}
	s->owner_fd = TAKE_FD(fd);
	return 0;
}

static int must_exist(struct store *s, struct err *err)
{
	if (access(s->path, R_OK) == 0)
		return 0;
	if (errno == ENOENT || errno == ENOTDIR)
		return err_set(err, ERR_NOTFOUND,
			"no store at %s: xenpodd has not run here, or runs with another state "
			"directory",
			s->path);
	if (errno == EACCES)
		return err_set(err, ERR_DENIED,
			"store %s may be read by root only (it holds the pods' secrets)", s->path);
	return err_sys(err, "store %s", s->path);
}

static int connect_db(struct store *s, struct err *err)
{
	int flags = s->mode == STORE_READONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	int rc = sqlite3_open_v2(
		s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (rc != SQLITE_OK)
		return sql_fail(s, rc, "open", err);
	int on = 1;
	sqlite3_busy_timeout(s->db, BUSY_MS);
	/* Until the file is known as ours its log must not be folded into it either. */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* Without this a clean close removes -wal and -shm, and no reader can make them again. */
	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
	return 0;
}

/* What the file says of itself; err is ERR_STORE with advice when it is not even a database. */
static int read_head(struct store *s, int64_t *ret_app, int64_t *ret_version, int64_t *ret_tables,
	struct err *err)
{
	if (sql_int(s, "SELECT count(*) FROM sqlite_schema", ret_tables, err) < 0 ||
		sql_int(s, "PRAGMA application_id", ret_app, err) < 0 ||
		sql_int(s, "PRAGMA user_version", ret_version, err) < 0)
		return store_damage(s, err);
	return 0;
}

static int check_version(struct store *s, int64_t version, struct err *err)
{
	if (version > migrate_newest())
		return err_set(err, ERR_STORE,
			"store %s is of version %lld, this xenpod knows up to %d: upgrade xenpod, "
			"or put back the copy of the store from before the upgrade",
			s->path, (long long)version, migrate_newest());
	if (s->mode != STORE_RW_CREATE && version < migrate_newest())
		return err_set(err, ERR_STORE,
			"store %s is of version %lld, this program reads version %d: start xenpodd "
			"once, it upgrades the store",
			s->path, (long long)version, migrate_newest());
	return 0;
}

/* 0 and *ret_version (0: empty, to be filled), or -1 and nothing was changed. */
static int identify(struct store *s, int *ret_version, struct err *err)
{
	int64_t app = 0;
	int64_t version = 0;
	int64_t tables = 0;
	if (read_head(s, &app, &version, &tables, err) < 0)
		return -1;
	if (app == 0 && version == 0 && tables == 0) {
		*ret_version = 0;
		if (s->mode != STORE_RW_CREATE)
			return err_set(err, ERR_NOTFOUND,
				"store %s is empty: xenpodd has not finished starting", s->path);
		return 0;
	}
	if (app != STORE_APPLICATION_ID)
		return err_set(err, ERR_STORE,
			"%s is a database of another program: move it away or give xenpodd another "
			"state directory",
			s->path);
	if (check_version(s, version, err) < 0)
		return -1;
	*ret_version = (int)version;
	return 0;
}

static int set_up(struct store *s, struct err *err)
{
	static const char pragmas[] =
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=" WAL_KEEP_SIZE;
	if (sql_exec(s, pragmas, "set up", err) < 0)
		return -1;
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return fold_watch(s, err);
}

/*
 * Room for the commits that end pods when something, a guest maybe, has filled the file system: the
 * log's blocks are there before they are needed and stay when it starts again (KEEP_SIZE: SQLite
 * sees the length it wrote; journal_size_limit cuts off no more). Closing a descriptor of a log, as
 * opposed to one of the database, drops no lock. Where it cannot be had, the store works without.
 */
static void reserve_log(const struct store *s)
{
	_cleanup_free_ char *log = xasprintf("%s-wal", s->path);
	_cleanup_fd_ int fd = open(log, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, WAL_RESERVED) < 0)
		log_warning("no room is kept for %s: %s", log, strerror(errno));
}

/* It grows by whole chunks, so that folding the log into it rarely needs room. */
void reserve_db(struct store *s)
{
	int chunk = DB_CHUNK;
	sqlite3_int64 grow = DB_CHUNK;
	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk);
	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_SIZE_HINT, &grow);
}

static int make_id(struct store *s, struct err *err)
{
	char uuid[UUID_TEXT_SIZE];
	uuid_generate(uuid);
	size_t n = 0;
	for (const char *p = uuid; *p; p++)
		if (*p != '-')
			s->id[n++] = *p;
	s->id[n] = '\0';
	if (store_begin(s, err) < 0)
		return -1;
	(void)store_meta_set(s, "store_id", s->id, NULL); /* a failure dooms the commit */
	return store_commit(s, err);
}

static int load_id(struct store *s, struct err *err)
{
	_cleanup_free_ char *id = NULL;
	if (meta_read(s, "store_id", &id, err) < 0)
		return store_damage(s, err);
	if (!id && s->mode == STORE_RW_CREATE)
		return make_id(s, err);
	if (!id || strlen(id) != sizeof(s->id) - 1)
		return err_set(err, ERR_STORE, "store %s has no id: start xenpodd once", s->path);
	memcpy(s->id, id, sizeof(s->id));
	return 0;
}

/* ---- the supervisor's opening ----------------------------------------------------------------- */

/* Who it was, before it is known whether the database can be read. */
struct before {
	char id[sizeof(((struct store *)0)->id)]; /* kept beside it; "": none */
	char *why, *kept;                         /* of a loss; NULL: there was none */
	bool fresh;                               /* it is found now */
};

static void before_done(struct before *b)
{
	free(b->why);
	free(b->kept);
}

static int open_db(struct store *s, struct err *err)
{
	if (make_file(s->path, err) < 0 || connect_db(s, err) < 0 ||
		identify(s, &s->version, err) < 0 || (s->version && check_pages(s, err) < 0) ||
		set_up(s, err) < 0)
		return -1;
	return migrate(s, s->version, err);
}

static void disconnect_db(struct store *s)
{
	fold_end(s);
	for (size_t i = 0; i < STMT_MAX_; i++) {
		sqlite3_finalize(s->stmt[i]);
		s->stmt[i] = NULL;
	}
	sqlite3_close(s->db);
	s->db = NULL;
	s->in_tx = false;
	err_done(&s->doom);
}

/* There was one, and it is not there any more, or empty: NULL, or how that looks. */
static const char *missing(const struct store *s, const struct before *b, bool *ret_unknown)
{
	struct stat st;
	*ret_unknown = false;
	if (!b->id[0])
		return NULL;
	if (lstat(s->path, &st) == 0)
		return st.st_size == 0 ? "it is empty" : NULL;
	*ret_unknown = errno != ENOENT;
	return errno == ENOENT ? "it is missing" : NULL;
}

static int find_missing(struct store *s, struct before *b, struct err *err)
{
	bool unknown;
	const char *how = missing(s, b, &unknown);
	if (unknown)
		return err_sys(err, "store %s", s->path);
	if (!how)
		return 0;
	b->fresh = true;
	if (!b->why)
		b->why = xasprintf("store %s was there before, and %s", s->path, how);
	return quarantine(s->path, b->why, &b->kept, err);
}

/* Damage that was found in it: it is put aside, and a new one made. */
static int replace_damaged(struct store *s, struct before *b, struct err *err)
{
	_cleanup_free_ char *suspect = check_suspect_path(s);
	free(b->why);
	b->why = xstrdup(err_msg(err));
	err_done(err);
	disconnect_db(s);
	if (quarantine(s->path, b->why, &b->kept, err) < 0)
		return err_wrap(err, "%s", b->why);
	(void)unlink(suspect);
	s->damaged = false;
	s->version = 0;
	b->fresh = true;
	return open_db(s, err);
}

/* The id of before, be the loss of now or of a start that died before it was noted. */
static int settle_id(struct store *s, const struct before *b, struct err *err)
{
	_cleanup_free_ char *id = NULL;
	if (meta_read(s, "store_id", &id, err) < 0)
		return -1;
	const char *why = b->why ? b->why : "the database was lost, and a start died over it";
	bool cut_off = !id && b->id[0];
	if (cut_off)
		memcpy(s->id, b->id, sizeof(s->id));
	else if (load_id(s, err) < 0)
		return -1;
	if ((cut_off || b->fresh) && loss_note(s, s->id, why, b->kept, err) < 0)
		return -1;
	loss_load(s);
	if (strcmp(s->id, b->id) != 0 && keep_write(s->path, s->id, err) < 0)
		return -1;
	keep_settled(s->path);
	return 0;
}

static int open_file(struct store *s, struct before *b, struct err *err)
{
	if (make_dir(s->path, err) < 0 || own(s, err) < 0 || keep_read(s->path, b->id, err) < 0 ||
		keep_lost(s->path, &b->why, &b->kept, err) < 0 || find_missing(s, b, err) < 0)
		return -1;
	if (open_db(s, err) < 0 && (!s->damaged || replace_damaged(s, b, err) < 0))
		return -1;
	s->version = migrate_newest();
	if (settle_id(s, b, err) < 0)
		return -1;
	reserve_log(s);
	reserve_db(s);
	return 0;
}

static int open_in_memory(struct store *s, struct err *err)
{
	if (connect_db(s, err) < 0 || set_up(s, err) < 0 || migrate(s, 0, err) < 0)
		return -1;
	s->version = migrate_newest();
	return load_id(s, err);
}

static int open_rw(struct store *s, struct err *err)
{
	if (store_in_memory(s))
		return open_in_memory(s, err);
	struct before b = {0};
	int r = open_file(s, &b, err);
	before_done(&b);
	return r;
}

static int open_existing(struct store *s, struct err *err)
{
	if (must_exist(s, err) < 0 || connect_db(s, err) < 0 || identify(s, &s->version, err) < 0)
		return -1;
	loss_load(s);
	return load_id(s, err);
}

int store_open(const char *path, enum store_mode mode, struct store **ret, struct err *err)
{
	_cleanup_err_ struct err e = {0};
	_cleanup_store_ struct store *s = xcalloc(1, sizeof(*s));
	s->owner_fd = -1;
	s->path = xstrdup(path);
	s->mode = mode;
	int r = mode == STORE_RW_CREATE ? open_rw(s, &e) : open_existing(s, &e);
	if (r < 0) {
		err_move(err, &e);
		return -1;
	}
	*ret = TAKE_PTR(s);
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->db)
		store_rollback(s);
	/* The log of a damaged file stays as it is, too. */
	if (s->db && s->damaged)
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	disconnect_db(s);
	/* SQLite has just cut it off. */
	if (s->id[0] && s->mode == STORE_RW_CREATE && !store_in_memory(s))
		reserve_log(s);
	fd_close(&s->owner_fd);
	free(s->loss.why);
	free(s->loss.kept);
	free(s->path);
	free(s);
}

void store_closep(struct store **s)
{
	store_close(*s);
	*s = NULL;
}

const char *store_id(const struct store *s)
{
	return s->id;
}

int store_schema_version(const struct store *s)
{
	return s->version;
}
