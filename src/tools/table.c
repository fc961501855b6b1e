/* SPDX-License-Identifier: Apache-2.0 */
/* The one file that knows libsmartcols. */
#include "tools/table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

struct table {
	struct libscols_table *scols;
	struct libscols_line *last;
	size_t columns;
};

bool colour_wanted(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

struct table *table_new(const char *const *columns, bool legend)
{
	struct table *t = xcalloc(1, sizeof(*t));
	t->scols = scols_new_table();
	if (!t->scols)
		abort();
	scols_table_enable_noheadings(t->scols, !legend);
	scols_table_enable_colors(t->scols, colour_wanted());
	for (; *columns; columns++, t->columns++)
		scols_table_new_column(t->scols, *columns, 0, 0);
	return t;
}

void table_row(struct table *t, const char *const *values)
{
	t->last = scols_table_new_line(t->scols, NULL);
	if (!t->last)
		abort();
	for (size_t i = 0; i < t->columns; i++)
		scols_line_set_data(t->last, i, values[i] ? values[i] : "");
}

void table_colour_word(struct table *t, size_t column, const char *word)
{
	static const struct {
		const char *word;
		const char *colour;
	} colours[] = {{"running", "green"}, {"failed", "red"}, {"preparing", "yellow"},
		{"starting", "yellow"}, {"stopping", "yellow"}, {"restarting", "yellow"},
		{"paused", "cyan"}};
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (!strcmp(word, colours[i].word))
			scols_cell_set_color(
				scols_line_get_cell(t->last, column), colours[i].colour);
}

void table_print(struct table *t)
{
	scols_print_table(t->scols);
	scols_unref_table(t->scols);
	free(t);
}

void age_text(int64_t at_ns, char ret[24])
{
	int64_t s = (int64_t)time(NULL) - at_ns / 1000000000;
	ret[0] = '\0';
	if (at_ns <= 0)
		return;
	if (s < 0) /* the clock was stepped back */
		s = 0;
	static const struct {
		int64_t below;
		int64_t unit;
		char letter;
	} steps[] = {{120, 1, 's'}, {7200, 60, 'm'}, {172800, 3600, 'h'}, {INT64_MAX, 86400, 'd'}};
	size_t i = 0;
	while (s >= steps[i].below)
		i++;
	snprintf(ret, 24, "%lld%c", (long long)(s / steps[i].unit), steps[i].letter);
}

void time_text(int64_t at_ns, char ret[32])
{
	time_t t = (time_t)(at_ns / 1000000000);
	struct tm tm;
	if (at_ns <= 0 || !localtime_r(&t, &tm) || !strftime(ret, 32, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(ret, 32, "-");
}
