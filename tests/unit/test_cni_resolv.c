/* SPDX-License-Identifier: Apache-2.0 */
/* A result's DNS as resolv.conf(5), in the order of contract 5.6. */
/* LINK: cni base */
#include "unit.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cni/resolv.h"

static void assert_resolv(const char *json, const char *want)
{
	struct err err = {0};
	_cleanup_json_ json_t *dns = json_parse(json, strlen(json), "dns", &err);
	assert_non_null(dns);
	_cleanup_free_ char *text = cni_resolv_conf(dns);
	assert_int_equal(text[0], '#');
	const char *rest = strstr(text, "\n\n");
	assert_non_null(rest);
	assert_string_equal(rest + 2, want);
}

static void lines_in_order(void **state)
{
	(void)state;
	assert_resolv("{\"nameservers\":[\"192.0.2.1\",\"2001:db8::1\"],\"domain\":\"d\","
		      "\"search\":[\"a\",\"b.c\"],\"options\":[\"ndots:2\",\"rotate\"]}",
		"search a b.c\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n"
		"options ndots:2 rotate\ndomain d\n");
}

static void what_is_not_told_has_no_line(void **state)
{
	(void)state;
	assert_resolv("{}", "");
	assert_resolv("{\"nameservers\":[\"192.0.2.1\"],\"domain\":\"\",\"search\":[],"
		      "\"options\":[]}",
		"nameserver 192.0.2.1\n");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(lines_in_order),
	cmocka_unit_test(what_is_not_told_has_no_line),
};

UNIT_MAIN(tests, NULL, NULL)
