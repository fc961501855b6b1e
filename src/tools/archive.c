/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacking: one libarchive reader undoes the compression and feeds both the hash and a second
 * reader, which knows tar and nothing else; the writer runs in a chroot of the target with next to
 * no rights. archive_entry.c holds the rules for entries.
 */
#include "tools/archive.h"

#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sha2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/progress.h"
#include "tools/archive_entry.h"
#include "tools/archive_pack.h"
#include "tools/worker.h"

#define BLOCK ((size_t)256 * 1024)

struct job {
	int fd;
	int dirfd;
	const char *from; /* directory to pack instead of fd, or NULL */
	const struct archive_limits *limits;
};

struct stream {
	struct archive *raw; /* undoes the compression */
	struct archive *tar;
	struct archive *disk;
	SHA2_CTX sha;
	int64_t entries;
	int64_t bytes;
};

static int archive_err(struct archive *a, const char *what, struct err *err)
{
	const char *text = archive_error_string(a);
	int no = archive_errno(a);
	enum err_code code = no == ENOSPC || no == EDQUOT ? ERR_FULL : ERR_INVALID;
	return err_set(err, code, "%s: %s", what, text ? text : "unknown fault");
}

static la_ssize_t feed(struct archive *tar, void *ctx, const void **ret)
{
	struct stream *s = ctx;
	size_t len = 0;
	la_int64_t offset;
	int r = archive_read_data_block(s->raw, ret, &len, &offset);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r < ARCHIVE_WARN) {
		archive_set_error(tar, archive_errno(s->raw), "%s", archive_error_string(s->raw));
		return -1;
	}
	SHA512Update(&s->sha, *ret, len);
	return (la_ssize_t)len;
}

