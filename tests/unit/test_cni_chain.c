/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of several plugins: order, what each is handed, what a failure undoes. */
/* LINK: cni base */
/* VALGRIND: no, valgrind does not know pidfd_open(2), by which a plugin is waited for */
#include "unit.h"

#include "base/json.h"
#include "cni/chain.h"
#include "cnikit.h"
#include "fdcount.h"

/*
 * Each call is a line of $D/log, "ADD a netns prevResult's ips|- runtimeConfig|-"; a plugin's result
 * has its name as an interface, so that it can be seen whose result was handed on.
 */
static const char recorder[] =
	"me=${0##*/}; conf=$(cat)\n"
	"prev=$(printf %s \"$conf\" | sed -n 's/.*\"by\":\"\\([a-z]*\\)\".*/\\1/p')\n"
	"rt=$(printf %s \"$conf\" | sed -n 's/.*\"runtimeConfig\":\\({[^}]*}\\).*/\\1/p')\n"
	"echo \"$CNI_COMMAND $me ${CNI_NETNS:-gone} prev=${prev:--} rt=${rt:--}\" >>$D/log\n"
	"if [ -e $D/fail-$CNI_COMMAND-$me ]; then\n"
	"  echo '{\"code\":100,\"msg\":\"'$CNI_COMMAND' of '$me' fails\"}'; exit 1; fi\n"
	"if [ -e $D/hang-$CNI_COMMAND-$me ]; then sleep 1000; fi\n"
	"if [ -e $D/print-$CNI_COMMAND-$me ]; then cat $D/print-$CNI_COMMAND-$me; exit 0; fi\n"
	"if [ $CNI_COMMAND = ADD ]; then echo "
	"'{\"by\":\"'$me'\",\"ips\":[{\"address\":\"10.0.0.2/24\"}]}'; fi\n";

static struct cni_attach at = {
	.container = "c1", .netns = "/run/netns/x", .dirs = cnikit_dirs, .timeout_ms = 20000};

static int setup(void **state)
{
	if (cnikit_setup(state) < 0)
		return -1;
	cnikit_plugin("a", recorder);
	cnikit_plugin("b", recorder);
	cnikit_plugin("c", recorder);
	return 0;
}

static void shell(const char *what, const char *names)
{
	_cleanup_free_ char *cmd = xasprintf("cd %s && %s %s", cnikit_dir, what, names);
	assert_int_equal(system(cmd), 0);
}

static int fresh(void **state)
{
	shell("rm -rf", "log fail-* hang-* print-*");
	at.netns = "/run/netns/x";
	at.timeout_ms = 20000;
	at.capabilities = NULL;
	at.prev = NULL;
	return fd_count_setup(state);
}

static struct cni_net net_of(const char *version, const char *plugins)
{
	struct cni_net n;
	struct err err = {0};
	_cleanup_free_ char *text = xasprintf(
		"{\"cniVersion\":\"%s\",\"name\":\"n\",\"plugins\":[%s]}", version, plugins);
	assert_ok(cni_net_parse("/x/n.conflist", text, strlen(text), &n, &err), &err);
	strcpy(n.ifname, "eth0");
	return n;
}

#define ABC "{\"type\":\"a\"},{\"type\":\"b\"},{\"type\":\"c\"}"

static void logged(const char *want)
{
	_cleanup_free_ char *log = cnikit_take("log");
	assert_string_equal(log, want);
}

static void a_chain_hands_its_results_on(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net n = net_of("0.4.0", ABC);
	_cleanup_cni_result_ struct cni_result r = {0};
	assert_ok(cni_net_add(&n, &at, &r, &err), &err);
	assert_string_equal(json_str_opt(r.raw, "by", ""), "c");
	assert_string_equal(cni_result_ip4(&r)->address, "10.0.0.2/24");
	logged("ADD a /run/netns/x prev=- rt=-\nADD b /run/netns/x prev=a rt=-\n"
	       "ADD c /run/netns/x prev=b rt=-\n");
	assert_ok(cni_net_check(&n, &at, r.raw, &err), &err);
	logged("CHECK a /run/netns/x prev=c rt=-\nCHECK b /run/netns/x prev=c rt=-\n"
	       "CHECK c /run/netns/x prev=c rt=-\n");
	at.netns = NULL;
	assert_ok(cni_net_del(&n, &at, r.raw, &err), &err);
	logged("DEL c gone prev=c rt=-\nDEL b gone prev=c rt=-\nDEL a gone prev=c rt=-\n");
	assert_ok(cni_net_del(&n, &at, NULL, &err), &err);
	logged("DEL c gone prev=- rt=-\nDEL b gone prev=- rt=-\nDEL a gone prev=- rt=-\n");
}

