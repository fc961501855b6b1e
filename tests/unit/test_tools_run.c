/* SPDX-License-Identifier: Apache-2.0 */
/* What `xenpod run` makes of good options: pod manifests as whole JSON, DNS files, environment. */
/* LINK: tools appc proto base */
/* LIBS: archive md smartcols */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "tools/pod_manifest.h"
#include "tools/run_args.h"
#include "tools/run_env.h"
#include "tools/values.h"

/* Splits at spaces; no quoting. Words live until the next call. */
static void parse(const char *line, struct run_args *a)
{
	static char *words[64];
	static char text[2048];
	struct err err = {0};
	int n = 0;
	snprintf(text, sizeof(text), "%s", line);
	for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
		words[n++] = w;
	words[n] = NULL;
	assert_ok(run_args_parse(n, words, a, &err), &err);
}

/* The pod manifest, both apps being of one image with this "app". */
static char *made_of(const struct run_args *a, const char *app)
{
	struct err err = {0};
	struct image images[2] = {{.id = "sha512-00"}, {.id = "sha512-11"}};
	char one[] = "one";
	char two[] = "two";
	char *names[] = {one, two};
	json_t *m = NULL;
	_cleanup_free_ char *text = xasprintf("{\"acKind\":\"ImageManifest\",\"acVersion\":"
					      "\"0.8.11\",\"name\":\"example.com/x\",\"app\":%s}",
		app);
	for (size_t i = 0; i < a->napps; i++)
		assert_ok(appc_image_parse(text, strlen(text), &images[i].manifest, &err), &err);
	assert_ok(pod_manifest_make(a, images, names, &m, &err), &err);
	char *out = json_text(m);
	json_decref(m);
	for (size_t i = 0; i < a->napps; i++)
		image_done(&images[i]);
	return out;
}

#define APP "{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\"}"

static void same_json(const char *got, const char *wanted)
{
	struct err err = {0};
	_cleanup_json_ json_t *a = json_parse(got, strlen(got), "got", &err);
	_cleanup_json_ json_t *b = json_parse(wanted, strlen(wanted), "wanted", &err);
	assert_non_null(a);
	assert_non_null(b);
	if (!json_equal(a, b))
		fail_msg("got %s\nwanted %s", got, wanted);
}

