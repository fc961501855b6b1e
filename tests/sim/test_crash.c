/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Death at every point: each scenario runs once to count its commits and effects, then once more
 * per point with the supervisor killed right before that commit, right after it (none of its
 * effects happens), or right after that effect; it is started again, finds its state and the world,
 * and must come to the same end with nothing left.
 */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* DEEP: some hundred whole runs */
/* VALGRIND: no, some hundred whole runs; memory is checked by the sanitizers' build */
#include "kit.h"
#include "unit.h"

#include <stdio.h>

#define MAX_PODS 3

struct end {
	enum pod_state state; /* POD_GONE: removed */
	enum pod_cause cause;
	int64_t code;
	int app_code[2]; /* -1: no file */
	int lives;       /* of a pod with a restart policy */
};

struct scenario {
	const char *name;
	void (*begin)(struct kit *k);
	void (*poke)(struct kit *k);
	size_t npods;
	struct end end[MAX_PODS];
	/* Where the world cannot tell what would have been; NULL: no other end is right. */
	bool (*also)(const struct kit *k, size_t pod, const struct end *got);
	/* What is to be done before all can be removed; NULL: nothing. */
	void (*after)(struct kit *k);
	bool fd_store; /* QEMU and supervisor both dead: systemd alone has the lock */
};

static struct kit k;

/* ---- scenarios ------------------------------------------------------------------------------- */

static bool in_state(struct kit *kit, size_t i, enum pod_state state)
{
	const struct pod *p = kit_find(&kit->pod[i]);
	return p && p->core.state == state;
}

/* Once in the life of the world, when the pod has come so far. */
static bool once(struct kit *kit, size_t i, enum pod_state state)
{
	if (kit->poked & (1 << i) || !in_state(kit, i, state))
		return false;
	kit->poked |= 1 << i;
	return true;
}

static void one_short(struct kit *kit)
{
	kit_accept(kit, "exit 3 after 2s", NULL);
}

static void one_endless(struct kit *kit)
{
	kit_accept(kit, "forever", NULL);
}

static void one_networked(struct kit *kit)
{
	kit_network(kit_accept(kit, "exit 3 after 2s", NULL), 80);
}

static void network_fails(struct kit *kit)
{
	sim_fault(kit->sim, SIM_AT_NETWORK, 0, 99, SIM_KIND_FAIL, "no address is free");
	kit_network(kit_accept(kit, "forever", NULL), 80);
}

static void one_failing(struct kit *kit)
{
	kit_accept(kit, "exit 7 after 2s", "forever", NULL);
}

static void two_short(struct kit *kit)
{
	kit_accept(kit, "exit 3 after 2s", NULL);
	kit_accept(kit, "exit 0 after 1s", NULL);
}

static void create_fails(struct kit *kit)
{
	sim_fault(kit->sim, SIM_AT_BUILD, 0, 99, SIM_KIND_FAIL, "no memory");
	kit_accept(kit, "forever", NULL);
}

static void destroy_fails(struct kit *kit)
{
	sim_fault(kit->sim, SIM_AT_DESTROY, 0, 2, SIM_KIND_FAIL, "busy");
	kit_accept(kit, "exit 3 after 2s", NULL);
}

/* It is there before anybody looks; the pod has its life beside that. */
static void orphan(struct kit *kit)
{
	sim_put_domain(kit->sim, "0a0a0a0a-1111-4222-8333-444444444444", store_id(kit->store), 3);
	kit_accept(kit, "exit 3 after 2s", NULL);
}

static void orphan_stays(struct kit *kit)
{
	sim_fault(kit->sim, SIM_AT_DESTROY, 0, 2, SIM_KIND_FAIL, "busy");
	orphan(kit);
}

static void qemu_hangs(struct kit *kit)
{
	sim_fault(kit->sim, SIM_AT_QEMU, 0, 1, SIM_KIND_HANG, NULL);
	kit_accept(kit, "exit 3 after 2s", NULL);
}

static void stop_running(struct kit *kit)
{
	if (once(kit, 0, POD_RUNNING))
		kit_ask(&kit->pod[0], EV_STOP);
}

static void stop_creating(struct kit *kit)
{
	if (once(kit, 0, POD_CREATING))
		kit_ask(&kit->pod[0], EV_STOP);
}

static void kill_running(struct kit *kit)
{
	if (once(kit, 0, POD_RUNNING))
		kit_ask(&kit->pod[0], EV_KILL);
}

static void destroy_outside(struct kit *kit)
{
	if (once(kit, 0, POD_RUNNING))
		kit_operator(&kit->pod[0], SIM_DESTROY);
}

static void panics(struct kit *kit)
{
	if (once(kit, 0, POD_RUNNING))
		kit_operator(&kit->pod[0], SIM_PANIC);
}

static void qemu_dies(struct kit *kit)
{
	if (once(kit, 0, POD_RUNNING))
		kit_operator(&kit->pod[0], SIM_KILL_QEMU);
}

