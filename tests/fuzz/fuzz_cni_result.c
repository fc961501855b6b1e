/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What plugins print, of any bytes: what is taken is bounded and safe in a line of resolv.conf, and the
 * form that a newer plugin is given says the same addresses; a refusal has a text.
 */
/* LINK: cni base */
#include "fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "cni/result.h"
#include "cni/words.h"

static void one_line(const json_t *list)
{
	size_t i;
	json_t *v;
	json_array_foreach (list, i, v)
		must(!strpbrk(json_string_value(v), "\n\r \t"));
}

static void taken(const struct cni_result *r)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_cni_result_ struct cni_result again = {0};
	_cleanup_json_ json_t *sum = cni_result_summary(r);
	must(r->n_ips <= CNI_IPS_MAX);
	one_line(json_object_get(r->dns, "nameservers"));
	one_line(json_object_get(r->dns, "search"));
	one_line(json_object_get(r->dns, "options"));
	_cleanup_json_ json_t *now = cni_result_current(r, "eth0", "/run/netns/x");
	must(cni_result_read(now, CNI_0_1_0, "eth0", &again, &err) == 0);
	_cleanup_json_ json_t *sum2 = cni_result_summary(&again);
	must(json_equal(sum, sum2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	for (int v = 0; v < CNI_VERSION_MAX_; v++) {
		_cleanup_err_ struct err err = {0};
		_cleanup_cni_result_ struct cni_result r = {0};
		if (cni_result_parse(text, (enum cni_version)v, "eth0", &r, &err) == 0)
			taken(&r);
		else
			must(err.code == ERR_INVALID || err.code == ERR_UNSUPPORTED ||
				err.code == ERR_FULL);
	}
	_cleanup_free_ char *line = cni_harmless((const char *)data, size, 64);
	must(strlen(line) <= 67 && !strpbrk(line, "\n\r\033"));
	return 0;
}
