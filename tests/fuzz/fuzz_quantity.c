/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities as users write them: thousandths and whole units of one text agree. */
/* LINK: appc base */
#include "fuzz.h"

#include "appc/acname.h"
#include "appc/quantity.h"
#include "base/alloc.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	_cleanup_free_ char *name = acname_from_image(text);
	int64_t whole = 0;
	int64_t milli = 0;
	must(!name || acname_valid(name));
	must(!acname_valid(text) || acname_identifier_valid(text));
	int r = quantity_value(text, &whole, NULL);
	must(r == quantity_milli(text, &milli, NULL));
	/* Both round up: so many thousandths fit into so many whole ones. */
	if (r == 0 && milli >= 0 && milli < INT64_MAX)
		must(whole == milli / 1000 + (milli % 1000 > 0));
	return 0;
}
