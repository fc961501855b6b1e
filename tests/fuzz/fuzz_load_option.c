/* SPDX-License-Identifier: Apache-2.0 */
/* A boot entry as the firmware keeps it: what is told of it is text, wherever it is cut or wrong. */
/* LINK: host base */
/* LIBS: md */
#include "fuzz.h"

#include <string.h>

#include "base/cleanup.h"
#include "host/efi.h"

static void check_text(const char *text)
{
	json_t *j = json_string(text); /* NULL: it is no UTF-8 */
	must(j);
	json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct load_option o = {0};
	if (load_option_parse(data, size, &o) < 0) {
		must(!o.label && !o.loader && !o.uuid);
		return 0;
	}
	check_text(o.label);
	check_text(o.loader);
	check_text(o.uuid);
	must(strlen(o.uuid) == 0 || strlen(o.uuid) == 36 || strlen(o.uuid) == 11);
	load_option_done(&o);
	return 0;
}
