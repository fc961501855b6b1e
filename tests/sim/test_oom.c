/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a pod ended, beyond its code: an app killed for want of memory, why an app failed, and the
 * last lines of the console.
 */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* VALGRIND: deep, the engine that test_life shows to valgrind, four seconds long */
#include "kit_case.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "daemon/podjson.h"

static void test_oom(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "oom after 2s");
	kit_rest(&k);
	kit_assert_trace_end(a, 10720,
		"   10.72 a running --guest-app--> running app0=oom:9\n"
		"   10.72 a running --guest-done--> destroying [oom]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_OOM, 137);
	assert_int_equal(kit_code_file(a, "app0"), 9);
	kit_finish(&k);
}

/* The end of the others is this one's doing. */
static void test_oom_of_one_ends_the_others(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "forever", "oom after 2s", NULL);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_OOM, 137);
	kit_finish(&k);
}

/* Who ran out of memory while another's failure ended the pod anyway is not why it ended. */
static void test_oom_comes_second(void **state)
{
	(void)state;
	struct kit_pod *a =
		kit_accept(&k, "exit 3 after 2s", "exit 0 after 3s", "oom after 4s", NULL);
	struct kit_pod *b = kit_accept(&k, "exit 0 after 1s", "oom after 4s", NULL);
	struct kit_pod *c = kit_accept(&k, "stubborn", "oom after 60s", NULL);
	kit_until(c, POD_RUNNING);
	kit_ask(c, EV_STOP);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 3);
	kit_assert_ended(b, POD_EXITED, CAUSE_OOM, 137);
	assert_int_equal(kit_find(c)->core.cause, CAUSE_STOPPED);
	kit_finish(&k);
}

/* Its node is read after the pod's: the cause is put right. */
static void test_the_app_is_read_late(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "stubborn");
	struct pod *p = kit_find(a);
	kit_post(a, EV_GUEST_STOPPING, CAUSE_FINISHED);
	kit_run_for(&k, 1);
	assert_int_equal(p->core.cause, CAUSE_FINISHED);
	struct event_args oom = {.domid = -1, .gstate = {.seq = 9, .kind = GSTATE_OOM, .code = 9}};
	engine_post(k.engine, p, EV_GUEST_APP, &oom);
	kit_run_for(&k, 1);
	assert_int_equal(p->core.cause, CAUSE_OOM);
	kit_rest(&k);
	kit_finish(&k);
}

static json_t *app_of(const struct kit_pod *kp, json_t **ret_pod)
{
	*ret_pod = podjson_pod(kit_find(kp));
	return json_array_get(json_object_get(*ret_pod, "apps"), 0);
}

static void assert_told(const struct kit_pod *oom, const struct kit_pod *failed)
{
	_cleanup_json_ json_t *o = NULL;
	_cleanup_json_ json_t *f = NULL;
	const json_t *app = app_of(oom, &o);
	assert_string_equal(json_str_opt(o, "cause", ""), "oom");
	assert_string_equal(json_str_opt(app, "state", ""), "oom");
	assert_int_equal(json_int_opt(app, "signal", 0), 9);
	assert_true(json_is_null(json_object_get(app, "code")));
	assert_string_equal(json_str_opt(app, "message", "?"), "");
	app = app_of(failed, &f);
	assert_string_equal(json_str_opt(app, "state", ""), "failed");
	assert_int_equal(json_int_opt(app, "code", 0), 203);
	assert_string_equal(json_str_opt(app, "message", ""), "/no/such: not found: simulated");
}

static void test_a_new_supervisor_knows_it_too(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "oom", NULL);
	struct kit_pod *b = kit_accept(&k, "exec-fails", NULL);
	kit_rest(&k);
	assert_told(a, b);
	kit_crash(&k);
	kit_start(&k);
	kit_rest(&k);
	assert_told(a, b);
	kit_finish(&k);
}

static void log_console(const struct kit_pod *kp, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/guest-%s.log", k.dir, kp->uuid);
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void assert_console(const struct kit_pod *kp, const char *want)
{
	struct err err = {0};
	_cleanup_free_ char *text = NULL;
	assert_ok(store_console(k.store, kp->uuid, &text, &err), &err);
	if (!want)
		assert_null(text);
	else
		assert_string_equal(text, want);
}

/* Kept when somebody will ask; not there when nobody logs. It is there before the pod has ended. */
static void test_console(void **state)
{
	(void)state;
	struct kit_pod *panics = kit_accept(&k, "panic", NULL);
	struct kit_pod *fails = kit_accept(&k, "exit 3", NULL);
	struct kit_pod *good = kit_accept(&k, "exit 0", NULL);
	struct kit_pod *unlogged = kit_accept(&k, "panic", NULL);
	log_console(panics, "Kernel panic - not syncing\r\n\033[0m");
	log_console(fails, "boot\n");
	log_console(good, "boot\n");
	kit_until(panics, POD_EXITED);
	assert_console(panics, "Kernel panic - not syncing\n?[0m");
	kit_rest(&k);
	assert_console(fails, "boot");
	assert_console(good, NULL);
	assert_console(unlogged, NULL);
	kit_finish(&k);
	assert_console(panics, NULL);
}

static const struct CMUnitTest tests[] = {
	T(test_oom),
	T(test_oom_of_one_ends_the_others),
	T(test_oom_comes_second),
	T(test_the_app_is_read_late),
	T(test_a_new_supervisor_knows_it_too),
	T(test_console),
};

UNIT_MAIN(tests, NULL, NULL)
