/* SPDX-License-Identifier: Apache-2.0 */
/* The one file that knows libsmartcols. */
#include "tools/table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/term.h"

struct table {
	struct libscols_table *scols;
	struct libscols_line *last;
	size_t columns;
};

static void add_column(struct table *t, const char *heading, int flags)
{
	if (!scols_table_new_column(t->scols, heading, 0, flags))
		abort();
	t->columns++;
}

static struct table *table_empty(bool legend)
{
	struct table *t = xcalloc(1, sizeof(*t));
	t->scols = scols_new_table();
	if (!t->scols)
		abort();
	scols_table_enable_noheadings(t->scols, !legend);
	scols_table_enable_colors(t->scols, term_colours(STDOUT_FILENO));
	return t;
}

struct table *table_of(const struct table_column *columns, size_t n, bool legend)
{
	struct table *t = table_empty(legend);
	for (size_t i = 0; i < n; i++)
		add_column(t, columns[i].heading,
			(columns[i].right ? SCOLS_FL_RIGHT : 0) |
				(columns[i].fixed ? 0 : SCOLS_FL_TRUNC));
	return t;
}

struct table *table_new(const char *const *columns, bool legend)
{
	struct table *t = table_empty(legend);
	for (; *columns; columns++)
		add_column(t, *columns, columns[1] ? 0 : SCOLS_FL_TRUNC);
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

void table_row_take(struct table *t, char **values)
{
	t->last = scols_table_new_line(t->scols, NULL);
	if (!t->last)
		abort();
	for (size_t i = 0; i < t->columns; i++)
		scols_line_refer_data(t->last, i, values[i]);
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

/* An escape sequence of colours: no width. */
static size_t escape_len(const char *s)
{
	return *s == '\033' ? strcspn(s, "m") + (strchr(s, 'm') != NULL) : 0;
}

/* The character at `s`: bytes, and columns of the terminal in *ret. */
static size_t char_len(const char *s, size_t *ret)
{
	wchar_t c;
	mbstate_t state = {0};
	size_t n = mbrtowc(&c, s, MB_CUR_MAX, &state);
	*ret = 1;
	if (n == 0 || n > MB_CUR_MAX)
		return 1;
	int w = wcwidth(c);
	*ret = w > 0 ? (size_t)w : 0;
	return n;
}

/* Of one line what fits, and all its escape sequences: a colour that begins also ends. */
static char *line_cut(char *out, const char *line, size_t len, size_t width)
{
	const char *end = line + len;
	size_t used = 0;
	while (line < end) {
		size_t columns = 0;
		size_t n = escape_len(line);
		if (!n)
			n = char_len(line, &columns);
		used += columns;
		if (!columns || used <= width)
			out = mempcpy(out, line, n);
		line += n;
	}
	return out;
}

/* libsmartcols makes columns no narrower than their headings, so a line may still be too long. */
static char *text_cut(const char *text, size_t width)
{
	char *cut = xcalloc(strlen(text) + 2, 1);
	char *out = cut;
	while (*text) {
		size_t len = strcspn(text, "\n");
		out = line_cut(out, text, len, width);
		text += len;
		*out++ = '\n'; /* libsmartcols leaves out the last one */
		text += *text != '\0';
	}
	return cut;
}

static void table_free(struct table *t)
{
	scols_unref_table(t->scols);
	free(t);
}

char *table_text(struct table *t, size_t width)
{
	_cleanup_free_ char *text = NULL;
	scols_table_set_termforce(t->scols, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(t->scols, width);
	if (scols_print_table_to_string(t->scols, &text) < 0)
		abort();
	table_free(t);
	return text_cut(text ? text : "", width);
}

void table_print(struct table *t)
{
	size_t width = terminal_width();
	if (!width) {
		scols_print_table(t->scols);
		table_free(t);
		return;
	}
	_cleanup_free_ char *text = table_text(t, width);
	fputs(text, stdout);
}

size_t terminal_width(void)
{
	struct winsize ws = {0};
	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col ? ws.ws_col : 80;
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

void duration_text(int64_t ns, char ret[24])
{
	long long s = ns / 1000000000;
	ret[0] = '\0';
	if (ns < 0)
		return;
	if (s < 1)
		snprintf(ret, 24, "%lldms", (long long)ns / 1000000);
	else if (s < 60)
		snprintf(ret, 24, "%lld.%llds", s, (long long)ns / 100000000 % 10);
	else if (s < 3600)
		snprintf(ret, 24, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(ret, 24, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(ret, 24, "%lldd%02lldh", s / 86400, s / 3600 % 24);
}

void time_text(int64_t at_ns, char ret[32])
{
	time_t t = (time_t)(at_ns / 1000000000);
	struct tm tm;
	if (at_ns <= 0 || !localtime_r(&t, &tm) || !strftime(ret, 32, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(ret, 32, "-");
}
