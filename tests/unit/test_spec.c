/* SPDX-License-Identifier: Apache-2.0 */
/* Pod specs: a whole one is taken; each member left out or spoilt is refused by its name. */
/* LINK: proto base */
#include "unit.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "proto/spec.h"

#define UUID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

static const char good[] =
	"{'uuid':'" UUID "','dir':'/var/lib/rkt/pods/run/x','owner':'rkt',"
	"'type':'auto','memory_kib':1048576,'vcpus':2,'net':'default',"
	"'network':{'nets':[{'name':'default','file':'99-default.conf','ifname':'eth0',"
	"'plugins':[{'type':'ptp'}]}],'path':['/usr/lib/cni'],'guard':false,'resolv':true,"
	"'ports':[{'protocol':'tcp','host_ip':'0.0.0.0','host_port':80,'port':8080}],"
	"'target':0},"
	"'trees':[{'tag':'app0','read_only':false,'recursive':true},"
	"{'tag':'app1','read_only':true,'recursive':false}],"
	"'fds':['lock','status','kernel','ramdisk','tree/0','tree/1'],"
	"'guest':{'version':1,'uuid':'" UUID "','hostname':'rkt-" UUID "',"
	"'machine_id':'6ba7b8109dad11d180b400c04fd430c8','generation':1,"
	"'debug':false,'streams':true,'grace_ms':8000,"
	"'apps':[{'name':'web','tag':'app0','exec':['/bin/sh','-c',''],"
	"'user':'root','group':'root','gids':[1,2],'cwd':'/','env':['A=','B=x=y'],"
	"'read_only':false,'docker':false,'stdin':'null'},"
	"{'name':'side-car','tag':'app1','exec':['true'],'user':'0','group':'0',"
	"'gids':[],'cwd':'/srv','env':[]}]}}";

static json_t *request(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	for (char *p = copy; *p; p++) {
		if (*p == '\'')
			*p = '"';
	}
	struct err err = {0};
	json_t *j = json_parse(copy, strlen(copy), "test", &err);
	if (!j)
		fail_msg("%s: %s", err_msg(&err), copy);
	return j;
}

/* The object or array element that `path` leads to, and the last part of the path. */
static json_t *walk(json_t *at, const char *path, char last[64])
{
	char copy[128];
	char *save = NULL;
	snprintf(copy, sizeof(copy), "%s", path);
	char *part = strtok_r(copy, "/", &save);
	for (;;) {
		char *next = strtok_r(NULL, "/", &save);
		if (!next)
			break;
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(part))
				       : json_object_get(at, part);
		assert_non_null(at);
		part = next;
	}
	snprintf(last, 64, "%s", part);
	return at;
}

/* With `path` set to `value` (removed when NULL) the request is refused with `text`. */
static void assert_spoilt(const char *path, const char *value, const char *text)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *j = request(good);
	char last[64];
	json_t *at = walk(j, path, last);
	if (!value)
		json_object_del(at, last);
	else if (json_is_array(at))
		json_array_set_new(at, (size_t)atoi(last), request(value));
	else
		json_object_set_new(at, last, request(value));
	if (spec_check_request(j, &err) == 0)
		fail_msg("%s = %s was taken", path, value ? value : "nothing");
	assert_err(&err, ERR_INVALID, text);
}

static void a_whole_one_is_taken(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *j = request(good);
	assert_ok(spec_check_request(j, &err), &err);
	assert_ok(spec_check_guest(json_object_get(j, "guest"), &err), &err);
	json_object_del(json_object_get(j, "guest"), "generation");
	assert_ok(spec_check_request(j, &err), &err);
}

static void every_member_is_needed(void **state)
{
	(void)state;
	static const char *const members[] = {"uuid", "dir", "owner", "type", "memory_kib", "vcpus",
		"net", "trees", "fds", "guest", "guest/version", "guest/uuid", "guest/hostname",
		"guest/machine_id", "guest/grace_ms", "guest/apps", "guest/apps/0/name",
		"guest/apps/0/tag", "guest/apps/0/exec", "guest/apps/0/user", "guest/apps/0/group",
		"guest/apps/0/gids", "guest/apps/0/cwd", "guest/apps/0/env"};
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		char quoted[64];
		const char *name = strrchr(members[i], '/');
		snprintf(quoted, sizeof(quoted), "\"%s\"", name ? name + 1 : members[i]);
		assert_spoilt(members[i], NULL, quoted);
		assert_spoilt(members[i], "null", quoted);
	}
}

