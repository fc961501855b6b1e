/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: sim proto base */
/*
 * The simulated world: each frame of proto/world.h is produced and understood, the same seed gives
 * the same history, each fault does what it says, nothing is left after an ordinary life.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "proto/gstate.h"
#include "proto/spec.h"
#include "sim/sim.h"

#define UUID  "0f8a6e2c-5b1d-4e7f-9a3c-1d2e3f4a5b6c"
#define OTHER "11111111-2222-4333-8444-555555555555"
#define STORE "aaaabbbbccccddddeeeeffff00001111"
#define S     INT64_C(1000000000)
#define LONG  (600 * S)

/* What was heard, a line each, and the last numbers out of it. */
struct world {
	struct sim *sim;
	char *log;
	size_t len;
	FILE *f;
	bool inside; /* of a call that must not call back */
	int64_t domid, qemu;
	int64_t op;
	const char *kill_sensor_at; /* when this frame is heard; NULL: never */
	int fd;                     /* stands for lock, kernel, ramdisk, trees */
};

static struct world w;
static struct err err;

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

static const struct sim_events events = {.watch = on_watch,
	.watch_exit = on_watch_exit,
	.act = on_act,
	.act_exit = on_act_exit,
	.qemu_exit = on_qemu_exit,
	.note = on_note};

static void world_open(uint64_t seed)
{
	struct sim_config cfg = {.seed = seed, .events = events};
	w = (struct world){.sim = sim_new(&cfg), .domid = -1};
	w.f = open_memstream(&w.log, &w.len);
	assert_non_null(w.f);
	w.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(w.fd >= 0);
}

static void world_close(void)
{
	w.inside = true;
	sim_free(w.sim);
	fclose(w.f);
	free(w.log);
	close(w.fd);
}

