/* SPDX-License-Identifier: Apache-2.0 */
/* A store with pods in it, to be damaged or to have a disk that fails: one of each test program. */
#ifndef UNIT_LOSTKIT_H
#define UNIT_LOSTKIT_H

#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "faultvfs.h"
#include "storekit.h"

#define PODS 40

static struct kit kit;
static struct err err;
static struct store *s;
static char id[33];

static inline void open_store(void)
{
	assert_ok(store_open(kit.path, STORE_RW_CREATE, &s, &err), &err);
}

static inline void close_store(void)
{
	store_close(s);
	s = NULL;
}

/* A store with pods in it, closed; `id` is its. */
static inline int setup(void **state)
{
	(void)state;
	kit_init(&kit);
	open_store();
	for (int i = 0; i < PODS; i++) {
		char uuid[UUID_TEXT_SIZE];
		kit_uuid(i, uuid);
		assert_ok(kit_turn(s, uuid, 0, &err), &err);
	}
	snprintf(id, sizeof id, "%s", store_id(s));
	close_store();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	faultvfs_disarm();
	close_store();
	err_done(&err);
	kit_done(&kit);
	return 0;
}

static inline char *beside(const char *suffix)
{
	return xasprintf("%s%s", kit.path, suffix);
}

static inline bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* How many damaged databases are kept. */
static inline int kept(void)
{
	int n = 0;
	_cleanup_dir_ DIR *d = opendir(kit.dir);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += !strncmp(e->d_name, "store.db.corrupt-", 17) &&
		     e->d_name[strlen(e->d_name) - 4] != '-';
	return n;
}

static inline int count_pod(void *ctx, const struct pod_row *r)
{
	(void)r;
	++*(int *)ctx;
	return 0;
}

static inline int pods(void)
{
	int n = 0;
	assert_ok(store_pods(s, count_pod, &n, &err), &err);
	return n;
}

#endif
