/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of xenpod-status. */
#ifndef TOOLS_STATUS_OPTIONS_H
#define TOOLS_STATUS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "tools/status_columns.h"
#include "tools/status_events.h"
#include "tools/status_filter.h"

enum status_mode {
	STATUS_LIST,
	STATUS_SHOW, /* one pod in detail */
	STATUS_HISTORY,
	STATUS_WAIT,
	STATUS_WATCH,
	STATUS_HEALTH,
	STATUS_HELP,
	STATUS_VERSION,
};

struct status_view {
	enum status_mode mode;
	bool json;
	bool no_legend;
	bool full;
	struct status_columns columns;
	int sort; /* a column; -1: as they were created */
	bool reverse;
	struct status_filter filter;
	const char *wait_state; /* a state or a word; NULL: the pod's end */
	int64_t timeout_ms;     /* -1: none */
	int64_t since;          /* a sequence number, or one of STATUS_SINCE_ (status_events.h) */
	bool lines;             /* a line for each event, also on a terminal */
};

/*
 * Reads it into `ret`, which status_view_done() empties, also after an error. What does not go together is
 * ERR_INVALID.
 */
int status_options_parse(int argc, char **argv, struct status_view *ret, struct err *err);
/* What of each pod the table and the filters look at (status_list()); a new reference. NULL: all of it. */
json_t *status_view_members(const struct status_view *v);
void status_view_done(struct status_view *v);
void status_help(void);

#endif
