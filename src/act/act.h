/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of xenpodd's and its answer: what each command of world.h has in common. A command
 * looks at the world, repairs what is half done and makes its post-condition true; run again after
 * a crash at any point it ends the same.
 */
#ifndef ACT_ACT_H
#define ACT_ACT_H

#include <jansson.h>
#include <stdint.h>

#include "act/hv.h"
#include "base/err.h"
#include "act/guard.h"
#include "base/frame.h"

struct act {
	int sock;
	json_t *request;
	struct fds fds;
	int64_t op;
	int helper_lock; /* held until this process ends */
	struct hv_id id; /* store, generation: where the command has them */
	const char *cgroup;
	struct guard guard; /* create: for what libxl starts */
	json_t *answer;     /* the "done" frame, a command may add to it */
};

typedef int (*act_fn)(struct act *a, struct err *err);

/* The commands: 0, or -1 and why not. */
int act_exports(struct act *a, struct err *err);
int act_network(struct act *a, struct err *err);
int act_create(struct act *a, struct err *err);
int act_unpause(struct act *a, struct err *err);
int act_pause(struct act *a, struct err *err);
int act_shutdown(struct act *a, struct err *err);
int act_destroy(struct act *a, struct err *err);
int act_clear(struct act *a, struct err *err);
int act_release(struct act *a, struct err *err);

/* hv_open() with the request's log level. */
int act_open_hv(const struct act *a, struct hv *hv, struct err *err);
/* A path of the request: absolute and plain (act_path_is_plain). */
int act_get_path(const struct act *a, const char *key, const char **ret, struct err *err);

/* Absolute, without "..", "//" or a last slash. */
bool act_path_is_plain(const char *path);

/* Receives, runs, answers on `sock`. Returns the exit status. */
int act_serve(int sock);

#endif
