/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xenpod-act's part: helpers as processes. They start, wait for the pod's helper lock, work for a
 * while, answer, exit; and may be killed at any moment. What they do is command.c's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/sim_int.h"

#define LOCK_POLL (50 * MS)

struct helper *helper_find(struct sim *sim, int64_t handle)
{
	struct helper *h = sim->helpers;
	while (h && (h->handle != handle || h->stage == HELPER_ENDED))
		h = h->next;
	return h;
}

static void helper_free(struct helper *h)
{
	json_decref(h->request);
	fd_close(&h->lock_fd);
	free(h->text);
	free(h);
}

void helpers_free(struct sim *sim)
{
	while (sim->helpers) {
		struct helper *h = sim->helpers;
		sim->helpers = h->next;
		helper_free(h);
	}
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static void deliver(struct sim *sim, const struct event *ev)
{
	if (ev->arg == sim->epoch && sim->events.act)
		sim->events.act(sim->events.ctx, ev->id, ev->data);
}

static void deliver_exit(struct sim *sim, const struct event *ev)
{
	int64_t epoch = json_int_opt(ev->data, "epoch", -1);
	if (epoch == sim->epoch && sim->events.act_exit)
		sim->events.act_exit(sim->events.ctx, ev->id, (int)ev->arg);
}

void helper_answer(struct sim *sim, struct helper *h, json_t *frame)
{
	if (h->fault == SIM_KIND_LOST) {
		json_decref(frame);
		return;
	}
	if (h->fault == SIM_KIND_DOUBLE)
		later(sim, 0, NEED_NOTHING, deliver, h->handle, h->epoch, json_incref(frame));
	later(sim, 0, NEED_NOTHING, deliver, h->handle, h->epoch, frame);
}

void helper_end(struct sim *sim, struct helper *h, int status)
{
	struct helper **at = &sim->helpers;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	later(sim, 0, NEED_NOTHING, deliver_exit, h->handle, status,
		json_make("{s:I}", "epoch", (json_int_t)h->epoch));
	helper_free(h);
}

void helper_finish(struct sim *sim, struct helper *h, int r, json_t *done, struct err *err)
{
	json_t *frame = done;
	if (r < 0) {
		json_decref(done);
		frame = json_make("{s:s, s:s, s:s}", "t", "failed", "code",
			err_code_name(err->code), "message", err_msg(err));
	}
	json_object_set_new(frame, "op", json_integer(h->handle));
	helper_answer(sim, h, frame);
	helper_end(sim, h, h->fault == SIM_KIND_LOST ? STATUS_DIED : r < 0);
}

/* ---- a helper's life ---------------------------------------------------------------------------
 */

static void work(struct sim *sim, const struct event *ev)
{
	struct helper *h = helper_find(sim, ev->id);
	if (h && h->stage == HELPER_WORKING)
		command_run(sim, h);
}

static bool lock_free(const struct sim *sim, const struct helper *h)
{
	for (const struct helper *o = sim->helpers; o; o = o->next)
		if (o != h && o->stage != HELPER_QUEUED && !strcmp(o->uuid, h->uuid))
			return false;
	return true;
}

/* True: the fault that struck leaves nothing more to be done. */
bool helper_struck(struct sim *sim, struct helper *h)
{
	const char *text;
	enum sim_kind kind = fault_strikes(sim, h->point, &text);
	if (kind == SIM_KIND_MAX_)
		return false;
	h->fault = kind;
	if (kind == SIM_KIND_HANG)
		return true;
	if (kind == SIM_KIND_DIE) {
		helper_end(sim, h, STATUS_DIED);
		return true;
	}
	if (kind != SIM_KIND_FAIL)
		return false;
	_cleanup_err_ struct err err = {0};
	err_set(&err, ERR_SYSTEM, "%s", text ? text : "simulated fault");
	helper_finish(sim, h, -1, NULL, &err);
	return true;
}

static void begin(struct sim *sim, const struct event *ev)
{
	struct helper *h = helper_find(sim, ev->id);
	if (!h || h->stage != HELPER_QUEUED)
		return;
	if (!lock_free(sim, h)) {
		if (sim->now < h->waits_until) {
			later(sim, LOCK_POLL, NEED_NOTHING, begin, h->handle, 0, NULL);
			return;
		}
		_cleanup_err_ struct err err = {0};
		err_set(&err, ERR_TIMEOUT, "another helper of pod %s holds its lock", h->uuid);
		helper_finish(sim, h, -1, NULL, &err);
		return;
	}
	h->stage = HELPER_WORKING;
	if (helper_struck(sim, h))
		return;
	int64_t in = latency(sim, command_latency(h->point));
	later(sim, h->fault == SIM_KIND_SLOW ? SLOW_FACTOR * in : in, NEED_XENSTORE, work,
		h->handle, 0, NULL);
}

/* ---- the caller's side -------------------------------------------------------------------------
 */

static int check_fds(
	enum sim_point point, const json_t *request, const int *fds, size_t nfds, struct err *err)
{
	size_t want = 0;
	if (point == SIM_AT_EXPORTS)
		want = json_array_size(json_object_get(request, "trees"));
	else if (point == SIM_AT_CREATE)
		want = 3;
	if (nfds != want)
		return err_set(err, ERR_INVALID, "%s takes %zu descriptors, not %zu",
			json_str_opt(request, "t", ""), want, nfds);
	for (size_t i = 0; i < nfds; i++)
		if (fcntl(fds[i], F_GETFD) < 0)
			return err_sys(err, "descriptor %zu of the request", i);
	return 0;
}

static int check_request(struct sim *sim, const json_t *request, struct helper *h, struct err *err)
{
	static const char *const marked[] = {"create", "unpause", "pause", "shutdown", "destroy"};
	const char *t;
	const char *text;
	int64_t n;
	if (json_get_str(request, "t", &t, err) < 0 ||
		json_get_int(request, "op", &h->handle, err) < 0 ||
		json_get_str(request, "uuid", &text, err) < 0 ||
		uuid_parse(text, h->uuid, err) < 0 ||
		json_get_str(request, "lock", &text, err) < 0 ||
		json_get_str(request, "store", &text, err) < 0)
		return -1;
	int point = command_point(t);
	if (point < 0)
		return err_set(err, ERR_INVALID, "unknown command \"%s\"", t);
	for (size_t i = 0; i < ARRAY_SIZE(marked); i++)
		if (!strcmp(t, marked[i]) && json_get_int(request, "generation", &n, err) < 0)
			return -1;
	h->point = (enum sim_point)point;
	if (helper_find(sim, h->handle))
		return err_set(err, ERR_EXISTS, "helper %lld is at work", (long long)h->handle);
	return 0;
}

int64_t sim_act_start(
	struct sim *sim, const json_t *request, const int *fds, size_t nfds, struct err *err)
{
	struct helper proto = {.lock_fd = -1, .fault = SIM_KIND_MAX_};
	const char *text;
	if (check_request(sim, request, &proto, err) < 0 ||
		check_fds(proto.point, request, fds, nfds, err) < 0)
		return -1;
	if (fault_strikes(sim, SIM_AT_START, &text) != SIM_KIND_MAX_)
		return err_set(
			err, ERR_SYSTEM, "start xenpod-act: %s", text ? text : "simulated fault");
	struct helper *h = xcalloc(1, sizeof(*h));
	*h = proto;
	h->epoch = sim->epoch;
	h->request = json_deep_copy(request);
	h->waits_until = time_of(sim) + HELPER_WAIT;
	if (h->point == SIM_AT_CREATE)
		h->lock_fd = fcntl(fds[0], F_DUPFD_CLOEXEC, 3);
	h->next = sim->helpers;
	sim->helpers = h;
	later(sim, latency(sim, SIM_LAT_SPAWN), NEED_NOTHING, begin, h->handle, 0, NULL);
	return h->handle;
}

static void second_frame(struct sim *sim, const struct event *ev)
{
	struct helper *h = helper_find(sim, ev->id);
	if (h && h->stage == HELPER_WAITING)
		command_go(sim, h);
}

void sim_act_send(struct sim *sim, int64_t handle, const json_t *frame)
{
	if (helper_find(sim, handle) && !strcmp(json_str_opt(frame, "t", ""), "go"))
		later(sim, 0, NEED_NOTHING, second_frame, handle, 0, NULL);
}

void sim_act_kill(struct sim *sim, int64_t handle)
{
	struct helper *h = helper_find(sim, handle);
	if (h)
		helper_end(sim, h, STATUS_KILL);
}

bool sim_helper_alive(const struct sim *sim, const char *uuid)
{
	for (const struct helper *h = sim->helpers; h; h = h->next)
		if (!strcmp(h->uuid, uuid))
			return true;
	return false;
}

void sim_helper_kill(struct sim *sim, const char *uuid)
{
	struct helper *next;
	for (struct helper *h = sim->helpers; h; h = next) {
		next = h->next;
		if (!strcmp(h->uuid, uuid))
			helper_end(sim, h, STATUS_KILL);
	}
}

void helpers_abandon(struct sim *sim)
{
	struct helper *next;
	for (struct helper *h = sim->helpers; h; h = next) {
		next = h->next;
		if (h->stage == HELPER_WAITING)
			helper_end(sim, h, 1);
	}
}
