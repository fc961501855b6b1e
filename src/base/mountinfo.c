/* SPDX-License-Identifier: Apache-2.0 */
/* Reads lines of mountinfo: see mountinfo.h. */
#include "base/mountinfo.h"

#include <stdlib.h>
#include <string.h>

#define POINT 5 /* the mount point's field in a line, from 1 */

/* Space, tab, newline and backslash are written as three octal digits. */
static void unescape(char *s)
{
	char *to = s;
	for (const char *p = s; *p; to++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] && p[3]) {
			*to = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
}

int mountinfo_next(char **text, struct mountinfo *ret)
{
	char *line;
	while ((line = strsep(text, "\n")) != NULL) {
		const char *id = line;
		char *point = NULL;
		for (int i = 0; i < POINT; i++)
			point = strsep(&line, " ");
		if (!point)
			continue;
		unescape(point);
		*ret = (struct mountinfo){.id = strtoull(id, NULL, 10), .point = point};
		return 1;
	}
	return 0;
}
