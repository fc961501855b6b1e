/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start after a crash, a restart or a reboot: coldplug (stored states, stored deadlines), then look
 * at the world, feed the differences in as ordinary events, repeat what was under way, and only
 * then open the barrier (design, "Truth and recovery"; docs/RECOVERY.md).
 */
#ifndef DAEMON_RECOVER_H
#define DAEMON_RECOVER_H

#include "daemon/engine.h"
#include "daemon/sensors.h"

struct recovery;

struct recovery_config {
	struct engine *engine;
	struct sensors *sensors;
	void (*finished)(void *ctx); /* the barrier is open */
	void *ctx;
};

/*
 * Loads every pod of the store into the engine, exactly as it was. Rows that make no sense are
 * logged and left alone; the others go on. -1: the store cannot be read at all.
 */
int recovery_load(const struct engine_config *cfg, struct engine *e, struct err *err);

struct recovery *recovery_new(const struct recovery_config *cfg);
void recovery_free(struct recovery *r);
/* The sensors said hello. */
void recovery_world_up(struct recovery *r);
/* The list asked for is complete. */
void recovery_listed(struct recovery *r);
/*
 * Moves on as far as it can; to be called when time has passed. Returns ns until the next call, -1:
 * it waits for the world, or is finished.
 */
int64_t recovery_run(struct recovery *r);
/* Descriptors of a start have come: repeats what waited for them. */
void recovery_reconnected(struct recovery *r, struct pod *p);

#endif
