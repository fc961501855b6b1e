/* SPDX-License-Identifier: Apache-2.0 */
/* The standing call: see link.h. */
#include "stage1/link.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "proto/api.h"
#include "stage1/hook.h"

#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 2000

void link_close(struct link *l)
{
	varlink_free(l->v);
	l->v = NULL;
}

void link_retry(struct link *l)
{
	link_close(l);
	l->backoff_ms = l->backoff_ms ? l->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (l->backoff_ms > BACKOFF_MAX_MS)
		l->backoff_ms = BACKOFF_MAX_MS;
	l->retry_at = clock_ms() + l->backoff_ms;
}

int link_open(struct link *l, const char *method, json_t *params, const int *fds, size_t nfds,
	struct err *err)
{
	_cleanup_free_ char *path = hook_admin_socket();
	link_close(l);
	l->v = varlink_connect(path, err);
	if (!l->v) {
		json_decref(params);
		link_retry(l);
		return -1;
	}
	if (varlink_call(l->v, method, params, true, fds, nfds, err) < 0) {
		link_retry(l);
		return -1;
	}
	return 0;
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 0) > 0;
}

/* 1, 0 or LINK_LOST. */
static int next_message(struct link *l, json_t **ret, struct err *err)
{
	for (;;) {
		int r = varlink_next(l->v, ret, err);
		if (r > 0)
			return 1;
		if (r == 0 && !readable(varlink_fd(l->v)))
			return 0;
		if (r == 0)
			r = varlink_fill(l->v, err);
		if (r == FRAME_AGAIN)
			return 0;
		if (r <= 0) {
			link_retry(l);
			return LINK_LOST;
		}
	}
}

static int error_of(const json_t *msg, struct err *err)
{
	const char *name = json_str_opt(msg, "error", "");
	const char *text = json_str_opt(json_object_get(msg, "parameters"), "message", name);
	size_t skip = strlen(API_INTERFACE);
	if (strncmp(name, API_INTERFACE, skip))
		skip = 0;
	return err_set(err, err_code_from_name(name + skip), "%s", text);
}

int link_next(struct link *l, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *msg = NULL;
	if (!l->v)
		return 0;
	int r = next_message(l, &msg, err);
	if (r <= 0)
		return r;
	if (json_object_get(msg, "error"))
		return error_of(msg, err);
	l->backoff_ms = 0;
	l->told = false;
	json_t *params = json_object_get(msg, "parameters");
	*ret = params ? json_incref(params) : json_object();
	return 1;
}

int link_wait_ms(const struct link *l)
{
	if (l->v)
		return -1;
	int64_t left = l->retry_at - clock_ms();
	return left > 0 ? (int)left : 0;
}

bool link_worth_retry(const struct err *err)
{
	return err->code == ERR_UNAVAILABLE || err->code == ERR_STATE || err->code == ERR_TIMEOUT;
}
