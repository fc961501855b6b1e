/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies as text: see restart.h. */
#include "appc/restart.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define LIMIT_DIGITS 6

static const char *const policies[] = {"never", "on-failure", "always"};

static int bad(const char *text, struct err *err)
{
	return err_set(err, ERR_INVALID,
		"\"%s\" is no restart policy: never, on-failure or always is wanted, and :N behind "
		"it for another limit than %d (0: none)",
		text, APPC_RESTART_LIMIT);
}

int appc_restart_parse(const char *text, struct appc_restart *ret, struct err *err)
{
	size_t len = strcspn(text, ":");
	const char *number = text[len] ? text + len + 1 : NULL;
	*ret = (struct appc_restart){.limit = APPC_RESTART_LIMIT};
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (strlen(policies[i]) == len && !strncmp(policies[i], text, len))
			ret->policy = policies[i];
	if (!ret->policy)
		return bad(text, err);
	if (!number)
		return 0;
	size_t digits = strspn(number, "0123456789");
	if (!digits || digits > LIMIT_DIGITS || number[digits])
		return bad(text, err);
	ret->limit = (int)strtol(number, NULL, 10);
	return 0;
}

int appc_restart_wanted(const struct appc_restart *r)
{
	return r->policy && strcmp(r->policy, policies[0]) != 0;
}
