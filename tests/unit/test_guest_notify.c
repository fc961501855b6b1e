/* SPDX-License-Identifier: Apache-2.0 */
/* What is read out of notifications, and out of /proc/PID/cgroup of who has sent them. */
/* LINK: guest proto base */
#include "unit.h"

#include "guest/notify.h"

static struct notify_message parse(const char *text)
{
	struct notify_message m;
	notify_parse(text, strlen(text), &m);
	return m;
}

static void ready_is_a_whole_line(void **state)
{
	(void)state;
	assert_true(parse("READY=1").ready);
	assert_true(parse("READY=1\n").ready);
	assert_true(parse("MAINPID=7\n\nREADY=1\nSTATUS=x").ready);
	assert_false(parse("READY=0").ready);
	assert_false(parse("READY=10").ready);
	assert_false(parse("READY=").ready);
	assert_false(parse("XREADY=1").ready);
	assert_false(parse("STATUS=READY=1").ready);
	assert_false(parse("STOPPING=1\n").ready);
	assert_false(parse("").ready);
	assert_false(parse("\n\n").ready);
}

static void not_a_byte_beyond_the_length(void **state)
{
	(void)state;
	struct notify_message m;
	notify_parse("READY=1", 6, &m);
	assert_false(m.ready);
	notify_parse("READY=1x", 7, &m);
	assert_true(m.ready);
}

static void status_is_printable_and_short(void **state)
{
	(void)state;
	char text[1000];
	assert_string_equal(parse("STATUS=all well").status, "all well");
	assert_string_equal(parse("STATUS=\x1b[2J\xc3\xa9\nREADY=1").status, "?[2J??");
	assert_string_equal(parse("STATUS=one\nSTATUS=two\n").status, "two");
	assert_string_equal(parse("READY=1").status, "");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "STATUS=", 7);
	assert_int_equal(strlen(parse(text).status), NOTIFY_STATUS_MAX);
}

static void members_are_in_the_group_or_below(void **state)
{
	(void)state;
	assert_true(notify_member("0::/app-web\n", "app-web"));
	assert_true(notify_member("0::/app-web/sub/x\n", "app-web"));
	assert_true(notify_member("4:cpu:/x\n0::/app-web\n", "app-web"));
	assert_false(notify_member("0::/app-webb\n", "app-web"));
	assert_false(notify_member("0::/app-we\n", "app-web"));
	assert_false(notify_member("0::/enter/1\n", "app-web"));
	assert_false(notify_member("0::/x/app-web\n", "app-web"));
	assert_false(notify_member("4:cpu:/app-web\n0::/\n", "app-web"));
	assert_false(notify_member("", "app-web"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(ready_is_a_whole_line),
	cmocka_unit_test(not_a_byte_beyond_the_length),
	cmocka_unit_test(status_is_printable_and_short),
	cmocka_unit_test(members_are_in_the_group_or_below),
};

UNIT_MAIN(tests, NULL, NULL)
