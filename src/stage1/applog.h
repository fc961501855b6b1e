/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The apps' output in the journal: each line an entry that `journalctl XENPOD_UUID=...` shows
 * between the supervisor's own. It never waits: what journald does not take is counted. Lines are
 * cut as journald cuts what a service writes: systemd.exec(5) SyslogLevelPrefix=, journald.conf(5)
 * LineMax=.
 */
#ifndef STAGE1_APPLOG_H
#define STAGE1_APPLOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/stream.h"

#define APPLOG_LINE_MAX (48 * 1024) /* journald's LineMax= */

struct applog_line {
	char *buf; /* a line's beginning; NULL: nothing yet */
	size_t len;
	bool continued; /* an entry with its beginning was sent already */
	char priority;
};

struct applog_app {
	char *name;
	bool silent; /* its output is no log */
	struct applog_line line[2];
};

struct applog {
	int fd;           /* -1: there is no journal, nothing happens */
	const char *path; /* journald's socket */
	const char *uuid; /* borrowed */
	struct applog_app *apps;
	size_t n_apps;
	uint64_t dropped; /* entries that journald did not take, nor `instead` */
	/* Asked when journald does not take a line of stdout (0) or stderr (1): true when it goes
	 * another way. NULL: there is none. */
	bool (*instead)(void *user, int k, const char *line, size_t len);
	void *user;
};

/* `apps`: of the spec's guest part, whose order is that of the frames. {0} is not valid. */
void applog_open(struct applog *log, const char *socket, const char *uuid, const json_t *apps);
/* DATA and EOF frames; others, and of apps that there are none, change nothing. */
void applog_frame(struct applog *log, const struct stream_header *h, const uint8_t *data);
/* Sends what is left of lines, warns when entries were dropped, frees. Harmless twice. */
void applog_done(struct applog *log);

#endif