static int setup(void **state)
{
	(void)state;
	world_open(1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	err_done(&err);
	return 0;
}

static const char *heard(void)
{
	fflush(w.f);
	return w.log ? w.log : "";
}

static void forget(void)
{
	fclose(w.f);
	free(w.log);
	w.log = NULL;
	w.f = open_memstream(&w.log, &w.len);
	assert_non_null(w.f);
}

static void assert_heard(const char *text)
{
	if (!strstr(heard(), text))
		fail_msg("not heard: %s\n%s", text, heard());
}

static void assert_not_heard(const char *text)
{
	if (strstr(heard(), text))
		fail_msg("heard: %s\n%s", text, heard());
}

static int times_heard(const char *text)
{
	int n = 0;
	for (const char *p = heard(); (p = strstr(p, text)); p++)
		n++;
	return n;
}

static void run(int64_t ns)
{
	sim_advance(w.sim, sim_now(w.sim) + ns);
}

/* ---- speaking ---------------------------------------------------------------------------------
 */

static void watch_send(json_t *frame)
{
	w.inside = true;
	assert_ok(sim_watch_send(w.sim, frame, &err), &err);
	w.inside = false;
	json_decref(frame);
}

static void watch_domain(int64_t domid)
{
	watch_send(json_make("{s:s, s:s, s:I, s:i}", "t", "watch", "uuid", UUID, "domid",
		(json_int_t)domid, "apps", 1));
}

static json_t *request(const char *t)
{
	return json_make("{s:s, s:I, s:s, s:s, s:s, s:I, s:I, s:s}", "t", t, "op",
		(json_int_t)++w.op, "uuid", UUID, "store", STORE, "lock", "/run/x/lock",
		"generation", (json_int_t)1, "domid", (json_int_t)w.domid, "dir", "/run/x/dir");
}

static int64_t act(json_t *req, size_t nfds)
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
static void command(const char *t)
{
	act(request(t), 0);
	run(20 * S);
}

static json_t *create_request(const char *const *exec)
{
	json_t *req = request("create");
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

static void attach(void)
{
	json_t *req = request("exports");
	json_object_set_new(req, "trees", json_make("[{s:s}]", "tag", "app0"));
	json_object_set_new(req, "cgroup", json_string("/sys/fs/cgroup/x"));
	act(req, 1);
	run(S);
}

static void go(int64_t handle)
{
	_cleanup_json_ json_t *f = json_make("{s:s}", "t", "go");
	w.inside = true;
	sim_act_send(w.sim, handle, f);
	w.inside = false;
}

#define EXEC(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Exports, created, watched, gone on; runs one second after that. Returns create's handle. */
static int64_t start(const char *const *exec)
{
	sim_set_jitter(w.sim, 0);
	if (!sim_watch_alive(w.sim))
		sim_watch_start(w.sim);
	attach();
	int64_t h = act(create_request(exec), 3);
	run(5 * S);
	assert_true(w.domid > 0);
	watch_domain(w.domid);
	go(h);
	run(S);
	return h;
}

static void assert_nothing_left(void)
{
	_cleanup_free_ char *left = sim_left(w.sim);
	if (left)
		fail_msg("left: %s", left);
	assert_int_equal(sim_domains(w.sim), 0);
}

static void end(void)
{
	command("destroy");
	command("clear");
	command("release");
	assert_nothing_left();
}

/* ---- sensors ----------------------------------------------------------------------------------
 */

static void test_sensors_say_hello_and_answer(void **state)
{
	(void)state;
	_cleanup_json_ json_t *ping = json_make("{s:s, s:i}", "t", "ping", "n", 1);
	assert_fails(sim_watch_send(w.sim, ping, &err), &err, ERR_UNAVAILABLE, "not running");
	sim_watch_start(w.sim);
	assert_true(sim_watch_alive(w.sim));
	watch_send(json_make("{s:s, s:i}", "t", "ping", "n", 7));
	watch_send(json_make("{s:s, s:i}", "t", "list", "n", 8));
	watch_send(json_make("{s:s}", "t", "dance"));
	watch_send(json_make("{s:s, s:i}", "t", "watch", "domid", 3));
	run(S);
	const char *hello = strstr(heard(), "\"t\":\"hello\"");
	const char *pong = strstr(heard(), "{\"t\":\"pong\",\"n\":7}");
	assert_non_null(hello);
	assert_non_null(pong);
	assert_true(hello < pong);
	assert_heard("\"version\":1,\"xen\":\"4.17");
	assert_heard("\"pv\":true,\"hvm\":true}");
	assert_heard("{\"t\":\"list-begin\",\"n\":8}");
	assert_heard("{\"t\":\"list-end\",\"n\":8}");
	assert_heard("\"t\":\"fault\",\"message\":\"unknown frame dance\"");
	assert_heard("\"t\":\"fault\",\"message\":\"watch: ");
}

static void test_sensors_are_killed_and_start_again(void **state)
{
	(void)state;
	start(EXEC("sim", "forever"));
	run(10 * S);
	forget();
	watch_send(json_make("{s:s, s:i}", "t", "ping", "n", 7));
	w.inside = true;
	sim_watch_kill(w.sim);
	w.inside = false;
	assert_false(sim_watch_alive(w.sim));
	run(S);
	assert_heard("watch-exit");
	assert_not_heard("pong");
	forget();
	sim_watch_start(w.sim);
	run(S);
	assert_heard("hello");
	assert_ok(sim_operator(w.sim, SIM_PANIC, UUID, &err), &err);
	run(S);
	assert_not_heard("crash"); /* not watched any more */
	watch_domain(w.domid);
	run(S);
	assert_heard("\"state\":\"stopped\",\"reason\":\"crash\"");
}

static void test_what_a_killed_sensor_had_to_say_is_lost(void **state)
{
	(void)state;
	sim_watch_start(w.sim);
	run(S);
	forget();
	w.kill_sensor_at = "list-begin";
	watch_send(json_make("{s:s, s:i}", "t", "list", "n", 8));
	run(S);
	assert_heard("list-begin");
	assert_not_heard("list-end");
	assert_heard("watch-exit");
}

static void test_a_watch_of_another_domain_says_gone(void **state)
{
	(void)state;
	sim_watch_start(w.sim);
	watch_domain(5);
	run(S);
	assert_heard("{\"t\":\"gone\",\"domid\":5,\"uuid\":\"" UUID "\"}");
}

static void test_silence_while_xenstored_is_down(void **state)
{
	(void)state;
	start(EXEC("sim", "forever"));
	run(10 * S);
	forget();
	sim_xenstored(w.sim, false);
	watch_send(json_make("{s:s, s:i}", "t", "ping", "n", 7));
	act(request("shutdown"), 0);
	run(100 * S);
	assert_string_equal(heard(), "");
	assert_int_equal(sim_next_due(w.sim), -1);
	sim_xenstored(w.sim, true);
	run(10 * S);
	assert_heard("pong");
	assert_heard("\"t\":\"done\"");
	assert_heard("done 0");
}

/* ---- a life ------------------------------------------------------------------------------------
 */

static void test_a_life_frame_by_frame(void **state)
{
	(void)state;
	int64_t h = start(EXEC("sim", "exit", "3", "after", "2s"));
	assert_true(sim_qemu_alive(w.sim, w.qemu));
	assert_true(sim_qemu_start(w.sim, w.qemu) > 0);
	assert_int_equal(h, 2);
	run(20 * S);
	end();
	static const char story[] =
		"50 watch 0 {\"t\":\"hello\",\"version\":1,\"xen\":\"4.17.5-sim\",\"pv\":true,"
		"\"hvm\":true}\n"
		"50 act 1 {\"t\":\"done\",\"op\":1}\n"
		"50 exit(0) 1 \n"
		"3220 act 2 {\"t\":\"created\",\"op\":2,\"domid\":1,\"qemu_pid\":4200000}\n"
		"6002 watch 0 {\"t\":\"domain\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"state\":\"paused\",\"cpu_time_ns\":0,\"memory_kib\":262144,\"name\":\"" UUID
		"\",\"store\":\"" STORE "\",\"generation\":1,\"built\":4200000}\n"
		"6100 act 2 {\"t\":\"done\",\"op\":2}\n"
		"6100 exit(0) 2 \n"
		"12102 watch 0 {\"t\":\"guest\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"key\":\"pod\",\"value\":\"1 booting\"}\n"
		"12102 watch 0 {\"t\":\"guest\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"key\":\"app/0\",\"value\":\"1 starting\"}\n"
		"12352 watch 0 {\"t\":\"guest\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"key\":\"app/0\",\"value\":\"2 running\"}\n"
		"12352 watch 0 {\"t\":\"guest\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"key\":\"pod\",\"value\":\"2 running\"}\n"
		"14352 watch 0 {\"t\":\"guest\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"key\":\"app/0\",\"value\":\"3 exited 3\"}\n"
		"14352 watch 0 {\"t\":\"guest\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"key\":\"pod\",\"value\":\"4 done 3\"}\n"
		"27720 act 3 {\"t\":\"done\",\"dying\":true,\"op\":3}\n"
		"27720 exit(0) 3 \n"
		"27722 watch 0 {\"t\":\"domain\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"state\":\"dying\",\"cpu_time_ns\":2702750000,\"memory_kib\":262144}\n"
		"27800 qemu-exit 4200000 \n"
		"27872 watch 0 {\"t\":\"gone\",\"domid\":1,\"uuid\":\"" UUID "\"}\n"
		"47060 act 4 {\"t\":\"done\",\"lazy\":0,\"op\":4}\n"
		"47060 exit(0) 4 \n"
		"67030 act 5 {\"t\":\"done\",\"op\":5}\n"
		"67030 exit(0) 5 \n";
	assert_string_equal(heard(), story);
}

static char *life_of(uint64_t seed)
{
	world_close();
	world_open(seed);
	sim_watch_start(w.sim);
	attach();
	int64_t h = act(create_request(EXEC("sim", "stubborn")), 3);
	run(5 * S);
	watch_domain(w.domid);
	go(h);
	run(10 * S);
	command("shutdown");
	end();
	return xstrdup(heard());
}

static void test_one_seed_is_one_history(void **state)
{
	(void)state;
	_cleanup_free_ char *a = life_of(7);
	_cleanup_free_ char *b = life_of(7);
	_cleanup_free_ char *c = life_of(8);
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
}

static void test_nothing_is_called_back_from_inside_a_call(void **state)
{
	(void)state;
	int64_t h = start(EXEC("sim", "forever"));
	w.inside = true;
	sim_act_kill(w.sim, h);
	sim_qemu_kill(w.sim, w.qemu);
	sim_watch_kill(w.sim);
	assert_ok(sim_operator(w.sim, SIM_DESTROY, UUID, &err), &err);
	w.inside = false;
	assert_true(sim_next_due(w.sim) >= 0);
	run(10 * S);
	assert_heard("qemu-exit");
}

/* ---- guests ------------------------------------------------------------------------------------
 */

static void assert_guest(const char *const *exec, const char *const *expected)
{
	start(exec);
	run(30 * S);
	for (size_t i = 0; expected[i]; i++)
		assert_heard(expected[i]);
}

static void test_app_ends_by_signal(void **state)
{
	(void)state;
	assert_guest(EXEC("sim", "killed", "9", "after", "1s"),
		EXEC("\"app/0\",\"value\":\"3 killed 9\"", "\"value\":\"4 done 137\""));
}

static void test_app_that_cannot_be_executed(void **state)
{
	(void)state;
	assert_guest(EXEC("sim", "exec-fails"), EXEC("failed 203", "done 203"));
	assert_not_heard("running\"");
}

static void test_init_that_fails(void **state)
{
	(void)state;
	assert_guest(EXEC("sim", "init-fails"), EXEC("\"2 failed cannot mount"));
	assert_not_heard("\"value\":\"3");
}

static void test_panic_and_reboot(void **state)
{
	(void)state;
	assert_guest(EXEC("sim", "panic", "after", "1s"), EXEC("stopped\",\"reason\":\"crash\""));
	end();
	assert_guest(EXEC("sim", "reboot", "after", "1s"), EXEC("stopped\",\"reason\":\"reboot\""));
}

static void test_guest_that_never_boots(void **state)
{
	(void)state;
	start(EXEC("sim", "never-boots"));
	run(LONG);
	assert_not_heard("\"guest\"");
	command("shutdown");
	assert_not_heard("\"guest\"");
	end();
}

static void test_garbage_is_nonsense_but_printable(void **state)
{
	(void)state;
	start(EXEC("sim", "garbage"));
	run(20 * S);
	size_t i;
	size_t n = 0;
	const char *p = heard();
	while ((p = strstr(p, "\"key\":\"app/0\",\"value\":\""))) {
		struct gstate g;
		p += strlen("\"key\":\"app/0\",\"value\":\"");
		i = strcspn(p, "\"");
		for (size_t k = 0; k < i; k++)
			assert_in_range(p[k], 0x20, 0x7e);
		assert_int_equal(gstate_parse(GSTATE_APP, p, i, &g), -1);
		n++;
	}
	assert_true(n > 0);
	assert_heard("2 running");
}

static void test_flood_is_noisy_for_a_while(void **state)
{
	(void)state;
	start(EXEC("sim", "flood"));
	run(30 * S);
	assert_heard("\"t\":\"noisy\",\"domid\":1,\"uuid\":\"" UUID "\",\"on\":true");
	assert_heard("\"on\":false");
}

static void test_willing_and_stubborn_apps_stop(void **state)
{
	(void)state;
	start(EXEC("/bin/sleep", "1"));
	run(20 * S);
	forget();
	act(request("shutdown"), 0);
	run(S);
	assert_heard("3 stopping");
	assert_heard("3 exited 0");
	assert_heard("4 done 0");
	end();

	start(EXEC("sim", "stubborn"));
	run(20 * S);
	forget();
	act(request("shutdown"), 0);
	run(2 * S);
	assert_heard("stopping");
	assert_not_heard("done 137");
	run(2 * S);
	assert_heard("killed 9");
	assert_heard("done 137");
}

static void test_a_stop_before_init_is_up_is_remembered(void **state)
{
	(void)state;
	start(EXEC("sim", "forever"));
	act(request("shutdown"), 0);
	run(2 * S);
	assert_not_heard("\"guest\"");
	run(20 * S);
	assert_heard("stopping");
	assert_heard("done 0");
}

static void test_first_failure_stops_the_others(void **state)
{
	(void)state;
	sim_set_jitter(w.sim, 0);
	sim_watch_start(w.sim);
	attach();
	json_t *req = create_request(EXEC("sim", "forever"));
	json_array_append_new(json_object_get(json_object_get(req, "spec"), "apps"),
		json_make("{s:s, s:[s, s, s, s, s]}", "name", "b", "exec", "sim", "exit", "5",
			"after", "1s"));
	int64_t h = act(req, 3);
	run(5 * S);
	watch_send(json_make("{s:s, s:s, s:I, s:i}", "t", "watch", "uuid", UUID, "domid",
		(json_int_t)w.domid, "apps", 2));
	go(h);
	run(30 * S);
	assert_heard("\"app/1\",\"value\":\"3 exited 5\"");
	assert_heard("\"app/0\",\"value\":\"3 exited 0\"");
	assert_heard("done 5");
}

static void test_a_paused_guest_stands_still(void **state)
{
	(void)state;
	start(EXEC("sim", "forever"));
	run(10 * S);
	forget();
	command("pause");
	assert_heard("done");
	assert_not_heard("\"domain\""); /* Xen tells nobody */
	command("shutdown");
	run(100 * S);
	assert_not_heard("stopping");
	watch_send(json_make("{s:s, s:i}", "t", "list", "n", 1));
	run(S);
	assert_heard("\"state\":\"paused\"");
	command("unpause");
	assert_heard("stopping");
	assert_heard("done 0");
}

static void test_a_guest_that_powers_off(void **state)
{
	(void)state;
	world_close();
	struct sim_config cfg = {.powers_off = true, .events = events};
	world_open(1);
	sim_free(w.sim);
	w.sim = sim_new(&cfg);
	start(EXEC("sim", "exit", "0"));
	run(20 * S);
	assert_heard("\"state\":\"stopped\",\"reason\":\"poweroff\"");
}

/* ---- operators ---------------------------------------------------------------------------------
 */

static void operate(enum sim_verb verb, const char *uuid)
{
	w.inside = true;
	assert_ok(sim_operator(w.sim, verb, uuid, &err), &err);
	w.inside = false;
	run(5 * S);
}

static void test_operators_act_from_outside(void **state)
{
	(void)state;
	assert_fails(sim_operator(w.sim, SIM_DESTROY, UUID, &err), &err, ERR_NOTFOUND, UUID);
	start(EXEC("sim", "forever"));
	run(10 * S);
	operate(SIM_SHUTDOWN, UUID);
	assert_heard("done 0");
	operate(SIM_POWEROFF, UUID);
	assert_heard("\"reason\":\"poweroff\"");
	operate(SIM_DESTROY, UUID);
	assert_heard("\"state\":\"dying\"");
	assert_heard("qemu-exit");
	assert_heard("\"gone\"");
	command("destroy"); /* nothing there: done */
	assert_heard("\"dying\":false");
}

static void test_a_frozen_guest_and_a_lost_qemu(void **state)
{
	(void)state;
	start(EXEC("sim", "forever"));
	run(10 * S);
	forget();
	operate(SIM_FREEZE, UUID);
	command("shutdown");
	assert_not_heard("stopping");
	end();

	start(EXEC("sim", "forever"));
	run(10 * S);
	forget();
	operate(SIM_KILL_QEMU, UUID);
	assert_heard("qemu-exit");
	command("shutdown");
	assert_not_heard("stopping");
	end();
}

static void test_a_held_domain_stays_listed_as_dying(void **state)
{
	(void)state;
	start(EXEC("sim", "forever"));
	operate(SIM_HOLD, UUID);
	command("destroy");
	run(LONG);
	assert_not_heard("\"gone\"");
	assert_int_equal(sim_domains(w.sim), 1);
	/* No second one beside it. */
	act(create_request(EXEC("sim", "forever")), 3);
	run(10 * S);
	assert_heard("\"code\":\"Exists\"");
	operate(SIM_UNHOLD, UUID);
	assert_heard("\"gone\"");
	assert_int_equal(sim_domains(w.sim), 0);
}

static void test_a_stranger_is_never_touched(void **state)
{
	(void)state;
	sim_watch_start(w.sim);
	operate(SIM_STRANGER, UUID);
	w.domid = 1;
	command("destroy");
	assert_heard("\"code\":\"NotPossibleNow\"");
	command("pause");
	assert_int_equal(times_heard("NotPossibleNow"), 2);
	assert_int_equal(sim_domains(w.sim), 1);
	watch_send(json_make("{s:s, s:i}", "t", "list", "n", 1));
	run(S);
	assert_not_heard("\"store\"");
	assert_heard("\"state\":\"running\"");
}

static void test_another_generation_or_store_is_left_alone(void **state)
{
	(void)state;
	start(EXEC("sim", "forever"));
	forget();
	json_t *req = request("destroy");
	json_object_set_new(req, "generation", json_integer(2));
	act(req, 0);
	run(5 * S);
	req = request("destroy");
	json_object_set_new(req, "store", json_string("another"));
	json_object_set_new(req, "domid", json_integer(-1));
	act(req, 0);
	run(5 * S);
	assert_int_equal(times_heard("\"code\":\"NotPossibleNow\""), 2);
	assert_int_equal(sim_domains(w.sim), 1);
	end();
}

/* ---- helpers -----------------------------------------------------------------------------------
 */

static void test_requests_that_the_real_one_would_refuse(void **state)
{
	(void)state;
	_cleanup_json_ json_t *req = request("dance");
	assert_call((int)sim_act_start(w.sim, req, NULL, 0, &err), &err, -1);
	assert_err(&err, ERR_INVALID, "dance");
	_cleanup_json_ json_t *create = create_request(EXEC("x"));
	assert_call((int)sim_act_start(w.sim, create, &w.fd, 1, &err), &err, -1);
	assert_err(&err, ERR_INVALID, "3 descriptors, not 1");
	json_object_del(create, "generation");
	int fds[] = {w.fd, w.fd, w.fd};
	assert_call((int)sim_act_start(w.sim, create, fds, 3, &err), &err, -1);
	assert_err(&err, ERR_INVALID, "generation");
	act(request("clear"), 0);
	_cleanup_json_ json_t *again = request("clear");
	json_object_set_new(again, "op", json_integer(w.op - 1));
	assert_call((int)sim_act_start(w.sim, again, NULL, 0, &err), &err, -1);
	assert_err(&err, ERR_EXISTS, "at work");
	run(S);
	/* Trees that were never attached. */
	act(create_request(EXEC("x")), 3);
	run(5 * S);
	assert_heard("1 trees to export, 0 are attached");
	assert_int_equal(sim_domains(w.sim), 0);
}

static void test_helpers_of_one_pod_wait_for_each_other(void **state)
{
	(void)state;
	int64_t h = start(EXEC("sim", "forever"));
	(void)h;
	forget();
	sim_set_jitter(w.sim, 0);
	int64_t first = act(request("destroy"), 0);
	run(100000000);
	int64_t second = act(request("clear"), 0);
	run(5 * S);
	_cleanup_free_ char *a = xasprintf("exit(0) %lld", (long long)first);
	_cleanup_free_ char *b = xasprintf("exit(0) %lld", (long long)second);
	const char *pa = strstr(heard(), a);
	const char *pb = strstr(heard(), b);
	assert_non_null(pa);
	assert_non_null(pb);
	assert_true(pa < pb);

	sim_fault(w.sim, SIM_AT_CLEAR, 0, 1, SIM_KIND_HANG, NULL);
	first = act(request("clear"), 0);
	run(S);
	act(request("release"), 0);
	run(20 * S);
	assert_heard("\"code\":\"TimedOut\"");
	sim_act_kill(w.sim, first);
	run(S);
	assert_heard("exit(137)");
}

static void test_the_lock_is_held_as_long_as_qemu_lives(void **state)
{
	(void)state;
	char path[] = "/tmp/xenpod-sim-XXXXXX";
	int lock = mkstemp(path);
	assert_true(lock >= 0);
	int other = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
	close(w.fd);
	w.fd = lock; /* the caller's copy */
	start(EXEC("sim", "forever"));
	close(w.fd);
	w.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_SH | LOCK_NB), -1);
	operate(SIM_KILL_QEMU, UUID);
	assert_int_equal(flock(other, LOCK_SH | LOCK_NB), 0);
	close(other);
}

