/* SPDX-License-Identifier: Apache-2.0 */
/* Frame headers as bytes: see stream.h. Knows nothing of vchan or of what frames mean. */
#include "proto/stream.h"

void stream_put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

uint32_t stream_get_u32(const uint8_t *p)
{
	uint32_t v = 0;
	for (int i = 3; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

void stream_header_put(const struct stream_header *h, uint8_t buf[STREAM_HEADER_SIZE])
{
	buf[0] = (uint8_t)h->type;
	buf[1] = h->stream;
	buf[2] = (uint8_t)h->app;
	buf[3] = (uint8_t)(h->app >> 8);
	stream_put_u32(buf + 4, h->length);
}

int stream_header_get(const uint8_t buf[STREAM_HEADER_SIZE], struct stream_header *ret)
{
	uint32_t length = stream_get_u32(buf + 4);
	if (buf[0] < STREAM_HELLO || buf[0] >= STREAM_TYPE_MAX_)
		return -1;
	if (buf[1] > STREAM_STDERR || length > STREAM_PAYLOAD_MAX)
		return -1;
	ret->type = (enum stream_type)buf[0];
	ret->stream = buf[1];
	ret->app = (uint16_t)(buf[2] | buf[3] << 8);
	ret->length = length;
	return 0;
}
