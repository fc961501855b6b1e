/* SPDX-License-Identifier: Apache-2.0 */
/* What xenpod-status can show of a pod in its table, and by what it sorts: one list of columns. */
#ifndef TOOLS_STATUS_COLUMNS_H
#define TOOLS_STATUS_COLUMNS_H

#include <jansson.h>

#include "base/err.h"

#define STATUS_COLUMNS_MAX 32 /* a list that names one twice is a slip of the pen, not a limit */

/* Which columns, by their numbers. */
struct status_columns {
	int col[STATUS_COLUMNS_MAX];
	size_t n;
};

void status_columns_default(struct status_columns *ret);
/*
 * "COL,COL": these instead of what `c` has; "+COL,COL": these as well. In any case of letters. ERR_INVALID
 * names the wrong one and lists those that there are.
 */
int status_columns_parse(const char *text, struct status_columns *c, struct err *err);
/* One column's number. */
int status_column_parse(const char *name, int *ret, struct err *err);
const char *status_column_name(int col);
/* Names of the members of POD that these columns, sorting by one (-1: none) and `also` need; a new reference. */
json_t *status_columns_members(const struct status_columns *c, int sort, const char *also);
/* For --help, a line each; caller frees. */
char *status_columns_help(void);

/* What stands in the column; caller frees. `full`: whole UUIDs. */
char *status_column_text(int col, const json_t *pod, bool full);

/* The pods in the order of a column; those that are equal there keep theirs. */
void status_sort(json_t *pods, int col, bool reverse);

/* A table of pods, with the columns of `c`. */
struct table *status_table(
	const json_t *pods, const struct status_columns *c, bool legend, bool full);

#endif
