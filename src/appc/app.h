/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "app" object of image and pod manifests (contract 3.2), checked as stage0 checks it. What
 * has no meaning of its own here (ports) stays JSON, for those who act on it.
 */
#ifndef APPC_APP_H
#define APPC_APP_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "appc/isolator.h"
#include "appc/volume.h"
#include "base/err.h"

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
	char **pre_start; /* NULL-terminated; NULL: none */
	char **post_stop;
	struct appc_mount_points mount_points;
	json_t *ports; /* array; NULL when absent or empty */
	struct appc_isolators isolators;
};

int appc_app_parse(const json_t *o, struct appc_app *ret, struct err *err);
void appc_app_done(struct appc_app *app);

/* `^[A-Za-z_][A-Za-z_0-9.-]*$` */
int appc_env_name_check(const char *name, struct err *err);

#endif
