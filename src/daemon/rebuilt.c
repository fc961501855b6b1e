/* SPDX-License-Identifier: Apache-2.0 */
/* What a pod that is found again looks like, and its rows. See rebuild.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "daemon/custody.h"
#include "daemon/rebuild_int.h"
#include "daemon/rktfiles.h"
#include "proto/spec.h"

#define MS           INT64_C(1000000)
#define MANIFEST_MAX ((size_t)4 * 1024 * 1024)
#define CODE_MAX     255

/* ---- where its directory is ------------------------------------------------------------------- */

/* rkt moves it when the pod has ended (contract, section 4). */
static int open_dir(const char *dir)
{
	static const char *const places[] = {"exited-garbage", "garbage"};
	int fd = *dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	const char *uuid = strrchr(dir, '/');
	const char *run = uuid && uuid != dir ? memrchr(dir, '/', (size_t)(uuid - dir)) : NULL;
	for (size_t i = 0; fd < 0 && run && i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *moved =
			xasprintf("%.*s/%s%s", (int)(run - dir), dir, places[i], uuid);
		fd = open(moved, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd;
}

static json_t *apps_of_manifest(const char *dir)
{
	json_t *apps = json_array();
	_cleanup_free_ char *path = xasprintf("%s/pod", dir);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	size_t i;
	const json_t *app;
	if (!*dir || file_read_at(AT_FDCWD, path, MANIFEST_MAX, &text, &len, NULL) < 0)
		return apps;
	_cleanup_json_ json_t *manifest = json_parse(text, len, path, NULL);
	json_array_foreach (json_object_get(manifest, "apps"), i, app) {
		const char *name = json_str_opt(app, "name", "");
		if (*name && strlen(name) <= SPEC_NAME_MAX && i < SPEC_MAX_APPS)
			json_array_append_new(apps, json_make("{s:s}", "name", name));
	}
	return apps;
}

/* Without a record: enough for the pod to be shown, stopped and ended. */
static json_t *make_request(const char *uuid, const struct orphan *d)
{
	_cleanup_free_ char *dir = custody_dir(d->built, uuid);
	const char *at = dir ? dir : "";
	json_t *guest = json_make("{s:i, s:s, s:o}", "version", SPEC_VERSION, "uuid", uuid, "apps",
		apps_of_manifest(at));
	return json_make("{s:s, s:s, s:s, s:s, s:I, s:i, s:s, s:[], s:o, s:b}", "uuid", uuid, "dir",
		at, "owner", "rkt", "type", "auto", "memory_kib", (json_int_t)d->memory_kib,
		"vcpus", SPEC_VCPUS, "net", "none", "trees", "guest", guest, REQUEST_REBUILT, 1);
}

/* ---- what its files say ----------------------------------------------------------------------- */

/* As we wrote it when the app had ended; whether it was a signal is not told apart there. */
static void read_code(int rkt_fd, struct pod_app *a)
{
	_cleanup_free_ char *path = xasprintf("status/%s", a->name);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	if (!*a->name || strchr(a->name, '/') || fstatat(rkt_fd, path, &st, 0) < 0 ||
		file_read_at(rkt_fd, path, 16, &text, NULL, NULL) < 0)
		return;
	char *end = NULL;
	long code = strtol(text, &end, 10);
	if (end == text || code < 0 || code > CODE_MAX)
		return;
	a->kind = GSTATE_EXITED;
	a->code = (int)code;
	a->ended_at = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

/* True: all of them had ended. */
static bool read_codes(int dir_fd, struct pod *p)
{
	_cleanup_fd_ int rkt_fd = dir_fd < 0 ? -1 : rktfiles_open(dir_fd);
	size_t known = 0;
	for (size_t i = 0; rkt_fd >= 0 && i < p->napps; i++) {
		read_code(rkt_fd, &p->app[i]);
		known += pod_app_ended(&p->app[i]);
	}
	return p->napps && known == p->napps;
}

static void note_lock(struct pod *p, int dir_fd)
{
	struct stat st;
	if (p->lock_ino || dir_fd < 0 || fstat(dir_fd, &st) < 0)
		return;
	p->lock_dev = (int64_t)st.st_dev;
	p->lock_ino = (int64_t)st.st_ino;
}

/* ---- what its domain says --------------------------------------------------------------------- */

/* Every state here is left by what the sensors tell next, or by its deadline. */
static enum pod_state state_of(const struct orphan *d)
{
	if (!strcmp(d->state, "dying") || d->built <= 0)
		return POD_DESTROYING; /* half destroyed, half built */
	if (strcmp(d->state, "paused") != 0)
		return POD_BOOTING; /* until its guest says more */
	/* One that has never run waits for its first unpause; else somebody has paused it. */
	return d->cpu_ns == 0 ? POD_UNPAUSING : POD_PAUSED;
}

static struct pod_core adopted(struct engine *e, struct pod *p, const struct orphan *d)
{
	struct world *w = engine_cfg(e)->world;
	struct pod_core core = {
		.state = state_of(d),
		.want = WANT_UP,
		.cause = d->built <= 0 ? CAUSE_CREATE_FAILED : CAUSE_NONE,
		.seq = 1,
		.domid = d->domid,
		.generation = d->generation,
		.code = -1,
	};
	if (d->built <= 0)
		return core;
	core.qemu_pid = d->built;
	p->qemu_alive = w->ops->qemu_watch(w, p->uuid, d->built, 0, &core.qemu_start) == 0;
	p->qemu_watched = d->built;
	return core;
}

/* ---- what neither says ------------------------------------------------------------------------ */

static struct pod_core ended(struct engine *e, const json_t *record, bool codes_known)
{
	const struct engine_config *cfg = engine_cfg(e);
	bool boot = strcmp(json_str_opt(record, "boot", ""), cfg->boot_id) != 0;
	struct pod_core core = {
		.state = POD_CLEARING,
		.want = WANT_DOWN,
		.cause = boot && !codes_known ? CAUSE_HOST_REBOOT : CAUSE_RECORD_LOST,
		.seq = 1,
		.domid = -1,
		/* It may have grown after it was written: numbers are not used twice. */
		.generation = json_int_opt(record, "generation", 0) + 1,
		.code = -1,
	};
	snprintf(core.message, sizeof core.message, "the database was lost: %s",
		store_loss(cfg->store)->why);
	return core;
}

struct pod *rebuilt_pod(
	struct engine *e, const char *uuid, const json_t *record, const struct orphan *domain)
{
	const struct engine_config *cfg = engine_cfg(e);
	struct pod *p = pod_new(uuid);
	_cleanup_json_ json_t *request = record ? json_incref(json_object_get(record, "request"))
						: make_request(uuid, domain);
	pod_set_request(p, request);
	_cleanup_fd_ int dir_fd = open_dir(pod_dir(p));
	if (json_is_array(json_object_get(record, "nets")))
		pod_set_nets(p, json_object_get(record, "nets"));
	p->lock_dev = json_int_opt(record, "lock_dev", 0);
	p->lock_ino = json_int_opt(record, "lock_ino", 0);
	p->created_at = json_int_opt(record, "created", cfg->wall_ns(cfg->clock));
	note_lock(p, dir_fd);
	p->core = domain ? adopted(e, p, domain) : ended(e, record, read_codes(dir_fd, p));
	int64_t ms = pod_state_deadline_ms(p->core.state);
	p->core.deadline_ns = ms ? engine_now(e) + ms * MS : 0;
	return p;
}

void rebuilt_request(struct pod *p, json_t *request)
{
	struct pod_app *old = TAKE_PTR(p->app);
	size_t n = p->napps;
	pod_set_request(p, request);
	/* The manifest's order is the request's. */
	for (size_t i = 0; i < n && i < p->napps; i++)
		if (!strcmp(old[i].name, p->app[i].name))
			p->app[i] = old[i];
	free(old);
	_cleanup_fd_ int dir_fd = open_dir(pod_dir(p));
	note_lock(p, dir_fd);
}

/* ---- rows ------------------------------------------------------------------------------------- */

static enum pod_effect effect_of(enum pod_state s)
{
	switch (s) {
	case POD_DESTROYING:
		return FX_DESTROY;
	case POD_UNPAUSING:
		return FX_GO;
	case POD_CLEARING:
		return FX_CLEAR;
	default:
		return FX_NONE;
	}
}

static int write_outbox(struct store *s, const struct pod *p, struct err *err)
{
	enum pod_effect fx = effect_of(p->core.state);
	struct outbox_row r = {.generation = p->core.generation,
		.seq = p->core.seq,
		.effect = pod_borrow(pod_effect_name(fx))};
	int64_t id;
	memcpy(r.uuid, p->uuid, sizeof r.uuid);
	return fx == FX_NONE ? 0 : store_outbox_add(s, &r, &id, err);
}

/* What it may have in Dom-0: released by the ordinary ways, which find what is not there done. */
static int write_ledger(struct store *s, const struct pod *p, struct err *err)
{
	static const struct {
		const char *kind;
		bool of_domain, of_network;
	} kinds[] = {{"exports", false, false}, {"cgroup", false, false}, {"domain", true, false},
		{"qemu", true, false}, {"log", false, false}, {"network", false, true}};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if ((kinds[i].of_domain && p->core.domid < 0) ||
			(kinds[i].of_network && !pod_network(p)))
			continue;
		int64_t generation = kinds[i].of_domain ? p->core.generation : 0;
		if (store_ledger_put(s, p->uuid, generation, kinds[i].kind, p->uuid, "held", err) <
			0)
			return -1;
	}
	return 0;
}

static int write_history(struct engine *e, const struct pod *p, struct err *err)
{
	const struct engine_config *cfg = engine_cfg(e);
	struct history_row h = {
		.at = cfg->wall_ns(cfg->clock),
		.event = pod_borrow("rebuilt"),
		.from = pod_borrow("lost"),
		.to = pod_borrow(pod_state_name(p->core.state)),
		.cause = pod_borrow(pod_cause_name(p->core.cause)),
		.domid = p->core.domid,
		.generation = p->core.generation,
	};
	memcpy(h.uuid, p->uuid, sizeof h.uuid);
	return store_history_add(cfg->store, &h, NULL, err);
}

static int write_apps(struct store *s, const struct pod *p, struct err *err)
{
	for (size_t i = 0; i < p->napps; i++) {
		struct app_row a;
		pod_app_to_row(p, i, &a);
		if (store_app_put(s, p->uuid, &a, err) < 0)
			return -1;
	}
	return 0;
}

int rebuilt_write(struct engine *e, const struct pod *p, struct err *err)
{
	struct store *s = engine_cfg(e)->store;
	struct pod_row row;
	_cleanup_free_ char *request = json_text(pod_request(p));
	_cleanup_free_ char *nets = p->nets ? json_text(p->nets) : NULL;
	pod_to_row(p, engine_cfg(e)->boot_id, &row);
	row.request = request;
	if (store_pod_insert(s, &row, err) < 0 || write_apps(s, p, err) < 0 ||
		write_history(e, p, err) < 0 || write_outbox(s, p, err) < 0 ||
		write_ledger(s, p, err) < 0)
		return -1;
	return nets ? store_networks_put(s, p->uuid, nets, err) : 0;
}
