/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people (libsmartcols), colour only where it is wanted, and ages. */
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

/* Columns by their headings, NULL-terminated. `legend`: print the headings. */
struct table *table_new(const char *const *columns, bool legend);
/* One row; as many values as columns, NULL is an empty cell. Copied. */
void table_row(struct table *t, const char *const *values);
/* Gives a column of the last row the colour of a pod's word. */
void table_colour_word(struct table *t, size_t column, const char *word);
/* Prints to stdout and frees. */
void table_print(struct table *t);

/* stdout is a terminal that knows colours, and NO_COLOR is not set. */
bool colour_wanted(void);
/* "12s", "5m", "3h", "2d" since then; "" for 0. Into ret. */
void age_text(int64_t at_ns, char ret[24]);
/* "2026-11-22 22:30:58" local time; "-" for 0. */
void time_text(int64_t at_ns, char ret[32]);

#endif
