/* SPDX-License-Identifier: Apache-2.0 */
/* The pod spec (proto/spec.h) as xenpod-init uses it: read once, checked, never changed. */
#ifndef GUEST_PODSPEC_H
#define GUEST_PODSPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/uuid.h"

struct podspec_mount {
	char *path;
	char *tag;
	char *sub; /* "": all of the tree */
	bool read_only;
};

struct podspec_file {
	char *path;
	char *text;
	bool if_absent;
};

/* A seccomp(2) program; what it points at is a struct sock_filter each 8 bytes. */
struct podspec_filter {
	uint8_t *program;
	size_t size; /* bytes */
};

/* What each member means stands in proto/spec.h; what the spec leaves out has its default here. */
struct podspec_app {
	char *name;
	char *tag;
	char *user;
	char *group;
	char *cwd;
	bool default_path; /* env's PATH says nothing of where exec is */
	char **exec;       /* NULL-terminated, as are all char ** here */
	char **env;
	char **pre_start; /* NULL: none */
	char **post_stop;
	gid_t *gids;
	size_t n_gids;
	struct podspec_mount *mounts;
	size_t n_mounts;
	struct podspec_file *files;
	size_t n_files;
	bool docker;
	bool read_only;
	bool tty;
	struct winsize size; /* the terminal's, before it starts */
	bool stdin_stream;   /* else, and for the next two: /dev/null */
	bool stdout_stream;
	bool stderr_stream;
	bool notify;
	bool protect;
	bool no_new_privileges;
	uint64_t caps;                       /* bounding set, 1 << CAPS_...; CAPS_ALL: no limit */
	const struct podspec_filter *filter; /* NULL: none */
	int oom_score_adj;
	int64_t cpu_shares;
	int64_t memory_bytes; /* 0: no limit */
	int64_t cpu_milli;    /* 0: no limit */
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
	struct podspec_filter *filters;
	size_t n_filters;
	json_t *net; /* its interfaces (proto/ifconf.h); NULL: the loopback alone */
};

/* Reads and checks; what it makes lives as long as the process. */
int podspec_read(const char *path, struct podspec *ret, struct err *err);

/* NULL-terminated copies of a JSON array of strings; caller frees with podspec_free_strings(). */
struct json_t;
char **podspec_strings(const struct json_t *array);
void podspec_free_strings(char **strings);

#endif
