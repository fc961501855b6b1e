/* SPDX-License-Identifier: Apache-2.0 */
/* Pod specs as JSON of any shape: a refusal is ERR_INVALID with a text, and nothing else happens.
 */
/* LINK: proto base */
#include "fuzz.h"

#include "base/json.h"
#include "proto/spec.h"

static void check(int (*fn)(const json_t *, struct err *), const json_t *j)
{
	_cleanup_err_ struct err err = {0};
	int r = fn(j, &err);
	must(r == 0 || r == -1);
	must((r < 0) == (err.msg != NULL));
	must(r == 0 || err.code == ERR_INVALID || err.code == ERR_UNSUPPORTED ||
		err.code == ERR_FULL);
	/* It is sent back to who asked. */
	_cleanup_json_ json_t *text = json_string(err_msg(&err));
	must(text != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_t *j = json_parse((const char *)data, size, "spec", NULL);
	if (!j)
		return 0;
	check(spec_check_guest, j);
	check(spec_check_request, j);
	return 0;
}