static int stream_open(struct stream *s, int fd, struct err *err)
{
	SHA512Init(&s->sha);
	s->raw = archive_read_new();
	archive_read_support_format_raw(s->raw);
	archive_read_support_filter_gzip(s->raw);
	archive_read_support_filter_bzip2(s->raw);
	archive_read_support_filter_xz(s->raw);
	archive_read_support_filter_zstd(s->raw);
	struct archive_entry *e;
	if (archive_read_open_fd(s->raw, fd, BLOCK) != ARCHIVE_OK ||
		archive_read_next_header(s->raw, &e) != ARCHIVE_OK)
		return err_set(err, ERR_INVALID, "not an archive (empty or unreadable)");
	s->tar = archive_read_new();
	archive_read_support_format_tar(s->tar);
	if (archive_read_open(s->tar, s, NULL, feed, NULL) != ARCHIVE_OK)
		return archive_err(s->tar, "not a tar archive", err);
	s->disk = archive_write_disk_new();
	archive_write_disk_set_options(s->disk,
		ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
			ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
			ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
	return 0;
}

static void stream_done(struct stream *s)
{
	archive_write_free(s->disk);
	archive_read_free(s->tar);
	archive_read_free(s->raw);
}

static int count_entry(struct stream *s, struct archive_entry *e,
	const struct archive_limits *limits, struct err *err)
{
	if (++s->entries > limits->entries)
		return err_set(err, ERR_FULL, "the image has more than %lld entries",
			(long long)limits->entries);
	int64_t size = archive_entry_size_is_set(e) ? archive_entry_size(e) : 0;
	if (size < 0 || size > limits->bytes - s->bytes)
		return err_set(err, ERR_FULL, "the image unpacks to more than %lld bytes",
			(long long)limits->bytes);
	s->bytes += size;
	const char *path = archive_entry_pathname(e);
	if (!strcmp(path, "manifest") && size > ARCHIVE_MANIFEST_MAX)
		return err_set(
			err, ERR_INVALID, "the image's manifest has %lld bytes", (long long)size);
	return 0;
}

static int write_entry(struct stream *s, struct archive_entry *e, struct err *err)
{
	if (archive_write_header(s->disk, e) != ARCHIVE_OK)
		return archive_err(s->disk, archive_entry_pathname(e), err);
	const void *block;
	size_t len;
	la_int64_t offset;
	for (;;) {
		int r = archive_read_data_block(s->tar, &block, &len, &offset);
		if (r == ARCHIVE_EOF)
			break;
		if (r != ARCHIVE_OK)
			return archive_err(s->tar, archive_entry_pathname(e), err);
		if (archive_write_data_block(s->disk, block, len, offset) < ARCHIVE_OK)
			return archive_err(s->disk, archive_entry_pathname(e), err);
	}
	if (archive_write_finish_entry(s->disk) != ARCHIVE_OK)
		return archive_err(s->disk, archive_entry_pathname(e), err);
	return 0;
}

static int take_entries(struct stream *s, const struct archive_limits *limits, struct err *err)
{
	for (;;) {
		struct archive_entry *e;
		int r = archive_read_next_header(s->tar, &e);
		if (r == ARCHIVE_EOF)
			return 0;
		if (r < ARCHIVE_WARN)
			return archive_err(s->tar, "broken archive", err);
		enum entry_verdict verdict;
		if (entry_check(e, &verdict, err) < 0 || count_entry(s, e, limits, err) < 0)
			return -1;
		if (verdict == ENTRY_TAKE && write_entry(s, e, err) < 0)
			return -1;
	}
}

/* The id covers the whole stream, also what follows tar's end marker. */
static int stream_id(struct stream *s, char **ret, struct err *err)
{
	const void *block;
	la_ssize_t n;
	while ((n = feed(s->tar, s, &block)) > 0)
		;
	if (n < 0)
		return archive_err(s->tar, "broken archive", err);
	char hex[SHA512_DIGEST_STRING_LENGTH];
	SHA512End(&s->sha, hex);
	*ret = xasprintf("sha512-%.64s", hex);
	return 0;
}

static int finish(struct stream *s, char **ret, struct err *err)
{
	/* Directories get their modes and times only here. */
	if (archive_write_close(s->disk) != ARCHIVE_OK)
		return archive_err(s->disk, "unpack", err);
	if (faccessat(AT_FDCWD, "manifest", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ERR_INVALID, "there is no manifest in the image");
	if (faccessat(AT_FDCWD, "rootfs", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ERR_INVALID, "there is no rootfs in the image");
	_cleanup_fd_ int root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || syncfs(root) < 0)
		return err_sys(err, "sync the unpacked image");
	return stream_id(s, ret, err);
}

static int unpack_confined(const struct job *job, int fd, char **ret, struct err *err)
{
	/* Names in pax headers are UTF-8: without this locale libarchive cannot give them out. */
	setlocale(LC_CTYPE, "C.UTF-8");
	if (worker_confine(job->dirfd, &fd, 1, err) < 0)
		return -1;
	struct stream s = {0};
	int r = stream_open(&s, fd, err);
	if (r == 0)
		r = take_entries(&s, job->limits, err);
	if (r == 0)
		r = finish(&s, ret, err);
	stream_done(&s);
	return r;
}

static int unpack_worker(void *ctx, char **ret, struct err *err)
{
	struct job *job = ctx;
	return unpack_confined(job, job->fd, ret, err);
}

static int pack_worker(void *ctx, char **ret, struct err *err)
{
	(void)ret;
	struct job *job = ctx;
	return archive_pack(job->from, job->fd, err);
}

static int check_id(char *id, char ret_id[IMAGE_ID_SIZE], struct err *err)
{
	if (strlen(id) != IMAGE_ID_LEN)
		return err_set(err, ERR_SYSTEM, "unpacking reported a bad image id");
	memcpy(ret_id, id, IMAGE_ID_SIZE);
	return 0;
}

/* How far the worker has read: it shares the offset of `fd` with us. What is read is not written yet. */
static void show_read(int fd, int64_t size)
{
	int64_t at = lseek(fd, 0, SEEK_CUR);
	if (size <= 0 || at < 0)
		return;
	if (at >= size)
		progress_part("writing");
	else
		progress_part("%d%% (%lld of %lld MiB)", (int)(at * 100 / size),
			(long long)(at >> 20), (long long)(size >> 20));
}

static int run_shown(struct job *job, char **ret, struct err *err)
{
	struct worker w = {0};
	struct stat st;
	int64_t size = fstat(job->fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;
	if (worker_start(&w, unpack_worker, job, err) < 0)
		return -1;
	do
		show_read(job->fd, size);
	while (!progress_wait(w.fd, -1));
	return worker_join(&w, ret, err);
}

int archive_unpack(int fd, int dirfd, const struct archive_limits *limits,
	char ret_id[IMAGE_ID_SIZE], struct err *err)
{
	struct job job = {.fd = fd, .dirfd = dirfd, .limits = limits};
	_cleanup_free_ char *id = NULL;
	if (run_shown(&job, &id, err) < 0)
		return -1;
	return check_id(id, ret_id, err);
}

/* Joins both ends of the pipe; the packer's word counts, unless all it met was the other's end. */
static int join_both(struct worker *packer, struct worker *unpacker, char **ret, struct err *err)
{
	struct err pack_err = {0};
	int r = worker_join(unpacker, ret, err);
	if (worker_join(packer, NULL, &pack_err) < 0 && pack_err.code != ERR_UNAVAILABLE) {
		err_done(err);
		err_move(err, &pack_err);
		r = -1;
	}
	err_done(&pack_err);
	return r;
}

int archive_unpack_dir(const char *from, int dirfd, const struct archive_limits *limits,
	char ret_id[IMAGE_ID_SIZE], struct err *err)
{
	int p[2];
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	_cleanup_fd_ int rd = p[0];
	_cleanup_fd_ int wr = p[1];
	struct job pack = {.fd = wr, .from = from};
	struct job unpack = {.fd = rd, .dirfd = dirfd, .limits = limits};
	struct worker packer;
	struct worker unpacker;
	if (worker_start(&packer, pack_worker, &pack, err) < 0)
		return -1;
	fd_close(&wr);
	int r = worker_start(&unpacker, unpack_worker, &unpack, err);
	fd_close(&rd);
	if (r < 0) {
		worker_join(&packer, NULL, NULL);
		return -1;
	}
	_cleanup_free_ char *id = NULL;
	if (join_both(&packer, &unpacker, &id, err) < 0)
		return -1;
	return check_id(id, ret_id, err);
}