static void test_killed_at_work_a_helper_leaves_the_half_done(void **state)
{
	(void)state;
	sim_set_jitter(w.sim, 0);
	attach();
	int64_t h = act(create_request(EXEC("x")), 3);
	run(1500000000); /* listed, but not built */
	assert_true(sim_helper_alive(w.sim, UUID));
	sim_helper_kill(w.sim, UUID);
	assert_false(sim_helper_alive(w.sim, UUID));
	(void)h;
	run(10 * S);
	assert_heard("exit(137)");
	assert_not_heard("created");
	assert_int_equal(sim_domains(w.sim), 1);
	sim_watch_start(w.sim);
	watch_send(json_make("{s:s, s:i}", "t", "list", "n", 1));
	run(S);
	assert_heard("\"generation\":1,\"n\":1}");
	assert_not_heard("built");
	w.domid = -1;
	end();
}

static void test_death_of_the_supervisor(void **state)
{
	(void)state;
	/* Waiting for go: the domain stays paused and built. */
	sim_set_jitter(w.sim, 0);
	sim_watch_start(w.sim);
	attach();
	act(create_request(EXEC("sim", "forever")), 3);
	run(5 * S);
	forget();
	sim_adopt(w.sim, &events);
	run(5 * S);
	assert_string_equal(heard(), "");
	assert_false(sim_helper_alive(w.sim, UUID));
	assert_false(sim_watch_alive(w.sim));
	/* At work: it goes on unheard. */
	act(request("unpause"), 0);
	run(20000000);
	sim_adopt(w.sim, &events);
	run(S);
	assert_string_equal(heard(), "");
	sim_watch_start(w.sim);
	watch_send(json_make("{s:s, s:i}", "t", "list", "n", 1));
	run(S);
	assert_heard("\"state\":\"running\"");
	assert_heard("\"built\":4200000");
	end();
}

