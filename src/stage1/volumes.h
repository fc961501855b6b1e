/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod's volumes on Dom-0's side: what of the host and of the pod directory becomes which tree,
 * and what each app mounts of them (contract 3.3; "trees" and "mounts" in proto/spec.h). Each file
 * system is a tree of its own: below one 9p export, files of two would be taken for each other.
 */
#ifndef STAGE1_VOLUMES_H
#define STAGE1_VOLUMES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stage1/handover.h"
#include "stage1/mountlist.h"
#include "stage1/poddir.h"
#include "stage1/source.h"

/* A source that is mounted at least once. Its parts are the trees "vol<first>" and following. */
struct volumes_host {
	const struct appc_volume *volume;
	struct source source;
	size_t first;
	bool read_only; /* nobody mounts it otherwise */
};

/* {0} is valid and empty. Borrows from the pod directory that it was made of. */
struct volumes {
	struct mountlist *lists; /* one for each app */
	size_t napps;
	struct volumes_host *host;
	size_t nhost;
	size_t ntrees; /* of all hosts */
	bool shared;   /* there are empty volumes: one tree more, "shared" */
	bool shared_read_only;
};

/* Looks and opens, makes nothing. An error names app, volume and source. */
int volumes_plan(const struct poddir *d, struct volumes *ret, struct err *err);
void volumes_done(struct volumes *v);

/* How many trees there are beside the apps' own. */
size_t volumes_count(const struct volumes *v);

/* Says so for each mount point that had no volume. */
void volumes_warn(const struct volumes *v, const struct poddir *d);

/* Adds the trees to an Accept request and the mounts to its apps. */
void volumes_describe(const struct volumes *v, json_t *request);

/* Makes the empty volumes in the directory `pod` and adds the clones, in the order of the trees. */
int volumes_hand_over(const struct volumes *v, const struct poddir *d, int pod, struct handover *h,
	struct err *err);

#endif
