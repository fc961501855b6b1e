/* SPDX-License-Identifier: Apache-2.0 */
/* Stop calls: see stopper.h. */
#include "stage1/stopper.h"

#include <poll.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "proto/api.h"
#include "stage1/hook.h"

#define RETRY_MS 500

void stopper_want(struct stopper *s, enum stop_level level)
{
	if (level > s->wanted)
		s->wanted = level;
	s->retry_at = 0;
}

static void hang_up(struct stopper *s)
{
	varlink_free(s->v);
	s->v = NULL;
}

static void try_later(struct stopper *s)
{
	hang_up(s);
	s->retry_at = clock_ms() + RETRY_MS;
}

static void call(struct stopper *s)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *path = hook_admin_socket();
	hang_up(s);
	s->v = varlink_connect(path, &err);
	json_t *params =
		json_make("{s:s, s:b}", "uuid", s->uuid, "force", s->wanted == STOP_FORCE ? 1 : 0);
	s->calling = s->wanted;
	if (!s->v)
		json_decref(params);
	if (!s->v || varlink_call(s->v, API_STOP, params, false, NULL, 0, &err) < 0)
		try_later(s);
}

static void answer(struct stopper *s)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *reply = NULL;
	struct pollfd p = {.fd = varlink_fd(s->v), .events = POLLIN};
	if (poll(&p, 1, 0) <= 0)
		return;
	if (varlink_reply(s->v, 0, &reply, NULL, &err) < 0) {
		if (err.code == ERR_TIMEOUT)
			return; /* a part of the answer */
		if (err.code == ERR_UNAVAILABLE || err.code == ERR_STATE) {
			try_later(s);
			return;
		}
		log_err("stop: %s", err_msg(&err));
	}
	s->done = s->calling;
	hang_up(s);
}

void stopper_turn(struct stopper *s)
{
	if (s->v)
		answer(s);
	if (s->wanted > s->done && (!s->v || s->wanted > s->calling) && clock_ms() >= s->retry_at)
		call(s);
}

int stopper_fd(const struct stopper *s)
{
	return s->v ? varlink_fd(s->v) : -1;
}

int stopper_wait_ms(const struct stopper *s)
{
	if (s->v || s->wanted <= s->done)
		return -1;
	int64_t left = s->retry_at - clock_ms();
	return left > 0 ? (int)left : 0;
}

void stopper_done(struct stopper *s)
{
	hang_up(s);
}
