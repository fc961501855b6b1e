/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of CNI networks, and --net, of any bytes: what is taken is the same network when it is read
 * back from the store; a refusal has a text.
 */
/* LINK: cni base */
#include "fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "cni/chain.h"
#include "cni/conf.h"
#include "cni/select.h"

static void refused(const struct err *err)
{
	must(err->code == ERR_INVALID || err->code == ERR_UNSUPPORTED || err->code == ERR_FULL);
	_cleanup_json_ json_t *text = json_string(err_msg(err));
	must(text != NULL);
}

static void stored(const struct cni_net *n)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_cni_net_ struct cni_net again = {0};
	_cleanup_json_ json_t *j = cni_net_json(n);
	must(cni_net_from_json(j, &again, &err) == 0);
	_cleanup_json_ json_t *j2 = cni_net_json(&again);
	must(json_equal(j, j2));
}

static void parse(const char *path, const uint8_t *data, size_t size)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_cni_net_ struct cni_net n = {0};
	if (cni_net_parse(path, (const char *)data, size, &n, &err) < 0) {
		refused(&err);
		return;
	}
	must(!strchr(cni_net_type(&n), '/'));
	if (cni_net_judge(&n, &err) < 0)
		refused(&err);
	stored(&n);
}

static void flag(const char *text)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_cni_flag_ struct cni_flag f = {0};
	if (cni_flag_parse(text, &f, &err) < 0)
		refused(&err);
	for (size_t i = 0; i < f.n_want; i++)
		must(f.want[i].name[0] && !strpbrk(f.want[i].name, ",:"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse("/x/10-a.conf", data, size);
	parse("/x/10-a.conflist", data, size);
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	flag(text);
	/* What the store holds may be anything, too. */
	_cleanup_err_ struct err err = {0};
	_cleanup_cni_net_ struct cni_net n = {0};
	_cleanup_json_ json_t *j = json_parse((const char *)data, size, "net", NULL);
	if (j && cni_net_from_json(j, &n, &err) == 0)
		stored(&n);
	return 0;
}