/* ---- faults ------------------------------------------------------------------------------------
 */

struct fault_case {
	const char *t;
	enum sim_point point;
};

static const struct fault_case plain[] = {
	{"unpause", SIM_AT_UNPAUSE}, {"pause", SIM_AT_PAUSE}, {"shutdown", SIM_AT_SHUTDOWN},
	{"clear", SIM_AT_CLEAR}, {"release", SIM_AT_RELEASE},
	{"destroy", SIM_AT_DESTROY}, /* last: the others need the domain */
};

static void fault_and_run(const struct fault_case *c, enum sim_kind kind)
{
	forget();
	sim_fault(w.sim, c->point, 1, 1, kind, "no luck");
	command(c->t); /* the first passes */
	assert_int_equal(times_heard("exit(0)"), 1);
	forget();
	command(c->t);
}

static void test_each_command_fails_hangs_dies_doubles_and_is_lost(void **state)
{
	(void)state;
	start(EXEC("sim", "forever"));
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		fault_and_run(&plain[i], SIM_KIND_FAIL);
		assert_heard("\"t\":\"failed\",\"code\":\"System\",\"message\":\"no luck\"");
		assert_heard("exit(1)");
		fault_and_run(&plain[i], SIM_KIND_DIE);
		assert_heard("exit(255)");
		assert_not_heard("act");
		fault_and_run(&plain[i], SIM_KIND_LOST);
		assert_heard("exit(255)");
		assert_not_heard("act");
		fault_and_run(&plain[i], SIM_KIND_DOUBLE);
		assert_int_equal(times_heard("\"t\":\"done\""), 2);
		assert_int_equal(times_heard("exit"), 1);
		fault_and_run(&plain[i], SIM_KIND_SLOW);
		assert_heard("exit(0)");
		fault_and_run(&plain[i], SIM_KIND_HANG);
		run(LONG);
		assert_not_heard("exit");
		assert_true(sim_helper_alive(w.sim, UUID));
		sim_helper_kill(w.sim, UUID);
		run(S);
		assert_heard("exit(137)");
	}
}

