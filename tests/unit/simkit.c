/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the simulated world's tests: see simkit.h. */
#include "simkit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

struct simkit w;
struct err err;

static void line(const char *what, int64_t handle, const json_t *frame)
{
	assert_false(w.inside);
	_cleanup_free_ char *text = frame ? json_text(frame) : NULL;
	fprintf(w.f, "%lld %s %lld %s\n", (long long)(sim_now(w.sim) / 1000000), what,
		(long long)handle, text ? text : "");
}

static void on_watch(void *ctx, const json_t *frame)
{
	(void)ctx;
	line("watch", 0, frame);
	if (w.kill_sensor_at && !strcmp(json_str_opt(frame, "t", ""), w.kill_sensor_at))
		sim_watch_kill(w.sim);
}

static void on_watch_exit(void *ctx)
{
	(void)ctx;
	line("watch-exit", 0, NULL);
}

static void on_act(void *ctx, int64_t handle, const json_t *frame)
{
	(void)ctx;
	line("act", handle, frame);
	if (strcmp(json_str_opt(frame, "t", ""), "created") != 0)
		return;
	w.domid = json_int_opt(frame, "domid", -1);
	w.qemu = json_int_opt(frame, "qemu_pid", -1);
}

static void on_act_exit(void *ctx, int64_t handle, int status)
{
	(void)ctx;
	char what[32];
	snprintf(what, sizeof(what), "exit(%d)", status);
	line(what, handle, NULL);
}

static void on_qemu_exit(void *ctx, const char *uuid, int64_t pid)
{
	(void)ctx;
	assert_string_equal(uuid, UUID);
	line("qemu-exit", pid, NULL);
}

static void on_note(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(w.f, "note %s\n", text);
}

const struct sim_events events = {.watch = on_watch,
	.watch_exit = on_watch_exit,
	.act = on_act,
	.act_exit = on_act_exit,
	.qemu_exit = on_qemu_exit,
	.note = on_note};

void kit_open(uint64_t seed)
{
	struct sim_config cfg = {.seed = seed, .events = events};
	w = (struct simkit){.sim = sim_new(&cfg), .domid = -1};
	w.f = open_memstream(&w.log, &w.len);
	assert_non_null(w.f);
	w.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(w.fd >= 0);
}

void kit_close(void)
{
	w.inside = true;
	sim_free(w.sim);
	fclose(w.f);
	free(w.log);
	close(w.fd);
}

int kit_setup(void **state)
{
	(void)state;
	kit_open(1);
	return 0;
}

int kit_teardown(void **state)
{
	(void)state;
	kit_close();
	err_done(&err);
	return 0;
}

const char *kit_heard(void)
{
	fflush(w.f);
	return w.log ? w.log : "";
}

void kit_forget(void)
{
	fclose(w.f);
	free(w.log);
	w.log = NULL;
	w.f = open_memstream(&w.log, &w.len);
	assert_non_null(w.f);
}

void assert_heard(const char *text)
{
	if (!strstr(kit_heard(), text))
		fail_msg("not heard: %s\n%s", text, kit_heard());
}

void assert_not_heard(const char *text)
{
	if (strstr(kit_heard(), text))
		fail_msg("heard: %s\n%s", text, kit_heard());
}

int kit_times_heard(const char *text)
{
	int n = 0;
	for (const char *p = kit_heard(); (p = strstr(p, text)); p++)
		n++;
	return n;
}

void kit_run(int64_t ns)
{
	sim_advance(w.sim, sim_now(w.sim) + ns);
}

/* ---- speaking ---------------------------------------------------------------------------------
 */

void kit_watch_send(json_t *frame)
{
	w.inside = true;
	assert_ok(sim_watch_send(w.sim, frame, &err), &err);
	w.inside = false;
	json_decref(frame);
}

void kit_watch_domain(int64_t domid)
{
	kit_watch_send(json_make("{s:s, s:s, s:I, s:i}", "t", "watch", "uuid", UUID, "domid",
		(json_int_t)domid, "apps", 1));
}

json_t *kit_request(const char *t)
{
	return json_make("{s:s, s:I, s:s, s:s, s:s, s:I, s:I, s:s}", "t", t, "op",
		(json_int_t)++w.op, "uuid", UUID, "store", STORE, "lock", "/run/x/lock",
		"generation", (json_int_t)1, "domid", (json_int_t)w.domid, "dir", "/run/x/dir");
}

int64_t kit_act(json_t *req, size_t nfds)
{
	int fds[] = {w.fd, w.fd, w.fd};
	w.inside = true;
	int64_t h = sim_act_start(w.sim, req, fds, nfds, &err);
	w.inside = false;
	json_decref(req);
	if (h < 0)
		fail_msg("%s", err_msg(&err));
	return h;
}

/* A command to its end. */
void kit_command(const char *t)
{
	kit_act(kit_request(t), 0);
	kit_run(20 * S);
}

json_t *kit_create_request(const char *const *exec)
{
	json_t *req = kit_request("create");
	json_t *words = json_array();
	for (size_t i = 0; exec[i]; i++)
		json_array_append_new(words, json_string(exec[i]));
	json_object_set_new(req, "type", json_string("pv"));
	json_object_set_new(req, "memory_kib", json_integer(262144));
	json_object_set_new(req, "vcpus", json_integer(1));
	json_object_set_new(req, "trees", json_make("[{s:s}]", "tag", "app0"));
	json_object_set_new(req, "spec",
		json_make("{s:i, s:[{s:s, s:o}]}", "grace_ms", 3000, "apps", "name", "a", "exec",
			words));
	return req;
}

void kit_attach(void)
{
	json_t *req = kit_request("exports");
	json_object_set_new(req, "trees", json_make("[{s:s}]", "tag", "app0"));
	json_object_set_new(req, "cgroup", json_string("/sys/fs/cgroup/x"));
	kit_act(req, 1);
	kit_run(S);
}

void kit_go(int64_t handle)
{
	_cleanup_json_ json_t *f = json_make("{s:s}", "t", "go");
	w.inside = true;
	sim_act_send(w.sim, handle, f);
	w.inside = false;
}

/* Exports, created, watched, gone on; runs one second after that. Returns create's handle. */
int64_t kit_start(const char *const *exec)
{
	sim_set_jitter(w.sim, 0);
	if (!sim_watch_alive(w.sim))
		sim_watch_start(w.sim);
	kit_attach();
	int64_t h = kit_act(kit_create_request(exec), 3);
	kit_run(5 * S);
	assert_true(w.domid > 0);
	kit_watch_domain(w.domid);
	kit_go(h);
	kit_run(S);
	return h;
}

void assert_nothing_left(void)
{
	_cleanup_free_ char *left = sim_left(w.sim);
	if (left)
		fail_msg("left: %s", left);
	assert_int_equal(sim_domains(w.sim), 0);
}

void kit_end(void)
{
	kit_command("destroy");
	kit_command("clear");
	kit_command("release");
	assert_nothing_left();
}

void kit_operate(enum sim_verb verb, const char *uuid)
{
	w.inside = true;
	assert_ok(sim_operator(w.sim, verb, uuid, &err), &err);
	w.inside = false;
	kit_run(5 * S);
}
