/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a program in an app's root. Everything that reads the image (users, lookup, execve) runs
 * in the child: an image that makes it slow or fail harms only its own app.
 */
#ifndef GUEST_LAUNCH_H
#define GUEST_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "guest/child.h"
#include "guest/confine.h"
#include "guest/loop.h"

#define LAUNCH_FAIL     203 /* the child's exit code when it could not exec (contract 1.4) */
#define LAUNCH_TEXT_MAX 240

/* Borrowed until launch_start() returns. */
struct launch_plan {
	int root; /* descriptor of the root to enter, or -1: the ramdisk's own */
	const char *cwd;
	const char *user; /* NULL: stay uid and gid 0 without supplementary groups */
	const char *group;
	const gid_t *gids;
	size_t n_gids;
	bool docker;
	bool path_as_argv0; /* argv[0] becomes the path found, as in rkt's units */
	bool shell_codes;   /* a failure's exit code is a shell's 127 or 126, not LAUNCH_FAIL */
	bool default_path;  /* argv[0] is searched for as if env had no PATH */
	char *const *argv;
	char *const *env;
	int fd[3];
	bool tty; /* fd[0] is a terminal and becomes the controlling one */
	int cgroup;
	const struct confine *confine; /* NULL: root with all abilities, oom_score_adj 0 */
};

/*
 * Idle ({0}) -> launch_start -> `done` is called once: text "" when the program runs, else why it
 * does not. `done` may be called from launch_settle() as well; never before launch_start returns.
 */
struct launch {
	struct loop_watch watch;
	int fd;
	bool active;
	size_t len;
	char text[LAUNCH_TEXT_MAX + 1];
	void (*done)(struct launch *launch);
};

int launch_start(struct loop *loop, struct launch *launch, struct child *child,
	const struct launch_plan *plan, struct err *err);
/* The child was reaped: what it said, if anything, is there now. */
void launch_settle(struct launch *launch);

#endif
