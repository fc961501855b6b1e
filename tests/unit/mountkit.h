/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apps' file systems without Xen: a mount namespace of the test's own, a tmpfs that each test has
 * for itself, and directories that stand for the 9p exports. Needs root; leaves nothing.
 */
#ifndef UNIT_MOUNTKIT_H
#define UNIT_MOUNTKIT_H

#include <sys/stat.h>

#include "guest/appfs.h"

#define KIT_MAX 8

struct kit {
	struct appfs fs;
	struct podspec_app app;
	struct podspec_mount mounts[KIT_MAX];
	struct podspec_file files[KIT_MAX];
	int mounted; /* how often an export was mounted */
	int fds;     /* open before the test; its teardown fails when it leaves others */
	int dir;     /* the tmpfs; exports are trees/<tag>, what no app may reach is outside/ */
};
extern struct kit kit;

int kit_group_setup(void **state);
int kit_group_teardown(void **state);
/* Of a test: exports "root" (the app's), "a" and "b", all empty. */
int kit_setup(void **state);
int kit_teardown(void **state);

/* Paths are below the tmpfs; parents are made. */
void kit_dir(const char *path);
void kit_file(const char *path, const char *text);
void kit_link(const char *to, const char *path);
/* The mode of what is there, links not followed; 0 for nothing. */
mode_t kit_mode(const char *path);
/* The text of a file is this. */
void kit_has(const char *path, const char *text);

/* One more mount or file of the app. */
void kit_mount(const char *path, const char *tag, const char *sub, bool read_only);
void kit_put(const char *path, const char *text, bool if_absent);
/* Starts over with another app of the same pod. */
void kit_app(const char *name, const char *tag);

/* Makes the app's file systems: a descriptor of the root, or -1. */
int kit_make(struct err *err);

/* In the app's root: the text of a file is this. */
void in_has(int root, const char *path, const char *text);
/* 0, or the errno of opening for writing; made if need be, nothing is written. */
int in_write(int root, const char *path);
/* statvfs(3), links followed. */
unsigned long in_flags(int root, const char *path);
/* As kit_mode(). */
mode_t in_mode(int root, const char *path);

#endif
