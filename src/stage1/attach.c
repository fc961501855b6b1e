/* SPDX-License-Identifier: Apache-2.0 */
/* Session call and ring together: see attach.h. */
#include "stage1/attach.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "proto/api.h"
#include "stage1/hook.h"

#define SESSION_RETRY_MS 1000

static void drop_session(struct attach *a)
{
	session_free(a->session);
	a->session = NULL;
}

void attach_let_go(struct attach *a)
{
	if (a->session)
		session_let_go(a->session);
	drop_session(a);
	link_close(&a->link);
	a->over = true;
}

static enum attach_result over(struct attach *a)
{
	attach_let_go(a);
	return ATTACH_OVER;
}

/* ---- the Session call ---------------------------------------------------------------------------
 */

static void on_domain(struct attach *a, const json_t *event)
{
	int64_t domid = json_int_opt(event, "domid", -1);
	int64_t generation = json_int_opt(event, "generation", 0);
	if (domid < 0 || domid > UINT16_MAX)
		return;
	/* Told again after a restart of the supervisor: the ring stays as it is. */
	if (a->known && (a->domid != (uint32_t)domid || a->generation != generation))
		drop_session(a);
	a->known = true;
	a->domid = (uint32_t)domid;
	a->generation = generation;
}

static enum attach_result on_event(struct attach *a, const json_t *event, struct err *err)
{
	if (strcmp(json_str_opt(event, "event", ""), "unmap")) {
		on_domain(a, event);
		return ATTACH_GOES_ON;
	}
	err_set(err, ERR_STATE, "pod %s has ended", a->uuid);
	return over(a);
}

int attach_open(struct attach *a, struct err *err)
{
	json_t *params = json_make("{s:s, s:i}", "uuid", a->uuid, "pid", (int)getpid());
	return link_open(&a->link, API_SESSION, params, NULL, 0, err);
}

static enum attach_result link_turn(struct attach *a, struct err *err)
{
	if (!a->link.v && (link_wait_ms(&a->link) != 0 || attach_open(a, err) < 0))
		return ATTACH_GOES_ON;
	for (;;) {
		_cleanup_json_ json_t *event = NULL;
		int r = link_next(&a->link, &event, err);
		if (r == 0 || r == LINK_LOST)
			return ATTACH_GOES_ON;
		if (r < 0 && err->code != ERR_UNAVAILABLE && err->code != ERR_TIMEOUT)
			return over(a); /* no such pod, or not running any more */
		if (r < 0) {
			link_retry(&a->link);
			return ATTACH_GOES_ON;
		}
		if (on_event(a, event, err) == ATTACH_OVER)
			return ATTACH_OVER;
	}
}

/* ---- the ring -----------------------------------------------------------------------------------
 */

static enum attach_result fault(struct attach *a)
{
	drop_session(a);
	a->session_at = clock_ms() + SESSION_RETRY_MS;
	return ATTACH_FAULT;
}

static enum attach_result session_step(struct attach *a, struct err *err)
{
	if (!a->session) {
		if (!a->known || clock_ms() < a->session_at)
			return ATTACH_GOES_ON;
		a->session = session_new(a->uuid, a->domid, a->hello(a->user, a->generation),
			a->on_frame, a->user, err);
		if (!a->session)
			return fault(a);
	}
	switch (session_turn(a->session, err)) {
	case SESSION_GONE:
		err_done(err);
		err_set(err, ERR_STATE, "pod %s has ended: its domain is gone", a->uuid);
		return over(a);
	case SESSION_CLOSED:
		return fault(a);
	case SESSION_GOES_ON:
	default:
		return ATTACH_GOES_ON;
	}
}

enum attach_result attach_turn(struct attach *a, struct err *err)
{
	if (a->over)
		return ATTACH_GOES_ON;
	if (link_turn(a, err) == ATTACH_OVER)
		return ATTACH_OVER;
	return session_step(a, err);
}

void attach_poll(const struct attach *a, struct pollfd ret[ATTACH_POLLFDS])
{
	for (int i = 0; i < ATTACH_POLLFDS; i++)
		ret[i] = (struct pollfd){.fd = -1, .events = POLLIN};
	if (a->link.v)
		ret[0].fd = varlink_fd(a->link.v);
	if (a->session)
		session_poll(a->session, ret + 1);
}

int attach_wait_ms(const struct attach *a)
{
	if (a->over)
		return -1;
	int link = link_wait_ms(&a->link);
	int session = -1;
	if (a->session) {
		session = session_wait_ms(a->session);
	} else if (a->known) {
		int64_t left = a->session_at - clock_ms();
		session = left > 0 ? (int)left : 0;
	}
	return hook_earliest(link, session);
}
