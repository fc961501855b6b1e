/* SPDX-License-Identifier: Apache-2.0 */
/* See files.h. */
#include "host/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha2.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"

#define TEXT_MAX (256 * 1024)

/* ---- what they share ------------------------------------------------------------------------------- */

/* 1: it is there and of that type, 0: nothing is there, -1: something else is, or it cannot be told. */
static int look(const char *at, mode_t type, struct stat *st, struct err *err)
{
	if (lstat(at, st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, "%s", at);
	if ((st->st_mode & S_IFMT) == type)
		return 1;
	return err_set(err, ERR_EXISTS, "something else is at %s: move it away", at);
}

/* The directory that holds it, and its name there. */
static int parent(const char *at, const char **ret_name, struct err *err)
{
	const char *slash = strrchr(at, '/');
	_cleanup_free_ char *dir = xstrndup(at, slash == at ? 1 : (size_t)(slash - at));
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret_name = slash + 1;
	return fd < 0 ? err_sys(err, "open %s", dir) : fd;
}

/* A name that is gone is so after a power cut, too. */
static int remove_at(const char *at, int flags, struct err *err)
{
	const char *name;
	_cleanup_fd_ int dir = parent(at, &name, err);
	if (dir < 0)
		return -1;
	if (unlinkat(dir, name, flags) < 0 && errno != ENOENT) {
		if (errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY)
			return err_set(err, ERR_STATE, "it is not empty");
		return err_sys(err, "remove %s", at);
	}
	return dir_sync_at(dir, ".", err);
}

/* Copies and links are made under this name first. */
static char *part_of(const char *last)
{
	return xasprintf(".%s.part", last);
}

static void part_tidy(const struct host *h, const char *name)
{
	_cleanup_free_ char *at = host_path(h, name);
	const char *last;
	_cleanup_fd_ int dir = parent(at, &last, NULL);
	_cleanup_free_ char *part = part_of(last);
	if (dir >= 0)
		unlinkat(dir, part, 0);
}

int thing_word(const json_t *value, const char **ret, struct err *err)
{
	*ret = json_string_value(value);
	return *ret ? 0 : err_set(err, ERR_INVALID, "its record has no text where one is wanted");
}

static mode_t mode_of(const json_t *value)
{
	return (mode_t)json_int_opt(value, "mode", 0644);
}

/* ---- a file of text ---------------------------------------------------------------------------------- */

json_t *thing_text(const char *text, mode_t mode)
{
	return json_make("{s:s,s:i}", "text", text, "mode", (int)mode);
}

static int file_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	_cleanup_free_ char *at = host_path(h, name);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t len;
	int there = look(at, S_IFREG, &st, err);
	if (there <= 0)
		return there;
	if (file_read_at(AT_FDCWD, at, TEXT_MAX, &text, &len, err) < 0)
		return -1;
	/* Behind a NUL it would be lost. */
	if (strlen(text) == len)
		*ret = json_pack("{s:s,s:i}", "text", text, "mode", (int)(st.st_mode & 07777));
	return *ret ? 0
		    : err_set(err, ERR_UNSUPPORTED, "%s is not a text in UTF-8: move it away", at);
}

static int file_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	_cleanup_free_ char *at = host_path(h, name);
	const char *text = json_str_opt(value, "text", "");
	if (json_is_null(value))
		return remove_at(at, 0, err);
	return file_write_atomic_at(AT_FDCWD, at, text, strlen(text), mode_of(value), err);
}

static void file_tidy(const struct host *h, const char *name)
{
	_cleanup_free_ char *at = host_path(h, name);
	(void)file_unreserve_at(AT_FDCWD, at, NULL);
}

const struct thing thing_file = {
	.kind = "file", .get = file_get, .set = file_set, .tidy = file_tidy};

/* Which mode FAT shows was said when it was mounted. */
static bool fat_file_same(const json_t *now, const json_t *want)
{
	return !strcmp(json_str_opt(now, "text", ""), json_str_opt(want, "text", ""));
}

const struct thing thing_fat_file = {.kind = "fat-file",
	.get = file_get,
	.set = file_set,
	.same = fat_file_same,
	.tidy = file_tidy,
	.only_new = true};