static void gc_after(struct kit *kit)
{
	if (once(kit, 0, POD_EXITED))
		kit_ask(&kit->pod[0], EV_GC);
}

static void two_lives(struct kit *kit)
{
	kit_restart(kit_accept(kit, "exit 3 after 2s", NULL), POLICY_ON_FAILURE, 1);
}

static void endless_lives(struct kit *kit)
{
	kit_restart(kit_accept(kit, "exit 3 after 2s", NULL), POLICY_ALWAYS, 0);
}

static void runs_fail(struct kit *kit)
{
	kit->fail_spawns = 99;
	two_lives(kit);
}

static bool in_third_backoff(struct kit *kit)
{
	return in_state(kit, 0, POD_BACKOFF) && kit_find(&kit->pod[0])->core.tries == 3;
}

/* It lasts for 4 s: longer than a supervisor is away. */
static void stop_in_backoff(struct kit *kit)
{
	if (!in_third_backoff(kit) || kit->poked)
		return;
	kit->poked = 1;
	kit_ask(&kit->pod[0], EV_STOP);
}

static void reboot_in_backoff(struct kit *kit)
{
	if (once(kit, 0, POD_BACKOFF))
		kit->reboot_wanted = true;
}

static void one_of_each(struct kit *kit)
{
	kit_accept(kit, "forever", NULL);
	kit_restart(kit_accept(kit, "forever", NULL), POLICY_ALWAYS, 0);
}

/* `xenpod stop --all --host-shutdown` calls again when its supervisor has died. */
static void shut_down(struct kit *kit)
{
	bool both = in_state(kit, 0, POD_RUNNING) && in_state(kit, 1, POD_RUNNING);
	kit->poked |= both;
	if (kit->poked && kit->open && !engine_closing(kit->engine))
		engine_close(kit->engine, true);
}

static void stop_the_second(struct kit *kit)
{
	kit_ask(&kit->pod[1], EV_STOP);
}

static void pause_resume(struct kit *kit)
{
	if (once(kit, 0, POD_RUNNING))
		kit_ask(&kit->pod[0], EV_PAUSE);
	else if (kit->poked == 1 && in_state(kit, 0, POD_PAUSED) && kit->pod[0].change.acked) {
		kit->poked |= 2;
		kit_ask(&kit->pod[0], EV_RESUME);
	} else if (kit->poked == 3 && in_state(kit, 0, POD_RUNNING) && kit->pod[0].change.acked) {
		kit->poked |= 4;
		kit_ask(&kit->pod[0], EV_STOP);
	}
}

