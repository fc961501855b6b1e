/* SPDX-License-Identifier: Apache-2.0 */
/* See status_events.h. The supervisor is watched; without one its store is read once a second. */
#include "tools/status_events.h"

#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "proto/api.h"
#include "tools/status.h"

struct status_events {
	struct status_source *source; /* a supervisor with an open Watch; NULL: none */
	int64_t last; /* number of the event told last, or one of STATUS_SINCE_: not known yet */
	json_t *rows; /* of the store, `at` of them told */
	size_t at;
	bool answered; /* somebody has, at least once */
	bool told;     /* that the supervisor is not there */
	json_t *gap;   /* to be told before anything else */
	int64_t again; /* CLOCK_MONOTONIC, ms: not before that the next try */
};

struct status_events *status_events_new(int64_t since)
{
	struct status_events *e = xcalloc(1, sizeof(*e));
	e->last = since;
	e->rows = json_array();
	return e;
}

void status_events_free(struct status_events *e)
{
	if (!e)
		return;
	status_close(e->source);
	json_decref(e->rows);
	json_decref(e->gap);
	free(e);
}

int status_events_fd(const struct status_events *e)
{
	return e->source ? varlink_fd(status_link(e->source)) : -1;
}

static void sleep_ms(int64_t ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	if (ms > 0)
		nanosleep(&ts, NULL);
}

/* Nothing between the event told last and number `next` will come any more. */
static void skip_to(struct status_events *e, int64_t next)
{
	if (e->last >= 0 && next > e->last + 1) {
		json_decref(e->gap);
		e->gap = json_make("{s:{s:I, s:I}}", "gap", "first", (json_int_t)e->last + 1,
			"last", (json_int_t)next - 1);
	}
	e->last = next - 1;
}

/* Where to go on. A number that is not given yet comes from another store, or from a slip of the pen. */
static int begin(struct status_events *e, struct status_source *s, struct err *err)
{
	int64_t oldest;
	int64_t newest;
	if (status_bounds(s, &oldest, &newest, err) < 0)
		return -1;
	if (e->last > newest)
		log_warning("there is no event %lld yet; going on after %lld", (long long)e->last,
			(long long)newest);
	if (e->last == STATUS_SINCE_OLDEST)
		e->last = oldest - 1;
	if (e->last < 0 || e->last > newest)
		e->last = newest;
	if (oldest > e->last + 1)
		skip_to(e, oldest);
	return 0;
}

static int watch(struct status_events *e, struct status_source *s, struct err *err)
{
	json_t *params = json_make("{s:I}", "since", (json_int_t)e->last);
	if (varlink_call(status_link(s), API_WATCH, params, true, NULL, 0, err) < 0)
		return -1;
	e->source = s;
	e->told = false;
	return 0;
}

static int read_store(struct status_events *e, struct status_source *s, struct err *err)
{
	json_array_clear(e->rows);
	e->at = 0;
	int r = status_history(s, NULL, e->last, e->rows, err);
	status_close(s);
	return r;
}

static int ask(struct status_events *e, struct err *err)
{
	_cleanup_free_ char *notice = NULL;
	struct status_source *s = NULL;
	if (status_open(&s, &notice, err) < 0)
		return -1;
	bool live = status_link(s);
	if (notice && !e->told)
		log_warning("%s", notice);
	e->told = true;
	if (begin(e, s, err) < 0 || (live && watch(e, s, err) < 0)) {
		status_close(s);
		return -1;
	}
	if (!live && read_store(e, s, err) < 0)
		return -1;
	e->answered = true;
	return 0;
}

/* Once nobody was there it is tried once a second. Who has been told something is not sent away for that. */
static int reach(struct status_events *e, struct err *err)
{
	_cleanup_err_ struct err why = {0};
	if (clock_ms() < e->again)
		return 0;
	int r = ask(e, &why);
	if (!e->source)
		e->again = clock_ms() + STATUS_EVENTS_POLL_MS;
	if (r == 0)
		return 0;
	if (!e->answered)
		return err_set(err, why.code, "%s", err_msg(&why));
	if (!e->told)
		log_warning("%s; waiting", err_msg(&why));
	e->told = true;
	return 0;
}

/* What is there already: a gap, or rows of the store. */
static json_t *kept(struct status_events *e)
{
	if (e->gap)
		return TAKE_PTR(e->gap);
	json_t *row = json_array_get(e->rows, e->at);
	if (!row)
		return NULL;
	int64_t seq = json_int_opt(row, "seq", 0);
	if (seq > e->last + 1) {
		skip_to(e, seq);
		return TAKE_PTR(e->gap);
	}
	e->at++;
	e->last = seq;
	return json_incref(row);
}

/* One answer of the supervisor, as a row. A connection that ends is made again. */
static void receive(struct status_events *e, int timeout_ms)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *o = NULL;
	json_array_clear(e->rows);
	e->at = 0;
	if (varlink_reply(status_link(e->source), timeout_ms, &o, NULL, &err) == 0) {
		json_array_append(e->rows, json_object_get(o, "event"));
		return;
	}
	if (err.code == ERR_TIMEOUT)
		return;
	status_close(e->source);
	e->source = NULL;
	e->told = false;
}

int status_events_next(struct status_events *e, int timeout_ms, json_t **ret, struct err *err)
{
	int64_t until = clock_ms() + timeout_ms;
	for (;;) {
		*ret = kept(e);
		if (*ret)
			return 1;
		int64_t left = until - clock_ms();
		left = left > 0 ? left : 0;
		if (e->source)
			receive(e, (int)left);
		else if (reach(e, err) < 0)
			return -1;
		*ret = kept(e);
		if (*ret)
			return 1;
		if (clock_ms() >= until)
			return 0;
		if (!e->source)
			sleep_ms(left < e->again - clock_ms() ? left : e->again - clock_ms());
	}
}
