/* SPDX-License-Identifier: Apache-2.0 */
/* Domain states, guest nodes and floods: see domain.h. */
#include "watch/domain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/frame.h"
#include "base/json.h"
#include "proto/world.h"

static const char *const reason_names[] = {
#define X(id, name) [LIBXL_SHUTDOWN_REASON_##id] = name,
	WORLD_REASONS(X)
#undef X
};

enum state {
#define X(id, name) STATE_##id,
	WORLD_DOMAIN_STATES(X)
#undef X
};

static const char *const state_names[] = {
#define X(id, name) [STATE_##id] = name,
	WORLD_DOMAIN_STATES(X)
#undef X
};

void domain_state(const libxl_dominfo *info, const char **ret_state, const char **ret_reason)
{
	enum state s = STATE_RUNNING;
	if (info->dying)
		s = STATE_DYING;
	else if (info->shutdown)
		s = STATE_STOPPED;
	else if (info->paused)
		s = STATE_PAUSED;
	*ret_state = state_names[s];
	*ret_reason = NULL;
	int reason = (int)info->shutdown_reason; /* unknown is -1 */
	if (info->shutdown && reason >= 0 && (size_t)reason < ARRAY_SIZE(reason_names))
		*ret_reason = reason_names[reason];
}

/* A node of Dom-0's below the domain's path, or NULL. Caller frees. */
static char *read_own(struct domain_env *env, uint32_t domid, const char *name)
{
	unsigned len;
	_cleanup_free_ char *path = xasprintf("/local/domain/%u/%s", domid, name);
	return xs_read(env->xs, XBT_NULL, path, &len);
}

static void add_number(json_t *frame, const char *key, const char *text)
{
	char *end;
	if (!text || !*text)
		return;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno == 0 && *end == '\0')
		json_object_set_new(frame, key, json_integer(value));
}

static void add_marker(struct domain_env *env, uint32_t domid, json_t *frame)
{
	_cleanup_free_ char *store = read_own(env, domid, WORLD_MARK_STORE);
	_cleanup_free_ char *generation = read_own(env, domid, WORLD_MARK_GENERATION);
	_cleanup_free_ char *built = read_own(env, domid, WORLD_MARK_BUILT);
	_cleanup_free_ char *name = read_own(env, domid, "name");
	_cleanup_free_ char *target = read_own(env, domid, "memory/target");
	if (store)
		json_object_set_new(frame, "store", json_string(store));
	if (name)
		json_object_set_new(frame, "name", json_string(name));
	add_number(frame, "generation", generation);
	add_number(frame, "built", built);
	add_number(frame, "target_kib", target);
}

int domain_report(struct domain_env *env, const libxl_dominfo *info, int64_t n, struct err *err)
{
	char uuid[UUID_TEXT_SIZE];
	const char *state;
	const char *reason;
	uuid_from_bytes(libxl_uuid_bytearray_const(&info->uuid), uuid);
	domain_state(info, &state, &reason);
	_cleanup_json_ json_t *frame = json_make("{s:s, s:I, s:s, s:s, s:s*, s:I, s:I}", "t",
		"domain", "domid", (json_int_t)info->domid, "uuid", uuid, "state", state, "reason",
		reason, "cpu_time_ns", (json_int_t)info->cpu_time, "memory_kib",
		(json_int_t)info->current_memkb);
	if (n >= 0)
		json_object_set_new(frame, "n", json_integer(n));
	add_marker(env, info->domid, frame);
	return frame_send(env->sock, frame, NULL, 0, err);
}

int domain_report_gone(struct domain_env *env, uint32_t domid, const char *uuid, struct err *err)
{
	_cleanup_json_ json_t *frame =
		json_make("{s:s, s:I, s:s}", "t", "gone", "domid", (json_int_t)domid, "uuid", uuid);
	return frame_send(env->sock, frame, NULL, 0, err);
}

/* ---- a watched domain ---- */

static void base_path(const struct domain *d, char *buf, size_t size)
{
	snprintf(buf, size, "/local/domain/%u/" GSTATE_DIR, d->domid);
}

static int nodes_watch(struct domain *d, struct err *err)
{
	char base[64];
	char token[48];
	base_path(d, base, sizeof base);
	snprintf(token, sizeof token, "%u:%llu", d->domid, (unsigned long long)d->tag);
	d->watching = xs_watch(d->env->xs, base, token);
	return d->watching ? 0 : err_sys(err, "watch %s", base);
}

static void nodes_unwatch(struct domain *d)
{
	char base[64];
	char token[48];
	if (!d->watching)
		return;
	base_path(d, base, sizeof base);
	snprintf(token, sizeof token, "%u:%llu", d->domid, (unsigned long long)d->tag);
	xs_unwatch(d->env->xs, base, token);
	d->watching = false;
}

static void nodes_poll(struct ev_loop *loop, ev_timer *timer, int revents);

