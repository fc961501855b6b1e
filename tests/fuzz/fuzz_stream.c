/* SPDX-License-Identifier: Apache-2.0 */
/* Stream headers from the other side of a ring: what is taken is in bounds and survives. */
/* LINK: proto base */
#include "fuzz.h"

#include <string.h>

#include "proto/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (; size >= STREAM_HEADER_SIZE; data++, size--) {
		struct stream_header h;
		uint8_t again[STREAM_HEADER_SIZE];
		if (stream_header_get(data, &h) < 0)
			continue;
		must(h.type >= STREAM_HELLO && h.type < STREAM_TYPE_MAX_);
		must(h.stream <= STREAM_STDERR && h.length <= STREAM_PAYLOAD_MAX);
		stream_header_put(&h, again);
		must(!memcmp(again, data, sizeof again));
	}
	return 0;
}