/* contract 3.1 to 3.4: every option at once. */
static void test_rich_manifest(void **state)
{
	(void)state;
	struct run_args a;
	parse("run --volume=db,kind=host,source=/srv/db,readOnly=true,recursive=false "
	      "--mount=volume=tmp,target=/a --mount volume=db,target=/all --set-env=P=1 "
	      "x --volume=tmp,kind=empty --mount=volume=db,target=//a/./ "
	      "--user=u --group=g --supplementary-gids=7,8 --working-dir=/w --readonly-rootfs "
	      "--memory=16M --cpu=500m --cpu-shares=512 --oom-score-adj=-5 "
	      "--caps-retain=CAP_KILL,cap_chown --seccomp mode=remove,errno=EPERM,@rkt/x,chown "
	      "--user-annotation=A=1 --user-annotation=B=c=d --user-label=L= --set-env=Q=2 "
	      "--- y --volume=e2,kind=empty,mode=1777,uid=5,gid=6 --readonly-rootfs=false",
		&a);
	_cleanup_free_ char *got = made_of(&a, APP);
	same_json(got,
		"{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":[{\"name\":\"one\","
		"\"image\":{\"name\":\"example.com/x\",\"id\":\"sha512-00\",\"labels\":[]},"
		"\"app\":{\"exec\":[\"/x\"],\"user\":\"u\",\"group\":\"g\","
		"\"supplementaryGIDs\":[7,8],\"workingDirectory\":\"/w\","
		"\"environment\":[{\"name\":\"P\",\"value\":\"1\"},{\"name\":\"Q\",\"value\":\"2\"}"
		"],"
		"\"userAnnotations\":{\"A\":\"1\",\"B\":\"c=d\"},\"userLabels\":{\"L\":\"\"},"
		"\"isolators\":[{\"name\":\"resource/memory\",\"value\":"
		"{\"default\":false,\"request\":\"16M\",\"limit\":\"16M\"}},"
		"{\"name\":\"resource/cpu\",\"value\":"
		"{\"default\":false,\"request\":\"500m\",\"limit\":\"500m\"}},"
		"{\"name\":\"os/linux/cpu-shares\",\"value\":512},"
		"{\"name\":\"os/linux/oom-score-adj\",\"value\":-5},"
		"{\"name\":\"os/linux/capabilities-retain-set\",\"value\":"
		"{\"set\":[\"CAP_KILL\",\"CAP_CHOWN\"]}},"
		"{\"name\":\"os/linux/seccomp-remove-set\",\"value\":"
		"{\"set\":[\"@rkt/x\",\"chown\"],\"errno\":\"EPERM\"}}]},"
		"\"readOnlyRootFS\":true,\"mounts\":[{\"volume\":\"db\",\"path\":\"//a/./\"},"
		"{\"volume\":\"db\",\"path\":\"/all\"}]},"
		"{\"name\":\"two\",\"image\":{\"name\":\"example.com/x\",\"id\":\"sha512-11\","
		"\"labels\":[]},\"app\":{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\","
		"\"environment\":[{\"name\":\"P\",\"value\":\"1\"}],\"isolators\":[]},"
		"\"mounts\":[{\"volume\":\"tmp\",\"path\":\"/a\"},"
		"{\"volume\":\"db\",\"path\":\"/all\"}]}],"
		"\"volumes\":[{\"name\":\"db\",\"kind\":\"host\",\"source\":\"/srv/db\","
		"\"readOnly\":true,\"recursive\":false},{\"name\":\"tmp\",\"kind\":\"empty\","
		"\"mode\":\"0755\",\"uid\":0,\"gid\":0},{\"name\":\"e2\",\"kind\":\"empty\","
		"\"mode\":\"1777\",\"uid\":5,\"gid\":6}],\"isolators\":null,"
		"\"annotations\":[{\"name\":\"coreos.com/rkt/stage1/mutable\",\"value\":\"false\"},"
		"{\"name\":\"xenpod.io/owner\",\"value\":\"xenpod\"}],\"ports\":[]}");
	run_args_done(&a);
}

/* Options before the first image mean the first app, and only that. */
static void test_early_options(void **state)
{
	(void)state;
	struct run_args a;
	parse("run --memory=1G --supplementary-gids=3 --memory=2G x --memory=3G y", &a);
	assert_int_equal(a.napps, 2);
	_cleanup_free_ char *text = json_text(a.apps[0].isolators[ISOLATOR_MEMORY]);
	assert_non_null(strstr(text, "\"limit\":\"3G\""));
	assert_non_null(a.apps[0].gids);
	assert_null(a.apps[1].isolators[ISOLATOR_MEMORY]);
	assert_null(a.apps[1].gids);
	run_args_done(&a);
}

/* Memory and cpu come behind the image's own, the rest takes their place (stage0's rules). */
static void test_isolators_merge(void **state)
{
	(void)state;
	static const struct {
		const char *options, *image, *wanted;
	} rows[] = {
		{"", "[{\"name\":\"x/y\",\"value\":1}]", "[{\"name\":\"x/y\",\"value\":1}]"},
		{"--memory=1G", "[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"2G\"}}]",
			"[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"2G\"}},"
			"{\"name\":\"resource/memory\",\"value\":{\"default\":false,"
			"\"request\":\"1G\",\"limit\":\"1G\"}}]"},
		{"--cpu-shares=5", "[{\"Name\":\"os/linux/cpu-shares\",\"value\":9}]",
			"[{\"name\":\"os/linux/cpu-shares\",\"value\":5}]"},
		{"--oom-score-adj=0",
			"[{\"name\":\"os/linux/oom-score-adj\",\"value\":9},{\"name\":\"k\"}]",
			"[{\"name\":\"k\"},{\"name\":\"os/linux/oom-score-adj\",\"value\":0}]"},
		{"--caps-retain=CAP_KILL",
			"[{\"name\":\"os/linux/capabilities-remove-set\",\"value\":{\"set\":[]}},"
			"{\"name\":\"os/linux/capabilities-retain-set\",\"value\":{\"set\":[]}}]",
			"[{\"name\":\"os/linux/capabilities-retain-set\",\"value\":"
			"{\"set\":[\"CAP_KILL\"]}}]"},
		{"--caps-remove=CAP_KILL",
			"[{\"name\":\"os/linux/capabilities-retain-set\",\"value\":{\"set\":[]}}]",
			"[{\"name\":\"os/linux/capabilities-remove-set\",\"value\":"
			"{\"set\":[\"CAP_KILL\"]}}]"},
		{"--seccomp=mode=retain,@docker/default-whitelist",
			"[{\"name\":\"os/linux/seccomp-remove-set\",\"value\":{\"set\":[\"a\"]}}]",
			"[{\"name\":\"os/linux/seccomp-retain-set\",\"value\":"
			"{\"set\":[\"@docker/default-whitelist\"]}}]"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run_args a;
		_cleanup_free_ char *line = xasprintf("run A %s", rows[i].options);
		parse(line, &a);
		_cleanup_json_ json_t *image = json_loads(rows[i].image, 0, NULL);
		_cleanup_json_ json_t *list = isolators_merge(image, a.apps[0].isolators);
		_cleanup_json_ json_t *wanted = json_loads(rows[i].wanted, 0, NULL);
		_cleanup_free_ char *text = json_text(list);
		if (!json_equal(list, wanted))
			fail_msg("%s: got %s", rows[i].options, text);
		run_args_done(&a);
	}
}

static void test_path_clean(void **state)
{
	(void)state;
	static const char *const rows[][2] = {{"/", "/"}, {"//a//b/", "/a/b"}, {"/a/./b", "/a/b"},
		{"/a/../b", "/b"}, {"/../..", "/"}, {"/a/b/..", "/a"}, {"/a/...", "/a/..."}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *got = value_path_clean(rows[i][0]);
		assert_string_equal(got, rows[i][1]);
	}
}

static void test_insecure(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned flags;
	} rows[] = {{"none", 0}, {"image,tls,http,pubkey,ondisk,all-fetch", 0},
		{"capabilities", INSECURE_CAPABILITIES},
		{"paths,seccomp", INSECURE_PATHS | INSECURE_SECCOMP}, {"all-run", INSECURE_ALL_RUN},
		{"all", INSECURE_ALL_RUN}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run_args a;
		_cleanup_free_ char *line = xasprintf("run --insecure-options=%s A", rows[i].text);
		parse(line, &a);
		assert_int_equal(a.insecure, rows[i].flags);
		run_args_done(&a);
	}
}

/* contract 5.6 */
static void test_dns_modes(void **state)
{
	(void)state;
	static const struct {
		const char *options, *resolv, *hosts;
	} rows[] = {{"", "default", "default"}, {"--dns=host", "host", "default"},
		{"--dns=none", "none", "default"}, {"--dns=1.2.3.4", "stage0", "default"},
		{"--dns-search=a", "stage0", "default"}, {"--dns-opt=a", "stage0", "default"},
		{"--dns-domain=a", "stage0", "default"}, {"--hosts-entry=host", "default", "host"},
		{"--hosts-entry=::1=a --dns=none", "none", "stage0"}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run_args a;
		_cleanup_free_ char *line = xasprintf("run %s A", rows[i].options);
		parse(line, &a);
		assert_string_equal(a.dns.resolv, rows[i].resolv);
		assert_string_equal(a.dns.hosts_mode, rows[i].hosts);
		assert_int_equal(run_dns_is_default(&a.dns), i == 0);
		run_args_done(&a);
	}
}

static void test_dns_texts(void **state)
{
	(void)state;
	struct run_args a;
	parse("run --dns=1.2.3.4,5.6.7.8 --dns=fd00::1 --dns-search=a.b --dns-search=c "
	      "--dns-opt=ndots:2 --dns-domain=d --hosts-entry=1.1.1.1=x,2.2.2.2=y "
	      "--hosts-entry=1.1.1.1=z A",
		&a);
	_cleanup_free_ char *resolv = run_dns_resolv_text(&a.dns);
	_cleanup_free_ char *hosts = run_dns_hosts_text(&a.dns, NULL);
	_cleanup_free_ char *other = run_dns_hosts_text(&a.dns, "127.0.0.1 me\n");
	assert_string_equal(resolv, "# Generated by xenpod run\n\nsearch a.b c\n"
				    "nameserver 1.2.3.4\nnameserver 5.6.7.8\n"
				    "nameserver fd00::1\noptions ndots:2\ndomain d\n");
	assert_string_equal(hosts, "127.0.0.1 localhost localhost.localdomain\n\n\n"
				   "# Added by xenpod run --hosts-entry\n"
				   "1.1.1.1 x z\n2.2.2.2 y\n");
	assert_string_equal(other, "127.0.0.1 me\n\n\n# Added by xenpod run --hosts-entry\n"
				   "1.1.1.1 x z\n2.2.2.2 y\n");
	run_args_done(&a);
}

/* ---- environment --------------------------------------------------------------------------------
 */

static char dir[] = "/tmp/xenpod-run-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	_cleanup_free_ char *file = xasprintf("%s/env", dir);
	unlink(file);
	return rmdir(dir);
}

/* Writes the file and reads it; `times`: named so often on the command line. */
static int read_env(const char *text, int times, json_t **ret, struct err *err)
{
	_cleanup_free_ char *file = xasprintf("%s/env", dir);
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	struct words files = {0};
	while (times--)
		words_add(&files, file);
	int r = run_env_files(&files, ret, err);
	words_done(&files);
	return r;
}

static void test_env_file(void **state)
{
	(void)state;
	struct err err = {0};
	json_t *env = NULL;
	assert_ok(read_env("A=1\n# no\n\n; no\nB=b=b\r\nC=", 1, &env, &err), &err);
	_cleanup_free_ char *text = json_text(env);
	assert_string_equal(text, "{\"A\":\"1\",\"B\":\"b=b\",\"C\":\"\"}");
	json_decref(env);
	assert_ok(read_env("", 2, &env, &err), &err);
	json_decref(env);
	static const struct {
		const char *text, *says;
		int times;
	} bad[] = {{"A=1\nB\n", "line 2: NAME=VALUE is wanted, not \"B\"", 1},
		{"=1\n", "line 1", 1}, {"A=1\nA=2\n", "line 2: A is set already", 1},
		{"A=1\n", "line 1: A is set already", 2}, {"A=\377\n", "value of A is not", 1}};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_fails(read_env(bad[i].text, bad[i].times, &env, &err), &err, ERR_INVALID,
			bad[i].says);
}

/* image < file < the pod's < the app's; what is inherited fills gaps only. */
static void test_env_order(void **state)
{
	(void)state;
	struct run_args a;
	char one[] = "A=inherited";
	char two[] = "E=inherited";
	char odd[] = "BASH_FUNC_x%%=() { :; }";
	char *const environment[] = {one, two, odd, NULL};
	parse("run --set-env=C=pod --set-env=D=pod x --set-env=D=app", &a);
	a.inherited = run_env_inherited(environment);
	a.file_env = json_make("{s:s, s:s, s:s}", "B", "file", "C", "file", "D", "file");
	_cleanup_free_ char *got = made_of(&a,
		"{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\",\"environment\":["
		"{\"name\":\"A\",\"value\":\"image\"},{\"name\":\"B\",\"value\":\"image\"}]}");
	assert_non_null(strstr(got, "\"environment\":[{\"name\":\"A\",\"value\":\"image\"},"
				    "{\"name\":\"B\",\"value\":\"file\"},"
				    "{\"name\":\"C\",\"value\":\"pod\"},"
				    "{\"name\":\"D\",\"value\":\"app\"},"
				    "{\"name\":\"E\",\"value\":\"inherited\"}]"));
	run_args_done(&a);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_rich_manifest),
	cmocka_unit_test(test_early_options),
	cmocka_unit_test(test_isolators_merge),
	cmocka_unit_test(test_path_clean),
	cmocka_unit_test(test_insecure),
	cmocka_unit_test(test_dns_modes),
	cmocka_unit_test(test_dns_texts),
	cmocka_unit_test(test_env_file),
	cmocka_unit_test(test_env_order),
};
UNIT_MAIN(tests, setup, teardown)
