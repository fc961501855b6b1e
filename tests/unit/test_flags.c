/* SPDX-License-Identifier: Apache-2.0 */
/* Go-style flags, and the flags of `run`: acted on or refused. */
/* LINK: stage1 cni proto base */
#include "unit.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "stage1/flags.h"
#include "stage1/options.h"

#define UUID "0f9d2b5e-3c41-4c62-9d9e-0123456789ab"
#define MAX  8

struct given {
	bool debug;
	bool force;
	const char *net;
	int rest;
};

/* `words` end with NULL; argv[0] is added. */
static int parse(const char *const *words, struct given *g, struct err *err)
{
	static char text[MAX][128];
	char *argv[MAX + 1] = {text[0]};
	int argc = 1;
	const struct flag flags[] = {{"debug", FLAG_BOOL, &g->debug, ""},
		{"force", FLAG_BOOL, &g->force, ""}, {"net", FLAG_TEXT, &g->net, ""}};
	for (; words[argc - 1]; argc++) {
		snprintf(text[argc], sizeof text[argc], "%s", words[argc - 1]);
		argv[argc] = text[argc];
	}
	return flags_parse(flags, ARRAY_SIZE(flags), argc, argv, &g->rest, err);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void both_spellings_are_read(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	struct given g = {0};
	assert_ok(parse(WORDS("-debug", "--force=T", "--net", "a,b", UUID), &g, &err), &err);
	assert_true(g.debug && g.force);
	assert_string_equal(g.net, "a,b");
	assert_int_equal(g.rest, 5);
	assert_ok(
		parse(WORDS("--debug=false", "-force=0", "-net=", "x", "-debug"), &g, &err), &err);
	assert_false(g.debug || g.force);
	assert_string_equal(g.net, "");
	assert_int_equal(g.rest, 4);
}

static void reading_stops_at_dashes_and_words(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	struct given g = {0};
	assert_ok(parse(WORDS("--debug", "--", "--force"), &g, &err), &err);
	assert_int_equal(g.rest, 3);
	assert_false(g.force);
	assert_ok(parse(WORDS("-", "--force"), &g, &err), &err);
	assert_int_equal(g.rest, 1);
	assert_ok(parse(WORDS("--net", "--debug", "x"), &g, &err), &err);
	assert_string_equal(g.net, "--debug");
}

static void wrong_flags_are_named(void **state)
{
	(void)state;
	static const char *const rows[][2] = {{"--nope", "unknown flag --nope"},
		{"--debug=yes", "flag --debug: \"yes\""}, {"--net", "--net needs a value"},
		{"---debug", "not a flag"}, {"-=1", "not a flag"}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_err_ struct err err = {0};
		struct given g = {0};
		assert_fails(parse(WORDS(rows[i][0]), &g, &err), &err, ERR_INVALID, rows[i][1]);
	}
	_cleanup_err_ struct err err = {0};
	struct given g = {0};
	assert_call(parse(WORDS("-h"), &g, &err), &err, FLAGS_HELP);
	assert_call(parse(WORDS("--help"), &g, &err), &err, FLAGS_HELP);
}

static int options(const char *flag, struct run_options *o, struct err *err)
{
	static char text[3][160];
	snprintf(text[0], sizeof text[0], "run");
	snprintf(text[1], sizeof text[1], "%s", flag);
	snprintf(text[2], sizeof text[2], UUID);
	char *argv[] = {text[0], text[1], text[2], NULL};
	return options_parse(3, argv, o, err);
}

static void what_run_cannot_do_is_refused(void **state)
{
	(void)state;
	static const char *const refused[] = {"--mutable", "--private-users=65536:65536",
		"--mds-token=00", "--ipc=parent", "--net=host", "--net=none,host"};
	static const char *const wrong[] = {"--ipc=x", "--net=", "--net=a,,b", "--net=:x=y",
		"--new", "--dns-conf-mode=resolv=x"};
	struct run_options o;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		_cleanup_err_ struct err err = {0};
		assert_fails(options(refused[i], &o, &err), &err, ERR_UNSUPPORTED, "--");
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_err_ struct err err = {0};
		assert_fails(options(wrong[i], &o, &err), &err, ERR_INVALID, "flag --");
	}
}

static void what_run_can_do_is_taken(void **state)
{
	(void)state;
	static const char *const flags[] = {"--net=none", "--net=default", "--net=a:IP=1,none",
		"--net=a:IP=1,b", "--debug=false", "--ipc=private",
		"--dns-conf-mode=resolv=default,hosts=default", "--hostname=h",
		"--disable-seccomp"};
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		_cleanup_err_ struct err err = {0};
		struct run_options o;
		assert_ok(options(flags[i], &o, &err), &err);
		assert_string_equal(o.uuid, UUID);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(both_spellings_are_read),
	cmocka_unit_test(reading_stops_at_dashes_and_words),
	cmocka_unit_test(wrong_flags_are_named),
	cmocka_unit_test(what_run_cannot_do_is_refused),
	cmocka_unit_test(what_run_can_do_is_taken),
};
UNIT_MAIN(tests, NULL, NULL)
