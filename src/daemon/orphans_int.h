/* SPDX-License-Identifier: Apache-2.0 */
/* What orphans.c and orphan.c share; nobody else includes it. */
#ifndef DAEMON_ORPHANS_INT_H
#define DAEMON_ORPHANS_INT_H

#include "daemon/orphans.h"

struct orphans {
	struct orphans_config cfg;
	struct orphan_item *items, **tail;
	int64_t audit;    /* lists that were complete */
	bool unjudged;    /* the last of them is */
	bool asking;      /* the next look counts as asked for */
	int64_t asked_at; /* our own list; 0: never */
	int64_t collected;
};

/* orphan.c */

/* Does no pod account for it, and may it be touched? Either way i->why says why. */
bool orphan_judge(struct orphans *o, struct orphan_item *i);
/* There is a pod of that UUID, in memory or in the store; also when that cannot be read. */
bool orphan_pod_known(struct orphans *o, const struct orphan_item *i);
/* There is one, and a helper is about its domain: a create may be under way. */
bool orphan_pod_busy(struct orphans *o, const struct orphan_item *i);
int64_t orphan_wall(const struct orphans *o);
/*
 * Nobody but its QEMU may hold the lock of its pod directory, and libxl ends that before the domain:
 * until it is dead, i->lock_fd has a copy, if there is one to be had.
 */
void orphan_hold_lock(struct orphan_item *i);
/*
 * One transaction: the row of one that is decided comes or (i->decided) goes, and history has it.
 * Tells cfg.history.
 */
int orphan_commit(
	struct orphans *o, const struct orphan_item *i, const char *event, struct err *err);

#endif
