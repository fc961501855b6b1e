/* SPDX-License-Identifier: Apache-2.0 */
/* The pod spec (proto/spec.h) as xenpod-init uses it: read once, checked, never changed. */
#ifndef GUEST_PODSPEC_H
#define GUEST_PODSPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/uuid.h"

struct podspec_app {
	char *name;
	char *tag;
	char *user;
	char *group;
	char *cwd;
	char **exec; /* NULL-terminated, as is env */
	char **env;
	gid_t *gids;
	size_t n_gids;
	bool docker;
	bool read_only;
	bool stdin_stream;
};

struct podspec {
	char uuid[UUID_TEXT_SIZE];
	char *hostname;
	int64_t generation;
	int64_t grace_ms;
	bool debug;
	bool streams;
	struct podspec_app *apps;
	size_t n_apps;
};

/* Reads and checks; what it makes lives as long as the process. */
int podspec_read(const char *path, struct podspec *ret, struct err *err);

/* NULL-terminated copies of a JSON array of strings; caller frees with podspec_free_strings(). */
struct json_t;
char **podspec_strings(const struct json_t *array);
void podspec_free_strings(char **strings);

#endif
