/* SPDX-License-Identifier: Apache-2.0 */
/* See host.h. */
#include "host/host.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "host/record.h"

char *host_path(const struct host *h, const char *path)
{
	return xasprintf("%s%s", h->root, path);
}

int host_failed(const struct err *err)
{
	log_err("%s", err_msg(err));
	return XENPOD_EXIT_FAILURE;
}

int host_need_root(const char *command, const char *verb, struct err *err)
{
	if (geteuid() == 0)
		return 0;
	return err_set(
		err, ERR_DENIED, "\"xenpod host %s %s\" needs root (try sudo)", command, verb);
}

int host_begin(const struct host *h, const char *command, const char *verb, struct err *err)
{
	return host_need_root(command, verb, err) < 0 ? -1 : record_hold(h, err);
}