static void test_a_slow_command_takes_twenty_times_as_long(void **state)
{
	(void)state;
	sim_set_jitter(w.sim, 0);
	sim_fault(w.sim, SIM_AT_CLEAR, 0, 1, SIM_KIND_SLOW, NULL);
	act(request("clear"), 0);
	run(819 * S / 1000); /* spawn 20 + 20 * 40 */
	assert_not_heard("done");
	run(S / 1000);
	assert_heard("820 act");
}

static void test_faults_of_create(void **state)
{
	(void)state;
	static const struct {
		enum sim_point point;
		enum sim_kind kind;
		const char *heard;
		size_t domains;
		bool qemu;
	} cases[] = {
		{SIM_AT_CREATE, SIM_KIND_FAIL, "no luck", 0, false},
		{SIM_AT_CREATE, SIM_KIND_DIE, "exit(255)", 0, false},
		{SIM_AT_CREATE, SIM_KIND_LOST, "exit(255)", 1, true},
		{SIM_AT_BUILD, SIM_KIND_FAIL, "cannot create the domain: no luck", 0, false},
		{SIM_AT_BUILD, SIM_KIND_DIE, "exit(255)", 1, false},
		{SIM_AT_BUILD, SIM_KIND_LOST, "exit(255)", 1, true},
		{SIM_AT_BUILD, SIM_KIND_SLOW, "created", 1, true},
		{SIM_AT_BUILD, SIM_KIND_DOUBLE, "created", 1, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		attach();
		forget();
		sim_fault(w.sim, cases[i].point, 0, 1, cases[i].kind, "no luck");
		act(create_request(EXEC("x")), 3);
		run(60 * S);
		assert_heard(cases[i].heard);
		_cleanup_free_ char *left = sim_left(w.sim);
		assert_int_equal(sim_domains(w.sim), cases[i].domains);
		assert_int_equal(strstr(left, "qemu ") != NULL, cases[i].qemu);
		sim_helper_kill(w.sim, UUID);
		w.domid = -1;
		end();
	}
}

static void test_faults_of_go(void **state)
{
	(void)state;
	static const enum sim_kind kinds[] = {
		SIM_KIND_FAIL, SIM_KIND_DIE, SIM_KIND_HANG, SIM_KIND_LOST, SIM_KIND_SLOW};
	static const char *const said[] = {
		"no luck", "exit(255)", "created", "exit(255)", "exit(0)"};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		sim_fault(w.sim, SIM_AT_GO, 0, 1, kinds[i], "no luck");
		forget();
		start(EXEC("sim", "forever"));
		run(20 * S);
		assert_heard(said[i]);
		bool runs = kinds[i] == SIM_KIND_LOST || kinds[i] == SIM_KIND_SLOW;
		assert_int_equal(times_heard("2 running") > 0, runs);
		sim_helper_kill(w.sim, UUID);
		end();
	}
}