static void a_network_is_checked(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *j = request(good);
	json_object_del(j, "network");
	assert_ok(spec_check_request(j, &err), &err);
	assert_spoilt("network", "[]", "\"network\"");
	assert_spoilt("network/nets", "[]", "0 networks");
	assert_spoilt("network/nets/0", "1", "\"nets\"");
	assert_spoilt("network/nets/0/name", "''", "\"name\"");
	assert_spoilt("network/nets/0/ifname", "'../x'", "\"ifname\"");
	assert_spoilt("network/nets/0/plugins", "[]", "\"plugins\"");
	assert_spoilt("network/path", "['cni']", "\"path\"");
	assert_spoilt("network/ports", "{}", "\"ports\"");
	assert_spoilt("network/ports/0/protocol", "'sctp'", "\"protocol\"");
	assert_spoilt("network/ports/0/host_ip", "'here'", "\"host_ip\"");
	assert_spoilt("network/ports/0/host_port", "0", "\"host_port\"");
	assert_spoilt("network/ports/0/port", "65536", "\"port\"");
	assert_spoilt("network/target", "1", "\"target\"");
	assert_spoilt("network/target", NULL, "\"target\"");
	assert_spoilt("network/guard", "'yes'", "\"guard\"");
	assert_spoilt("network/resolv", "0", "\"resolv\"");
}

static void a_restart_policy_is_checked(void **state)
{
	(void)state;
	static const struct {
		const char *owner, *restart, *text;
	} bad[] = {
		{"rkt", "{'policy':'always'}", "xenpod run only"},
		{"xenpod", "{'policy':'often'}", "\"policy\" is \"often\""},
		{"xenpod", "{}", "\"policy\""},
		{"xenpod", "[]", "\"restart\""},
		{"xenpod", "{'policy':'always','limit':-1}", "\"limit\""},
		{"xenpod", "{'policy':'always','limit':1000001}", "\"limit\""},
		{"xenpod", "{'policy':'always','start':'1'}", "\"start\""},
	};
	_cleanup_err_ struct err err = {0};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ json_t *j = request(good);
		json_object_set_new(j, "owner", json_string(bad[i].owner));
		json_object_set_new(j, "restart", request(bad[i].restart));
		assert_int_equal(spec_check_request(j, &err), -1);
		if (!strstr(err_msg(&err), bad[i].text))
			fail_msg("%s: %s", bad[i].restart, err_msg(&err));
	}
	_cleanup_json_ json_t *j = request(good);
	json_object_set_new(j, "owner", json_string("xenpod"));
	json_object_set_new(j, "restart", request("{'policy':'on-failure','limit':0,'start':7}"));
	assert_ok(spec_check_request(j, &err), &err);
}

static void wrong_values_are_named(void **state)
{
	(void)state;
	assert_spoilt("uuid", "'6BA7B810-9DAD-11D1-80B4-00C04FD430C8'", "\"uuid\"");
	assert_spoilt("owner", "'docker'", "\"owner\" is \"docker\"");
	assert_spoilt("type", "'hvm'", "\"type\" is \"hvm\"");
	assert_spoilt("net", "''", "\"net\"");
	assert_spoilt("memory_kib", "1024", "\"memory_kib\" must be from 65536");
	assert_spoilt("memory_kib", "1.5e9", "\"memory_kib\"");
	assert_spoilt("memory_kib", "256072", "\"memory_kib\" must be whole MiB");
	assert_spoilt("vcpus", "0", "\"vcpus\"");
	assert_spoilt("vcpus", "129", "\"vcpus\"");
	assert_spoilt("guest/version", "2", "\"version\"");
	assert_spoilt("guest/generation", "0", "\"generation\"");
	assert_spoilt("guest/uuid", "'00000000-0000-4000-8000-000000000000'", "another");
	assert_spoilt("guest/hostname", "'a b'", "\"hostname\"");
	assert_spoilt("guest/machine_id", "'6BA7'", "\"machine_id\"");
	assert_spoilt("guest/debug", "1", "\"debug\"");
	assert_spoilt("guest/grace_ms", "-1", "\"grace_ms\"");
	assert_spoilt("trees/0/tag", "'a/b'", "tree 0");
	assert_spoilt("trees/1/tag", "'app0'", "two with the tag \"app0\"");
	assert_spoilt("trees/1/tag", "'a2345678901234567890123456789012'", "longer than 31");
	assert_spoilt("trees/0/read_only", "'yes'", "tree 0: \"read_only\"");
	assert_spoilt("trees/0", "7", "\"trees\"");
}

