/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal is told: nothing in an idle hour, each thing once, ends in words. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
#include "kit_case.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/messages.h"
#include "daemon/trace.h"

static char *told; /* "LEVEL ID TEXT" of each line since tell() */
static size_t lines;

static const char *field(const struct log_field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(fields[i].name, name))
			return fields[i].value;
	return NULL;
}

/* Steps on the way have a name, for their identifier is that of all steps. */
static const char *id_name(const char *id)
{
#define X(name, text)                                                                              \
	if (id && !strcmp(id, text))                                                               \
		return #name;
	MESSAGES(X)
	END_MESSAGES(X)
#undef X
	return id ? "unknown" : "-";
}

static void keep(enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	char *more = xasprintf(
		"%s%d %s %s\n", told, (int)level, id_name(field(fields, n, "MESSAGE_ID")), msg);
	free(told);
	told = more;
	lines++;
}

static int listen(void **state)
{
	setup(state);
	told = xstrdup("");
	lines = 0;
	log_set_sink(keep);
	k.told = trace_turn;
	return 0;
}

static int stop_listening(void **state)
{
	log_set_sink(NULL);
	free(told);
	told = NULL;
	return teardown(state);
}

#define J(f) cmocka_unit_test_setup_teardown(f, listen, stop_listening)

static void forget_lines(void)
{
	free(told);
	told = xstrdup("");
	lines = 0;
}

/* ---- silence -------------------------------------------------------------------------------------- */

static void test_an_idle_hour(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		kit_until(kit_accept(&k, "forever", NULL), POD_RUNNING);
	kit_until(kit_accept(&k, "exit 0 after 1s", NULL), POD_EXITED);
	kit_until(kit_accept(&k, "init-fails", NULL), POD_FAILED);
	struct kit_pod *paused = kit_accept(&k, "forever", NULL);
	kit_until(paused, POD_RUNNING);
	kit_ask(paused, EV_PAUSE);
	kit_until(paused, POD_PAUSED);
	kit_rest(&k);
	assert_true(lines > 30);
	forget_lines();
	kit_run_for(&k, 3600 * 1000);
	assert_string_equal(told, "");
}

/* ---- a life --------------------------------------------------------------------------------------- */

/* What is told at notice and above, in its order. */
static void assert_news(const struct kit_pod *kp, const char *want)
{
	_cleanup_free_ char *got = xstrdup("");
	char *rest = told;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (!*line || *line > '5')
			continue;
		char *uuid = strstr(line, kp->uuid);
		char *head = strstr(line, "pod ");
		assert_non_null(head);
		assert_memory_equal(head + 4, kp->uuid, 8);
		char *more = xasprintf("%s%.*s%s\n", got, (int)(head - line), line,
			uuid == head + 4 ? uuid + strlen(kp->uuid) + 2 : head + 13);
		free(got);
		got = more;
	}
	forget_lines();
	assert_string_equal(got, want);
}

static void test_a_life_is_two_lines_of_news(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "exit 3 after 2s", NULL);
	kit_rest(&k);
	assert_news(a, "5 RUNNING runs, domain 1\n"
		       "5 FINISHED has ended: its apps ended, code 3\n");
}

static void test_an_end_that_nobody_wanted_is_a_warning(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	kit_until(a, POD_RUNNING);
	kit_operator(a, SIM_PANIC);
	kit_rest(&k);
	assert_news(a, "5 RUNNING runs, domain 1\n"
		       "4 CRASHED has ended: the guest kernel crashed\n");
	struct kit_pod *b = kit_accept(&k, "init-fails", NULL);
	kit_rest(&k);
	assert_news(b, "4 GUEST_FAILED has failed: the guest's init failed: "
		       "cannot mount the root of app 0: simulated\n");
}

static void test_lives_and_the_last_of_them(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "exit 3 after 2s", NULL);
	kit_restart(a, POLICY_ON_FAILURE, 1);
	kit_until(a, POD_EXITED);
	kit_rest(&k);
	assert_news(a, "5 RUNNING runs, domain 1\n"
		       "5 FINISHED has ended: its apps ended, code 3; it is started again\n"
		       "5 RUNNING runs, domain 2\n"
		       "5 GIVEN_UP has ended: its apps ended, code 3; given up\n");
}

static void test_nothing_is_told_twice(void **state)
{
	(void)state;
	kit_accept(&k, "exit 3 after 2s", "exit 0 after 1s", NULL);
	kit_rest(&k);
	char *rest = told;
	for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n"))
		assert_true(!rest || !strstr(rest, line + 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		J(test_an_idle_hour),
		J(test_a_life_is_two_lines_of_news),
		J(test_an_end_that_nobody_wanted_is_a_warning),
		J(test_lives_and_the_last_of_them),
		J(test_nothing_is_told_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