static void test_a_helper_that_cannot_be_started(void **state)
{
	(void)state;
	sim_fault(w.sim, SIM_AT_START, 0, 1, SIM_KIND_FAIL, "no processes left");
	_cleanup_json_ json_t *req = request("clear");
	assert_call((int)sim_act_start(w.sim, req, NULL, 0, &err), &err, -1);
	assert_err(&err, ERR_SYSTEM, "no processes left");
	run(S);
	assert_string_equal(heard(), "");
	command("clear");
	assert_heard("done");
}

static void test_a_stuck_qemu_ends_by_kill_only(void **state)
{
	(void)state;
	start(EXEC("sim", "forever"));
	sim_fault(w.sim, SIM_AT_QEMU, 0, 1, SIM_KIND_HANG, NULL);
	command("destroy");
	run(LONG);
	assert_true(sim_qemu_alive(w.sim, w.qemu));
	assert_heard("\"gone\"");
	sim_qemu_kill(w.sim, w.qemu);
	run(S);
	assert_false(sim_qemu_alive(w.sim, w.qemu));
	assert_int_equal(sim_qemu_start(w.sim, w.qemu), 0);
	assert_heard("qemu-exit");
}

static void test_a_zombie_by_fault(void **state)
{
	(void)state;
	start(EXEC("sim", "forever"));
	sim_fault(w.sim, SIM_AT_DYING, 0, 1, SIM_KIND_HANG, NULL);
	command("destroy");
	run(LONG);
	assert_heard("\"state\":\"dying\"");
	assert_not_heard("\"gone\"");
	operate(SIM_UNHOLD, UUID);
	assert_heard("\"gone\"");
}