static void wrong_apps_are_named(void **state)
{
	(void)state;
	assert_spoilt("guest/apps", "[]", "at least one app");
	assert_spoilt("guest/apps/0", "'web'", "\"apps\"");
	assert_spoilt("guest/apps/0/name", "'Web'", "\"name\" is \"Web\"");
	assert_spoilt("guest/apps/0/name", "'../x'", "\"name\"");
	assert_spoilt("guest/apps/0/name", "''", "\"name\"");
	assert_spoilt("guest/apps/0/name", "'-a'", "\"name\"");
	assert_spoilt("guest/apps/1/name", "'web'", "two with the name \"web\"");
	assert_spoilt("guest/apps/1/tag", "'app2'", "app \"side-car\": no tree has its tag");
	assert_spoilt("guest/apps/0/exec", "[]", "app \"web\": \"exec\"");
	assert_spoilt("guest/apps/0/exec", "['']", "\"exec\"");
	assert_spoilt("guest/apps/0/exec", "['a',1]", "\"exec\"");
	assert_spoilt("guest/apps/0/user", "''", "\"user\"");
	assert_spoilt("guest/apps/0/gids", "[-1]", "\"gids\"");
	assert_spoilt("guest/apps/0/gids", "[4294967295]", "\"gids\"");
	assert_spoilt("guest/apps/0/gids", "['a']", "\"gids\"");
	assert_spoilt("guest/apps/0/cwd", "'srv'", "\"cwd\"");
	assert_spoilt("guest/apps/0/env", "['A']", "\"env\" holds \"A\"");
	assert_spoilt("guest/apps/0/env", "['=A']", "\"env\"");
	assert_spoilt("guest/apps/0/stdin", "'tty'", "\"stdin\" is \"tty\"");
	assert_spoilt("guest/apps/0/docker", "'no'", "\"docker\"");
}

static void descriptors_are_in_their_places(void **state)
{
	(void)state;
	assert_spoilt("fds", "['lock','status','kernel','ramdisk','tree/0']", "names 5");
	assert_spoilt("fds/0", "'status'", "number 0 must be \"lock\"");
	assert_spoilt("fds/5", "'tree/0'", "number 5 must be \"tree/1\"");
	assert_spoilt("fds/4", "4", "number 4 must be \"tree/0\"");
}

static void too_many(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *j = request(good);
	json_t *apps = json_object_get(json_object_get(j, "guest"), "apps");
	for (int i = 0; i < SPEC_MAX_APPS; i++)
		json_array_append(apps, json_array_get(apps, 0));
	assert_fails(spec_check_request(j, &err), &err, ERR_INVALID, "at most 32");
	json_t *trees = json_object_get(j, "trees");
	for (int i = 0; i < SPEC_MAX_TREES; i++)
		json_array_append(trees, json_array_get(trees, 0));
	assert_fails(spec_check_request(j, &err), &err, ERR_INVALID, "at most 48");
	json_t *array = json_array();
	assert_fails(spec_check_request(array, &err), &err, ERR_INVALID, "object");
	assert_fails(spec_check_guest(array, &err), &err, ERR_INVALID, "object");
	json_decref(array);
}

/* ---- what an app may ask for beyond the needful ---------------------------------------------- */

static const char rich[] =
	"{'name':'web','tag':'app0','exec':['/bin/sh'],'user':'0','group':'0','gids':[],'cwd':'/',"
	"'env':[],'tty':true,'rows':0,'cols':65535,'stdin':'stream','stdout':'null','stderr':'"
	"stream','notify':true,"
	"'pre_start':['/bin/pre','a'],'post_stop':['/bin/post'],"
	"'mounts':[{'path':'/data','tag':'app1','sub':'','read_only':true},"
	"{'path':'/data/x','tag':'app1','sub':'a/b.c','read_only':false}],"
	"'files':[{'path':'/etc/hosts','text':'127.0.0.1 localhost\\n','if_absent':true}],"
	"'protect':false,'caps':['CAP_CHOWN','CAP_CHECKPOINT_RESTORE'],'no_new_privileges':true,"
	"'seccomp':0,'oom_score_adj':-1000,'cpu_shares':2,'memory_bytes':1,'cpu_milli':1}";

/* `good` with the rich app and one seccomp program of one instruction. */
static json_t *rich_request(void)
{
	json_t *j = request(good);
	json_t *guest = json_object_get(j, "guest");
	json_array_set_new(json_object_get(guest, "apps"), 0, request(rich));
	json_object_set_new(guest, "filters", request("['BgAAAAAA/38=']"));
	return j;
}

static void assert_rich_spoilt(const char *path, const char *value, const char *text)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *j = rich_request();
	char last[64];
	json_t *at = walk(j, path, last);
	if (json_is_array(at))
		json_array_set_new(at, (size_t)atoi(last), request(value));
	else
		json_object_set_new(at, last, request(value));
	if (spec_check_request(j, &err) == 0)
		fail_msg("%s = %s was taken", path, value);
	assert_err(&err, ERR_INVALID, text);
}

