/* SPDX-License-Identifier: Apache-2.0 */
/* --net, --port and --anti-spoofing of `xenpod run`, as rkt has the first two. */
/* LINK: tools appc fsm proto base */
#include "unit.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "tools/run_args.h"

static int parse(char **words, struct run_args *a, struct err *err)
{
	int n = 0;
	while (words[n])
		n++;
	return run_args_parse(n, words, a, err);
}

static void assert_flag(const char *one, const char *two, const char *want)
{
	struct err err = {0};
	struct run_args a;
	char *words[] = {(char[]){"run"}, strdup(one), strdup(two), (char[]){"A"}, NULL};
	assert_ok(parse(words, &a, &err), &err);
	_cleanup_free_ char *flag = run_net_flag(&a.net);
	assert_string_equal(flag, want);
	run_args_done(&a);
	free(words[1]);
	free(words[2]);
}

static void networks_are_joined(void **state)
{
	(void)state;
	assert_flag("--debug", "--interactive", "none");
	assert_flag("--debug", "--net", "default");
	assert_flag("--net=a", "--net", "a,default");
	assert_flag("--net=a:IP=10.0.0.1;K=V,b", "--net=c", "a:IP=10.0.0.1;K=V,b,c");
	assert_flag("--debug", "--net=all", "all");
}

static void assert_port(const char *value, const char *want)
{
	struct err err = {0};
	struct run_net n = {0};
	assert_ok(run_net_port(&n, value, &err), &err);
	_cleanup_free_ char *text = json_text(json_array_get(n.ports, 0));
	assert_string_equal(text, want);
	run_net_done(&n);
}

static void ports_of_rkts_form(void **state)
{
	(void)state;
	assert_port("http:80", "{\"name\":\"http\",\"hostPort\":80}");
	assert_port("h-1:65535", "{\"name\":\"h-1\",\"hostPort\":65535}");
	assert_port(
		"http:127.0.0.1:1", "{\"name\":\"http\",\"hostPort\":1,\"hostIP\":\"127.0.0.1\"}");
	assert_port("http:[::1]:1", "{\"name\":\"http\",\"hostPort\":1,\"hostIP\":\"::1\"}");
	assert_port("http:fd00::2:1", "{\"name\":\"http\",\"hostPort\":1,\"hostIP\":\"fd00::2\"}");
}

static void ports_of_no_form(void **state)
{
	static const char *const bad[] = {"", "80", "http", "http:", ":80", "http:0", "http:65536",
		"http:-1", "http:+1", "http: 1", "http:1x", "http:99999999999999999999", "Http:80",
		"http:host:80", "http::80", "http:1.2.3:80", "http:[1.2.3.4:80", "http:[]:80",
		NULL};
	(void)state;
	for (size_t i = 0; bad[i]; i++) {
		struct err err = {0};
		struct run_net n = {0};
		assert_fails(run_net_port(&n, bad[i], &err), &err, ERR_INVALID, bad[i]);
		assert_null(n.ports);
		run_net_done(&n);
	}
}

static void several_ports(void **state)
{
	struct err err = {0};
	struct run_net n = {0};
	(void)state;
	assert_ok(run_net_port(&n, "a:1", &err), &err);
	assert_ok(run_net_port(&n, "b:2", &err), &err);
	assert_int_equal(json_array_size(n.ports), 2);
	run_net_done(&n);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(networks_are_joined),
	cmocka_unit_test(ports_of_rkts_form),
	cmocka_unit_test(ports_of_no_form),
	cmocka_unit_test(several_ports),
};

UNIT_MAIN(tests, NULL, NULL)
