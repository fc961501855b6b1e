/* SPDX-License-Identifier: Apache-2.0 */
/* A restart policy as people write it: "never", "on-failure", "always", with ":N" the limit. */
#ifndef APPC_RESTART_H
#define APPC_RESTART_H

#include "base/err.h"

#define APPC_RESTART_LIMIT 10 /* short lives one after the other, unless said otherwise */

struct appc_restart {
	const char *policy; /* constant */
	int limit;          /* 0: any number */
};

/* ERR_INVALID names the text. */
int appc_restart_parse(const char *text, struct appc_restart *ret, struct err *err);
/* The policy is none but never: somebody has to see to it. */
int appc_restart_wanted(const struct appc_restart *r);

#endif
