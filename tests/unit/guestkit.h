/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest without Xen: xenpod-init's loop, pod and apps in the test's own process, with mount,
 * network and cgroup namespaces of its own and a plain directory as every app's root. It holds
 * busybox, its shell, /proc and a directory /out that anybody may write to.
 */
#ifndef UNIT_GUESTKIT_H
#define UNIT_GUESTKIT_H

#include <stdbool.h>

#include "guest/pod.h"

#define GUESTKIT_APPS 2

struct guestkit {
	struct loop loop;
	struct podspec spec;
	struct podspec_app app_specs[GUESTKIT_APPS];
	struct state state;
	struct pod pod;
	struct loop_watch signals;
	int mask; /* signalfd for SIGCHLD */
};

/* As a group's setup and teardown. */
int guestkit_setup(void **state);
int guestkit_teardown(void **state);

/* A pod of `n` apps "a0", "a1" that may do everything; the caller changes the specs, then starts. */
void guestkit_init(struct guestkit *kit, size_t n);
void guestkit_start(struct guestkit *kit);
/* Turns the loop until `done` says so; fails the test after some seconds. */
void guestkit_until(struct guestkit *kit, bool (*done)(const struct pod *pod));
bool guestkit_ended(const struct pod *pod);
void guestkit_done(struct guestkit *kit);

/* A file below /out of the root: "" when there is none. Caller frees. */
char *guestkit_read(const char *name);
/* The kernel's cgroups make place for plain files that the test writes, and come back. */
void guestkit_plain_cgroups(const char *app);
void guestkit_put(const char *path, const char *text);
void guestkit_kernel_cgroups(void);

#endif