/* ---- a copy ------------------------------------------------------------------------------------------ */

static int digest(const char *at, char ret[SHA256_DIGEST_STRING_LENGTH], struct err *err)
{
	return SHA256File(at, ret) ? 0 : err_sys(err, "read %s", at);
}

int thing_copy_of(
	const struct host *h, const char *from, mode_t mode, json_t **ret, struct err *err)
{
	_cleanup_free_ char *at = host_path(h, from);
	char sum[SHA256_DIGEST_STRING_LENGTH];
	if (digest(at, sum, err) < 0)
		return -1;
	*ret = json_make("{s:s,s:s,s:i}", "from", from, "sha256", sum, "mode", (int)mode);
	return 0;
}

static int copy_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	_cleanup_free_ char *at = host_path(h, name);
	char sum[SHA256_DIGEST_STRING_LENGTH];
	struct stat st;
	int there = look(at, S_IFREG, &st, err);
	if (there <= 0)
		return there;
	if (digest(at, sum, err) < 0)
		return -1;
	*ret = json_make("{s:s,s:i}", "sha256", sum, "mode", (int)(st.st_mode & 07777));
	return 0;
}

/* On FAT all files have one mode: it does not count. */
static bool copy_same(const json_t *now, const json_t *want)
{
	return !strcmp(json_str_opt(now, "sha256", ""), json_str_opt(want, "sha256", ""));
}

static int pour(int in, int out, struct err *err)
{
	for (;;) {
		ssize_t n = sendfile(out, in, NULL, 1 << 20);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "copy");
		if (n == 0)
			return fsync(out) < 0 ? err_sys(err, "fsync") : 0;
	}
}

/* What the kernel or the hypervisor of tomorrow starts is what was looked at, and no mixture. */
static int verify(int fd, const char *from, const char *sum, struct err *err)
{
	_cleanup_free_ char *at = xasprintf("/proc/self/fd/%d", fd);
	char now[SHA256_DIGEST_STRING_LENGTH];
	if (digest(at, now, err) < 0)
		return -1;
	return strcmp(now, sum) == 0
		       ? 0
		       : err_set(err, ERR_STATE,
				 "%s has changed since it was looked at: call this again when "
				 "nobody writes it any more",
				 from);
}

/* Under another name first: a power cut leaves no half of it under its own. */
static int copy_to(
	int dir, const char *name, const char *from, const json_t *value, struct err *err)
{
	const mode_t mode = mode_of(value);
	_cleanup_free_ char *part = part_of(name);
	_cleanup_fd_ int in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return err_sys(err, "open %s", from);
	_cleanup_fd_ int out = openat(dir, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (out < 0)
		return err_sys(err, "make %s", part);
	if (pour(in, out, err) < 0 ||
		verify(out, from, json_str_opt(value, "sha256", ""), err) < 0) {
		unlinkat(dir, part, 0);
		return -1;
	}
	if (renameat(dir, part, dir, name) < 0)
		return err_sys(err, "rename %s", part);
	return dir_sync_at(dir, ".", err);
}

static int copy_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	_cleanup_free_ char *at = host_path(h, name);
	_cleanup_free_ char *from = host_path(h, json_str_opt(value, "from", ""));
	const char *last;
	if (json_is_null(value))
		return remove_at(at, 0, err);
	_cleanup_fd_ int dir = parent(at, &last, err);
	if (dir < 0)
		return -1;
	return copy_to(dir, last, from, value, err);
}

const struct thing thing_copy = {.kind = "copy",
	.get = copy_get,
	.set = copy_set,
	.same = copy_same,
	.tidy = part_tidy,
	.only_new = true};

/* ---- a directory ------------------------------------------------------------------------------------- */

static int dir_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	_cleanup_free_ char *at = host_path(h, name);
	struct stat st;
	if (stat(at, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, "%s", at);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_EXISTS, "%s is no directory: move it away", at);
	*ret = json_make("{s:i}", "mode", (int)(st.st_mode & 07777));
	return 0;
}

/* Whoever made it chose its mode. */
static bool dir_same(const json_t *now, const json_t *want)
{
	return json_is_object(now) && json_is_object(want);
}

