/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helper commands: one xenpod-act process (or simulated one) per command, a bounded number at a
 * time, at most one per pod. Their answers become ordinary events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/crash.h"
#include "base/json.h"
#include "daemon/engine_int.h"
#include "daemon/logs.h"

static const struct {
	enum pod_effect fx;
	const char *verb; /* proto/world.h */
} verbs[] = {
	{FX_EXPORT, "exports"},
	{FX_NETWORK, "network"},
	{FX_CREATE, "create"},
	{FX_GO, "unpause"},
	{FX_PAUSE, "pause"},
	{FX_RESUME, "unpause"},
	{FX_SHUTDOWN, "shutdown"},
	{FX_DESTROY, "destroy"},
	{FX_CLEAR, "clear"},
	{FX_RELEASE, "release"},
};

static const char *verb_of(enum pod_effect fx)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (verbs[i].fx == fx)
			return verbs[i].verb;
	return NULL;
}

/* ---- requests ----------------------------------------------------------------------------- */

static void add_domain(json_t *r, const struct pod *p)
{
	json_object_set_new(r, "generation", json_integer(p->core.generation));
	json_object_set_new(r, "domid", json_integer(p->core.domid));
}

/* What plugins are told again when the network is given back, whatever has become of their confs. */
static void add_network(json_t *r, const struct pod *p)
{
	/* No domain was ever made: nobody will ask what its addresses were. */
	if (pod_has_network(p) && p->core.generation == 0)
		json_object_set_new(r, "undo", json_true());
	if (pod_has_network(p))
		json_object_set(r, "network", pod_network(p));
	if (p->nets)
		json_object_set(r, "nets", p->nets);
}

/* The confs and the plugins' results have no part in it, and the frame is bounded. */
static void add_interfaces(json_t *r, const struct pod *p)
{
	static const char *const copied[] = {"name", "ifname", "dns", "ifconf", "dhcp"};
	size_t i;
	const json_t *net;
	json_t *list = json_array();
	json_array_foreach (p->nets, i, net) {
		json_t *to = json_object();
		for (size_t k = 0; k < ARRAY_SIZE(copied); k++)
			if (json_object_get(net, copied[k]))
				json_object_set(to, copied[k], json_object_get(net, copied[k]));
		json_array_append_new(list, to);
	}
	json_object_set_new(r, "nets", list);
	json_object_set_new(
		r, "guard", json_boolean(json_bool_opt(pod_network(p), "guard", false)));
	json_object_set_new(
		r, "resolv", json_boolean(json_bool_opt(pod_network(p), "resolv", false)));
}

static void add_create(json_t *r, const struct pod *p)
{
	static const char *const copied[] = {"type", "memory_kib", "vcpus", "trees"};
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++) {
		json_t *v = json_object_get(pod_request(p), copied[i]);
		if (v)
			json_object_set(r, copied[i], v);
	}
	_cleanup_json_ json_t *spec = json_copy(pod_guest_spec(p));
	json_object_set_new(spec, "generation", json_integer(p->core.generation));
	json_object_set(r, "spec", spec);
	json_object_set_new(r, "generation", json_integer(p->core.generation));
	if (p->nets)
		add_interfaces(r, p);
}

static void add_logs(json_t *r, const char *uuid)
{
	json_t *list = json_array();
	for (size_t i = 0; i < LOGS_PER_POD; i++) {
		_cleanup_free_ char *path = logs_path(LOGS_DIR, i, uuid);
		json_array_append_new(list, json_string(path));
	}
	json_object_set_new(r, "logs", list);
}

/* What every command is told, whosever UUID it is about. */
static json_t *make_head(const struct engine *e, const struct op *o, const char *uuid)
{
	_cleanup_free_ char *dir = xasprintf("%s/pods/%s", e->cfg.run_dir, uuid);
	_cleanup_free_ char *lock = xasprintf("%s/lock/%s", e->cfg.run_dir, uuid);
	json_t *r = json_make("{s:s, s:I, s:s, s:s, s:s, s:s}", "t", verb_of(o->fx), "op",
		(json_int_t)o->id, "uuid", uuid, "store", store_id(e->cfg.store), "lock", lock,
		"dir", dir);
	if (e->cfg.cgroup_root) {
		_cleanup_free_ char *cg = xasprintf("%s/pod-%s", e->cfg.cgroup_root, uuid);
		json_object_set_new(r, "cgroup", json_string(cg));
	}
	if (o->fx == FX_RELEASE)
		add_logs(r, uuid);
	return r;
}

