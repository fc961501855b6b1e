/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: values, drop-ins, what is wrong with one. */
/* LINK: daemon fsm base */
/* LIBS: inih */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "daemon/config.h"

static char dir[] = "/tmp/test_config.XXXXXX";
static char *file, *vendor;

static int setup(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	file = xasprintf("%s/xenpod.conf", dir);
	vendor = xasprintf("%s/lib", dir);
	_cleanup_free_ char *own = xasprintf("%s.d", file);
	_cleanup_free_ char *theirs = xasprintf("%s/xenpod.conf.d", vendor);
	assert_int_equal(mkdir(vendor, 0755) | mkdir(own, 0755) | mkdir(theirs, 0755), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", dir);
	assert_int_equal(system(rm), 0);
	free(file);
	free(vendor);
	return 0;
}

static void put(const char *name, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* What MaxStarts and OrphanGraceSec come to. */
static void assert_values(int64_t starts, int64_t grace)
{
	_cleanup_err_ struct err err = {0};
	struct config c;
	assert_ok(config_read(file, vendor, &c, &err), &err);
	assert_int_equal(c.MaxStarts, starts);
	assert_int_equal(c.OrphanGraceSec, grace);
	config_done(&c);
}

static void assert_wrong(const char *text, const char *says)
{
	_cleanup_err_ struct err err = {0};
	struct config c;
	put("xenpod.conf", text);
	assert_int_equal(config_read(file, vendor, &c, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	if (!strstr(err_msg(&err), says))
		fail_msg("\"%s\" is not in: %s", says, err_msg(&err));
	assert_null(c.ConsoleDirectory);
}

static void test_no_file_is_fine(void **state)
{
	(void)state;
	assert_values(4, 60);
}

static void test_values(void **state)
{
	(void)state;
	put("xenpod.conf", "# words\n[Supervisor]\nMaxStarts = 7\n; more\nOrphanGraceSec=0\n"
			   "ConsoleDirectory=/a b\n");
	assert_values(7, 0);
	_cleanup_err_ struct err err = {0};
	struct config c;
	assert_ok(config_read(file, vendor, &c, &err), &err);
	assert_string_equal(c.ConsoleDirectory, "/a b");
	config_done(&c);
}

static void test_drop_ins(void **state)
{
	(void)state;
	put("xenpod.conf", "[Supervisor]\nMaxStarts=5\n");
	put("lib/xenpod.conf.d/50-a.conf", "[Supervisor]\nMaxStarts=6\nOrphanGraceSec=1\n");
	assert_values(6, 1);
	/* By name, wherever it is. */
	put("xenpod.conf.d/40-b.conf", "[Supervisor]\nMaxStarts=8\nOrphanGraceSec=2\n");
	assert_values(6, 1);
	put("xenpod.conf.d/60-c.conf", "[Supervisor]\nMaxStarts=9\n");
	assert_values(9, 1);
	/* The administrator's is in the place of the package's. */
	put("xenpod.conf.d/50-a.conf", "[Supervisor]\nOrphanGraceSec=3\n");
	assert_values(9, 3);
	put("xenpod.conf.d/README", "no configuration\n");
	assert_values(9, 3);
}

static void test_what_is_wrong_is_named(void **state)
{
	(void)state;
	assert_wrong("[Supervisor]\n\nMaxStarts=none\n",
		"xenpod.conf:3: MaxStarts wants a number from 1 to 1000");
	assert_wrong("[Supervisor]\nMaxStarts=0\n", ":2: MaxStarts wants");
	assert_wrong("[Supervisor]\nMaxStarts=1001\n", ":2: MaxStarts wants");
	assert_wrong("[Supervisor]\nMaxStarts=\n", ":2: MaxStarts wants");
	assert_wrong("[Supervisor]\nMaxStarts=5x\n", ":2: MaxStarts wants");
	assert_wrong("[Supervisor]\nMaxStarts=99999999999999999999\n", ":2: MaxStarts wants");
	assert_wrong("[Supervisor]\nMaxstarts=5\n",
		":2: there is no setting \"Maxstarts\" in [Supervisor]");
	assert_wrong("MaxStarts=5\n", ":1: there is no setting \"MaxStarts\" in []");
	assert_wrong("[Supervisor]\nMaxStarts\n", ":2: this is neither");
	assert_wrong("[Supervisor\n", ":1: this is neither");
	/* The first of several. */
	assert_wrong(
		"[Supervisor]\nDebug=7\nMaxStarts=none\n", ":2: Debug wants a number from 0 to 1");
}

static void test_the_command_line_stands_above(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	struct config c, given;
	static char nowhere[] = "";
	put("xenpod.conf", "[Supervisor]\nMaxStarts=5\nOrphanGraceSec=6\n");
	assert_ok(config_read(file, vendor, &c, &err), &err);
	config_none(&given);
	config_override(&c, &given);
	assert_int_equal(c.MaxStarts, 5);
	given.MaxStarts = 2;
	given.OrphanGraceSec = 0;
	given.ConsoleDirectory = nowhere;
	config_override(&c, &given);
	assert_int_equal(c.MaxStarts, 2);
	assert_int_equal(c.OrphanGraceSec, 0);
	assert_string_equal(c.ConsoleDirectory, "");
	config_done(&c);
}

static void test_what_needs_a_restart(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	struct config a, b;
	assert_ok(config_read(file, vendor, &a, &err), &err);
	put("xenpod.conf", "[Supervisor]\nMaxStarts=5\n");
	assert_ok(config_read(file, vendor, &b, &err), &err);
	assert_null(config_needs_restart(&a, &b));
	config_done(&b);
	put("xenpod.conf", "[Supervisor]\nConsoleDirectory=/x\n");
	assert_ok(config_read(file, vendor, &b, &err), &err);
	assert_string_equal(config_needs_restart(&a, &b), "ConsoleDirectory");
	config_done(&b);
	config_done(&a);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_no_file_is_fine),
	T(test_values),
	T(test_drop_ins),
	T(test_what_is_wrong_is_named),
	T(test_the_command_line_stands_above),
	T(test_what_needs_a_restart),
};
UNIT_MAIN(tests, NULL, NULL)
