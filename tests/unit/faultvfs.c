/* SPDX-License-Identifier: Apache-2.0 */
/* The failing VFS: each file wraps one of the real VFS. */
#include "faultvfs.h"

#include <string.h>

#include <sqlite3.h>

struct fault_file {
	sqlite3_file base;
	sqlite3_file *real; /* in the same block, behind this */
};

static struct {
	bool armed;
	enum fault_kind kind;
	int after, times, code;
	int calls, failed;
} fault;

static sqlite3_vfs *real_vfs;

void faultvfs_arm(int after, int times, int code)
{
	faultvfs_arm_kind(FAULT_DURABLE, after, times, code);
}

void faultvfs_arm_kind(enum fault_kind kind, int after, int times, int code)
{
	fault.armed = true;
	fault.kind = kind;
	fault.after = after;
	fault.times = times;
	fault.code = code;
	fault.calls = fault.failed = 0;
}

void faultvfs_disarm(void)
{
	fault.armed = false;
}

int faultvfs_calls(void)
{
	return fault.calls;
}

int faultvfs_failed(void)
{
	return fault.failed;
}

/* SQLITE_OK, or the code that the call answers with instead of being made. */
static int tick(enum fault_kind kind)
{
	if (kind != fault.kind)
		return SQLITE_OK;
	int n = fault.calls++;
	if (!fault.armed || n < fault.after || n >= fault.after + fault.times)
		return SQLITE_OK;
	fault.failed++;
	return fault.code;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((struct fault_file *)(void *)f)->real;
}

#define REAL(f) (real_of(f)->pMethods)

static int f_close(sqlite3_file *f)
{
	return REAL(f)->xClose(real_of(f));
}
static int f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	int rc = tick(FAULT_READ);
	if (rc == SQLITE_IOERR_SHORT_READ)
		memset(p, 0, (size_t)n);
	if (rc)
		return rc;
	rc = REAL(f)->xRead(real_of(f), p, n, at);
	if (rc == SQLITE_OK && tick(FAULT_ROT))
		memset(p, 0xa5, (size_t)n);
	return rc;
}
static int f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int rc = tick(FAULT_DURABLE);
	return rc ? rc : REAL(f)->xWrite(real_of(f), p, n, at);
}
static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = tick(FAULT_DURABLE);
	return rc ? rc : REAL(f)->xTruncate(real_of(f), size);
}
static int f_sync(sqlite3_file *f, int flags)
{
	int rc = tick(FAULT_DURABLE);
	return rc ? rc : REAL(f)->xSync(real_of(f), flags);
}
static int f_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return REAL(f)->xFileSize(real_of(f), size);
}
static int f_lock(sqlite3_file *f, int level)
{
	return REAL(f)->xLock(real_of(f), level);
}
static int f_unlock(sqlite3_file *f, int level)
{
	return REAL(f)->xUnlock(real_of(f), level);
}
static int f_check_lock(sqlite3_file *f, int *ret)
{
	return REAL(f)->xCheckReservedLock(real_of(f), ret);
}
static int f_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->xFileControl(real_of(f), op, arg);
}
static int f_sector(sqlite3_file *f)
{
	return REAL(f)->xSectorSize(real_of(f));
}
static int f_traits(sqlite3_file *f)
{
	return REAL(f)->xDeviceCharacteristics(real_of(f));
}
static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	return REAL(f)->xShmMap(real_of(f), page, size, extend, ret);
}
static int f_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return REAL(f)->xShmLock(real_of(f), offset, n, flags);
}
static void f_shm_barrier(sqlite3_file *f)
{
	REAL(f)->xShmBarrier(real_of(f));
}
static int f_shm_unmap(sqlite3_file *f, int delete)
{
	return REAL(f)->xShmUnmap(real_of(f), delete);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = f_close,
	.xRead = f_read,
	.xWrite = f_write,
	.xTruncate = f_truncate,
	.xSync = f_sync,
	.xFileSize = f_size,
	.xLock = f_lock,
	.xUnlock = f_unlock,
	.xCheckReservedLock = f_check_lock,
	.xFileControl = f_control,
	.xSectorSize = f_sector,
	.xDeviceCharacteristics = f_traits,
	.xShmMap = f_shm_map,
	.xShmLock = f_shm_lock,
	.xShmBarrier = f_shm_barrier,
	.xShmUnmap = f_shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret)
{
	(void)vfs;
	struct fault_file *f = (struct fault_file *)(void *)file;
	f->real = (sqlite3_file *)(void *)(f + 1);
	f->base.pMethods = NULL;
	int rc = tick(FAULT_OPEN);
	if (rc)
		return rc;
	rc = real_vfs->xOpen(real_vfs, name, f->real, flags, ret);
	if (f->real->pMethods)
		f->base.pMethods = &methods;
	return rc;
}

void faultvfs_install(void)
{
	static sqlite3_vfs shim;
	real_vfs = sqlite3_vfs_find(NULL);
	shim = *real_vfs;
	shim.zName = "fault";
	shim.pNext = NULL;
	shim.szOsFile = real_vfs->szOsFile + (int)sizeof(struct fault_file);
	shim.xOpen = vfs_open;
	sqlite3_vfs_register(&shim, 1);
}