static int dir_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	_cleanup_free_ char *at = host_path(h, name);
	const char *last;
	if (json_is_null(value))
		return remove_at(at, AT_REMOVEDIR, err);
	_cleanup_fd_ int dir = parent(at, &last, err);
	if (dir < 0)
		return -1;
	if (mkdirat(dir, last, mode_of(value)) < 0)
		return err_sys(err, "make %s", at);
	return dir_sync_at(dir, ".", err);
}

/* It, or what a set() that was killed has left beside it. */
static bool is_of(const char *name, const char *thing)
{
	_cleanup_free_ char *part = part_of(thing);
	_cleanup_free_ char *next = xasprintf("%s.new", thing);
	return !strcmp(name, thing) || !strcmp(name, part) || !strcmp(name, next);
}

static bool is_listed(const json_t *list, const char *dir, const char *name)
{
	const size_t len = strlen(dir);
	size_t i;
	json_t *one;
	json_array_foreach (list, i, one) {
		const char *path = json_string_value(one);
		if (!strncmp(path, dir, len) && path[len] == '/' && is_of(name, path + len + 1))
			return true;
	}
	return false;
}

static int dir_try_back(const struct host *h, const char *name, const json_t *was,
	const json_t *gone, struct err *err)
{
	_cleanup_free_ char *at = host_path(h, name);
	_cleanup_dir_ DIR *d = opendir(at);
	for (struct dirent *e; json_is_null(was) && d && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
			!is_listed(gone, name, e->d_name))
			return err_set(err, ERR_STATE, "it is not empty");
	return 0;
}

const struct thing thing_dir = {
	.kind = "dir", .get = dir_get, .set = dir_set, .same = dir_same, .try_back = dir_try_back};

/* ---- a symlink --------------------------------------------------------------------------------------- */

static int symlink_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	_cleanup_free_ char *at = host_path(h, name);
	char target[PATH_MAX];
	struct stat st;
	int there = look(at, S_IFLNK, &st, err);
	if (there <= 0)
		return there;
	ssize_t n = readlink(at, target, sizeof(target) - 1);
	if (n < 0)
		return err_sys(err, "read %s", at);
	target[n] = '\0';
	*ret = json_string(target);
	return *ret ? 0 : err_set(err, ERR_UNSUPPORTED, "%s does not point to a name in UTF-8", at);
}

static int symlink_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	_cleanup_free_ char *at = host_path(h, name);
	const char *last;
	const char *target;
	if (json_is_null(value))
		return remove_at(at, 0, err);
	if (thing_word(value, &target, err) < 0)
		return -1;
	_cleanup_fd_ int dir = parent(at, &last, err);
	if (dir < 0)
		return -1;
	_cleanup_free_ char *part = part_of(last);
	unlinkat(dir, part, 0);
	if (symlinkat(target, dir, part) < 0 || renameat(dir, part, dir, last) < 0)
		return err_sys(err, "make %s", at);
	return dir_sync_at(dir, ".", err);
}

const struct thing thing_symlink = {
	.kind = "symlink", .get = symlink_get, .set = symlink_set, .tidy = part_tidy};

/* ---- a sysctl ---------------------------------------------------------------------------------------- */

/* As sysctl(8): dots are slashes, unless there is a slash already. */
static char *sysctl_path(const struct host *h, const char *name)
{
	char *at = xasprintf("%s/proc/sys/%s", h->root, name);
	char *key = at + strlen(at) - strlen(name);
	for (; !strchr(name, '/') && *key; key++)
		if (*key == '.')
			*key = '/';
	return at;
}

static int sysctl_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	_cleanup_free_ char *at = sysctl_path(h, name);
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (file_read_at(AT_FDCWD, at, 4096, &text, &len, err) < 0)
		return -1;
	while (len && strchr("\n\t ", text[len - 1]))
		text[--len] = '\0';
	*ret = json_string(text);
	return 0;
}

static int sysctl_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	_cleanup_free_ char *at = sysctl_path(h, name);
	_cleanup_fd_ int fd = open(at, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open %s", at);
	const char *text;
	if (thing_word(value, &text, err) < 0)
		return -1;
	return fd_write_all(fd, text, strlen(text), err);
}

const struct thing thing_sysctl = {.kind = "sysctl", .get = sysctl_get, .set = sysctl_set};
