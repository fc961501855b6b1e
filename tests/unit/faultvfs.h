/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SQLite VFS over the ordinary one that lets chosen calls fail: so the store meets a full disk or a
 * dying one at every step, with no hook in the product.
 */
#ifndef UNIT_FAULTVFS_H
#define UNIT_FAULTVFS_H

#include <stdbool.h>

/* Which calls are counted, and fail. */
enum fault_kind {
	FAULT_DURABLE, /* write, truncate, sync */
	FAULT_READ,    /* with SQLITE_IOERR_SHORT_READ the bytes read as nought, as they would */
	FAULT_ROT,     /* reads succeed (the code does not matter), with other bytes */
	FAULT_OPEN,    /* of files */
};

/* Becomes SQLite's default VFS; once per process. */
void faultvfs_install(void);
/* After `after` more durable calls `times` of them fail with the SQLite code `code`. */
void faultvfs_arm(int after, int times, int code);
void faultvfs_arm_kind(enum fault_kind kind, int after, int times, int code);
void faultvfs_disarm(void);
/* How many such calls were made since faultvfs_arm; how many of them failed. */
int faultvfs_calls(void);
int faultvfs_failed(void);

#endif
