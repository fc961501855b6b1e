/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths below a root that somebody else has filled: every symbolic link, absolute ones too, is
 * resolved within the root (openat2(2), RESOLVE_IN_ROOT), so that no image can lead us outside
 * (contract 3.2, 3.3).
 */
#ifndef BASE_INROOT_H
#define BASE_INROOT_H

/* As openat(2) with O_CLOEXEC, confined to the directory `root`; makes nothing. -1 and errno. */
int inroot_open(int root, const char *path, int flags);

#endif
