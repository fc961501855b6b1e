/* SPDX-License-Identifier: Apache-2.0 */
/* --net and the directories of networks (contract 5.1). */
/* LINK: cni base */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "cni/select.h"

static char dir[] = "/tmp/xenpod-test-cni-XXXXXX";
static char *builtin;
static char *user;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	builtin = xasprintf("%s/builtin", dir);
	user = xasprintf("%s/user", dir);
	return 0;
}

static void run_shell(const char *fmt, const char *what)
{
	_cleanup_free_ char *cmd = xasprintf("%s %s", fmt, what);
	assert_int_equal(system(cmd), 0);
}

static int teardown(void **state)
{
	(void)state;
	run_shell("rm -rf", dir);
	free(builtin);
	free(user);
	return 0;
}

/* Both directories anew, empty. */
static int fresh(void **state)
{
	(void)state;
	run_shell("rm -rf", builtin);
	run_shell("rm -rf", user);
	return mkdir(builtin, 0755) < 0 ? -1 : mkdir(user, 0755);
}

static void put(const char *where, const char *file, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", where, file);
	_cleanup_file_ FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static void put_net(const char *where, const char *file, const char *name)
{
	_cleanup_free_ char *text =
		xasprintf("{\"name\":\"%s\",\"type\":\"%s\"}", name, strrchr(where, '/') + 1);
	put(where, file, text);
}

static int select_nets(const char *flag, struct cni_nets *ret, struct err *err)
{
	_cleanup_cni_flag_ struct cni_flag f = {0};
	assert_ok(cni_flag_parse(flag, &f, err), err);
	return cni_select(&f, builtin, user, ret, err);
}

/* "eth0=name@type(args) eth1=..." of what a flag selects. */
static void selects(const char *flag, const char *want)
{
	struct err err = {0};
	_cleanup_cni_nets_ struct cni_nets n = {0};
	char got[1024] = "";
	assert_ok(select_nets(flag, &n, &err), &err);
	for (size_t i = 0; i < n.n; i++) {
		const struct cni_net *net = &n.net[i];
		size_t len = strlen(got);
		snprintf(got + len, sizeof got - len, "%s%s=%s@%s%s%s%s", i ? " " : "", net->ifname,
			net->name, cni_net_type(net), net->args ? "(" : "",
			net->args ? net->args : "", net->args ? ")" : "");
		assert_int_equal(net->builtin, !strcmp(cni_net_type(net), "builtin"));
	}
	assert_string_equal(got, want);
}

static void refuses(const char *flag, enum err_code code, const char *says)
{
	struct err err = {0};
	struct cni_nets n = {0};
	assert_fails(select_nets(flag, &n, &err), &err, code, says);
	assert_int_equal(n.n, 0);
}

/* The notes of a selection that goes well hold the text, or with NULL there are none. */
static void notes(const char *flag, const char *text)
{
	struct err err = {0};
	_cleanup_cni_nets_ struct cni_nets n = {0};
	assert_ok(select_nets(flag, &n, &err), &err);
	assert_int_equal(n.n_notes, text ? 1 : 0);
	if (text && !strstr(n.notes[0], text))
		fail_msg("note: %s", n.notes[0]);
}

static void the_flag_is_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum cni_mode mode;
		bool all;
		size_t n;
	} good[] = {
		{"default", CNI_LIST, false, 1},
		{"a,b:K=V;L=W,c:", CNI_LIST, false, 3},
		{"all", CNI_LIST, true, 0},
		{"a:IP=1.2.3.4,all", CNI_LIST, true, 1},
		{"none", CNI_NONE, false, 0},
		{"a,none,all", CNI_NONE, true, 1},
		{"host", CNI_HOST, false, 0},
		{"none,a,host", CNI_HOST, false, 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct err err = {0};
		_cleanup_cni_flag_ struct cni_flag f = {0};
		assert_ok(cni_flag_parse(good[i].text, &f, &err), &err);
		assert_int_equal(f.mode, good[i].mode);
		assert_int_equal(f.all, good[i].all);
		assert_int_equal(f.n_want, good[i].n);
	}
}

static void a_wrong_flag_is_refused(void **state)
{
	(void)state;
	static const char *const bad[][2] = {
		{"", "flag --net=: a network's name is empty"},
		{"a,,b", "name is empty"},
		{",a", "name is empty"},
		{"a,", "name is empty"},
		{":K=V", "name is empty"},
		{"a,b,a:K=V", "\"a\" stands there twice"},
		{"none,none", "\"none\" stands there twice"},
		{"all:K=V", "\"all\" takes no arguments"},
		{"host:", "\"host\" takes no arguments"},
		{"none:x", "\"none\" takes no arguments"},
		{"a:IP=fd00::1", "flag --net=a:IP=fd00::1: \"a\" has a second \":\""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};
		struct cni_flag f = {0};
		assert_fails(cni_flag_parse(bad[i][0], &f, &err), &err, ERR_INVALID, bad[i][1]);
		assert_null(f.want);
	}
}

