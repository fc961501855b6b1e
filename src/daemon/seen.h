/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sensors said last of a pod's domain beside whether it lives: what another toolstack has
 * changed about it. `xl rename` and `xl mem-set` are obeyed, told once in the journal, and shown.
 * A pod is known by UUID, generation and domid, so a new name changes nothing for it; less or more
 * memory comes into the host's numbers by itself (memory.h).
 */
#ifndef DAEMON_SEEN_H
#define DAEMON_SEEN_H

#include <jansson.h>
#include <stdint.h>

#include "fsm/pod.h"

struct pod;

struct pod_seen {
	int64_t domid; /* of which domain this is; 0: of none yet */
	int64_t at;    /* wall clock, ns */
	int64_t cpu_time_ns;
	int64_t target_kib; /* the memory that it is to have (memory/target); 0: not told */
	char *name;         /* NULL: the pod's UUID, or not told */
	char state[12];     /* WORLD_DOMAIN_STATES */
};

/* A "domain" frame (proto/world.h) that is about the pod's own domain. */
void seen_note(struct pod *p, const json_t *frame, int64_t at);
/*
 * A helper has done that, and has looked that it is so. Xen tells the sensors of no pause and of no end of one, so
 * what they said last would contradict the pod's state until their next full look.
 */
void seen_acted(struct pod *p, enum pod_effect fx);
void seen_done(struct pod_seen *s);
/* DOMAIN of docs/API.md; null: the pod has none, or it has not been seen yet. */
json_t *seen_json(const struct pod *p);

#endif
