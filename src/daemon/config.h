/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc/xenpod/xenpod.conf and its drop-ins, as systemd's own programs have them (systemd-system.conf(5)): the
 * file first, then *.conf of xenpod.conf.d in /usr/lib/xenpod and in /etc/xenpod, in the order of their
 * names, a file of /etc in the place of one of the same name of /usr/lib; the last value counts. A
 * command line option overrides all of them. No file is fine.
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "daemon/logs.h"
#include "daemon/orphans.h"

#define CONFIG_FILE "/etc/xenpod/xenpod.conf"
/* Drop-ins of packages: below this, "xenpod.conf.d". */
#define CONFIG_VENDOR_DIR "/usr/lib/xenpod"

/* clang-format off */
/*	  section       key                 least  most      default  again?  help */
#define CONFIG_NUMBERS(X) \
	X(Supervisor,   MaxStarts,          1,     1000,     4,       true, \
		"pods that may be starting at a time") \
	X(Supervisor,   MaxHelpers,         2,     1000,     16,      true, \
		"helper processes at a time") \
	X(Supervisor,   OrphanGraceSec,     0,     86400,    ORPHANS_GRACE_S, true, \
		"how long a domain of ours that no pod accounts for is left alone") \
	X(Supervisor,   Debug,              0,     1,        0,       true, \
		"1: log every step")
#define CONFIG_TEXTS(X) \
	X(Supervisor,   ConsoleDirectory,   LOGS_CONSOLE_DIR, false, \
		"where xenconsoled logs guests, empty for nowhere")
/* clang-format on */

struct config {
#define X(section, key, least, most, dflt, again, help) int64_t key;
	CONFIG_NUMBERS(X)
#undef X
#define X(section, key, dflt, again, help) char *key;
	CONFIG_TEXTS(X)
#undef X
};

/*
 * Defaults, then `file` (absolute, CONFIG_FILE) with drop-ins of `vendor_dir` (CONFIG_VENDOR_DIR) and of
 * FILE.d. ERR_INVALID names file and line, and what would be right; `ret` is then empty. Logs nothing.
 */
int config_read(const char *file, const char *vendor_dir, struct config *ret, struct err *err);
void config_done(struct config *c);

/* Of the command line: each number -1, each text NULL, until it is given. */
void config_none(struct config *given);
/* What is given stands above what a file says; texts are copied. */
void config_override(struct config *c, const struct config *given);

/* As a file with each value that counts, and a comment that tells what it is. */
void config_print(FILE *to, const struct config *c);

/* The first setting that differs and needs a restart to be heeded; NULL: there is none. */
const char *config_needs_restart(const struct config *old, const struct config *now);

#endif
