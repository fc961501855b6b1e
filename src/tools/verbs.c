/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs share: how they fail. */
#include "tools/verbs.h"

#include <unistd.h>

#include "base/log.h"

int verb_failed(const struct err *err)
{
	log_err("%s", err_msg(err));
	return XENPOD_EXIT_FAILURE;
}

int verb_need_root(const char *verb, struct err *err)
{
	if (geteuid() == 0)
		return 0;
	return err_set(err, ERR_DENIED, "\"xenpod %s\" needs root (try sudo)", verb);
}
