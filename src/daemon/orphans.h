/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains with our store's marker that no pod accounts for: seen, judged, and collected by
 * xenpod-act when the evidence stays (design, "Truth and recovery"). Nothing without our marker is
 * ever touched, nothing before the recovery barrier is open, nothing on one look alone.
 *
 * The end of one is committed before anything is done to it (store_orphan_put); what is committed
 * and not complete is done again at the next start, with the same identity, which xenpod-act checks
 * anew. What was not committed yet is found again by the audits, from the beginning.
 */
#ifndef DAEMON_ORPHANS_H
#define DAEMON_ORPHANS_H

#include "daemon/engine.h"
#include "daemon/sensors.h"

#define ORPHANS_GRACE_S 60 /* xenpodd --orphan-grace */

struct orphans;

struct orphans_config {
	struct engine *engine;
	struct sensors *sensors;
	int64_t grace_ns;
	/* A row of history is committed; may be NULL. */
	void (*history)(void *ctx, const struct history_row *h);
	void *ctx;
};

/* What is to be done next with one whose end is decided. */
enum orphan_step { ORPHAN_DESTROY, ORPHAN_CLEAR, ORPHAN_RELEASE, ORPHAN_DONE };

/* One domain of the last complete list, or one whose end is decided. */
struct orphan_item {
	struct orphan_item *next;
	struct orphans *of;
	struct orphan seen; /* as the sensors' list had it last */
	int64_t audit;      /* which list that was */
	/* It is one: no pod accounts for it; false: why it is left alone. */
	bool orphaned;
	char why[160];
	int audits;                   /* in a row at which it was one */
	int64_t since_ns, since_wall; /* when it was first one */
	int64_t judged_ns;
	bool asked; /* for now, by a user: the grace is waived, the second look is not */
	/* Its end is on disk. */
	bool decided;
	enum orphan_step step;
	int64_t op, late_ns; /* the helper at work, 0; when it is late */
	bool lost;           /* it was not there any more, or not it */
	int lock_fd;         /* of its pod directory, while it is destroyed; -1 */
	int tries;
	int64_t not_before;
	char error[200]; /* of the last try, "" */
};

struct orphans *orphans_new(const struct orphans_config *cfg);
void orphans_free(struct orphans *o);
/* Another configuration. */
void orphans_set_grace(struct orphans *o, int64_t ns);
/* Takes up again what was decided and not complete; -1: cannot be read. */
int orphans_load(struct orphans *o, struct err *err);

/* The sensors' list is complete. */
void orphans_listed(struct orphans *o);
/* To be called when the engine has run; returns ns until the next call, 0: at once, -1: not known. */
int64_t orphans_run(struct orphans *o);
/* Somebody wants them gone now: looks at once, and once more a little later. */
void orphans_ask(struct orphans *o);

const struct orphan_item *orphans_first(const struct orphans *o);
/* When an undecided one will be collected if nothing changes, CLOCK_BOOTTIME. */
int64_t orphans_due(const struct orphan_item *i);
int64_t orphans_collected(const struct orphans *o); /* since the start */

#endif
