/* SPDX-License-Identifier: Apache-2.0 */
/* The spec as xenpod-init keeps it: a terminal's size, and what stands for members left out. */
/* LINK: guest proto base */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "guest/podspec.h"
#include "proto/spec.h"

static char path[] = "/tmp/xenpod-unit-XXXXXX";

#define HEAD                                                                                       \
	"{\"version\":1,\"uuid\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\",\"hostname\":\"h\","     \
	"\"machine_id\":\"6ba7b8109dad11d180b400c04fd430c8\",\"generation\":1,\"grace_ms\":1,"     \
	"\"apps\":[{\"name\":\"web\",\"tag\":\"app0\",\"exec\":[\"sh\"],\"user\":\"0\","           \
	"\"group\":\"0\",\"gids\":[],\"cwd\":\"/\",\"env\":[]"

#define READ_MAX 3

/* What is read lives as long as the process. */
static struct podspec specs[READ_MAX];
static size_t n_read;

/* The only app of a spec that ends with these members. */
static const struct podspec_app *read_app(const char *members)
{
	_cleanup_err_ struct err err = {0};
	assert_true(n_read < READ_MAX);
	struct podspec *spec = &specs[n_read++];
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "%s%s}]}", HEAD, members);
	assert_int_equal(fclose(f), 0);
	assert_ok(podspec_read(path, spec, &err), &err);
	assert_int_equal(spec->n_apps, 1);
	return &spec->apps[0];
}

static void a_terminal_has_the_size_of_its_spec(void **state)
{
	(void)state;
	const struct podspec_app *app = read_app(",\"tty\":true,\"rows\":50,\"cols\":65535");
	assert_true(app->tty);
	assert_int_equal(app->size.ws_row, 50);
	assert_int_equal(app->size.ws_col, 65535);
	app = read_app(",\"tty\":true");
	assert_int_equal(app->size.ws_row, 0);
	assert_int_equal(app->size.ws_col, 0);
}

static void what_is_left_out_has_its_default(void **state)
{
	(void)state;
	const struct podspec_app *app = read_app("");
	assert_false(app->tty || app->stdin_stream || app->read_only || app->docker || app->notify);
	assert_true(app->stdout_stream && app->stderr_stream && app->protect);
	assert_null(app->pre_start);
	assert_null(app->filter);
	assert_int_equal(app->cpu_shares, SPEC_CPU_SHARES);
}

static int setup(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_terminal_has_the_size_of_its_spec),
	cmocka_unit_test(what_is_left_out_has_its_default),
};
UNIT_MAIN(tests, setup, teardown)