static void a_rich_app_is_taken(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *j = rich_request();
	assert_ok(spec_check_request(j, &err), &err);
}

static void wrong_isolators_are_named(void **state)
{
	(void)state;
	assert_rich_spoilt("guest/apps/0/caps", "['CAP_NONE']", "\"CAP_NONE\" is no capability");
	assert_rich_spoilt("guest/apps/0/caps", "[1]", "no capability");
	assert_rich_spoilt("guest/apps/0/seccomp", "1", "\"seccomp\" must be from 0 to 0");
	assert_rich_spoilt("guest/apps/0/oom_score_adj", "1001", "\"oom_score_adj\"");
	assert_rich_spoilt("guest/apps/0/cpu_shares", "1", "\"cpu_shares\"");
	assert_rich_spoilt("guest/apps/0/memory_bytes", "0", "\"memory_bytes\"");
	assert_rich_spoilt("guest/apps/0/cpu_milli", "0", "\"cpu_milli\"");
	assert_rich_spoilt("guest/apps/0/no_new_privileges", "1", "\"no_new_privileges\"");
	assert_rich_spoilt("guest/filters/0", "'BgAA'", "\"filters\"");
	assert_rich_spoilt("guest/filters/0", "'not base64'", "\"filters\"");
	assert_rich_spoilt("guest/filters", "[]", "\"seccomp\"");
}

static void wrong_mounts_are_named(void **state)
{
	(void)state;
	assert_rich_spoilt("guest/apps/0/mounts/0/path", "'data'", "\"path\"");
	assert_rich_spoilt("guest/apps/0/mounts/0/tag", "'vol9'", "no tree has the tag \"vol9\"");
	assert_rich_spoilt("guest/apps/0/mounts/1/sub", "'../x'", "mounts 1: \"sub\"");
	assert_rich_spoilt("guest/apps/0/mounts/1/sub", "'/x'", "\"sub\"");
	assert_rich_spoilt("guest/apps/0/mounts/1/sub", "'x/'", "\"sub\"");
	assert_rich_spoilt("guest/apps/0/mounts/1/sub", "'a/./b'", "\"sub\"");
	assert_rich_spoilt("guest/apps/0/mounts/0", "1", "\"mounts\"");
	assert_rich_spoilt("guest/apps/0/files/0/text", "1", "files 0: \"text\"");
	assert_rich_spoilt("guest/apps/0/files/0/path", "'etc/hosts'", "\"path\"");
	assert_rich_spoilt("trees/0/file", "'a/b'", "tree 0: \"file\"");
	assert_rich_spoilt("trees/0/file", "'..'", "\"file\"");
	assert_rich_spoilt("trees/0/file", "1", "\"file\"");
}

static void wrong_streams_and_handlers_are_named(void **state)
{
	(void)state;
	assert_rich_spoilt("guest/apps/0/stdout", "'log'", "\"stdout\" is \"log\"");
	assert_rich_spoilt("guest/apps/0/tty", "'yes'", "\"tty\"");
	assert_rich_spoilt("guest/apps/0/rows", "65536", "\"rows\" must be from 0 to 65535");
	assert_rich_spoilt("guest/apps/0/cols", "-1", "\"cols\" must be from 0 to 65535");
	assert_rich_spoilt("guest/apps/0/cols", "'80'", "\"cols\"");
	assert_rich_spoilt(
		"guest/apps/0/tty", "false", "\"rows\" must be of an app with a \"tty\"");
	assert_spoilt("guest/apps/0/cols", "80", "\"cols\" must be of an app with a \"tty\"");
	assert_rich_spoilt("guest/apps/0/notify", "1", "\"notify\"");
	assert_rich_spoilt("guest/apps/0/pre_start", "[]", "\"pre_start\"");
	assert_rich_spoilt("guest/apps/0/post_stop", "['']", "\"post_stop\"");
	assert_rich_spoilt("guest/apps/0/protect", "0", "\"protect\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_one_is_taken),
		cmocka_unit_test(every_member_is_needed),
		cmocka_unit_test(a_restart_policy_is_checked),
		cmocka_unit_test(wrong_values_are_named),
		cmocka_unit_test(a_network_is_checked),
		cmocka_unit_test(wrong_apps_are_named),
		cmocka_unit_test(descriptors_are_in_their_places),
		cmocka_unit_test(too_many),
		cmocka_unit_test(a_rich_app_is_taken),
		cmocka_unit_test(wrong_isolators_are_named),
		cmocka_unit_test(wrong_mounts_are_named),
		cmocka_unit_test(wrong_streams_and_handlers_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
