/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files, relative to directory fds: pods are renamed under us, so paths are never kept
 * (contract 9.3). Every fd made here is O_CLOEXEC.
 */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Whole file, NUL-terminated, at most `max` bytes (ERR_FULL beyond). Caller frees *ret. */
int file_read_at(
	int dirfd, const char *path, size_t max, char **ret, size_t *ret_len, struct err *err);

/*
 * Replaces `path` by temp + fsync + rename in the same directory, then fsyncs the directory: after
 * a crash either the old or the new content is there, never half (contract 2.5). Mode as given.
 */
int file_write_atomic_at(
	int dirfd, const char *path, const void *data, size_t len, mode_t mode, struct err *err);

/*
 * The same without the last step, for many files of one directory: the content is on disk, the new
 * name is only after dir_sync_at().
 */
int file_replace_at(
	int dirfd, const char *path, const void *data, size_t len, mode_t mode, struct err *err);
int dir_sync_at(int dirfd, const char *path, struct err *err);

/*
 * Makes sure of the room that a later file_write_atomic_at() of up to FILE_RESERVED bytes needs, on
 * file systems that overwrite in place: the temporary file is there already, with its block, on
 * disk. Until then `path` does not exist, or is as it was; file_unreserve_at() gives the room back.
 */
#define FILE_RESERVED 64
int file_reserve_at(int dirfd, const char *path, struct err *err);
int file_unreserve_at(int dirfd, const char *path, struct err *err);

/* Writes all of it, retrying on EINTR and short writes; on EAGAIN waits with poll(2). */
int fd_write_all(int fd, const void *data, size_t len, struct err *err);

/* mkdir -p; existing directories are fine. */
int dir_make_all(const char *path, mode_t mode, struct err *err);

int fd_set_cloexec(int fd, int on, struct err *err);
int fd_set_nonblock(int fd, int on, struct err *err);

/* Closes every fd from `lowest` up but those listed (n of them), for exec'd children. */
void fd_close_above(int lowest, const int *keep, size_t n);

#endif
