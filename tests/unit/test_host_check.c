/* SPDX-License-Identifier: Apache-2.0 */
/* What kernel, Xen and its tools write, as `xenpod host check` takes it apart: also cut short and odd. */
/* LINK: host base */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/check_parse.h"

static void is(char *got, const char *want)
{
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
	free(got);
}

static const char info[] = "host                   : lab\n"
			   "xen_caps               : xen-3.0-x86_64 hvm-3.0-x86_32p \n"
			   "virt_caps              : pv\n"
			   "free_memory            : 4032\n"
			   "free_cpus              :\n"
			   "total_memory : x\n"
			   "xen_commandline        : a=b : c";

static void values_of_xl_info(void **state)
{
	(void)state;
	is(xl_info_value(info, "host"), "lab");
	is(xl_info_value(info, "virt_caps"), "pv");
	is(xl_info_value(info, "xen_caps"), "xen-3.0-x86_64 hvm-3.0-x86_32p ");
	is(xl_info_value(info, "xen_commandline"), "a=b : c");
	is(xl_info_value(info, "free_cpus"), "");
	is(xl_info_value(info, "free"), NULL);
	is(xl_info_value(info, "caps"), NULL);
	is(xl_info_value("", "host"), NULL);
	assert_int_equal(xl_info_number(info, "free_memory"), 4032);
	assert_int_equal(xl_info_number(info, "free_cpus"), -1);
	assert_int_equal(xl_info_number(info, "total_memory"), -1);
	assert_int_equal(xl_info_number(info, "none"), -1);
}

static void words_of_lists(void **state)
{
	(void)state;
	assert_true(list_has("pv hvm hap", "pv"));
	assert_true(list_has("pv hvm hap", "hap"));
	assert_false(list_has("pv_directio hvm_directio", "pv"));
	assert_false(list_has("", "pv"));
	assert_true(list_has_begin("a xen-3.0-x86_64", "xen-3.0"));
	assert_false(list_has_begin("axen-3.0", "xen-3.0"));
}

#define ARGV(text) text, sizeof(text)
static void words_of_command_lines(void **state)
{
	(void)state;
	assert_string_equal(words_value(ARGV("xenconsoled\0--log=guest"), "--log"), "guest");
	assert_string_equal(words_value(ARGV("xenconsoled\0--log\0all"), "--log"), "all");
	assert_string_equal(words_value(ARGV("qemu\0-xen-domid\0"
					     "0"),
				    "-xen-domid"),
		"0");
	assert_null(words_value(ARGV("xenconsoled\0--log-dir=guest"), "--log"));
	assert_null(words_value(ARGV("xenconsoled\0--log"), "--log"));
	assert_null(words_value("", 0, "--log"));
}

static void values_of_xl_conf(void **state)
{
	(void)state;
	is(conf_value("autoballoon=\"off\"\n", "autoballoon"), "off");
	is(conf_value("# autoballoon=\"on\"\n", "autoballoon"), NULL);
	is(conf_value("  autoballoon = 'auto' # so\n", "autoballoon"), "auto");
	is(conf_value("autoballoon=0", "autoballoon"), "0");
	is(conf_value("autoballoon=on\nautoballoon=off\n", "autoballoon"), "off");
	is(conf_value("autoballoons=on\nautoballoon\n", "autoballoon"), NULL);
	is(conf_value("", "autoballoon"), NULL);
}

