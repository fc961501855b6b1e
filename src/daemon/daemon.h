/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor put together: store, engine, world, sensors, recovery, API, journal and systemd.
 * main_xenpodd.c parses the command line and calls these three.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "daemon/config.h"

struct daemon;

struct daemon_config {
	const char *state_dir;   /* store.db */
	const char *run_dir;     /* sockets, exports, helper locks */
	const char *libexec_dir; /* xenpod-watch, xenpod-act */
	const char *cgroup_root; /* NULL: found by itself; "": none */
	bool simulated;          /* --world=sim */
	const char *sim_script;  /* text, NULL: none */
	unsigned long sim_seed;
	const char *config_file, *vendor_dir; /* read again on SIGHUP: config.h */
	const struct config *config;          /* as read, the command line above it */
	const struct config *given;           /* of the command line */
	const char *xenpod;                   /* runner.h; NULL: beside this program */
};

int daemon_new(const struct daemon_config *cfg, struct daemon **ret, struct err *err);
/*
 * Until SIGTERM or SIGINT: 0. DAEMON_EXIT_DAMAGED when the database turned out to be damaged: the next
 * start looks at all of it. Pods go on without us.
 */
#define DAEMON_EXIT_DAMAGED 253
int daemon_run(struct daemon *d);
void daemon_free(struct daemon *d);

#endif
