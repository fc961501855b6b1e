/* SPDX-License-Identifier: Apache-2.0 */
/* What rkt finds in the pod directory about networks: names and members are the contract's (5.3). */
/* LINK: stage1 cni base */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "stage1/netfiles.h"

#define RESOLV "stage1/rootfs/etc/rkt-resolv.conf"

static char dir[] = "/tmp/xenpod-test-netfiles-XXXXXX";
static int old_dir;

static int setup(void **state)
{
	(void)state;
	old_dir = open(".", O_DIRECTORY | O_CLOEXEC);
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	_cleanup_free_ char *cmd = xasprintf("rm -rf %s", dir);
	return fchdir(old_dir) < 0 || close(old_dir) < 0 ? -1 : system(cmd);
}

/* An empty pod directory, and in it. */
static int fresh(void **state)
{
	(void)state;
	_cleanup_free_ char *cmd =
		xasprintf("rm -rf %s/pod; mkdir -p %s/pod/stage1/rootfs/etc", dir, dir);
	_cleanup_free_ char *pod = xasprintf("%s/pod", dir);
	return system(cmd) || chdir(pod) ? -1 : 0;
}

static json_t *parse(const char *text)
{
	struct err err = {0};
	json_t *j = json_parse(text, strlen(text), "test", &err);
	assert_non_null(j);
	return j;
}

static char *text_of(const char *path)
{
	struct err err = {0};
	char *text = NULL;
	assert_ok(file_read_at(AT_FDCWD, path, 1 << 20, &text, NULL, &err), &err);
	return text;
}

static void assert_json(const char *path, const char *want)
{
	_cleanup_free_ char *text = text_of(path);
	_cleanup_json_ json_t *got = parse(text);
	_cleanup_json_ json_t *wanted = parse(want);
	if (!json_equal(got, wanted))
		fail_msg("%s: %s", path, text);
}

static void write_files(const char *request, const char *nets)
{
	struct err err = {0};
	_cleanup_json_ json_t *r = parse(request);
	_cleanup_json_ json_t *n = nets ? parse(nets) : NULL;
	assert_ok(netfiles_write(r, n, &err), &err);
}

static void no_networks(void **state)
{
	struct stat st;
	(void)state;
	write_files("{\"dir\":\"/pods/x\",\"net\":\"none\"}", NULL);
	_cleanup_free_ char *text = text_of("net-info.json");
	assert_string_equal(text, "null\n");
	assert_int_equal(stat("net", &st), -1);
	assert_int_equal(stat(RESOLV, &st), -1);
}

#define REQUEST(resolv)                                                                            \
	"{\"dir\":\"/pods/x\",\"network\":{\"resolv\":" resolv ",\"nets\":["                       \
	"{\"name\":\"a\",\"file\":\"10-a.conf\",\"version\":\"0.1.0\",\"plugins\":[{\"type\":"     \
	"\"ptp\","                                                                                 \
	"\"name\":\"a\",\"more\":[1]}]},"                                                          \
	"{\"name\":\"b\",\"file\":\"b.conflist\",\"version\":\"1.0.0\",\"plugins\":["              \
	"{\"type\":\"bridge\"},{\"type\":\"portmap\"}]}]}}"
#define NETS                                                                                       \
	"[{\"name\":\"a\",\"ifname\":\"eth0\",\"file\":\"10-a.conf\","                             \
	"\"plugin\":\"/pods/x/stage1/rootfs/usr/lib/rkt/plugins/net/ptp\",\"ip\":\"10.0.0.2\","    \
	"\"mask\":\"255.255.255.0\",\"dns\":{\"search\":[\"nowhere\"]}},"                          \
	"{\"name\":\"b\",\"ifname\":\"eth1\",\"file\":\"b.conflist\",\"plugin\":\"/pods/xy/"       \
	"bridge\","                                                                                \
	"\"args\":\"K=V\",\"dns\":{\"nameservers\":[\"192.0.2.1\"]}}]"

static void what_rkt_reads(void **state)
{
	struct stat st;
	(void)state;
	write_files(REQUEST("false"), NETS);
	assert_json("net-info.json",
		"[{\"netName\":\"a\",\"netConf\":\"net/10-a.conf\",\"pluginPath\":"
		"\"stage1/rootfs/usr/lib/rkt/plugins/net/ptp\",\"ifName\":\"eth0\","
		"\"ip\":\"10.0.0.2\",\"args\":\"\",\"mask\":\"255.255.255.0\"},"
		"{\"netName\":\"b\",\"netConf\":\"net/b.conflist\",\"pluginPath\":"
		"\"/pods/xy/bridge\",\"ifName\":\"eth1\",\"ip\":\"\",\"args\":\"K=V\","
		"\"mask\":\"\"}]");
	assert_int_equal(stat("net-info.json", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(stat(RESOLV, &st), -1);
}

static void confs_are_copied(void **state)
{
	(void)state;
	write_files(REQUEST("false"), NETS);
	assert_json("net/10-a.conf", "{\"type\":\"ptp\",\"name\":\"a\",\"more\":[1]}");
	assert_json("net/b.conflist", "{\"cniVersion\":\"1.0.0\",\"name\":\"b\",\"plugins\":["
				      "{\"type\":\"bridge\"},{\"type\":\"portmap\"}]}");
}

static void name_servers_of_the_first_that_has_some(void **state)
{
	(void)state;
	write_files(REQUEST("true"), NETS);
	_cleanup_free_ char *text = text_of(RESOLV);
	assert_non_null(strstr(text, "\nnameserver 192.0.2.1\n"));
	assert_null(strstr(text, "nowhere"));
}

static void written_again_they_are_replaced(void **state)
{
	(void)state;
	write_files(REQUEST("true"), NETS);
	write_files(REQUEST("true"), "[]");
	assert_json("net-info.json", "[]");
}

/* net-info.json is the last: a pod whose other files are missing shows no networks. */
static void what_cannot_be_written(void **state)
{
	struct err err = {0};
	struct stat st;
	_cleanup_json_ json_t *request = parse(REQUEST("true"));
	_cleanup_json_ json_t *nets = parse(NETS);
	(void)state;
	assert_int_equal(rmdir("stage1/rootfs/etc"), 0);
	assert_fails(netfiles_write(request, nets, &err), &err, ERR_NOTFOUND, "rkt-resolv.conf");
	assert_int_equal(stat("net-info.json", &st), -1);
}

#define files_test(test) cmocka_unit_test_setup(test, fresh)

static const struct CMUnitTest tests[] = {
	files_test(no_networks),
	files_test(what_rkt_reads),
	files_test(confs_are_copied),
	files_test(name_servers_of_the_first_that_has_some),
	files_test(written_again_they_are_replaced),
	files_test(what_cannot_be_written),
};

UNIT_MAIN(tests, setup, teardown)
