/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod-status --watch` on a terminal: the table, drawn anew when something has happened. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "tools/screen.h"
#include "tools/status.h"
#include "tools/status_events.h"
#include "tools/status_options.h"
#include "tools/table.h"

#define AGES_MS   1000 /* ages grow, and domains have used CPU, without an event */
#define SOON_MS   100  /* events come in groups */
#define HEAD_ROWS 2    /* and the line with the cursor */
#define SHARE     4    /* asking takes at most that part of the time */

struct live {
	const struct status_view *view;
	struct status_events *events;
	json_t *list; /* as it was last; NULL: not asked yet */
	char *gap;    /* what is missing, or "" */
	char *why;    /* nobody has answered, or "" */
	int64_t last; /* number of the event seen last; 0: none */
	int64_t due;  /* CLOCK_MONOTONIC, ms: when the list is asked for again */
	bool dirty;   /* something has happened since it was asked for */
};

static void replace(char **text, char *with)
{
	free(*text);
	*text = with;
}

/* ---- what there is ------------------------------------------------------------------------------ */

static void ask_list(struct live *l)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *list = NULL;
	_cleanup_free_ char *notice = NULL;
	struct status_source *s = NULL;
	int64_t began = clock_ms();
	_cleanup_json_ json_t *members = status_view_members(l->view);
	bool ok = status_open(&s, &notice, &err) == 0 && status_list(s, members, &list, &err) == 0;
	status_close(s);
	if (ok) {
		json_decref(l->list);
		l->list = json_incref(list);
	}
	replace(&l->why, xstrdup(!ok ? err_msg(&err) : notice ? notice : ""));
	int64_t took = clock_ms() - began;
	l->due = clock_ms() + (took * SHARE > AGES_MS ? took * SHARE : AGES_MS);
	l->dirty = false;
}

/* All that are there by now, so that one look at the list is for all. */
static int take_events(struct live *l, struct err *err)
{
	for (;;) {
		_cleanup_json_ json_t *event = NULL;
		int r = status_events_next(l->events, 0, &event, err);
		if (r <= 0)
			return r;
		const json_t *gap = json_object_get(event, "gap");
		if (gap)
			replace(&l->gap, xasprintf("events %lld to %lld are missing",
						 (long long)json_int_opt(gap, "first", 0),
						 (long long)json_int_opt(gap, "last", 0)));
		l->last = json_int_opt(event, "seq", l->last);
		l->dirty = true;
	}
}

/* ---- what is shown ------------------------------------------------------------------------------- */

static char *head(const struct live *l, size_t shown, size_t columns)
{
	char when[32];
	time_text((int64_t)time(NULL) * 1000000000, when);
	_cleanup_free_ char *event =
		l->last ? xasprintf(", last event %lld", (long long)l->last) : xstrdup("");
	_cleanup_free_ char *text = xasprintf("%s  %zu pods%s%s%s%s%s", when, shown, event,
		*l->gap ? "; " : "", l->gap, *l->why ? "; " : "", l->why);
	return xstrndup(text, columns);
}

/* Of more pods than lines the first; how many more there are. */
static char *body(const struct live *l, json_t *pods, size_t rows, size_t columns)
{
	const struct status_view *v = l->view;
	size_t n = json_array_size(pods);
	size_t room = rows > HEAD_ROWS + 2 ? rows - HEAD_ROWS - !v->no_legend : 1;
	_cleanup_json_ json_t *first = json_array();
	bool all = n <= room;
	for (size_t i = 0; i < n && i < (all ? room : room - 1); i++)
		json_array_append(first, json_array_get(pods, i));
	_cleanup_free_ char *table =
		table_text(status_table(first, &v->columns, !v->no_legend, v->full), columns);
	return all ? xstrndup(table, strlen(table) - (*table != '\0'))
		   : xasprintf("%s... and %zu more", table, n - json_array_size(first));
}

/* Those that are shown. One that is named may not be there yet, or not any more: that is no mistake here. */
static json_t *chosen(const struct live *l)
{
	json_t *pods = json_array();
	size_t i;
	json_t *pod;
	json_array_foreach (json_object_get(l->list, "pods"), i, pod)
		if (status_filter_pod(&l->view->filter, pod))
			json_array_append(pods, pod);
	return pods;
}

static char *page(const struct live *l)
{
	const struct status_view *v = l->view;
	size_t rows;
	size_t columns;
	screen_size(&rows, &columns);
	_cleanup_json_ json_t *pods = chosen(l);
	if (v->sort >= 0)
		status_sort(pods, v->sort, v->reverse);
	_cleanup_free_ char *top = head(l, json_array_size(pods), columns);
	_cleanup_free_ char *below = body(l, pods, rows, columns);
	return xasprintf("%s\n%s", top, below);
}

/* ---- the loop ------------------------------------------------------------------------------------- */

static int left_ms(int64_t until)
{
	int64_t left = until - clock_ms();
	return left > 0 ? (int)left : 0;
}

static int loop(struct live *l, struct screen *s, struct err *err)
{
	for (;;) {
		if (take_events(l, err) < 0)
			return -1;
		if (l->dirty && l->due > clock_ms() + SOON_MS && l->due <= clock_ms() + AGES_MS)
			l->due = clock_ms() + SOON_MS;
		if (clock_ms() >= l->due)
			ask_list(l);
		_cleanup_free_ char *text = page(l);
		screen_draw(text);
		int fd = status_events_fd(l->events);
		if (screen_wait(s, l->dirty ? -1 : fd, left_ms(l->due)) & SCREEN_QUIT)
			return 0;
	}
}

int status_live_run(const struct status_view *v, struct err *err)
{
	struct live l = {.view = v, .gap = xstrdup(""), .why = xstrdup("")};
	int sig = 0;
	l.events = status_events_new(v->since);
	/* Who cannot be answered at all is told so on an ordinary screen. */
	int r = take_events(&l, err);
	if (r == 0) {
		struct screen *s = screen_new();
		r = loop(&l, s, err);
		sig = screen_signal(s);
		screen_free(s);
		_cleanup_free_ char *text = page(&l);
		puts(text);
		(void)fflush(stdout);
	}
	status_events_free(l.events);
	json_decref(l.list);
	free(l.gap);
	free(l.why);
	if (sig)
		raise(sig);
	return r;
}
