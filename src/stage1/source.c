/* SPDX-License-Identifier: Apache-2.0 */
/* Opens sources of host volumes: see source.h. */
#include "stage1/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/mountinfo.h"

void source_done(struct source *s)
{
	for (size_t i = 0; i < s->n; i++) {
		fd_close(&s->part[i].fd);
		free(s->part[i].rel);
	}
	free(s->part);
	*s = (struct source){0};
}

static void add_part(struct source *s, int *fd, const char *rel)
{
	s->part = xreallocarray(s->part, s->n + 1, sizeof *s->part);
	s->part[s->n++] = (struct source_part){.fd = TAKE_FD(*fd), .rel = xstrdup(rel)};
}

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFSOCK:
		return "a socket; nobody in the domain could reach who listens on it";
	case S_IFIFO:
		return "a FIFO; the domain could not reach its other end";
	case S_IFBLK:
	case S_IFCHR:
		return "a device; the domain has no part in the host's devices";
	default:
		return "neither a directory nor a file";
	}
}

static int open_itself(const struct appc_volume *v, struct source *s, struct err *err)
{
	struct stat st;
	_cleanup_fd_ int fd = open(v->source, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND,
			"its source %s does not exist; make it first, or use kind=empty",
			v->source);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "its source %s", v->source);
	s->is_file = S_ISREG(st.st_mode);
	if (!s->is_file && !S_ISDIR(st.st_mode))
		return err_set(err, ERR_UNSUPPORTED, "its source %s is %s", v->source,
			kind_of(st.st_mode));
	add_part(s, &fd, "");
	return 0;
}

/* ---- what is mounted below --------------------------------------------------------------------- */

/* Another mount may lie over it or over a directory above it: then it is not what is found; 0. */
static int open_if_visible(const struct source *s, const struct mountinfo *m, const char *rel,
	int *ret, struct err *err)
{
	struct statx sx = {0};
	_cleanup_fd_ int fd = openat(s->part[0].fd, rel, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &sx) < 0)
		return err_sys(err, "%s, which is mounted below its source", m->point);
	if (sx.stx_mnt_id != m->id)
		return 0;
	*ret = TAKE_FD(fd);
	return 1;
}

/* What is below `root` in `point`, or NULL. */
static const char *below(const char *point, const char *root)
{
	size_t len = strcmp(root, "/") ? strlen(root) : 0;
	if (strncmp(point, root, len) || point[len] != '/' || !point[len + 1])
		return NULL;
	return point + len + 1;
}

static int add_mounted(const struct appc_volume *v, struct source *s, const struct mountinfo *m,
	const char *rel, struct err *err)
{
	struct stat st;
	_cleanup_fd_ int fd = -1;
	int r = open_if_visible(s, m, rel, &fd, err);
	if (r <= 0)
		return r;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "%s", m->point);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_UNSUPPORTED,
			"below its source %s the file %s is mounted, which cannot be given to a "
			"domain; give the volume recursive=false",
			v->source, m->point);
	add_part(s, &fd, rel);
	return 0;
}

/* Where it is now; a name, for comparing: what is cloned is the descriptor. */
static int path_of(int fd, char ret[PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, ret, PATH_MAX - 1);
	if (len < 0)
		return -1;
	ret[len] = '\0';
	return 0;
}

static bool is_same_or_below(const char *path, const char *dir)
{
	return !strcmp(path, dir) || below(path, dir);
}

bool source_overlaps(const struct source *s, const char *dir)
{
	for (size_t i = 0; i < s->n; i++) {
		char path[PATH_MAX];
		if (path_of(s->part[i].fd, path) == 0 &&
			(is_same_or_below(dir, path) || is_same_or_below(path, dir)))
			return true;
	}
	return false;
}

static int open_below(const struct appc_volume *v, struct source *s, struct err *err)
{
	char root[PATH_MAX];
	_cleanup_free_ char *text = NULL;
	struct mountinfo m;
	if (path_of(s->part[0].fd, root) < 0)
		return err_sys(err, "its source %s", v->source);
	if (file_read_at(AT_FDCWD, MOUNTINFO_PATH, MOUNTINFO_MAX, &text, NULL, err) < 0)
		return -1;
	char *rest = text;
	while (mountinfo_next(&rest, &m)) {
		const char *rel = below(m.point, root);
		if (rel && add_mounted(v, s, &m, rel, err) < 0)
			return -1;
	}
	return 0;
}

int source_open(const struct appc_volume *v, struct source *ret, struct err *err)
{
	struct source s = {0};
	if (open_itself(v, &s, err) < 0 ||
		(v->recursive && !s.is_file && open_below(v, &s, err) < 0)) {
		source_done(&s);
		return -1;
	}
	*ret = s;
	return 0;
}
