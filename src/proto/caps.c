/* SPDX-License-Identifier: Apache-2.0 */
/* Capability names: see caps.h. */
#include "proto/caps.h"

#include <stddef.h>
#include <strings.h>

#include "base/cleanup.h"

static const char *const names[] = {
#define X(name) "CAP_" #name,
	CAPS(X)
#undef X
};

int caps_from_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(names[i], name) == 0)
			return (int)i;
	}
	return -1;
}

const char *caps_name(int number)
{
	return number >= 0 && number < CAPS_MAX_ ? names[number] : NULL;
}
