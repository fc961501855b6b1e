/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `run` has asked for when it handed its pod over (docs/API.md, Accept). It is long, and most of
 * it is needed only to start the pod: it is kept as the text that the store has, parsed when somebody
 * asks, and what is asked all the time is read out once. A tree of JSON has ten times the size of its
 * text, and a start with thousands of pods has no time to parse what nobody will look at.
 */
#ifndef DAEMON_REQUEST_H
#define DAEMON_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "fsm/restart.h"

/* In a request that was not `run`'s but put together from what there is (rebuild.h). */
#define REQUEST_REBUILT "rebuilt"

struct request {
	char *text;   /* NULL: it is the tree's */
	json_t *tree; /* NULL: not needed lately */
	char *dir, *net;
	int64_t memory_kib, vcpus, grace_ms;
	bool pv, network, ports, trees; /* type is pv; there are networks, ports, trees */
	enum pod_policy policy;
	int burst; /* consecutive short lives, 0: no limit */
	bool rebuilt;
};

/* A new reference to the tree is taken. */
struct request *request_new(json_t *tree);
/* NULL and err: it is no JSON. */
struct request *request_from_text(const char *text, struct err *err);
void request_free(struct request *r); /* NULL is fine */

/* Borrowed until request_rest(); NULL: there is no request, or it is no JSON inside. */
json_t *request_tree(struct request *r);
/* Nobody needs the tree for now. */
void request_rest(struct request *r);

#endif
