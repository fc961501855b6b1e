/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sensors say, turned into events: domains listed, seen, gone; guest nodes. Hostile until
 * checked here: identity is (uuid, generation, domid), guest values go through proto/gstate.h.
 */
#ifndef DAEMON_SENSORS_H
#define DAEMON_SENSORS_H

#include "daemon/engine.h"

struct sensors;

struct sensors_config {
	struct engine *engine;
	struct world *world;
	const char *store_id;
	/* The list asked for by sensors_list() is complete; once per call of it. */
	void (*listed)(void *ctx);
	/* hello came: the sensors (re)started. */
	void (*hello)(void *ctx, const json_t *frame);
	void *ctx;
};

struct sensors *sensors_new(const struct sensors_config *cfg);
void sensors_free(struct sensors *s);

void sensors_frame(struct sensors *s, const json_t *frame);
/* Asks for all domains; pods whose domain is missing from the answer get DOMAIN_DEAD. */
void sensors_list(struct sensors *s);
/* A fresh sensor process: watches every domain again and lists. */
void sensors_restarted(struct sensors *s);
/* Sends a ping; false: the last one is still unanswered. */
bool sensors_ping(struct sensors *s);

/* What lists of domains had to put right. */
struct audit;
const struct audit *sensors_audit(const struct sensors *s);

/* Domains of our store that no pod accounts for (orphans, zombies), for status and GC. */
struct orphan {
	int64_t domid;
	char uuid[UUID_TEXT_SIZE];
	int64_t generation;
	bool marked; /* by our store; else it is a dying one of a pod of ours */
	int64_t built, cpu_ns, memory_kib; /* as the frame has it (world.h); built 0: not */
	char state[16];
};
size_t sensors_orphans(const struct sensors *s, const struct orphan **ret);

#endif