static void test_lost_events_are_seen_by_the_next_list(void **state)
{
	(void)state;
	start(EXEC("sim", "forever"));
	run(10 * S);
	sim_fault(w.sim, SIM_AT_EVENT, 0, 1, SIM_KIND_LOST, NULL);
	operate(SIM_PANIC, UUID);
	assert_not_heard("crash");
	watch_send(json_make("{s:s, s:i}", "t", "list", "n", 1));
	run(S);
	assert_heard("\"reason\":\"crash\"");
}

static void test_doubled_and_late_reports(void **state)
{
	(void)state;
	sim_fault(w.sim, SIM_AT_GUEST, 0, 100, SIM_KIND_DOUBLE, NULL);
	start(EXEC("sim", "forever"));
	run(10 * S);
	assert_int_equal(times_heard("1 booting"), 2);
	sim_fault(w.sim, SIM_AT_EVENT, 0, 1, SIM_KIND_DOUBLE, NULL);
	operate(SIM_PANIC, UUID);
	assert_int_equal(times_heard("\"reason\":\"crash\""), 2);
	sim_fault(w.sim, SIM_AT_EVENT, 0, 1, SIM_KIND_SLOW, NULL);
	command("destroy");
	assert_int_equal(times_heard("\"state\":\"dying\""), 1);
	sim_fault(w.sim, SIM_AT_PONG, 0, 1, SIM_KIND_LOST, NULL);
	watch_send(json_make("{s:s, s:i}", "t", "ping", "n", 1));
	watch_send(json_make("{s:s, s:i}", "t", "ping", "n", 2));
	run(S);
	assert_not_heard("{\"t\":\"pong\",\"n\":1}");
	assert_heard("{\"t\":\"pong\",\"n\":2}");
}