static json_t *make_command(const struct engine *e, const struct op *o)
{
	const struct engine_command *c = o->command;
	json_t *r = make_head(e, o, c->uuid);
	if (o->fx != FX_DESTROY)
		return r;
	json_object_set_new(r, "generation", json_integer(c->generation));
	json_object_set_new(r, "domid", json_integer(c->domid));
	json_object_set_new(r, "marked", json_true());
	return r;
}

static json_t *make_request(const struct engine *e, const struct op *o)
{
	const struct pod *p = o->pod;
	if (o->command)
		return make_command(e, o);
	json_t *r = make_head(e, o, p->uuid);
	if (o->fx == FX_EXPORT)
		json_object_set(r, "trees", json_object_get(pod_request(p), "trees"));
	else if (o->fx == FX_CREATE)
		add_create(r, p);
	else if (o->fx != FX_CLEAR && o->fx != FX_RELEASE && o->fx != FX_NETWORK)
		add_domain(r, p);
	else
		add_network(r, p);
	/* What a life before had is not given back yet: plugins allocate nothing twice. */
	if (o->fx == FX_NETWORK && p->core.generation > 0)
		json_object_set_new(r, "again", json_true());
	return r;
}

static size_t request_fds(const struct op *o, int ret[FRAME_MAX_FDS])
{
	const struct pod *p = o->pod;
	if (o->fx == FX_EXPORT) {
		memcpy(ret, p->trees.fd, p->trees.n * sizeof(int));
		return p->trees.n;
	}
	if (o->fx != FX_CREATE)
		return 0;
	ret[0] = p->lock_fd;
	ret[1] = p->kernel_fd;
	ret[2] = p->ramdisk_fd;
	return 3;
}

/* ---- answers ------------------------------------------------------------------------------ */

static struct op **find(struct engine *e, int64_t id)
{
	struct op **at = &e->ops;
	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

/* `code`: a name of err.h, as the frame has it. */
static void answer_command(const struct op *o, bool ok, const char *message, const char *code)
{
	_cleanup_err_ struct err err = {0};
	if (!ok)
		err_set(&err, err_code_from_name(code), "%s", message);
	o->command->done(o->command->ctx, ok ? NULL : &err);
}

static void answer(
	struct engine *e, struct op *o, bool ok, const char *message, const json_t *frame)
{
	if (o->answered)
		return; /* said twice: the first word counts */
	o->answered = true;
	crash_point("answered");
	if (o->command) {
		answer_command(o, ok, message, json_str_opt(frame, "code", ""));
		return;
	}
	if (o->pod->op == o->id)
		o->pod->op = 0;
	if (ok)
		seen_acted(o->pod, o->fx);
	struct event_args args = {.domid = -1,
		.outbox = o->outbox,
		.message = message,
		.nets = ok && o->fx == FX_NETWORK ? json_object_get(frame, "nets") : NULL};
	engine_post(e, o->pod, ok ? pod_effect_done(o->fx) : pod_effect_failed(o->fx), &args);
}

static void created(struct engine *e, struct op *o, const json_t *frame)
{
	struct event_args args = {
		.domid = json_int_opt(frame, "domid", -1),
		.qemu_pid = json_int_opt(frame, "qemu_pid", 0),
		.outbox = o->outbox,
	};
	struct pod *p = o->pod;
	p->qemu_alive = args.qemu_pid > 0 && e->cfg.world->ops->qemu_watch(e->cfg.world, p->uuid,
						     args.qemu_pid, 0, &args.qemu_start) == 0;
	p->qemu_watched = args.qemu_pid;
	engine_post(e, p, EV_CREATED, &args);
}

void engine_act_frame(struct engine *e, int64_t op, const json_t *frame)
{
	struct op *o = *find(e, op);
	const char *t = json_str_opt(frame, "t", "");
	if (!o || o->killed)
		return;
	if (!strcmp(t, "created") && o->fx == FX_CREATE)
		created(e, o, frame);
	else if (!strcmp(t, "done"))
		answer(e, o, true, NULL, frame);
	else if (!strcmp(t, "failed"))
		answer(e, o, false, json_str_opt(frame, "message", "no reason given"), frame);
}

/* The create that waits for "go" goes on as the first unpause; without it a helper of its own does.
 */
void op_go(struct engine *e, struct pod *p, int64_t outbox)
{
	struct op *o = *find(e, p->op);
	if (!o || o->fx != FX_CREATE || !o->started || o->answered) {
		op_start(e, p, FX_GO, outbox);
		return;
	}
	o->fx = FX_GO;
	o->outbox = outbox;
	_cleanup_json_ json_t *go = json_make("{s:s}", "t", "go");
	e->cfg.world->ops->act_send(e->cfg.world, o->id, go);
	crash_point("go-sent");
}

static void unlink_op(struct engine *e, struct op **at)
{
	struct op *o = *at;
	if (!o)
		return;
	*at = o->next;
	if (!*at)
		e->ops_tail = at;
	if (o->started) {
		e->running_ops--;
		e->running[o->lane]--;
	}
	free(o->command);
	free(o);
}

void engine_act_exit(struct engine *e, int64_t op, int status)
{
	struct op **at = find(e, op);
	struct op *o = *at;
	if (!o)
		return;
	if (!o->killed && !o->answered) {
		char why[96];
		snprintf(why, sizeof why, "xenpod-act %s ended without an answer (status %d)",
			verb_of(o->fx), status);
		answer(e, o, false, why, NULL);
	}
	unlink_op(e, at);
}

/* ---- starting ----------------------------------------------------------------------------- */

static void start(struct engine *e, struct op *o)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *request = make_request(e, o);
	int fds[FRAME_MAX_FDS];
	size_t nfds = request_fds(o, fds);
	o->started = true;
	e->running_ops++;
	e->running[o->lane]++;
	int r = e->cfg.world->ops->act_start(e->cfg.world, o->id, request, fds, nfds, &err);
	crash_point("helper");
	if (r == 0)
		return;
	answer(e, o, false, err_msg(&err), NULL);
	unlink_op(e, find(e, o->id));
}

