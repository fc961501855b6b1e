/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping all pods and waiting for their ends: see stop_all.h. */
#include "tools/stop_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/progress.h"
#include "proto/api.h"
#include "tools/supervisor.h"
#include "tools/verbs.h"

#define AWAY_TRIES 50 /* the supervisor restarts after 0.2 s, and a socket unit keeps our call */

/* ---- for the host's shutdown ------------------------------------------------------------------ */

static void say(const json_t *reply)
{
	const char *uuid = json_str_opt(reply, "uuid", NULL);
	long long left = (long long)json_int_opt(reply, "left", 0);
	if (uuid)
		printf("%s %s, %lld left\n", uuid, json_str_opt(reply, "state", "?"), left);
	else if (left)
		printf("stopping %lld pod%s\n", left, left == 1 ? "" : "s");
	(void)fflush(stdout); /* a unit's progress is looked at while it lasts */
}

static int follow(struct err *err)
{
	_cleanup_varlink_ struct varlink *v = supervisor_connect("admin", err);
	bool more = true;
	if (!v || varlink_call(v, API_SHUTDOWN, NULL, true, NULL, 0, err) < 0)
		return -1;
	while (more) {
		_cleanup_json_ json_t *reply = NULL;
		if (varlink_reply(v, -1, &reply, &more, err) < 0)
			return -1;
		say(reply);
	}
	return 0;
}

/* The supervisor that is asked may die: the next one has to be told again, whatever is done already. */
static int shut_down(struct err *err)
{
	static const struct timespec pause = {.tv_nsec = 200000000};
	for (int i = 0; i < AWAY_TRIES; i++) {
		err_done(err);
		if (follow(err) == 0)
			return 0;
		if (err->code != ERR_UNAVAILABLE)
			return -1;
		nanosleep(&pause, NULL);
	}
	return -1;
}

/* ---- for a user -------------------------------------------------------------------------------- */

static bool has_ended(const json_t *pod)
{
	static const char *const ends[] = {"exited", "failed", "removing", "removed"};
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (!strcmp(json_str_opt(pod, "word", ""), ends[i]))
			return true;
	return false;
}

/* How many of `pods` the supervisor still has. Asked only where somebody looks. */
static void show_left(const json_t *pods, size_t all)
{
	_cleanup_json_ json_t *list = NULL;
	_cleanup_json_ json_t *words = json_object();
	size_t left = 0;
	size_t i;
	json_t *pod;
	if (!progress_wanted() || supervisor_call(API_LIST, NULL, &list, NULL) < 0)
		return;
	json_array_foreach (json_object_get(list, "pods"), i, pod)
		json_object_set(words, json_str_opt(pod, "uuid", ""), pod);
	json_array_foreach (pods, i, pod) {
		const json_t *now = json_object_get(words, json_str_opt(pod, "uuid", ""));
		left += !has_ended(pod) && now && !has_ended(now);
	}
	progress_begin("stopping %zu pod%s", all, all == 1 ? "" : "s");
	progress_part("%zu left", left);
}

/* Until it has ended; what is left of all is shown meanwhile. */
static int wait_end(const json_t *pods, size_t all, const char *uuid, struct err *err)
{
	_cleanup_varlink_ struct varlink *v = supervisor_connect("admin", err);
	_cleanup_json_ json_t *reply = NULL;
	if (!v || varlink_call(v, API_WAIT, json_make("{s:s}", "uuid", uuid), false, NULL, 0, err) <
			  0)
		return -1;
	while (!progress_wait(varlink_fd(v), -1))
		show_left(pods, all);
	return varlink_reply(v, -1, &reply, NULL, err);
}

static int ask_stop(const char *uuid, bool force, struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	return supervisor_call(
		API_STOP, json_make("{s:s, s:b}", "uuid", uuid, "force", (int)force), &reply, err);
}

static int stop_each(bool force, struct err *err)
{
	_cleanup_json_ json_t *list = NULL;
	size_t i;
	json_t *pod;
	size_t all = 0;
	int status = 0;
	if (supervisor_call(API_LIST, NULL, &list, err) < 0)
		return -1;
	const json_t *pods = json_object_get(list, "pods");
	json_array_foreach (pods, i, pod)
		all += !has_ended(pod);
	progress_begin("stopping %zu pod%s", all, all == 1 ? "" : "s");
	progress_part("%zu left", all);
	json_array_foreach (pods, i, pod)
		if (!has_ended(pod) && ask_stop(json_str_opt(pod, "uuid", ""), force, err) < 0)
			status = verb_failed(err);
	json_array_foreach (pods, i, pod) {
		const char *uuid = json_str_opt(pod, "uuid", "");
		if (has_ended(pod))
			continue;
		if (wait_end(pods, all, uuid, err) < 0 && err->code != ERR_NOTFOUND) {
			status = verb_failed(err);
			continue;
		}
		progress_pause();
		puts(uuid);
	}
	err_done(err);
	return status;
}

int stop_all(bool host, bool force)
{
	_cleanup_err_ struct err err = {0};
	if (verb_need_root("stop", &err) < 0)
		return verb_failed(&err);
	int r = host ? shut_down(&err) : stop_each(force, &err);
	return r < 0 ? verb_failed(&err) : r;
}
