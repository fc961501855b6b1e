/* SPDX-License-Identifier: Apache-2.0 */
/* Networks in libxl's configuration and in the guest's spec; no Xen is asked. */
/* LINK: act cni net proto base */
/* LIBS: xenlight nl-3 */
#include "unit.h"

#include <stdlib.h>

#include "act/vifs.h"
#include "base/cleanup.h"
#include "base/json.h"

#define UUID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define IFCONF(name, mac)                                                                          \
	"\"ifconf\":{\"ifname\":\"" name "\",\"mac\":\"" mac "\",\"mtu\":9000,"                    \
	"\"addresses\":[{\"local\":\"10.0.0.2/24\",\"scope\":\"global\"}],"                        \
	"\"routes\":[],\"neighbours\":[]}"
#define NET0 "{\"name\":\"a\",\"ifname\":\"eth0\"," IFCONF("eth0", "02:00:00:00:00:0a") "}"
#define NET1                                                                                       \
	"{\"name\":\"b\",\"ifname\":\"eth1\",\"dns\":{\"nameservers\":[\"192.0.2.1\"]}," IFCONF(   \
		"eth1", "02:00:00:00:00:0b") "}"
#define APP(name, more)                                                                            \
	"{\"name\":\"" name                                                                        \
	"\",\"tag\":\"app0\",\"exec\":[\"true\"],\"user\":\"0\",\"group\":\"0\","                  \
	"\"gids\":[],\"cwd\":\"/\",\"env\":[]" more "}"
#define SPEC                                                                                       \
	"{\"version\":1,\"uuid\":\"" UUID "\",\"hostname\":\"h\",\"machine_id\":"                  \
	"\"6ba7b8109dad11d180b400c04fd430c8\",\"generation\":1,\"debug\":false,\"streams\":false," \
	"\"grace_ms\":8000,\"apps\":[" APP("one", "") "," APP(                                     \
		"two", ",\"files\":[{\"path\":\"/etc/resolv.conf\",\"text\":\"# mine\"}]") "]}"

static json_t *parse(const char *text)
{
	struct err err = {0};
	json_t *j = json_parse(text, strlen(text), "test", &err);
	if (!j)
		fail_msg("%s: %s", err_msg(&err), text);
	return j;
}

/* The spec of the guest after the request's networks; caller decrefs. */
static json_t *described(const char *request)
{
	struct err err = {0};
	_cleanup_json_ json_t *r = parse(request);
	json_t *spec = parse(SPEC);
	assert_ok(vifs_describe(r, spec, &err), &err);
	return spec;
}

/* The text of an app's /etc/resolv.conf; NULL: it has none of ours. */
static const char *resolv_of(const json_t *spec, size_t app)
{
	const json_t *files =
		json_object_get(json_array_get(json_object_get(spec, "apps"), app), "files");
	assert_true(json_array_size(files) <= 1);
	const json_t *file = json_array_get(files, 0);
	if (file)
		assert_string_equal(json_str_opt(file, "path", ""), "/etc/resolv.conf");
	return json_str_opt(file, "text", NULL);
}

static void interfaces_in_order(void **state)
{
	(void)state;
	_cleanup_json_ json_t *spec = described("{\"nets\":[" NET0 "," NET1 "],\"resolv\":false}");
	_cleanup_json_ json_t *first = parse("{" IFCONF("eth0", "02:00:00:00:00:0a") "}");
	const json_t *net = json_object_get(spec, "net");
	assert_int_equal(json_array_size(net), 2);
	assert_true(json_equal(json_array_get(net, 0), json_object_get(first, "ifconf")));
	assert_string_equal(json_str_opt(json_array_get(net, 1), "ifname", ""), "eth1");
	assert_null(resolv_of(spec, 0));
}

static void no_networks(void **state)
{
	(void)state;
	_cleanup_json_ json_t *spec = described("{\"resolv\":true}");
	_cleanup_json_ json_t *as_it_was = parse(SPEC);
	assert_true(json_equal(spec, as_it_was));
}

static void name_servers_of_the_first_that_has_some(void **state)
{
	(void)state;
	_cleanup_json_ json_t *spec = described("{\"nets\":[" NET0 "," NET1 "],\"resolv\":true}");
	assert_non_null(strstr(resolv_of(spec, 0), "nameserver 192.0.2.1\n"));
	/* What the user said of an app's file stands. */
	assert_string_equal(resolv_of(spec, 1), "# mine");
}

static void no_network_has_any(void **state)
{
	(void)state;
	_cleanup_json_ json_t *spec = described("{\"nets\":[" NET0 "],\"resolv\":true}");
	assert_null(resolv_of(spec, 0));
}

static void a_dump_that_the_guest_would_refuse(void **state)
{
	struct err err = {0};
	_cleanup_json_ json_t *r = parse("{\"nets\":[{\"ifconf\":{\"ifname\":\"../eth0\"}}]}");
	_cleanup_json_ json_t *spec = parse(SPEC);
	(void)state;
	assert_call(vifs_describe(r, spec, &err), &err, -1);
	assert_err(&err, ERR_INVALID, "net 0");
}

static void one_vif_for_each(void **state)
{
	static const uint8_t mac[] = {2, 0, 0, 0, 0, 0x0b};
	struct err err = {0};
	libxl_domain_config config;
	_cleanup_json_ json_t *nets = parse("[" NET0 "," NET1 "]");
	(void)state;
	libxl_domain_config_init(&config);
	assert_ok(vifs_configure(NULL, &config, &err), &err);
	assert_int_equal(config.num_nics, 0);
	assert_ok(vifs_configure(nets, &config, &err), &err);
	assert_int_equal(config.num_nics, 2);
	const libxl_device_nic *nic = &config.nics[1];
	assert_int_equal(nic->devid, 1);
	assert_int_equal(nic->mtu, 9000);
	assert_int_equal(nic->nictype, LIBXL_NIC_TYPE_VIF);
	assert_memory_equal(nic->mac, mac, sizeof mac);
	assert_int_equal(nic->script[0], '/');
	libxl_domain_config_dispose(&config);
}

static void a_vif_without_a_mac(void **state)
{
	struct err err = {0};
	libxl_domain_config config;
	_cleanup_json_ json_t *nets = parse("[" NET0 ",{\"name\":\"b\"}]");
	(void)state;
	libxl_domain_config_init(&config);
	assert_fails(vifs_configure(nets, &config, &err), &err, ERR_INVALID, "network 1");
	libxl_domain_config_dispose(&config);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(interfaces_in_order),
	cmocka_unit_test(no_networks),
	cmocka_unit_test(name_servers_of_the_first_that_has_some),
	cmocka_unit_test(no_network_has_any),
	cmocka_unit_test(a_dump_that_the_guest_would_refuse),
	cmocka_unit_test(one_vif_for_each),
	cmocka_unit_test(a_vif_without_a_mac),
};

UNIT_MAIN(tests, NULL, NULL)
