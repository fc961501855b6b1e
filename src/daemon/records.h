/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One small file for each pod beside the store: what the world alone cannot say should the database
 * be lost (rebuild.h). What `run` asked for, what the networks turned out to be, which generation was
 * made last. It says nothing of the pod's state: of that the store is the only truth, and without
 * it the world. Holds the request's secrets: 0600 in a directory of 0700.
 *
 * Written by the worker after the commit, and nothing waits for it. A start writes what is missing and
 * removes what no pod has any more.
 */
#ifndef DAEMON_RECORDS_H
#define DAEMON_RECORDS_H

#include "daemon/engine.h"

#define RECORDS_DIR "records" /* in the state directory */

/* A turn is committed: writes the pod's file when something in it has changed, removes it at the end. */
void records_turn(struct engine *e, const struct turn_record *t);
void records_put(struct engine *e, const struct pod *p);
/* After the barrier: the directory as the pods are. */
void records_settle(struct engine *e);
/*
 * Every file that can be read, {uuid, store, boot, created, generation, lock_dev, lock_ino, request,
 * nets?}; its UUID is whole and its request an object. Others are logged.
 */
void records_each(const char *dir, void (*fn)(void *ctx, const json_t *record), void *ctx);

#endif