static void files_order_the_interfaces(void **state)
{
	(void)state;
	put_net(builtin, "99-default.conf", "default");
	put_net(builtin, "99-default-restricted.conf", "default-restricted");
	put_net(user, "Z.conf", "upper");
	put_net(user, "a.conf", "lower");
	put_net(user, "10-ten.conf", "ten");
	put_net(user, "9-nine.conf", "nine");
	put_net(user, "ignored.json", "ignored");
	put_net(user, "ignored.conf.bak", "ignored");
	put(user, "5-list.conflist", "{\"name\":\"list\",\"plugins\":[{\"type\":\"user\"}]}");
	selects("default", "eth0=default@builtin");
	selects("lower,upper,default:IP=1.2.3.4,nine,ten:A=1;B=2",
		"eth0=ten@user(A=1;B=2) eth1=nine@user eth2=default@builtin(IP=1.2.3.4) "
		"eth3=upper@user eth4=lower@user");
	selects("all,list:X=1",
		"eth0=ten@user eth1=list@user(X=1) eth2=nine@user "
		"eth3=default-restricted@builtin eth4=default@builtin eth5=upper@user "
		"eth6=lower@user");
	selects("none,nothing", "");
	selects("host", "");
	refuses("zz,default,aa", ERR_NOTFOUND, "networks not found: aa, zz");
	refuses("ignored", ERR_NOTFOUND, "networks not found: ignored");
	refuses("all,missing", ERR_NOTFOUND, "networks not found: missing");
}

static void the_users_network_wins_and_the_first_file(void **state)
{
	(void)state;
	put_net(builtin, "99-default.conf", "default");
	put_net(user, "50-mine.conf", "default");
	selects("default", "eth0=default@user");
	notes("default", "overridden by");
	put(user, "60-other.conf", "{\"name\":\"default\",\"type\":\"second\"}");
	selects("all", "eth0=default@user");
	refuses("other", ERR_NOTFOUND, "other");
	_cleanup_free_ char *mine = xasprintf("%s/50-mine.conf", user);
	assert_int_equal(unlink(mine), 0);
	selects("default", "eth0=default@second");
}

/* Two files of one name, for two networks. */
static void the_builtin_one_is_first_of_a_name(void **state)
{
	(void)state;
	put_net(builtin, "10-net.conf", "zz");
	put_net(user, "10-net.conf", "aa");
	selects("all", "eth0=zz@builtin eth1=aa@user");
	notes("all", NULL);
}

static void directories_may_be_absent(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_nets_ struct cni_nets n = {0};
	struct cni_flag f = {.all = true};
	assert_ok(cni_select(&f, NULL, "/nonexistent/net.d", &n, &err), &err);
	assert_int_equal(n.n, 0);
	assert_fails(cni_select(&f, NULL, "/proc/self/exe", &n, &err), &err, ERR_SYSTEM,
		"networks: read directory /proc/self/exe");
}

static void a_broken_file_matters_when_it_may_be_wanted(void **state)
{
	(void)state;
	put_net(builtin, "99-default.conf", "default");
	put_net(user, "10-a.conf", "a");
	put(user, "20-bad.conf", "{\"name\":\"bad\",\"type\":\"../x\"}");
	notes("a", "20-bad.conf: \"type\"");
	notes("default", "ignored, it is not usable");
	refuses("bad", ERR_INVALID, "20-bad.conf: \"type\" must be");
	refuses("all", ERR_INVALID, "20-bad.conf");
	/* Nobody knows what network this one is: a is in a file before it, default could be it. */
	put(user, "20-bad.conf", "{\"name\":");
	notes("a", "20-bad.conf: it is not valid JSON");
	refuses("default", ERR_INVALID, "20-bad.conf: it is not valid JSON");
	refuses("b", ERR_INVALID, "20-bad.conf");
}

static void a_broken_builtin_file_can_be_overridden(void **state)
{
	(void)state;
	put(builtin, "99-default.conf", "nonsense");
	refuses("default", ERR_INVALID, "99-default.conf");
	put_net(user, "50-mine.conf", "default");
	selects("default", "eth0=default@user");
	notes("default", "99-default.conf");
}

static void only_files_are_read(void **state)
{
	(void)state;
	_cleanup_free_ char *sub = xasprintf("%s/10-dir.conf", user);
	_cleanup_free_ char *fifo = xasprintf("%s/20-fifo.conf", user);
	_cleanup_free_ char *gone = xasprintf("%s/30-gone.conf", user);
	put_net(user, "05-a.conf", "a");
	assert_int_equal(mkdir(sub, 0755), 0);
	notes("a", NULL);
	assert_int_equal(mkfifo(fifo, 0644), 0);
	notes("a", "20-fifo.conf: it is not a regular file");
	refuses("all", ERR_INVALID, "20-fifo.conf");
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(symlink("/nonexistent", gone), 0);
	notes("a", "30-gone.conf: No such file");
}

static void networks_of_a_pod_are_bounded(void **state)
{
	(void)state;
	for (int i = 0; i <= CNI_NETS_MAX; i++) {
		char name[32];
		char file[48];
		snprintf(name, sizeof name, "n%d", i);
		snprintf(file, sizeof file, "%02d.conf", i);
		put_net(user, file, name);
	}
	refuses("all", ERR_FULL, "17 networks for one pod, at most 16");
}

#define with_dirs(test) cmocka_unit_test_setup(test, fresh)

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_flag_is_read),
	cmocka_unit_test(a_wrong_flag_is_refused),
	with_dirs(files_order_the_interfaces),
	with_dirs(the_users_network_wins_and_the_first_file),
	with_dirs(the_builtin_one_is_first_of_a_name),
	with_dirs(directories_may_be_absent),
	with_dirs(a_broken_file_matters_when_it_may_be_wanted),
	with_dirs(a_broken_builtin_file_can_be_overridden),
	with_dirs(only_files_are_read),
	with_dirs(networks_of_a_pod_are_bounded),
};

UNIT_MAIN(tests, setup, teardown)
