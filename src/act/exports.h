/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees in: the mounts that `run` cloned in rkt's namespace become <dir>/tree/<i> in this one, for
 * the pod's QEMU to export by 9p (world.h, WORLD_TREE_FMT).
 *
 * Propagation: a clone is still a peer of what it was cloned from, so unmounting below one would
 * unmount below the other, in rkt's namespace. It is made private first; the mount below which it
 * is attached (normally the shared /run) then gives it a peer group of its own, by which
 * namespaces that copied ours (units with their own /tmp, say) lose their copies with ours.
 */
#ifndef ACT_EXPORTS_H
#define ACT_EXPORTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * A file: 9p exports directories only. It is given one of its own, a small tmpfs that holds nothing
 * but an empty file of that name; the mount covers it, and then the tmpfs is made read-only.
 */
struct tree {
	int fd; /* a detached mount of a directory or file (open_tree with OPEN_TREE_CLONE) */
	const char *file; /* NULL: it is a directory; else the name that the file shall have */
	bool read_only;
};

/* Attaches all; what else is mounted at those places is unmounted first. Done already: stays. */
int exports_attach(const char *dir, const struct tree *trees, size_t n, struct err *err);
/*
 * Are all `n` attached? QEMU does not tell when a directory is missing, and one without its mount
 * would be exported empty. ERR_NOTFOUND names the first that is not. Descriptors are not looked at.
 */
int exports_check(const char *dir, const struct tree *trees, size_t n, struct err *err);
/*
 * Unmounts all below <dir>/tree and removes `dir`; never a file. *lazy: as in mounts.h. No such
 * directory: done.
 */
int exports_remove(const char *dir, int *lazy, struct err *err);

#endif
