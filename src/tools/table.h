/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people (libsmartcols), colour only where it is wanted, and ages. */
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

struct table_column {
	const char *heading;
	bool right; /* numbers */
	bool fixed; /* never cut short: it would mean something else */
};

/*
 * A table of `n` columns; `legend`: print the headings. On a terminal no line is longer than that is
 * wide: what is not fixed is cut. Elsewhere nothing is.
 */
struct table *table_of(const struct table_column *columns, size_t n, bool legend);
/* The same by headings only, NULL-terminated; of these the last is cut first. */
struct table *table_new(const char *const *columns, bool legend);
/* One row; as many values as columns, NULL is an empty cell. Copied. */
void table_row(struct table *t, const char *const *values);
/* One row of malloc'ed values, which are the table's now. */
void table_row_take(struct table *t, char **values);
/* Gives a column of the last row the colour of a pod's word. */
void table_colour_word(struct table *t, size_t column, const char *word);
/* Prints to stdout and frees. */
void table_print(struct table *t);
/* What table_print() would print on a terminal `width` wide; frees. Caller frees the text. */
char *table_text(struct table *t, size_t width);

/* Columns of the terminal that stdout is; 0: it is none. */
size_t terminal_width(void);
/* "12s", "5m", "3h", "2d" since then; "" for 0. Into ret. */
void age_text(int64_t at_ns, char ret[24]);
/* How long, two units at most: "250ms", "1.5s", "4m05s", "3h07m", "2d04h"; "" for less than 0. */
void duration_text(int64_t ns, char ret[24]);
/* "2026-11-22 22:30:58" local time; "-" for 0. */
void time_text(int64_t at_ns, char ret[32]);

#endif
