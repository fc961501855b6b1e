/* SPDX-License-Identifier: Apache-2.0 */
/* AC names: see acname.h. */
#include "appc/acname.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static bool lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool made_of(const char *s, const char *inner)
{
	size_t len = strlen(s);
	if (!len || !lower_or_digit(s[0]) || !lower_or_digit(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!lower_or_digit(s[i]) && !strchr(inner, s[i]))
			return false;
	return true;
}

bool acname_valid(const char *s)
{
	return made_of(s, "-");
}

bool acname_identifier_valid(const char *s)
{
	return made_of(s, "-._~/");
}

char *acname_from_image(const char *image_name)
{
	const char *slash = strrchr(image_name, '/');
	const char *s = slash ? slash + 1 : image_name;
	char *out = xstrdup(s);
	for (char *p = out; *p; p++) {
		*p = (char)tolower((unsigned char)*p);
		if (!lower_or_digit(*p))
			*p = '-';
	}
	size_t skip = strspn(out, "-");
	memmove(out, out + skip, strlen(out + skip) + 1);
	size_t len = strlen(out);
	while (len && out[len - 1] == '-')
		out[--len] = '\0';
	if (len)
		return out;
	free(out);
	return NULL;
}