static void test_domids_count_up_or_are_used_again(void **state)
{
	(void)state;
	start(EXEC("sim", "forever"));
	end();
	start(EXEC("sim", "forever"));
	assert_int_equal(w.domid, 2);
	end();
	sim_free(w.sim);
	struct sim_config cfg = {.reuse_domids = true, .events = events};
	w.sim = sim_new(&cfg);
	for (int i = 0; i < 3; i++) {
		start(EXEC("sim", "forever"));
		assert_int_equal(w.domid, 1);
		end();
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_sensors_say_hello_and_answer),
	T(test_sensors_are_killed_and_start_again),
	T(test_what_a_killed_sensor_had_to_say_is_lost),
	T(test_a_watch_of_another_domain_says_gone),
	T(test_silence_while_xenstored_is_down),
	T(test_a_life_frame_by_frame),
	T(test_one_seed_is_one_history),
	T(test_nothing_is_called_back_from_inside_a_call),
	T(test_app_ends_by_signal),
	T(test_app_that_cannot_be_executed),
	T(test_init_that_fails),
	T(test_panic_and_reboot),
	T(test_guest_that_never_boots),
	T(test_garbage_is_nonsense_but_printable),
	T(test_flood_is_noisy_for_a_while),
	T(test_willing_and_stubborn_apps_stop),
	T(test_a_stop_before_init_is_up_is_remembered),
	T(test_first_failure_stops_the_others),
	T(test_a_paused_guest_stands_still),
	T(test_a_guest_that_powers_off),
	T(test_operators_act_from_outside),
	T(test_a_frozen_guest_and_a_lost_qemu),
	T(test_a_held_domain_stays_listed_as_dying),
	T(test_a_stranger_is_never_touched),
	T(test_another_generation_or_store_is_left_alone),
	T(test_requests_that_the_real_one_would_refuse),
	T(test_helpers_of_one_pod_wait_for_each_other),
	T(test_the_lock_is_held_as_long_as_qemu_lives),
	T(test_killed_at_work_a_helper_leaves_the_half_done),
	T(test_death_of_the_supervisor),
	T(test_each_command_fails_hangs_dies_doubles_and_is_lost),
	T(test_a_slow_command_takes_twenty_times_as_long),
	T(test_faults_of_create),
	T(test_faults_of_go),
	T(test_a_helper_that_cannot_be_started),
	T(test_a_stuck_qemu_ends_by_kill_only),
	T(test_a_zombie_by_fault),
	T(test_lost_events_are_seen_by_the_next_list),
	T(test_doubled_and_late_reports),
	T(test_domids_count_up_or_are_used_again),
};

UNIT_MAIN(tests, NULL, NULL)
