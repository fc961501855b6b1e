/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines of `xenpod run`, the pod manifest made of them, durations, and status texts. */
/* LINK: tools appc fsm proto base */
/* LIBS: archive md smartcols */
#include "unit.h"

#include <stdlib.h>

#include "appc/lenient.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "tools/duration.h"
#include "tools/pod_manifest.h"
#include "tools/run_args.h"
#include "tools/status.h"

/* Splits at spaces; no quoting. Words live until the program ends. */
static int parse(const char *line, struct run_args *a, struct err *err)
{
	static char *words[64];
	static char text[1024];
	int n = 0;
	snprintf(text, sizeof(text), "%s", line);
	for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
		words[n++] = w;
	words[n] = NULL;
	return run_args_parse(n, words, a, err);
}

static void test_groups(void **state)
{
	(void)state;
	struct err err = {0};
	struct run_args a;
	assert_ok(parse("run --net=x --name=one --set-env=P=1 A --set-env=Q=2 B -- -x --- "
			"C --name=c -- --exec=not-ours",
			  &a, &err),
		&err);
	assert_int_equal(a.napps, 3);
	assert_int_equal(a.net.nets.n, 1);
	assert_string_equal(a.net.nets.v[0], "x");
	assert_string_equal(a.apps[0].image, "A");
	assert_string_equal(a.apps[0].name, "one");
	assert_int_equal(a.apps[0].nargs, 0);
	assert_string_equal(a.apps[0].env.v[0], "Q=2");
	assert_string_equal(a.env.v[0], "P=1");
	assert_int_equal(a.env.n, 1);
	assert_string_equal(a.apps[1].image, "B");
	assert_null(a.apps[1].name);
	assert_int_equal(a.apps[1].nargs, 1);
	assert_string_equal(a.apps[1].args[0], "-x");
	assert_string_equal(a.apps[2].image, "C");
	assert_string_equal(a.apps[2].name, "c");
	assert_string_equal(a.apps[2].args[0], "--exec=not-ours");
	assert_null(a.apps[2].exec);
	run_args_done(&a);
}

static void parse_fails(const char *line, const char *text)
{
	struct err err = {0};
	struct run_args a;
	assert_fails(parse(line, &a, &err), &err, ERR_INVALID, text);
	run_args_done(&a);
}

static void test_group_errors(void **state)
{
	(void)state;
	static const struct {
		const char *line, *text;
	} bad[] = {{"run", "no image is named (xenpod"},
		{"run A ---", "no image is named after ---"}, {"run -- A", "no image is named"},
		{"run --- A", "no image is named"}, {"run A --dir=/x", "--dir is the pod's"},
		{"run A --- B --debug", "--debug is the pod's"},
		{"run --type=hvm A", "auto, pv or pvh"}, {"run --memory=4095 A", "at least 4096"},
		{"run --memory=1Q A", "--memory=1Q"}, {"run --cpu=0 A", "--cpu=0"},
		{"run --working-dir=x A", "absolute path"}, {"run --set-env=X A", "NAME=VALUE"},
		{"run --set-env==X A", "--set-env==X"}, {"run --exec= A", "--exec needs"},
		{"run --net= A", "--net needs a value"}, {"run --name=-a A", "--name=-a"},
		{"run -x A", "option -x is not known"},
		{"run A --nope", "option --nope is not known"},
		{"run --restart=often A", "--restart: \"often\" is no restart policy"},
		{"run A --restart=always", "--restart is the pod's"},
		{"run --restart=always --interactive A", "has no terminal"},
		{"run --interactive A B", "pod of one app"}, {"run \377 A", "not UTF-8"}};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		parse_fails(bad[i].line, bad[i].text);
}