static void old_versions_have_less(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net old = net_of("0.2.0", "{\"type\":\"a\"}");
	_cleanup_cni_net_ struct cni_net n = net_of("0.3.0", "{\"type\":\"a\"},{\"type\":\"b\"}");
	_cleanup_cni_result_ struct cni_result r = {0};
	_cleanup_json_ json_t *by = json_make("{s:s}", "by", "x");
	at.prev = by;
	assert_ok(cni_net_add(&old, &at, &r, &err), &err);
	assert_ok(cni_net_check(&old, &at, r.raw, &err), &err);
	assert_ok(cni_net_del(&old, &at, r.raw, &err), &err);
	logged("ADD a /run/netns/x prev=- rt=-\nDEL a /run/netns/x prev=- rt=-\n");
	cni_result_done(&r);
	assert_ok(cni_net_add(&n, &at, &r, &err), &err);
	assert_ok(cni_net_check(&n, &at, r.raw, &err), &err);
	assert_ok(cni_net_del(&n, &at, r.raw, &err), &err);
	logged("ADD a /run/netns/x prev=x rt=-\nADD b /run/netns/x prev=a rt=-\n"
	       "DEL b /run/netns/x prev=- rt=-\nDEL a /run/netns/x prev=- rt=-\n");
}

static void check_can_be_switched_off(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net n = net_of("1.0.0", ABC);
	_cleanup_json_ json_t *result = json_object();
	assert_ok(cni_net_check(&n, &at, NULL, &err), &err);
	shell("touch", "fail-CHECK-b");
	assert_fails(cni_net_check(&n, &at, result, &err), &err, ERR_SYSTEM,
		"network \"n\": plugin \"b\": CHECK of b fails (code 100)");
	logged("CHECK a /run/netns/x prev=- rt=-\nCHECK b /run/netns/x prev=- rt=-\n");
	n.disable_check = true;
	assert_ok(cni_net_check(&n, &at, result, &err), &err);
	logged("");
}

/* Spec 0.4.0: DEL of all plugins, "even if some were not called during the ADD action". */
static void a_failed_add_is_undone(void **state)
{
	(void)state;
	struct err err = {0};
	struct cni_result r;
	_cleanup_cni_net_ struct cni_net n = net_of("0.4.0", ABC);
	shell("touch", "fail-ADD-b fail-DEL-c");
	assert_fails(cni_net_add(&n, &at, &r, &err), &err, ERR_SYSTEM,
		"network \"n\": plugin \"b\": ADD of b fails (code 100)");
	assert_null(r.raw);
	logged("ADD a /run/netns/x prev=- rt=-\nADD b /run/netns/x prev=a rt=-\n"
	       "DEL c /run/netns/x prev=a rt=-\nDEL b /run/netns/x prev=a rt=-\n"
	       "DEL a /run/netns/x prev=a rt=-\n");
}

static void a_wrong_result_is_a_failed_add(void **state)
{
	(void)state;
	struct err err = {0};
	struct cni_result r;
	_cleanup_cni_net_ struct cni_net n = net_of("0.4.0", "{\"type\":\"a\"},{\"type\":\"b\"}");
	shell("echo nonsense >", "print-ADD-b");
	assert_fails(cni_net_add(&n, &at, &r, &err), &err, ERR_INVALID,
		"network \"n\": plugin \"b\": the 9 bytes it printed are garbage");
	shell("echo '{\"ips\":[{\"address\":\"1.2.3.4/99\"}]}' >", "print-ADD-b");
	assert_fails(cni_net_add(&n, &at, &r, &err), &err, ERR_INVALID,
		"plugin \"b\": result: ips: \"address\"");
	logged("ADD a /run/netns/x prev=- rt=-\nADD b /run/netns/x prev=a rt=-\n"
	       "DEL b /run/netns/x prev=a rt=-\nDEL a /run/netns/x prev=a rt=-\n"
	       "ADD a /run/netns/x prev=- rt=-\nADD b /run/netns/x prev=a rt=-\n"
	       "DEL b /run/netns/x prev=a rt=-\nDEL a /run/netns/x prev=a rt=-\n");
}

/* The time is all plugins' together; undoing has as much again. */
static void a_hanging_add_is_undone(void **state)
{
	(void)state;
	struct err err = {0};
	struct cni_result r;
	_cleanup_cni_net_ struct cni_net n = net_of("0.4.0", "{\"type\":\"a\"},{\"type\":\"b\"}");
	shell("touch", "hang-ADD-b");
	at.timeout_ms = 2000;
	assert_fails(cni_net_add(&n, &at, &r, &err), &err, ERR_TIMEOUT,
		"network \"n\": plugin \"b\": it did not end within");
	logged("ADD a /run/netns/x prev=- rt=-\nADD b /run/netns/x prev=a rt=-\n"
	       "DEL b /run/netns/x prev=a rt=-\nDEL a /run/netns/x prev=a rt=-\n");
	at.timeout_ms = 0;
	assert_fails(cni_net_del(&n, &at, NULL, &err), &err, ERR_TIMEOUT,
		"network \"n\": no time left for plugin \"b\": 0 ms are over");
}

