/* SPDX-License-Identifier: Apache-2.0 */
/* Receiving a request, the helper lock, the cgroup, the answer: see act.h. */
#include "act/act.h"

#include <string.h>
#include <unistd.h>

#include "act/cgroup.h"
#include "act/lock.h"
#include "base/cleanup.h"
#include "base/crash.h"
#include "base/json.h"
#include "base/log.h"

/* joins: what the command starts must be born in the pod's cgroup. */
static const struct command {
	const char *t;
	act_fn run;
	bool marked; /* has store and generation */
	bool joins;
} commands[] = {
	{"exports", act_exports, false, true},
	{"network", act_network, false, true},
	{"create", act_create, true, false}, /* joins when what is left in it has gone */
	{"unpause", act_unpause, true, false},
	{"pause", act_pause, true, false},
	{"shutdown", act_shutdown, true, false},
	{"destroy", act_destroy, true, false},
	{"clear", act_clear, false, false}, /* kills that cgroup */
	{"release", act_release, false, false},
};

static const struct command *command_find(const char *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].t, t) == 0)
			return &commands[i];
	return NULL;
}

int act_open_hv(const struct act *a, struct hv *hv, struct err *err)
{
	return hv_open(hv, hv_log_level(json_str_opt(a->request, "log", "warn")), err);
}

bool act_path_is_plain(const char *path)
{
	size_t len = strlen(path);
	return path[0] == '/' && len >= 2 && path[len - 1] != '/' && !strstr(path, "/../") &&
	       !strstr(path, "//") && (len < 3 || strcmp(path + len - 3, "/..") != 0);
}

int act_get_path(const struct act *a, const char *key, const char **ret, struct err *err)
{
	const char *path;
	if (json_get_str(a->request, key, &path, err) < 0)
		return -1;
	if (!act_path_is_plain(path))
		return err_set(
			err, ERR_INVALID, "\"%s\": %s is not a plain absolute path", key, path);
	*ret = path;
	return 0;
}

static int request_read(struct act *a, const struct command **ret, struct err *err)
{
	const char *t;
	const char *uuid;
	int r = frame_recv(a->sock, &a->request, &a->fds, err);
	if (r <= 0)
		return r < 0 ? -1 : err_set(err, ERR_UNAVAILABLE, "no request came");
	a->op = json_int_opt(a->request, "op", 0);
	if (json_get_str(a->request, "t", &t, err) < 0 ||
		json_get_int(a->request, "op", &a->op, err) < 0 ||
		json_get_str(a->request, "uuid", &uuid, err) < 0 ||
		uuid_parse(uuid, a->id.uuid, err) < 0)
		return -1;
	*ret = command_find(t);
	if (!*ret)
		return err_set(err, ERR_INVALID, "unknown command \"%s\"", t);
	if (!(*ret)->marked)
		return 0;
	if (json_get_str(a->request, "store", &a->id.store, err) < 0)
		return -1;
	return json_get_int(a->request, "generation", &a->id.generation, err);
}

static int run(struct act *a, struct err *err)
{
	const struct command *c = NULL;
	const char *lock = NULL;
	if (request_read(a, &c, err) < 0 || act_get_path(a, "lock", &lock, err) < 0)
		return -1;
	if (json_is_string(json_object_get(a->request, "cgroup")) &&
		act_get_path(a, "cgroup", &a->cgroup, err) < 0)
		return -1;
	a->helper_lock = lock_take(lock, err);
	if (a->helper_lock < 0)
		return -1;
	crash_point(c->t);
	/* A plugin of an earlier try may be at work still, whose helper was killed. */
	if (c->run == act_network && a->cgroup && cgroup_clear(a->cgroup, err) < 0)
		return -1;
	if (c->joins && a->cgroup && cgroup_join(a->cgroup, err) < 0)
		return -1;
	a->answer = json_make("{s:s, s:I}", "t", "done", "op", (json_int_t)a->op);
	return c->run(a, err);
}

static int answer(struct act *a, int result, const struct err *why)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *failed = NULL;
	if (result < 0) {
		log_err("%s", err_msg(why));
		failed = json_make("{s:s, s:I, s:s, s:s}", "t", "failed", "op", (json_int_t)a->op,
			"code", err_code_name(why->code), "message", err_msg(why));
	}
	crash_point("answer");
	if (frame_send(a->sock, failed ? failed : a->answer, NULL, 0, &err) < 0)
		log_err("the answer was lost: %s", err_msg(&err));
	crash_point("answer-sent");
	return result < 0 ? 1 : 0;
}

int act_serve(int sock)
{
	struct act a = {.sock = sock, .helper_lock = -1};
	_cleanup_err_ struct err err = {0};
	int result = run(&a, &err);
	int status = answer(&a, result, &err);
	json_decref(a.answer);
	json_decref(a.request);
	fds_done(&a.fds);
	fd_close(&a.helper_lock);
	return status;
}
