/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What outlives a database: its id in a file of its own, and the database itself when it is damaged,
 * renamed. Knows files and no SQL.
 */
#include "store/priv.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/files.h"

#define ID_LEN    32
#define NAMES_MAX 100 /* of one second */

static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* ---- the id ----------------------------------------------------------------------------------- */

static bool is_id(const char *text)
{
	for (size_t i = 0; i < ID_LEN; i++)
		if (!isxdigit((unsigned char)text[i]))
			return false;
	return text[ID_LEN] == '\0';
}

int keep_read(const char *path, char ret[33], struct err *err)
{
	_cleanup_free_ char *file = xasprintf("%s.id", path);
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct err e = {0};
	ret[0] = '\0';
	if (access(file, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (file_read_at(AT_FDCWD, file, 4096, &text, NULL, &e) < 0 && e.code != ERR_FULL) {
		err_move(err, &e);
		return -1;
	}
	if (text)
		text[strcspn(text, "\n")] = '\0';
	/* Damaged itself, it is as good as none: the database has the id as well. */
	if (text && is_id(text))
		memcpy(ret, text, ID_LEN + 1);
	return 0;
}

int keep_write(const char *path, const char *id, struct err *err)
{
	_cleanup_free_ char *file = xasprintf("%s.id", path);
	char text[ID_LEN + 2];
	int n = snprintf(text, sizeof text, "%s\n", id);
	return file_write_atomic_at(AT_FDCWD, file, text, (size_t)n, 0600, err);
}

/* ---- quarantine ------------------------------------------------------------------------------- */

static const char *const parts[] = {"", "-wal", "-shm"}; /* the database first: see quarantine() */

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0 || errno != ENOENT;
}

static int count_kept(const char *path, struct err *err)
{
	_cleanup_free_ char *dir = parent_of(path);
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *prefix = xasprintf("%s.corrupt-", slash ? slash + 1 : path);
	_cleanup_dir_ DIR *d = opendir(dir);
	int n = 0;
	if (!d)
		return err_sys(err, "directory %s", dir);
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		size_t len = strlen(e->d_name);
		bool part = len > 4 && e->d_name[len - 4] == '-';
		n += !part && !strncmp(e->d_name, prefix, strlen(prefix));
	}
	return n;
}

static bool is_taken(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *part = xasprintf("%s%s", name, parts[i]);
		if (is_there(part))
			return true;
	}
	return false;
}

static char *new_name(const char *path)
{
	char when[32];
	time_t now = time(NULL);
	struct tm tm;
	(void)strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	char *name = xasprintf("%s.corrupt-%s", path, when);
	for (int i = 1; is_taken(name) && i < NAMES_MAX; i++) {
		free(name);
		name = xasprintf("%s.corrupt-%s.%d", path, when, i);
	}
	return name;
}

static int move_part(const char *from, const char *to, const char *part, struct err *err)
{
	_cleanup_free_ char *old = xasprintf("%s%s", from, part);
	_cleanup_free_ char *new = xasprintf("%s%s", to, part);
	if (renameat2(AT_FDCWD, old, AT_FDCWD, new, RENAME_NOREPLACE) < 0 && errno != ENOENT)
		return err_sys(err, "rename %s to %s", old, new);
	return 0;
}

static int sync_dir(const char *path, struct err *err)
{
	_cleanup_free_ char *dir = parent_of(path);
	_cleanup_fd_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? err_sys(err, "directory %s", dir) : 0;
}

/* ---- the note of a loss ----------------------------------------------------------------------- */

int keep_lost(const char *path, char **ret_why, char **ret_kept, struct err *err)
{
	_cleanup_free_ char *file = xasprintf("%s.lost", path);
	_cleanup_free_ char *text = NULL;
	if (!is_there(file))
		return 0;
	if (file_read_at(AT_FDCWD, file, 65536, &text, NULL, err) < 0)
		return -1;
	char *why = strchr(text, '\n');
	if (!why)
		return 0;
	*why++ = '\0';
	why[strcspn(why, "\n")] = '\0';
	*ret_kept = xstrdup(text);
	*ret_why = xstrdup(why);
	return 0;
}

static int note_lost(const char *path, const char *why, const char *kept, struct err *err)
{
	_cleanup_free_ char *file = xasprintf("%s.lost", path);
	_cleanup_free_ char *text = xasprintf("%s\n%s\n", kept, why);
	return file_write_atomic_at(AT_FDCWD, file, text, strlen(text), 0600, err);
}

void keep_settled(const char *path)
{
	_cleanup_free_ char *file = xasprintf("%s.lost", path);
	(void)unlink(file);
}

/* A name for what is there now; the note with it is on disk when this returns. */
static char *choose(const char *path, const char *why, struct err *err)
{
	int n = count_kept(path, err);
	if (n < 0)
		return NULL;
	if (n >= QUARANTINE_MAX) {
		err_set(err, ERR_FULL,
			"%d damaged databases are kept beside %s already: check the disk, and "
			"move %s.corrupt-* away",
			n, path, path);
		return NULL;
	}
	_cleanup_free_ char *name = new_name(path);
	return note_lost(path, why, name, err) < 0 ? NULL : TAKE_PTR(name);
}

/*
 * A database without its log would be taken for an older state of itself: so the log follows. A log
 * that is left alone by a crash in between belongs to what the note names.
 */
int quarantine(const char *path, const char *why, char **ret, struct err *err)
{
	struct stat st;
	bool whole = lstat(path, &st) == 0 && st.st_size > 0;
	_cleanup_free_ char *name = whole ? NULL : *ret;
	_cleanup_free_ char *wal = xasprintf("%s-wal", path);
	if (whole)
		free(*ret);
	*ret = NULL;
	if (!whole && (lstat(wal, &st) < 0 || st.st_size == 0)) {
		*ret = TAKE_PTR(name); /* there is nothing (any more) */
		return 0;
	}
	if (!name || !*name) {
		free(name);
		name = choose(path, why, err);
	}
	if (!name)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (move_part(path, name, parts[i], err) < 0)
			return -1;
	if (sync_dir(path, err) < 0)
		return -1;
	*ret = TAKE_PTR(name);
	return 0;
}
