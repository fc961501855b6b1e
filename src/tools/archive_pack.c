/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packing an image directory as a tar in name order, and the cheap fingerprint that tells whether
 * an image on disk is still the one that was unpacked before.
 */
#include "tools/archive_pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <locale.h>
#include <sha2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* A file changed less than this ago may change again within the same time stamp. */
#define RACY_NS INT64_C(100000000)

struct packer {
	size_t skip; /* length of "DIR/" before the names in the archive */
	struct archive *disk;
	struct archive *out;
	struct archive_entry_linkresolver *links;
};

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Calls fn for each file below the paths, directories before what they hold. */
typedef int (*walk_fn)(void *ctx, const FTSENT *f, struct err *err);
static int walk(char *const *paths, walk_fn fn, void *ctx, struct err *err)
{
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, by_name);
	if (!fts)
		return err_sys(err, "read %s", paths[0]);
	int r = 0;
	FTSENT *f;
	while (r == 0 && (errno = 0, f = fts_read(fts))) {
		if (f->fts_info == FTS_DP)
			continue;
		if (f->fts_info == FTS_ERR || f->fts_info == FTS_DNR || f->fts_info == FTS_NS) {
			errno = f->fts_errno;
			r = err_sys(err, "read %s", f->fts_path);
			continue;
		}
		r = fn(ctx, f, err);
	}
	if (r == 0 && errno)
		r = err_sys(err, "read %s", paths[0]);
	fts_close(fts);
	return r;
}

static int out_err(struct archive *a, const char *path, struct err *err)
{
	if (archive_errno(a) == EPIPE)
		return err_set(err, ERR_UNAVAILABLE, "nobody reads what is packed");
	return err_set(err, ERR_SYSTEM, "pack %s: %s", path, archive_error_string(a));
}

static int pack_data(struct packer *p, const char *path, struct err *err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open %s", path);
	_cleanup_free_ char *buf = xmalloc(1 << 18);
	for (;;) {
		ssize_t n = read(fd, buf, 1 << 18);
		if (n < 0)
			return err_sys(err, "read %s", path);
		if (n == 0)
			return 0;
		if (archive_write_data(p->out, buf, (size_t)n) < 0)
			return out_err(p->out, path, err);
	}
}

/* The same content in another place must give the same bytes. */
static void forget_place(struct archive_entry *e)
{
	archive_entry_unset_atime(e);
	archive_entry_unset_ctime(e);
	archive_entry_unset_birthtime(e);
	archive_entry_set_dev(e, 0);
	archive_entry_set_ino(e, 0);
	archive_entry_set_nlink(e, 1);
	archive_entry_set_fflags(e, 0, 0);
	archive_entry_acl_clear(e);
}

static int pack_one(void *ctx, const FTSENT *f, struct err *err)
{
	struct packer *p = ctx;
	if (S_ISSOCK(f->fts_statp->st_mode))
		return 0;
	struct archive_entry *e = archive_entry_new();
	struct archive_entry *deferred = NULL;
	archive_entry_copy_pathname(e, f->fts_path + p->skip);
	archive_entry_copy_sourcepath(e, f->fts_path);
	int r = 0;
	if (archive_read_disk_entry_from_file(p->disk, e, -1, f->fts_statp) < ARCHIVE_WARN)
		r = err_set(
			err, ERR_SYSTEM, "read %s: %s", f->fts_path, archive_error_string(p->disk));
	if (r == 0) {
		archive_entry_linkify(p->links, &e, &deferred);
		forget_place(e);
		if (archive_write_header(p->out, e) < ARCHIVE_WARN)
			r = out_err(p->out, f->fts_path, err);
	}
	if (r == 0 && archive_entry_filetype(e) == AE_IFREG && archive_entry_size(e) > 0)
		r = pack_data(p, f->fts_path, err);
	archive_entry_free(e);
	return r;
}

int archive_pack(const char *dir, int fd, struct err *err)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	_cleanup_free_ char *manifest = xasprintf("%s/manifest", dir);
	_cleanup_free_ char *rootfs = xasprintf("%s/rootfs", dir);
	char *paths[] = {manifest, rootfs, NULL};
	struct packer p = {.skip = strlen(dir) + 1};
	p.disk = archive_read_disk_new();
	p.out = archive_write_new();
	p.links = archive_entry_linkresolver_new();
	archive_entry_linkresolver_set_strategy(p.links, ARCHIVE_FORMAT_TAR);
	archive_read_disk_set_behavior(
		p.disk, ARCHIVE_READDISK_NO_ACL | ARCHIVE_READDISK_NO_FFLAGS);
	archive_write_set_format_pax_restricted(p.out);
	int r = 0;
	if (archive_write_open_fd(p.out, fd) != ARCHIVE_OK)
		r = out_err(p.out, dir, err);
	if (r == 0)
		r = walk(paths, pack_one, &p, err);
	if (r == 0 && archive_write_close(p.out) != ARCHIVE_OK)
		r = out_err(p.out, dir, err);
	archive_entry_linkresolver_free(p.links);
	archive_write_free(p.out);
	archive_read_free(p.disk);
	return r;
}

struct fingerprint {
	SHA2_CTX sha;
	int64_t newest; /* ctime, ns */
};

static int64_t ns_of(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int fingerprint_one(void *ctx, const FTSENT *f, struct err *err)
{
	(void)err;
	struct fingerprint *fp = ctx;
	const struct stat *st = f->fts_statp;
	int64_t changed = ns_of(st->st_ctim);
	int64_t fields[] = {(int64_t)st->st_dev, (int64_t)st->st_ino, st->st_mode, st->st_uid,
		st->st_gid, st->st_size, ns_of(st->st_mtim), changed};
	SHA512Update(&fp->sha, (const uint8_t *)f->fts_path, strlen(f->fts_path) + 1);
	SHA512Update(&fp->sha, (const uint8_t *)fields, sizeof(fields));
	if (changed > fp->newest)
		fp->newest = changed;
	return 0;
}

int archive_fingerprint(const char *path, char ret[65], struct err *err)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return err_sys(err, "%s", path);
	_cleanup_free_ char *manifest = xasprintf("%s/manifest", path);
	_cleanup_free_ char *rootfs = xasprintf("%s/rootfs", path);
	_cleanup_free_ char *file = xstrdup(path);
	char *paths[] = {S_ISDIR(st.st_mode) ? manifest : file, rootfs, NULL};
	if (!S_ISDIR(st.st_mode))
		paths[1] = NULL;
	struct fingerprint fp = {0};
	SHA512Init(&fp.sha);
	if (walk(paths, fingerprint_one, &fp, err) < 0)
		return -1;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	char hex[SHA512_DIGEST_STRING_LENGTH];
	SHA512End(&fp.sha, hex);
	ret[0] = '\0';
	if (ns_of(now) - fp.newest > RACY_NS)
		snprintf(ret, 65, "%.64s", hex);
	return 0;
}
