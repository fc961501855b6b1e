/* SPDX-License-Identifier: Apache-2.0 */
/* Pod manifests (contract 3.1; appc/spec schema/pod.go). */
#ifndef APPC_POD_H
#define APPC_POD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "appc/app.h"
#include "appc/volume.h"
#include "base/err.h"

/* Annotations of a pod that stage1 acts on. */
#define APPC_ANNOTATION_MUTABLE "coreos.com/rkt/stage1/mutable" /* "true" | "false" */
#define APPC_ANNOTATION_OWNER   "xenpod.io/owner" /* "xenpod": prepared by xenpod run; else rkt */
#define APPC_ANNOTATION_GUARD   "xenpod.io/anti-spoofing" /* "true" | "false" */
#define APPC_ANNOTATION_RESTART "xenpod.io/restart"       /* see restart.h */
#define APPC_ANNOTATION_TYPE    "xenpod.io/type"          /* "auto" | "pv" | "pvh" */

struct appc_pod_app {
	char *name;
	char *image_id;   /* "sha512-..." or "" */
	char *image_name; /* may be "" */
	bool has_app;     /* else the image's own is meant */
	struct appc_app app;
	bool read_only; /* readOnlyRootFS */
	struct appc_mounts mounts;
	json_t *annotations; /* NULL when absent or empty */
};

/* {0} is valid and empty. JSON members are owned by `json`. */
struct appc_pod {
	json_t *json;
	struct appc_pod_app *apps;
	size_t napps;
	struct appc_volumes volumes;
	json_t *ports; /* arrays; NULL when absent or empty */
	json_t *annotations;
};

/* Refuses two apps or two volumes of one name. No apps at all is valid (app sandbox). */
int appc_pod_parse(const char *text, size_t len, struct appc_pod *ret, struct err *err);
void appc_pod_done(struct appc_pod *pod);

/* Borrowed; NULL when absent. */
const char *appc_pod_annotation(const struct appc_pod *pod, const char *name);
const char *appc_pod_app_annotation(const struct appc_pod_app *app, const char *name);

#endif
