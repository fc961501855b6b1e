/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod-status --wait`: until pods are in a state, or can never be any more. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "fsm/pod.h"
#include "proto/api.h"
#include "tools/status.h"
#include "tools/status_options.h"
#include "tools/supervisor.h"

#define AGAIN_MS  500 /* between two looks for a supervisor that has gone away */
#define WHOLE_DAY 86400000

/* One pod: its own connection, because what it passes through while another is waited for counts. */
struct waiting {
	char uuid[UUID_TEXT_SIZE];
	struct varlink *link; /* NULL: nobody is asked */
};

struct wait {
	const struct status_view *view;
	struct waiting pod[STATUS_WAIT_MAX];
	size_t n;
	int64_t deadline; /* CLOCK_MONOTONIC, ms; -1: none */
	bool told;        /* that the supervisor has gone away */
	json_t *pods;     /* as they were last */
};

/* Until the deadline, at most a day. */
static int left_ms(const struct wait *w)
{
	int64_t left = w->deadline < 0 ? WHOLE_DAY : w->deadline - clock_ms();
	return left < 0 ? 0 : left > WHOLE_DAY ? WHOLE_DAY : (int)left;
}

static bool is_state(const char *wanted, enum pod_state s)
{
	return !strcmp(wanted, pod_state_name(s)) || !strcmp(wanted, pod_state_word(s));
}

/* 0: it is where it shall be; -1: not yet; else an exit status: never any more. */
int status_wait_judge(const char *wanted, const char *state)
{
	int s = pod_state_from_name(state);
	if (s < 0)
		return -1;
	bool ended = pod_state_ended((enum pod_state)s);
	if (wanted ? is_state(wanted, (enum pod_state)s) : ended)
		return 0;
	bool later = wanted && (is_state(wanted, POD_GONE) ||
				       (is_state(wanted, POD_RELEASING) && s != POD_GONE));
	return ended && !later ? STATUS_EXIT_ENDED : -1;
}

static int ask(struct waiting *p, const char *wanted, struct err *err)
{
	if (p->link)
		return 0;
	p->link = supervisor_connect("status", err);
	json_t *params = json_make("{s:s, s:s*}", "uuid", p->uuid, "state", wanted);
	if (p->link)
		return varlink_call(p->link, API_WAIT, params, false, NULL, 0, err);
	json_decref(params);
	return -1;
}

/* What is known without waiting: of a removed pod, or while there is no supervisor. */
static int look(struct wait *w, const struct waiting *p, struct err *err)
{
	_cleanup_free_ char *notice = NULL;
	_cleanup_json_ json_t *show = NULL;
	struct status_source *s = NULL;
	if (status_open(&s, &notice, err) < 0)
		return -1;
	int r = status_show(s, p->uuid, &show, err);
	status_close(s);
	if (r < 0)
		return -1;
	json_t *pod = json_object_get(show, "pod");
	if (json_is_object(pod))
		json_object_set(w->pods, p->uuid, pod);
	else
		json_object_set_new(w->pods, p->uuid,
			json_make("{s:s, s:s, s:s}", "uuid", p->uuid, "state", "gone", "word",
				"removed"));
	return 0;
}

static int judge(const struct wait *w, const struct waiting *p)
{
	const json_t *pod = json_object_get(w->pods, p->uuid);
	return status_wait_judge(w->view->wait_state, json_str_opt(pod, "state", ""));
}

/* The supervisor has gone away, and may come back. Who can read the store sees what is known till then. */
static int without(struct wait *w, struct waiting *p, const struct err *why, struct err *err)
{
	varlink_freep(&p->link);
	if (look(w, p, err) < 0)
		return -1;
	if (judge(w, p) < 0 && !w->told)
		log_warning("%s; waiting for it", err_msg(why));
	w->told = true;
	int ms = left_ms(w) < AGAIN_MS ? left_ms(w) : AGAIN_MS;
	struct timespec ts = {.tv_nsec = ms * 1000000L};
	if (judge(w, p) < 0)
		nanosleep(&ts, NULL);
	return 0;
}

/* One answer, or the time is over; 0 and the pod as it is, -1. */
static int wait_answer(struct wait *w, struct waiting *p, struct err *err)
{
	_cleanup_err_ struct err why = {0};
	_cleanup_json_ json_t *o = NULL;
	int r = ask(p, w->view->wait_state, &why);
	while (r == 0 && !progress_wait(varlink_fd(p->link), left_ms(w)))
		;
	if (r == 0 && varlink_reply(p->link, left_ms(w), &o, NULL, &why) == 0) {
		json_object_set(w->pods, p->uuid, json_object_get(o, "pod"));
		varlink_freep(&p->link);
		w->told = false;
		return 0;
	}
	if (why.code == ERR_TIMEOUT)
		return 0;
	if (why.code == ERR_NOTFOUND) {
		varlink_freep(&p->link);
		return look(w, p, err);
	}
	if (why.code == ERR_UNAVAILABLE)
		return without(w, p, &why, err);
	return err_set(err, why.code, "%s", err_msg(&why));
}

static void tell_ended(const json_t *pod, const char *uuid, const char *wanted)
{
	const char *cause = json_str_opt(pod, "cause", "");
	log_err("pod %s is %s%s%s%s: it will not be %s", uuid, json_str_opt(pod, "word", "?"),
		*cause ? " (" : "", cause, *cause ? ")" : "", wanted ? wanted : "at its end");
}

static int wait_one(struct wait *w, struct waiting *p, struct err *err)
{
	const char *wanted = w->view->wait_state;
	for (;;) {
		if (wait_answer(w, p, err) < 0)
			return -1;
		int r = judge(w, p);
		if (r == STATUS_EXIT_ENDED)
			tell_ended(json_object_get(w->pods, p->uuid), p->uuid, wanted);
		if (r >= 0)
			return r;
		if (left_ms(w) > 0)
			continue;
		log_err("pod %s is not %s yet, and the time is over", p->uuid,
			wanted ? wanted : "at its end");
		return STATUS_EXIT_TIMEOUT;
	}
}

static int find(struct wait *w, struct err *err)
{
	_cleanup_free_ char *notice = NULL;
	struct status_source *s = NULL;
	const struct words *uuids = &w->view->filter.uuids;
	if (status_open(&s, &notice, err) < 0)
		return -1;
	for (; w->n < uuids->n; w->n++)
		if (status_whole_uuid(s, uuids->v[w->n], w->pod[w->n].uuid, err) < 0)
			break;
	status_close(s);
	return w->n < uuids->n ? -1 : 0;
}

static void show(const struct wait *w, size_t i)
{
	progress_begin("waiting for pod %.8s", w->pod[i].uuid);
	if (w->n > 1)
		progress_part("%zu of %zu", i + 1, w->n);
}

static int wait_all(struct wait *w, struct err *err)
{
	_cleanup_err_ struct err later = {0};
	int status = 0;
	if (find(w, err) < 0)
		return -1;
	for (size_t i = 0; i < w->n; i++)
		if (ask(&w->pod[i], w->view->wait_state, &later) < 0)
			varlink_freep(&w->pod[i].link);
	for (size_t i = 0; i < w->n; i++) {
		if (!w->view->json)
			show(w, i);
		int r = wait_one(w, &w->pod[i], err);
		if (r < 0)
			return -1;
		status = status ? status : r;
	}
	return status;
}

static void print(const struct wait *w, int status)
{
	json_t *pods = json_array();
	const char *uuid;
	json_t *pod;
	json_object_foreach (w->pods, uuid, pod)
		json_array_append(pods, pod);
	_cleanup_json_ json_t *o = json_make("{s:s, s:o}", "result",
		status == STATUS_EXIT_TIMEOUT ? "timeout"
		: status == 0                 ? "reached"
					      : "ended",
		"pods", pods);
	status_print_json(o);
}

int status_wait_run(const struct status_view *v, struct err *err)
{
	_cleanup_json_ json_t *pods = json_object();
	struct wait *w = xcalloc(1, sizeof(*w));
	w->view = v;
	w->pods = pods;
	w->deadline = v->timeout_ms < 0 ? -1 : clock_ms() + v->timeout_ms;
	int r = wait_all(w, err);
	progress_end();
	if (r >= 0 && v->json)
		print(w, r);
	for (size_t i = 0; i < w->n; i++)
		varlink_freep(&w->pod[i].link);
	free(w);
	return r;
}
