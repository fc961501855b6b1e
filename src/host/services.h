/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `xenpod host services` is made of: the four services that Xen has in Dom-0 and our supervisor, as
 * directories for runit or as units for systemd. Xen's own are named as upstream names their units, and as
 * the runit directories of the walk-through.
 */
#ifndef HOST_SERVICES_H
#define HOST_SERVICES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/json.h"
#include "host/plan.h"

/* In the order in which they start; they are stopped in the other one. */
enum sv {
	SV_STORE,
	SV_INIT,
	SV_CONSOLE,
	SV_DISK,
	SV_XENPODD,
};
#define SV_COUNT 5

/* Who starts them. */
enum sv_by {
	SV_BY_NOBODY,
	SV_BY_RUNIT,
	SV_BY_SYSTEMD, /* by units of ours */
	SV_BY_SHIPPED, /* by what the distribution ships: nothing of Xen's is for us to do */
};

struct services {
	enum sv_by by;
	char *scan;    /* runit: the directory that runsvdir looks at */
	char *shipped; /* the unit or script that the distribution ships; NULL: none */
	char *prefix;  /* where to look for Xen's programs first; NULL: where they usually are */
	bool xenpodd;  /* our supervisor, too */
	bool alone;    /* it alone is by runit: the distribution's scripts start Xen's */
	/* Absolute, as the host sees them. services_find() fills them in. */
	char *program[SV_COUNT];
	char *store_read; /* xenstore-read */
	char *libs;       /* for LD_LIBRARY_PATH; NULL: not needed */
	char *bin;        /* the directory of this program */
};

#define SV_DIR    "/etc/xenpod/sv"
#define SV_UNITS  "/etc/systemd/system"
#define SV_RUN    "/run/xenpod-sv." /* and the service: what runsv keeps of it */
#define SV_BEGAN  SV_RUN "store-began"
#define SV_SOCKET "/run/xenstored/socket"

const char *sv_name(enum sv sv); /* "xenstored" */
const char *sv_unit(enum sv sv); /* "xenstored.service" */
/* Is it one of those that `s` is about? */
bool sv_wanted(const struct services *s, enum sv sv);

/* ---- what is there (services_find.c) ------------------------------------------------------------------ */

/* The directory that runsvdir looks at, as it is on that host; caller frees; NULL: there is none. */
char *services_scan_dir(const struct host *h);
/* The unit or script with which the distribution starts Xen's services; caller frees; NULL: none. */
char *services_shipped(const struct host *h);
bool services_under_systemd(const struct host *h);
/* The number that a file of that host begins with; -1: there is none. */
long services_number(const struct host *h, const char *path);
/* Fills in the programs. ERR_NOTFOUND names what is missing. */
int services_find(const struct host *h, struct services *s, struct err *err);
void services_done(struct services *s);

/* ---- what they are made of (services_runit.c, services_units.c) ------------------------------------------ */

/* Add the steps. */
void services_plan_runit(const struct services *s, struct plan *p);
int services_plan_units(
	const struct host *h, const struct services *s, struct plan *p, struct err *err);

/* `text` for a shell, in quotes; caller frees. */
char *services_quote(const char *text);

/* ---- the verbs (services_verbs.c) ------------------------------------------------------------------------ */

struct services_ask {
	const struct host *h;
	struct services s;
	int timeout; /* seconds for each service; 0: setup waits for none */
	bool force;
	bool dry_run;
	bool json;
};

/* Print what they do; 0, an exit status, or -1 with the error. */
int services_plan(void *ask, struct err *err);
int services_setup(void *ask, struct err *err);
int services_teardown(void *ask, struct err *err);
int services_status(void *ask, struct err *err);

/* ---- what is running (services_look.c, services_live.c) -------------------------------------------------- */

struct sv_state {
	bool run;     /* whoever starts it says that it runs, or nobody starts it */
	char *says;   /* in its words */
	bool answers; /* it does what it is there for */
	char *what;   /* how that was seen, or what is missing */
	pid_t pid;    /* 0: not known, or none */
};

/* How one of them does, with the programs that were found; those that are missing are told. */
void services_look(
	const struct host *h, const struct services *s, enum sv sv, struct sv_state *ret);
void sv_state_done(struct sv_state *st);
/* The oxenstored or xenstored that runs; 0: none. */
pid_t services_store_pid(const struct host *h);
/* Does somebody's runsvdir look at that directory? */
bool services_scanned(const struct host *h, const char *scan);
/* The domains beside Dom-0, "1 4"; caller frees. NULL: xenstored does not answer. "": none. */
char *services_domains(const struct services *s);

/* Waits until each is up, in order, `seconds` at most for each; prints a line for each. */
int services_await(const struct host *h, const struct services *s, int seconds, struct err *err);
/* systemd only: has it read the units, and start those that it shall. */
int services_start_units(const struct services *s, struct err *err);
/* Stops them, last first. */
int services_stop(const struct host *h, const struct services *s, struct err *err);
/* runit, when its links are gone: until nobody looks after the services; takes away what runsv has left. */
int services_forget(const struct host *h, const struct services *s, struct err *err);

#endif