struct domain *domain_new(struct domain_env *env, uint32_t domid, const char *uuid, unsigned apps,
	uint64_t tag, struct err *err)
{
	struct domain *d = xcalloc(1, sizeof *d);
	d->env = env;
	d->domid = domid;
	d->apps = apps;
	d->tag = tag;
	d->dirty = guestnode_all(apps);
	snprintf(d->uuid, sizeof d->uuid, "%s", uuid);
	flood_init(&d->flood, 1 + apps);
	ev_timer_init(&d->poll, nodes_poll, 1.0, 1.0);
	int r = libxl_evenable_domain_death(env->ctx, domid, tag, &d->evgen);
	if (r)
		err_set(err, ERR_SYSTEM, "domain %u: cannot enable its death event (libxl: %d)",
			domid, r);
	if (nodes_watch(d, err) < 0)
		err_wrap(err, "domain %u", domid);
	return d;
}

void domain_free(struct domain *d)
{
	if (d->evgen)
		libxl_evdisable_domain_death(d->env->ctx, d->evgen);
	nodes_unwatch(d);
	ev_timer_stop(d->env->loop, &d->poll);
	for (size_t i = 0; i < ARRAY_SIZE(d->value); i++)
		free(d->value[i]);
	free(d);
}

static int node_report(struct domain *d, unsigned node, struct err *err)
{
	char key[GUESTNODE_KEY_SIZE];
	guestnode_key(node, key);
	_cleanup_json_ json_t *frame = json_make("{s:s, s:I, s:s, s:s, s:s}", "t", "guest", "domid",
		(json_int_t)d->domid, "uuid", d->uuid, "key", key, "value", d->value[node]);
	return frame_send(d->env->sock, frame, NULL, 0, err);
}

/* EACCES, EINVAL: the guest's own doing (permissions it changed); anything else is xenstored's. */
static bool is_guests_fault(int e)
{
	return e == ENOENT || e == EACCES || e == EINVAL || e == E2BIG;
}

static int node_read(struct domain *d, unsigned node, struct err *err)
{
	char path[96];
	char key[GUESTNODE_KEY_SIZE];
	char clean[GSTATE_VALUE_MAX + 1];
	unsigned len;
	guestnode_key(node, key);
	snprintf(path, sizeof path, "/local/domain/%u/" GSTATE_DIR "/%s", d->domid, key);
	_cleanup_free_ char *value = xs_read(d->env->xs, XBT_NULL, path, &len);
	if (!value)
		return is_guests_fault(errno) ? 0 : err_sys(err, "read %s from xenstore", path);
	guestnode_clean(value, len, clean);
	if (d->value[node] && strcmp(d->value[node], clean) == 0)
		return 0;
	free(d->value[node]);
	d->value[node] = xstrdup(clean);
	return node_report(d, node, err);
}

int domain_read_nodes(struct domain *d, struct err *err)
{
	for (unsigned node = 0; node <= d->apps; node++) {
		uint64_t bit = UINT64_C(1) << node;
		if (!(d->dirty & bit))
			continue;
		d->dirty &= ~bit;
		if (node_read(d, node, err) < 0)
			return -1;
	}
	return 0;
}

bool domain_is_dying(const struct domain *d)
{
	return d->state == state_names[STATE_DYING];
}

static void forget_reports(struct domain *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(d->value); i++) {
		free(d->value[i]);
		d->value[i] = NULL;
	}
	d->dirty = guestnode_all(d->apps);
}

int domain_update(struct domain *d, const libxl_dominfo *info, bool force, struct err *err)
{
	const char *state;
	const char *reason;
	domain_state(info, &state, &reason);
	if (!force && d->state == state && d->reason == reason)
		return 0;
	if (force)
		forget_reports(d);
	/* What the guest wrote before it stopped is told before the stop itself. */
	bool ends = info->dying || info->shutdown;
	if (ends) {
		d->dirty = guestnode_all(d->apps);
		if (domain_read_nodes(d, err) < 0)
			return -1;
	}
	d->state = state;
	d->reason = reason;
	return domain_report(d->env, info, -1, err);
}

/* ---- floods ---- */

static int noisy_report(struct domain *d, struct err *err)
{
	_cleanup_json_ json_t *frame = json_make("{s:s, s:I, s:s, s:b}", "t", "noisy", "domid",
		(json_int_t)d->domid, "uuid", d->uuid, "on", (int)d->noisy);
	return frame_send(d->env->sock, frame, NULL, 0, err);
}

int domain_watch_event(struct domain *d, const char *path, struct err *err)
{
	char base[64];
	base_path(d, base, sizeof base);
	if (!d->watching)
		return 0;
	d->dirty |= guestnode_changed(base, path, d->apps);
	if (!flood_event(&d->flood, ev_now(d->env->loop)))
		return 0;
	nodes_unwatch(d);
	d->polls_left = (unsigned)flood_pause(&d->flood);
	ev_timer_again(d->env->loop, &d->poll);
	if (d->noisy)
		return 0;
	d->noisy = true;
	return noisy_report(d, err);
}

static int poll_turn(struct domain *d, struct err *err)
{
	d->dirty = guestnode_all(d->apps);
	if (domain_read_nodes(d, err) < 0)
		return -1;
	if (--d->polls_left)
		return 0;
	ev_timer_stop(d->env->loop, &d->poll);
	if (nodes_watch(d, err) < 0)
		return -1;
	d->noisy = false;
	return noisy_report(d, err);
}

static void nodes_poll(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop;
	(void)revents;
	struct domain *d = container_of(timer, struct domain, poll);
	_cleanup_err_ struct err err = {0};
	if (poll_turn(d, &err) < 0)
		d->env->failed(d->env, &err);
}