static void a_missing_plugin_is_found_before_anything_is_run(void **state)
{
	(void)state;
	struct err err = {0};
	struct cni_result r;
	_cleanup_cni_net_ struct cni_net n = net_of("0.4.0", "{\"type\":\"a\"},{\"type\":\"zz\"}");
	_cleanup_free_ char *want =
		xasprintf("network \"n\": plugin \"zz\" is in none of /nonexistent, %s: install it",
			cnikit_dir);
	assert_fails(cni_net_add(&n, &at, &r, &err), &err, ERR_NOTFOUND, want);
	assert_fails(cni_net_find(&n, cnikit_dirs, &err), &err, ERR_NOTFOUND, want);
	logged("");
	/* At DEL the rest is done all the same. */
	assert_fails(cni_net_del(&n, &at, NULL, &err), &err, ERR_NOTFOUND, want);
	logged("DEL a /run/netns/x prev=- rt=-\n");
}

static void a_failed_del_stops_there(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net n = net_of("0.4.0", ABC);
	shell("touch", "fail-DEL-b");
	assert_fails(cni_net_del(&n, &at, NULL, &err), &err, ERR_SYSTEM,
		"network \"n\": plugin \"b\": DEL of b fails");
	logged("DEL c /run/netns/x prev=- rt=-\nDEL b /run/netns/x prev=- rt=-\n");
	assert_int_equal(cni_net_del(&n, &at, NULL, NULL), -1);
}

static void capabilities_go_to_those_that_declare_them(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_result_ struct cni_result r = {0};
	_cleanup_cni_net_ struct cni_net n =
		net_of("0.3.1", "{\"type\":\"a\",\"capabilities\":{\"mac\":false}},"
				"{\"type\":\"b\",\"capabilities\":{\"mac\":true,\"absent\":true}}");
	_cleanup_json_ json_t *given =
		json_make("{s:s,s:i}", "mac", "02:00:00:00:00:01", "other", 1);
	at.capabilities = given;
	assert_ok(cni_net_add(&n, &at, &r, &err), &err);
	logged("ADD a /run/netns/x prev=- rt=-\n"
	       "ADD b /run/netns/x prev=a rt={\"mac\":\"02:00:00:00:00:01\"}\n");
	/* The net itself is as it was. */
	assert_true(cni_net_capable(&n, "mac"));
	assert_null(json_object_get(json_array_get(n.plugins, 1), "runtimeConfig"));
	assert_null(json_object_get(json_array_get(n.plugins, 1), "prevResult"));
}

static void what_a_domain_cannot_have_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *plugin;
		const char *says; /* NULL: it is taken */
	} t[] = {
		{"{\"type\":\"ptp\"}", NULL},
		{"{\"type\":\"ipvlan\"}", NULL},
		{"{\"type\":\"ipvlan\",\"mode\":\"l2\"}", NULL},
		{"{\"type\":\"ipvlan\",\"mode\":\"l3\"}",
			"plugin \"ipvlan\": mode l3 has no Ethernet"},
		{"{\"type\":\"ipvlan\",\"mode\":\"l3s\"}", "mode l3s has no Ethernet"},
		{"{\"type\":\"sbr\"}", "network \"n\": plugin \"sbr\": routing tables"},
		{"{\"type\":\"vrf\"}", "plugin \"vrf\": routing tables"},
		{"{\"type\":\"loopback\"}", "plugin \"loopback\": it makes no interface"},
		{"{\"type\":\"tuning\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1400}", NULL},
		{"{\"type\":\"tuning\",\"sysctl\":{},\"promisc\":true,\"allmulti\":true}", NULL},
		{"{\"type\":\"tuning\",\"sysctl\":{\"net.core.somaxconn\":\"500\"}}",
			"plugin \"tuning\": sysctl (\"net.core.somaxconn\") of the pod's "
			"namespace"},
		{"{\"type\":\"host-device\",\"device\":\"eth9\"}", NULL},
		{"{\"type\":\"my-own\"}", NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct err err = {0};
		_cleanup_free_ char *plugins = xasprintf("{\"type\":\"bridge\"},%s", t[i].plugin);
		_cleanup_cni_net_ struct cni_net n = net_of("0.4.0", plugins);
		if (t[i].says)
			assert_fails(cni_net_judge(&n, &err), &err, ERR_UNSUPPORTED, t[i].says);
		else
			assert_ok(cni_net_judge(&n, &err), &err);
	}
}

#define chain_test(test) cmocka_unit_test_setup_teardown(test, fresh, fd_count_teardown)

static const struct CMUnitTest tests[] = {
	chain_test(a_chain_hands_its_results_on),
	chain_test(old_versions_have_less),
	chain_test(check_can_be_switched_off),
	chain_test(a_failed_add_is_undone),
	chain_test(a_wrong_result_is_a_failed_add),
	chain_test(a_hanging_add_is_undone),
	chain_test(a_missing_plugin_is_found_before_anything_is_run),
	chain_test(a_failed_del_stops_there),
	chain_test(capabilities_go_to_those_that_declare_them),
	chain_test(what_a_domain_cannot_have_is_refused),
};

UNIT_MAIN(tests, setup, cnikit_teardown)