static bool has_place(const struct engine *e, const struct op *o)
{
	switch (o->lane) {
	case LANE_CREATE:
		return e->running[LANE_CREATE] < e->cfg.max_starts;
	case LANE_PLUGINS:
		return e->running[LANE_PLUGINS] < plugin_places(e);
	default:
		return true;
	}
}

void engine_set_limits(struct engine *e, int max_starts, int max_helpers)
{
	e->cfg.max_starts = max_starts;
	e->cfg.max_helpers = max_helpers;
}

void ops_pump(struct engine *e)
{
	struct op *next;
	for (struct op *o = e->ops; o && e->running_ops < e->cfg.max_helpers; o = next) {
		next = o->next;
		if (!o->started && has_place(e, o))
			start(e, o);
	}
}

static enum lane lane_of(const struct pod *p, enum pod_effect fx)
{
	if (fx == FX_CREATE)
		return LANE_CREATE;
	bool calls = fx == FX_NETWORK || fx == FX_CLEAR || fx == FX_RELEASE;
	return calls && pod_has_network(p) ? LANE_PLUGINS : LANE_QUICK;
}

/* The pod's running command gives way: its answer does not matter any more. */
void op_cancel(struct engine *e, struct pod *p)
{
	struct op **at = &e->ops;
	while (*at) {
		struct op *o = *at;
		if (o->pod != p || o->killed) {
			at = &o->next;
		} else if (o->started) {
			o->killed = true;
			o->pod = NULL;
			e->cfg.world->ops->act_kill(e->cfg.world, o->id);
			at = &o->next;
		} else {
			unlink_op(e, at);
		}
	}
	p->op = 0;
}

static struct op *append(struct engine *e, enum pod_effect fx)
{
	struct op *o = xcalloc(1, sizeof *o);
	o->id = ++e->next_op;
	o->fx = fx;
	*e->ops_tail = o;
	e->ops_tail = &o->next;
	return o;
}

void op_start(struct engine *e, struct pod *p, enum pod_effect fx, int64_t outbox)
{
	op_cancel(e, p);
	struct op *o = append(e, fx);
	o->pod = p;
	o->lane = lane_of(p, fx);
	o->outbox = outbox;
	p->op = o->id;
}

int64_t engine_command(struct engine *e, const struct engine_command *c)
{
	struct op *o = append(e, c->fx);
	o->command = xcalloc(1, sizeof *c);
	*o->command = *c;
	return o->id;
}

void engine_command_kill(struct engine *e, int64_t id)
{
	const struct op *o = *find(e, id);
	if (o && o->started)
		e->cfg.world->ops->act_kill(e->cfg.world, id);
}

void ops_free(struct engine *e)
{
	while (e->ops)
		unlink_op(e, &e->ops);
}
