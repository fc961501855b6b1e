/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command does to a host is a list of things that get a value. What was there before is written into
 * a record, and is on disk, before anything is changed: so a command can be run again after it was
 * interrupted, and all of it can be taken back, to what was there and not to what we think is usual. A
 * thing that has its value already is left alone, then and later: it is not ours. A thing that somebody has
 * changed since is left alone, too, and told.
 */
#ifndef HOST_PLAN_H
#define HOST_PLAN_H

#include <stddef.h>

#include "base/json.h"
#include "host/host.h"

/* A kind of thing. Values are JSON; null: it is not there. */
struct thing {
	const char *kind; /* "file", "link": its name in records */
	/* ERR_EXISTS, ERR_UNSUPPORTED: what is there is nothing that it could be, or could be put back. */
	int (*get)(const struct host *h, const char *name, json_t **ret, struct err *err);
	/*
	 * Whole or not at all, whatever is there. ERR_STATE: it is in use (a directory that is no longer empty);
	 * when it is taken back it is left then, and told.
	 */
	int (*set)(const struct host *h, const char *name, const json_t *value, struct err *err);
	/* Is `now` what was wanted? NULL: when they are equal. For values that tell where content comes from. */
	bool (*same)(const json_t *now, const json_t *want);
	/* Removes what a set() that was killed may have left beside it. NULL: there is no such thing. */
	void (*tidy)(const struct host *h, const char *name);
	/*
	 * For a dry run: would set() take it back to `was`? ERR_STATE: it would be left. `gone`: names of what
	 * would be taken back before it. NULL: it always would.
	 */
	int (*try_back)(const struct host *h, const char *name, const json_t *was,
		const json_t *gone, struct err *err);
	/* Only made where nothing is: what is there in its place is somebody's, and cannot be kept for later. */
	bool only_new;
	/*
	 * The kernel's, so gone when the host is booted: what an earlier boot's record has of it counts no more.
	 * Nothing is taken back of it then, and when it is made again, what is there by then is what was there.
	 */
	bool till_boot;
};

/* One thing with the value that it shall have. */
struct step {
	const struct thing *thing;
	char *name;
	json_t *want;
	char *say; /* what that is, for people: "bridge xenbr0" */
};

/* {.of = "network", .kinds = kinds} is an empty one. */
struct plan {
	const char *of;                   /* the command; the record's name */
	const struct thing *const *kinds; /* all that its records may hold, NULL-terminated */
	json_t *options; /* what was asked for, an object: kept in the record; may be NULL */
	bool may_change; /* with other options it is changed to them; else those are refused */
	/* A step of the record that is lost, with what it had made: it counts as never done. NULL: none is. */
	bool (*is_lost)(const json_t *step, const json_t *lost);
	const json_t *lost; /* for is_lost(); borrowed */
	struct step *steps; /* in the order in which they are done; taken back in the other one */
	size_t n;
};

/* Adds a step, unless that thing has one; `want` is the plan's then. `fmt`: what it is, for people. */
void plan_add(struct plan *p, const struct thing *thing, const char *name, json_t *want,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void plan_done(struct plan *p);

enum plan_how {
	PLAN_DO,
	PLAN_SHOW, /* changes nothing: prints what would be done */
};

/*
 * Gives every thing its value, and prints a line for each. After an interruption it goes on; what the record
 * has and the plan has no more is taken back. ERR_STATE: it is in force with other options already, or
 * somebody is at it. ERR_EXISTS: an `only_new` thing is there; then nothing is changed. What was done by a call that fails stays in
 * the record: it can be run again, or taken back.
 */
int plan_up(const struct host *h, const struct plan *p, enum plan_how how, struct err *err);

/*
 * Takes back what the record holds, last first, and the record. ret_left (may be NULL): things that
 * somebody has changed or uses, which were left as they are. Without a record there is nothing to do.
 */
int plan_down(const struct host *h, const struct plan *p, enum plan_how how, size_t *ret_left,
	struct err *err);

/*
 * Could plan_up() begin? ERR_STATE, ERR_EXISTS as there: what can be told beforehand is, before anything is
 * changed. plan_up() asks it itself.
 */
int plan_check(const struct host *h, const struct plan *p, struct err *err);

/* Its steps for a reader in JSON: [{"kind", "name", "say", "want"}], in their order; the caller's. */
json_t *plan_steps(const struct plan *p);

/* What plan_up() would take back: [{"kind", "name", "say"}], last first; the caller's. */
int plan_undone(const struct host *h, const struct plan *p, json_t **ret, struct err *err);

/* Has every thing of the plan its value already, and does the record want no other for it? */
int plan_is_so(const struct host *h, const struct plan *p, bool *ret, struct err *err);

/* Where a plan stands. */
enum plan_state {
	PLAN_NONE,        /* there is no record */
	PLAN_INTERRUPTED, /* not all of it was done */
	PLAN_UP,
	PLAN_CHANGED, /* all of it was done; ret_changed things are not what they were made any more */
};

/*
 * *ret_record (may be NULL): the record, {"options", "steps": [{"kind", "name", "say", "was", "want",
 * "now"; "boot": in which it was made, of a till_boot thing}]}, NULL when there is none; the caller's.
 */
int plan_look(const struct host *h, const struct plan *p, enum plan_state *ret, size_t *ret_changed,
	json_t **ret_record, struct err *err);

/* The boot in which a till_boot thing is made, as the kernel names it; "": it does not tell. Caller frees. */
char *plan_boot_id(const struct host *h);

const char *plan_state_name(enum plan_state state);

#endif
