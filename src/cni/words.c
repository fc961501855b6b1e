/* SPDX-License-Identifier: Apache-2.0 */
/* Words of plugins made harmless: see words.h. */
#include "cni/words.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

char *cni_harmless(const char *text, size_t len, size_t max)
{
	bool cut = len > max;
	size_t n = cut ? max : len;
	char *s = xmalloc(n + sizeof "...");
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		unsigned char after = i + 1 < n ? (unsigned char)text[i + 1] : 0;
		/* U+0080 to U+009F, which terminals take for ESC sequences, are C2 80 to C2 9F. */
		bool c1 = c == 0xc2 && after >= 0x80 && after <= 0x9f;
		s[i] = c < ' ' || c == 0x7f || c1 ? ' ' : text[i];
		if (c1)
			s[++i] = ' ';
	}
	memcpy(s + n, cut ? "..." : "", cut ? sizeof "..." : 1);
	return s;
}

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ';
}

const char *cni_last_line(const char *text, size_t *len)
{
	size_t end = *len;
	while (end && is_blank(text[end - 1]))
		end--;
	size_t begin = end;
	while (begin && text[begin - 1] != '\n')
		begin--;
	*len = end - begin;
	return text + begin;
}