/* Each names the option and its value. */
static void test_value_errors(void **state)
{
	(void)state;
	static const struct {
		const char *line, *text;
	} bad[] = {
		{"run --volume=a A", "--volume=a: kind=host or kind=empty is missing"},
		{"run --volume=A,kind=empty A", "--volume=A,kind=empty: name=A: a name"},
		{"run --volume=,kind=empty A", "name=: a name"},
		{"run --volume=a,kind=tmp A", "kind=tmp: host or empty"},
		{"run --volume=a,kind=host A", "source=PATH is missing"},
		{"run --volume=a,kind=host,source=x A", "source=x: an absolute path"},
		{"run --volume=a,kind=host,source=/x,readOnly=yes A", "readOnly=yes: true or"},
		{"run --volume=a,kind=host,source=/x,uid=1 A", "of kind host has no uid"},
		{"run --volume=a,kind=empty,source=/x A", "of kind empty has no source"},
		{"run --volume=a,kind=empty,mode=0888 A", "mode=0888: an octal mode"},
		{"run --volume=a,kind=empty,mode=17777 A", "mode=17777"},
		{"run --volume=a,kind=empty,uid=-1 A", "uid=-1: a number"},
		{"run --volume=a,kind=empty,gid=4294967295 A", "gid=4294967295"},
		{"run --volume=a,kind=empty,nosuch=1 A", "there is no \"nosuch\""},
		{"run --volume=a,kind=empty,readonly=1 A", "there is no \"readonly\""},
		{"run --volume=a,kind=empty,kind=host A", "kind=host: it is given twice"},
		{"run --volume=a,kind=empty,x A", "\"x\" is not KEY=VALUE"},
		{"run --volume=a,kind=empty A --volume=a,kind=empty", "a volume of this name"},
		{"run --mount=volume=a A", "volume=NAME,target=PATH is wanted"},
		{"run --mount=volume=a,target=x A", "target=x: an absolute path"},
		{"run --mount=volume=a,target=/x A", "no --volume has this name"},
		{"run --volume=a,kind=empty A --mount=volume=b,target=/x",
			"volume=b,target=/x: no"},
		{"run A --supplementary-gids=1,x", "--supplementary-gids=1,x: numbers"},
		{"run A --supplementary-gids=", "--supplementary-gids=: numbers"},
		{"run A --user-label=x", "--user-label=x: NAME=VALUE"},
		{"run A --user-annotation==x", "--user-annotation==x: NAME=VALUE"},
		{"run A --readonly-rootfs=yes", "--readonly-rootfs=yes: true or false"},
		{"run --interactive=1.0 A", "--interactive=1.0: true or false"},
		{"run A --cpu-shares=1", "--cpu-shares=1: a number from 2 to 262144"},
		{"run A --cpu-shares=9x", "--cpu-shares=9x"},
		{"run A --oom-score-adj=1001", "--oom-score-adj=1001: a number from -1000 to 1000"},
		{"run A --caps-retain=CAP_KILL,KILL", "\"KILL\" is not a capability"},
		{"run A --caps-remove=", "--caps-remove=: \"\" is not"},
		{"run A --caps-remove=CAP_KILL --caps-retain=CAP_KILL", "cannot stand together"},
		{"run A --seccomp=chown", "--seccomp=chown: mode=retain or mode=remove"},
		{"run A --seccomp=mode=retain", "--seccomp=mode=retain: system calls"},
		{"run A --seccomp=mode=keep,chown", "--seccomp=mode=keep,chown: mode=retain"},
		{"run A --seccomp=mode=retain,errno=1,chown", "errno=1: a name"},
		{"run A --seccomp=mode=retain,errno=eperm,chown", "errno=eperm: a name"},
		{"run A --seccomp=mode=retain,CHOWN", "\"CHOWN\" is no system call"},
		{"run A --seccomp=mod=retain,chown", "there is no \"mod\""},
		{"run --insecure-options=image,caps A", "there is no \"caps\""},
		{"run --dns=8.8.8 A", "--dns=8.8.8: an IP address"},
		{"run --dns=1.1.1.1,x A", "--dns=1.1.1.1,x: an IP"},
		{"run --dns=host --dns=1.1.1.1 A", "--dns=host: no other --dns"},
		{"run --dns=none --dns-opt=x A", "--dns=none: --dns-search, --dns-opt"},
		{"run --hosts-entry=x A", "--hosts-entry=x: IP=NAME"},
		{"run --hosts-entry=x=y A", "\"x\" is not an IP address"},
		{"run --hosts-entry=1.1.1.1= A", "--hosts-entry=1.1.1.1=: IP=NAME"},
		{"run --hosts-entry=1.1.1.1=a --hosts-entry=host A",
			"--hosts-entry=host: no other"},
		{"run --hostname=a/b A", "--hostname=a/b: up to 64"},
		{"run --mem0ry=1G A", "option --mem0ry=1G is not known here, --memory is"},
		{"run --volumes=a A", "option --volumes=a is not known here, --volume is"},
		{"run --pod-manifest=f A --memory=1G", "--memory cannot be given with"},
		{"run --pod-manifest=f --volume=a,kind=empty", "--volume cannot be given with"},
		{"run --pod-manifest=f --inherit-env", "--inherit-env cannot be given with"},
		{"run --pod-manifest=f --type=pv", "--type cannot be given with"},
		{"run --pod-manifest=f --set-env=A=1", "--set-env cannot be given with"},
		{"run --pod-manifest=f A -- x", "arguments cannot be given with"},
		{"run --pod-manifest=f -- x", "no image is named"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		parse_fails(bad[i].line, bad[i].text);
}

static void load(struct image *image, const char *text)
{
	struct err err = {0};
	*image = (struct image){.id = "sha512-00"};
	assert_ok(appc_image_parse(text, strlen(text), &image->manifest, &err), &err);
}

#define IMAGE(name, app)                                                                           \
	"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"" name "\"" app "}"

static void free_names(char **names, size_t n)
{
	while (n)
		free(names[--n]);
	free(names);
}

static void test_names(void **state)
{
	(void)state;
	struct err err = {0};
	struct run_args a;
	struct image images[4];
	char **names;
	for (int i = 0; i < 4; i++)
		load(&images[i], IMAGE("example.com/a_b", ""));
	assert_ok(parse("run x x x --name=a-b-2 --- x", &a, &err), &err);
	assert_ok(pod_manifest_names(&a, images, &names, &err), &err);
	assert_string_equal(names[0], "a-b");
	assert_string_equal(names[1], "a-b-3");
	assert_string_equal(names[2], "a-b-2");
	assert_string_equal(names[3], "a-b-4");
	free_names(names, 4);
	run_args_done(&a);
	assert_ok(parse("run x --name=n --- x --name=n", &a, &err), &err);
	assert_fails(pod_manifest_names(&a, images, &names, &err), &err, ERR_INVALID, "\"n\"");
	run_args_done(&a);
	for (int i = 0; i < 4; i++)
		image_done(&images[i]);
}

/* Odd-case keys of the image, as Go takes them, do not survive beside ours. */
static void test_manifest_merges(void **state)
{
	(void)state;
	struct err err = {0};
	struct run_args a;
	struct image image;
	json_t *m = NULL;
	char app[] = "x";
	char *names[] = {app};
	load(&image, IMAGE("x", ",\"App\":{\"EXEC\":[\"/old\"],\"User\":\"1\",\"group\":\"2\","
				"\"Environment\":[{\"NAME\":\"K\",\"value\":\"old\"}],"
				"\"isolators\":[{\"name\":\"resource/memory\",\"value\":"
				"{\"limit\":\"1G\"}}]}"));
	assert_ok(parse("run --memory=16M --set-env=K=new --user=7 x -- arg", &a, &err), &err);
	assert_ok(pod_manifest_make(&a, &image, names, &m, &err), &err);
	const json_t *o = json_object_get(json_array_get(json_object_get(m, "apps"), 0), "app");
	_cleanup_free_ char *exec = json_text(lenient_get(o, "exec"));
	_cleanup_free_ char *env = json_text(lenient_get(o, "environment"));
	assert_string_equal(exec, "[\"/old\",\"arg\"]");
	assert_string_equal(env, "[{\"name\":\"K\",\"value\":\"new\"}]");
	assert_string_equal(json_string_value(lenient_get(o, "user")), "7");
	assert_string_equal(json_string_value(lenient_get(o, "group")), "2");
	assert_int_equal(json_array_size(lenient_get(o, "isolators")), 2);
	json_decref(m);
	image_done(&image);
	run_args_done(&a);
}

static void duration_fails(const char *text)
{
	struct err err = {0};
	int64_t ns = 77;
	assert_fails(duration_parse(text, &ns, &err), &err, ERR_INVALID, "duration");
	assert_int_equal(ns, 77);
}

static void test_durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {{"0", 0}, {"0s", 0}, {"10s", 10000000000}, {"30m", 1800000000000},
		{"1h30m", 5400000000000}, {"1.5h", 5400000000000}, {"250ms", 250000000},
		{"2us", 2000}, {"3ns", 3}};
	static const char *const bad[] = {
		"", "10", "-1s", "1x", "s", "1..5s", "1h 2m", "1e9h", "1h-"};
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		int64_t ns = -1;
		assert_ok(duration_parse(good[i].text, &ns, &err), &err);
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		duration_fails(bad[i]);
}

static void test_a_time_in_the_future_is_not_waited_for(void **state)
{
	const int64_t s = 1000000000;
	(void)state;
	assert_false(duration_over(100 * s, 129 * s, 30 * s));
	assert_true(duration_over(100 * s, 130 * s, 30 * s));
	assert_false(duration_over(101 * s, 100 * s, 30 * s));
	assert_true(duration_over(101 * s, 100 * s, 0));
	assert_true(duration_over(100000 * s, 100 * s, 30 * s));
}

static void test_status_texts(void **state)
{
	(void)state;
	_cleanup_json_ json_t *pod =
		json_make("{s:s, s:s, s:[{s:s,s:s,s:i,s:n}, {s:s,s:s,s:n,s:i}, {s:s,s:s,s:n,s:n}]}",
			"word", "starting", "state", "booting", "apps", "name", "a", "state",
			"exited", "code", 3, "signal", "name", "b", "state", "killed", "code",
			"signal", 9, "name", "c", "state", "running", "code", "signal");
	_cleanup_free_ char *text = status_state_text(pod);
	_cleanup_free_ char *apps = status_apps_text(pod);
	assert_string_equal(text, "starting (booting)");
	assert_string_equal(apps, "a=3 b=SIGKILL c=running");
	json_object_set_new(pod, "state", json_string("starting"));
	_cleanup_free_ char *plain = status_state_text(pod);
	assert_string_equal(plain, "starting");
}

static void restart_reads(const char *restart, const char *state, const char *text)
{
	_cleanup_json_ json_t *pod = json_make("{s:s, s:s}", "state", state, "want", "up");
	json_t *r = json_loads(restart, 0, NULL);
	assert_non_null(r);
	json_object_set_new(pod, "restart", r);
	_cleanup_free_ char *line = status_restart_line(pod);
	assert_string_equal(line, text);
}

static void test_restart_texts(void **state)
{
	(void)state;
	_cleanup_json_ json_t *pod = json_make("{s:s, s:n}", "state", "exited", "restart");
	_cleanup_free_ char *none = status_restart_line(pod);
	assert_string_equal(none, "");
	restart_reads("{\"policy\":\"always\",\"limit\":10,\"tries\":0,\"lives\":1}", "running",
		"always: 0 of at most 10 short lives one after the other, 1 in all");
	restart_reads("{\"policy\":\"on-failure\",\"limit\":0,\"tries\":2,\"lives\":2,\"next\":1}",
		"backoff",
		"on-failure: 2 of any number short lives one after the other, 2 in all; next try "
		"in "
		"0 s");
	restart_reads("{\"policy\":\"always\",\"limit\":1,\"tries\":0,\"lives\":1,\"next\":null}",
		"backoff",
		"always: 0 of at most 1 short lives one after the other, 1 in all; next try with "
		"the "
		"next boot, or xenpod start --all");
	restart_reads("{\"policy\":\"always\",\"limit\":3,\"tries\":3,\"lives\":4,"
		      "\"given_up\":true}",
		"exited",
		"always: 3 of at most 3 short lives one after the other, 4 in all; given up after "
		"3");
}

static void test_status_pick(void **state)
{
	(void)state;
	struct err err = {0};
	const char *uuid = NULL;
	_cleanup_json_ json_t *list =
		json_make("{s:[{s:s}, {s:s}]}", "pods", "uuid", "ab1", "uuid", "ab2");
	assert_ok(status_pick(list, "AB2", &uuid, &err), &err);
	assert_string_equal(uuid, "ab2");
	assert_fails(status_pick(list, "ab", &uuid, &err), &err, ERR_INVALID, "matches 2");
	assert_fails(status_pick(list, "ab12", &uuid, &err), &err, ERR_NOTFOUND, "ab12");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_groups),
	cmocka_unit_test(test_group_errors),
	cmocka_unit_test(test_value_errors),
	cmocka_unit_test(test_names),
	cmocka_unit_test(test_manifest_merges),
	cmocka_unit_test(test_durations),
	cmocka_unit_test(test_a_time_in_the_future_is_not_waited_for),
	cmocka_unit_test(test_status_texts),
	cmocka_unit_test(test_restart_texts),
	cmocka_unit_test(test_status_pick),
};
UNIT_MAIN(tests, NULL, NULL)
