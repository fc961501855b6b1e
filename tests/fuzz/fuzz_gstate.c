/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest writes to its nodes: a value that is taken is written back as the same value. */
/* LINK: proto base */
#include "fuzz.h"

#include <string.h>

#include "proto/gstate.h"

static void node_value(enum gstate_node node, const char *text, size_t len)
{
	struct gstate first = {0};
	struct gstate again = {0};
	char buf[GSTATE_VALUE_MAX];
	if (gstate_parse(node, text, len, &first) < 0)
		return;
	must(len <= GSTATE_VALUE_MAX);
	must(first.code >= 0 && first.code <= 255);
	must(strlen(first.text) <= GSTATE_TEXT_MAX);
	size_t n = gstate_format(&first, buf);
	must(n <= sizeof buf);
	must(gstate_parse(node, buf, n, &again) == 0);
	must(again.seq == first.seq && again.kind == first.kind && again.code == first.code);
	must(!strcmp(again.text, first.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t next;
	const char *text = (const char *)data;
	node_value(GSTATE_POD, text, size);
	node_value(GSTATE_APP, text, size);
	(void)gstate_parse_next(text, size, &next);
	return 0;
}
