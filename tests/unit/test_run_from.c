/* SPDX-License-Identifier: Apache-2.0 */
/* A command line out of a file: lines are words. */
/* LINK: tools base */
/* LIBS: jansson */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tools/run_from.h"

static char path[] = "/tmp/test_run_from.XXXXXX";
static char option[64];
static struct run_from from;
static struct err err;

static int setup(void **state)
{
	(void)state;
	strcpy(path + strlen(path) - 6, "XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	snprintf(option, sizeof option, "--from=%s", path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	run_from_done(&from);
	err_done(&err);
	return 0;
}

static int expand(const char *text, size_t len, char *second)
{
	static char verb[] = "run";
	static char last[] = "--debug";
	char *argv[] = {verb, option, second ? second : last, second ? last : NULL, NULL};
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	return run_from_expand(second ? 4 : 3, argv, &from, &err);
}

/* The words, each in brackets. */
static void assert_words(const char *want)
{
	_cleanup_free_ char *got = xstrdup("");
	for (int i = 0; i < from.argc; i++) {
		char *more = xasprintf("%s[%s]", got, from.argv[i]);
		free(got);
		got = more;
	}
	assert_null(from.argv[from.argc]);
	assert_string_equal(got, want);
}

static void test_a_line_is_a_word(void **state)
{
	(void)state;
	static const char text[] =
		"# web\n\n--memory=64M\r\n  /a b/c.aci \t\n--\n-c\necho \"x\"  # y\n#z";
	assert_ok(expand(text, strlen(text), NULL), &err);
	assert_words("[run][--memory=64M][/a b/c.aci][--][-c][echo \"x\"  # y][--debug]");
}

static void test_only_the_first_word_counts(void **state)
{
	(void)state;
	static char second[] = "--from=/elsewhere";
	assert_ok(expand("a", 1, second), &err);
	assert_words("[run][a][--from=/elsewhere][--debug]");
}

/* As xenpod@.service has it. */
static void test_options_before_it(void **state)
{
	(void)state;
	char verb[] = "run";
	char uuid[] = "--uuid-file-save=/x";
	char net[] = "--net";
	char name[] = "none";
	char *argv[] = {verb, uuid, NULL, NULL};
	assert_ok(expand("a", 1, NULL), &err);
	run_from_done(&from);
	argv[2] = option;
	assert_ok(run_from_expand(3, argv, &from, &err), &err);
	assert_words("[run][--uuid-file-save=/x][a]");
	run_from_done(&from);
	char *apart[] = {verb, net, name, option, NULL};
	assert_ok(run_from_expand(4, apart, &from, &err), &err);
	assert_string_equal(from.argv[3], option);
}

static void test_without_it_nothing_changes(void **state)
{
	(void)state;
	char verb[] = "run";
	char image[] = "x.aci";
	char *argv[] = {verb, image, option, NULL};
	assert_ok(run_from_expand(3, argv, &from, &err), &err);
	assert_int_equal(from.argc, 3);
	assert_string_equal(from.argv[1], "x.aci");
	assert_string_equal(from.argv[2], option);
}

static void assert_refused(const char *text, size_t len, const char *says)
{
	assert_int_equal(expand(text, len, NULL), -1);
	if (!strstr(err_msg(&err), says) || !strstr(err_msg(&err), path))
		fail_msg("it says: %s", err_msg(&err));
	err_done(&err);
	run_from_done(&from);
}

static void test_what_is_refused(void **state)
{
	(void)state;
	assert_refused("", 0, "nothing in it");
	assert_refused("# only\n \n", 9, "nothing in it");
	assert_refused("a\0b", 3, "a NUL");
	char verb[] = "run";
	char missing[] = "--from=/no/such/file";
	char *argv[] = {verb, missing, NULL};
	assert_int_equal(run_from_expand(2, argv, &from, &err), -1);
	assert_non_null(strstr(err_msg(&err), "--from=/no/such/file"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_a_line_is_a_word),
	T(test_only_the_first_word_counts),
	T(test_options_before_it),
	T(test_without_it_nothing_changes),
	T(test_what_is_refused),
};
UNIT_MAIN(tests, NULL, NULL)