static void modules(void **state)
{
	static const char loaded[] = "xen_netback 65536 0 - Live 0x0\nveth 1 0 - Live 0x0\n";
	static const char dep[] = "kernel/drivers/xen/xen-evtchn.ko.xz: kernel/a.ko\n"
				  "kernel/net/sched/act_mirred.ko:\nplain.ko: \n";
	(void)state;
	assert_true(modules_loaded(loaded, "xen-netback"));
	assert_true(modules_loaded(loaded, "veth"));
	assert_false(modules_loaded(loaded, "xen"));
	assert_false(modules_loaded(loaded, "65536"));
	assert_false(modules_loaded("", "veth"));
	is(modules_path(dep, "xen_evtchn"), "kernel/drivers/xen/xen-evtchn.ko.xz");
	is(modules_path(dep, "act_mirred"), "kernel/net/sched/act_mirred.ko");
	is(modules_path(dep, "plain"), "plain.ko");
	is(modules_path(dep, "a"), NULL);
	is(modules_path(dep, "evtchn"), NULL);
	is(modules_path("kernel/x.ko", "x"), "kernel/x.ko");
	is(modules_path("", "x"), NULL);
}

static void versions(void **state)
{
	(void)state;
	is(wanted_libxl(ARGV("\0\1libxenlight.so.4.17\0libx")), "4.17");
	is(wanted_libxl(ARGV("libxenlight.so.")), NULL);
	is(wanted_libxl("libxenlight.so.4.1", 16), "4");
	is(wanted_libxl(ARGV("libxenstore.so.4")), NULL);
	assert_true(version_at_least(4, 9, 4, 9));
	assert_true(version_at_least(4, 17, 4, 9));
	assert_true(version_at_least(5, 0, 4, 9));
	assert_false(version_at_least(4, 8, 4, 9));
	assert_false(version_at_least(3, 20, 4, 9));
}

static void sockets_that_listen(void **state)
{
	static const char text[] =
		"Num       RefCount Protocol Flags    Type St Inode Path\n"
		"00000000f9e8: 00000002 00000000 00010000 0001 01 24 /run/xenpod/status\n"
		"00000000f9e9: 00000003 00000000 00000000 0001 03 25 /run/xenpod/admin\n"
		"00000000f9ea: 00000002 00000000 00010000 0001 01 26 @abstract\n"
		"00000000f9eb: 00000003 00000000 00000000 0001 03 27\n";
	(void)state;
	assert_true(unix_listens(text, "/run/xenpod/status"));
	assert_false(unix_listens(text, "/run/xenpod/admin"));
	assert_false(unix_listens(text, "/xenpod/status"));
	assert_false(unix_listens(text, "27"));
	assert_false(unix_listens("", "/run/xenpod/status"));
}

static void addresses_of_this_host(void **state)
{
	static const char text[] = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.1.1.0\n"
				   "        /24 link UNICAST\n           |-- 10.1.1.1\n"
				   "              /32 host LOCAL\n     |-- 10.1.1.255";
	(void)state;
	assert_true(fib_is_local(text, "10.1.1.1"));
	assert_false(fib_is_local(text, "10.1.1.0"));
	assert_false(fib_is_local(text, "10.1.1.255"));
	assert_false(fib_is_local(text, "10.1.1"));
	assert_false(fib_is_local("", "10.1.1.1"));
}

static void gateways_of_subnets(void **state)
{
	(void)state;
	is(subnet_first("10.1.1.0/24"), "10.1.1.1");
	is(subnet_first("10.1.1.77/24"), "10.1.1.1");
	is(subnet_first("172.16.0.0/12"), "172.16.0.1");
	is(subnet_first("0.0.0.0/0"), "0.0.0.1");
	is(subnet_first("10.1.1.0"), NULL);
	is(subnet_first("10.1.1.0/32"), NULL);
	is(subnet_first("fd00::/64"), NULL);
	is(subnet_first("a very long text that is no subnet at all/24"), NULL);
	is(subnet_first(""), NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(values_of_xl_info),
	cmocka_unit_test(words_of_lists),
	cmocka_unit_test(words_of_command_lines),
	cmocka_unit_test(values_of_xl_conf),
	cmocka_unit_test(modules),
	cmocka_unit_test(versions),
	cmocka_unit_test(sockets_that_listen),
	cmocka_unit_test(addresses_of_this_host),
	cmocka_unit_test(gateways_of_subnets),
};

UNIT_MAIN(tests, NULL, NULL)
