/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "app" object of image and pod manifests (contract 3.2), checked as stage0 checks it. What
 * has no meaning of its own here (mounts, ports, isolators) stays JSON, for those who act on it.
 */
#ifndef APPC_APP_H
#define APPC_APP_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define APPC_ISOLATOR_MEMORY "resource/memory"
#define APPC_ISOLATOR_CPU    "resource/cpu"

struct appc_env {
	char *name;
	char *value;
};

/* {0} is valid and empty. All members are owned. */
struct appc_app {
	char **exec; /* NULL-terminated; may be empty: the user can give one */
	size_t nexec;
	char *user;
	char *group;
	char *cwd; /* "" when the manifest says nothing */
	int64_t *gids;
	size_t ngids;
	struct appc_env *env;
	size_t nenv;
	json_t *event_handlers; /* arrays; NULL when absent or empty */
	json_t *mount_points;
	json_t *ports;
	json_t *isolators; /* object: name -> value, the last of a name; NULL when none */
};

int appc_app_parse(const json_t *o, struct appc_app *ret, struct err *err);
void appc_app_done(struct appc_app *app);

/*
 * Limits from the isolators: 1 and *ret, 0 when there is none, -1 when it cannot be read. Memory in
 * bytes, rounded up; cpu in thousandths of a core.
 */
int appc_app_memory(const struct appc_app *app, int64_t *ret, struct err *err);
int appc_app_cpu(const struct appc_app *app, int64_t *ret_milli, struct err *err);

/* `^[A-Za-z_][A-Za-z_0-9.-]*$` */
int appc_env_name_check(const char *name, struct err *err);

#endif