/* clang-format off */
#define EXITED(why, n, ...) \
	{.state = POD_EXITED, .cause = CAUSE_##why, .code = (n), .app_code = {__VA_ARGS__}}
#define FAILED(why) {.state = POD_FAILED, .cause = CAUSE_##why, .code = -1, .app_code = {-1, -1}}
#define GONE(n)     {.state = POD_GONE, .code = -1, .app_code = {n, -1}}
/* Of pods that come back, whose app ends with 3: */
#define LIVES(n, in, why, c) \
	{.state = POD_##in, .cause = CAUSE_##why, .code = (c), .app_code = {c, -1}, .lives = (n)}
#define S(n, what, does, pods, ...) \
	.name = (n), .begin = (what), .poke = (does), .npods = (pods), .end = {__VA_ARGS__}

static const struct scenario scenarios[] = {
	{S("start and finish", one_short, NULL, 1, EXITED(FINISHED, 3, 3, -1))},
	{S("stop", one_endless, stop_running, 1, EXITED(STOPPED, 0, 0, -1))},
	{S("stop while creating", one_endless, stop_creating, 1, EXITED(STOPPED, -1, -1, -1))},
	{S("kill", one_endless, kill_running, 1, EXITED(KILLED, -1, -1, -1))},
	{S("app failure", one_failing, NULL, 1, EXITED(FINISHED, 7, 7, 0))},
	{S("destroyed from outside", one_endless, destroy_outside, 1, EXITED(DESTROYED, -1, -1, -1))},
	{S("guest panic", one_endless, panics, 1, EXITED(CRASHED, -1, -1, -1))},
	{S("qemu dies", one_endless, qemu_dies, 1, EXITED(QEMU_LOST, -1, -1, -1)), .fd_store = true},
	{S("gc", one_short, gc_after, 1, GONE(3))},
	{S("pause, resume, stop", one_endless, pause_resume, 1, EXITED(STOPPED, 0, 0, -1))},
	{S("two pods", two_short, NULL, 2, EXITED(FINISHED, 3, 3, -1), EXITED(FINISHED, 0, 0, -1))},
	{S("create fails", create_fails, NULL, 1, FAILED(CREATE_FAILED))},
	{S("network", one_networked, gc_after, 1, GONE(3))},
	{S("network fails", network_fails, NULL, 1, FAILED(NETWORK_FAILED))},
	{S("destroy fails twice", destroy_fails, NULL, 1, EXITED(FINISHED, 3, 3, -1))},
	{S("orphan", orphan, NULL, 1, EXITED(FINISHED, 3, 3, -1))},
	{S("orphan, destroy fails twice", orphan_stays, NULL, 1, EXITED(FINISHED, 3, 3, -1))},
	{S("qemu hangs", qemu_hangs, NULL, 1, EXITED(FINISHED, 3, 3, -1))},
	{S("restart, given up", two_lives, NULL, 1, LIVES(2, EXITED, FINISHED, 3))},
	{S("restart, its run fails", runs_fail, NULL, 1, LIVES(1, FAILED, RESTART_FAILED, 3))},
	{S("stop in backoff", endless_lives, stop_in_backoff, 1, LIVES(3, EXITED, STOPPED, 3))},
	{S("reboot in backoff", two_lives, reboot_in_backoff, 1, LIVES(2, EXITED, FINISHED, 3))},
	{S("host shutdown", one_of_each, shut_down, 2, EXITED(HOST_SHUTDOWN, 0, 0, -1),
		LIVES(1, BACKOFF, HOST_SHUTDOWN, 0)), .after = stop_the_second},
};
/* clang-format on */

/* ---- running --------------------------------------------------------------------------------- */

static struct end end_of(const struct kit_pod *kp)
{
	const struct pod *p = kit_find(kp);
	struct end e = {
		.state = p ? p->core.state : POD_GONE,
		.cause = p ? p->core.cause : CAUSE_NONE,
		.code = p ? p->core.code : -1,
		.app_code = {kit_code_file(kp, "app0"), kit_code_file(kp, "app1")},
		.lives = p ? p->core.lives : 0,
	};
	return e;
}

static bool same(const struct end *a, const struct end *b)
{
	return a->state == b->state && a->cause == b->cause && a->code == b->code &&
	       a->app_code[0] == b->app_code[0] && a->app_code[1] == b->app_code[1] &&
	       a->lives == b->lives;
}

static void run(const struct scenario *s, enum kit_point point, int64_t n)
{
	static const char *const points[] = {
		"without a crash", "before commit", "after commit", "after effect"};
	struct kit_options opt = {.seed = 1, .fd_store = s->fd_store};
	kit_init(&k, &opt);
	kit_crash_at(&k, point, n);
	k.poke = s->poke;
	s->begin(&k);
	kit_rest(&k);
	for (size_t i = 0; i < s->npods; i++) {
		struct end got = end_of(&k.pod[i]);
		if (same(&got, &s->end[i]) || (s->also && s->also(&k, i, &got)))
			continue;
		kit_print_trace(&k);
		fail_msg("%s, killed %s %lld: pod %s is %s (%s), code %lld, apps %d %d, %d lives",
			s->name, points[point], (long long)n, k.pod[i].name,
			pod_state_name(got.state), pod_cause_name(got.cause), (long long)got.code,
			got.app_code[0], got.app_code[1], got.lives);
	}
	assert_int_equal(k.starts, k.boots + (point != KIT_NEVER));
	kit_crash_at(&k, KIT_NEVER, 0);
	if (s->after)
		s->after(&k);
	kit_finish(&k);
}

static int points_of(const struct scenario *s)
{
	run(s, KIT_NEVER, 0);
	kit_done(&k);
	struct kit_options opt = {.seed = 1, .fd_store = s->fd_store};
	kit_init(&k, &opt);
	kit_crash_at(&k, KIT_NEVER, 0);
	k.poke = s->poke;
	s->begin(&k);
	kit_rest(&k);
	int64_t commits = k.commits;
	int64_t effects = k.effects;
	kit_done(&k);
	for (int64_t n = 1; n <= commits; n++) {
		run(s, KIT_BEFORE_COMMIT, n);
		kit_done(&k);
		run(s, KIT_AFTER_COMMIT, n);
		kit_done(&k);
	}
	for (int64_t n = 1; n <= effects; n++) {
		run(s, KIT_AFTER_EFFECT, n);
		kit_done(&k);
	}
	print_message("# %s: %d points\n", s->name, (int)(2 * commits + effects));
	return (int)(2 * commits + effects);
}

static int total;

static void test_scenario(void **state)
{
	total += points_of(*state);
}

int main(void)
{
	struct CMUnitTest tests[sizeof scenarios / sizeof scenarios[0]];
	size_t n = sizeof tests / sizeof tests[0];
	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){.name = scenarios[i].name,
			.test_func = test_scenario,
			.initial_state = (void *)(uintptr_t)&scenarios[i]};
	int r = _cmocka_run_group_tests("crash", tests, n, NULL, NULL);
	print_message("#= died at %d points of %zu lives\n", total, n);
	return r;
}
