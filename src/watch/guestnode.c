/* SPDX-License-Identifier: Apache-2.0 */
/* Guest node names, and the guest's bytes made harmless: see guestnode.h. */
#include "watch/guestnode.h"

#include <stdio.h>
#include <string.h>

uint64_t guestnode_all(unsigned apps)
{
	return (UINT64_C(2) << apps) - 1;
}

void guestnode_key(unsigned node, char buf[GUESTNODE_KEY_SIZE])
{
	if (node == 0)
		snprintf(buf, GUESTNODE_KEY_SIZE, "pod");
	else
		snprintf(buf, GUESTNODE_KEY_SIZE, "app/%u", node - 1);
}

uint64_t guestnode_changed(const char *base, const char *path, unsigned apps)
{
	size_t len = strlen(base);
	if (strncmp(path, base, len) != 0 || path[len] == '\0')
		return strncmp(base, path, strlen(path)) == 0 ? guestnode_all(apps) : 0;
	if (path[len] != '/')
		return 0;
	const char *name = path + len + 1;
	if (strcmp(name, "app") == 0)
		return guestnode_all(apps) & ~UINT64_C(1);
	for (unsigned node = 0; node <= apps; node++) {
		char key[GUESTNODE_KEY_SIZE];
		guestnode_key(node, key);
		if (strcmp(name, key) == 0)
			return UINT64_C(1) << node;
	}
	return 0;
}

void guestnode_clean(const char *value, size_t len, char buf[GSTATE_VALUE_MAX + 1])
{
	size_t n = len < GSTATE_VALUE_MAX ? len : GSTATE_VALUE_MAX;
	for (size_t i = 0; i < n; i++)
		buf[i] = value[i] >= 0x20 && value[i] < 0x7f ? value[i] : '?';
	buf[n] = '\0';
}
