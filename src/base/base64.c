/* SPDX-License-Identifier: Apache-2.0 */
/* Base64: see base64.h. */
#include "base/base64.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t len)
{
	const uint8_t *in = data;
	char *out = xmalloc((len + 2) / 3 * 4 + 1);
	char *p = out;
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)in[i] << 16;
		v |= n > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		v |= n > 2 ? in[i + 2] : 0;
		*p++ = digits[v >> 18];
		*p++ = digits[v >> 12 & 63];
		*p++ = '=';
		*p++ = '=';
		if (n > 1)
			p[-2] = digits[v >> 6 & 63];
		if (n > 2)
			p[-1] = digits[v & 63];
	}
	*p = '\0';
	return out;
}

/* Four digits -> their 24 bits; a group may end with `pad` times '='. */
static int decode_group(const char *in, size_t pad, uint32_t *ret)
{
	uint32_t v = 0;
	for (size_t i = 0; i < 4; i++) {
		const char *d = i < 4 - pad ? strchr(digits, in[i]) : digits;
		if (!d || !*d)
			return -1;
		v = v << 6 | (uint32_t)(d - digits);
	}
	*ret = v;
	/* What the padding leaves over must be zero, or two texts would mean one thing. */
	return v & ((1U << 8 * pad) - 1) ? -1 : 0;
}

int base64_decode(const char *text, uint8_t **ret, size_t *ret_len)
{
	size_t len = strlen(text);
	size_t pad = 0;
	if (len % 4)
		return -1;
	while (pad < 2 && len && text[len - 1 - pad] == '=')
		pad++;
	_cleanup_free_ uint8_t *out = xmalloc(len / 4 * 3 + 1);
	for (size_t i = 0; i < len / 4; i++) {
		uint32_t v = 0;
		if (decode_group(text + 4 * i, 4 * (i + 1) == len ? pad : 0, &v) < 0)
			return -1;
		out[3 * i] = (uint8_t)(v >> 16);
		out[3 * i + 1] = (uint8_t)(v >> 8);
		out[3 * i + 2] = (uint8_t)v;
	}
	*ret_len = len / 4 * 3 - pad;
	*ret = TAKE_PTR(out);
	return 0;
}
