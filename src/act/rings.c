/* SPDX-License-Identifier: Apache-2.0 */
/* 9p rings: see rings.h. The node's name is of Xen's docs/misc/9pfs.pandoc. */
#include "act/rings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"

/* 0 done or not needed, 1 to be tried again, -1. A node that is not there is not made. */
static int lower_once(struct hv *hv, const char *path)
{
	unsigned len = 0;
	char value[16];
	snprintf(value, sizeof value, "%d", RINGS_PAGE_ORDER);
	xs_transaction_t t = xs_transaction_start(hv->xs);
	if (t == XBT_NULL)
		return -1;
	_cleanup_free_ char *offered = xs_read(hv->xs, t, path, &len);
	bool lower = offered && strtol(offered, NULL, 10) > RINGS_PAGE_ORDER;
	bool ok = !lower || xs_write(hv->xs, t, path, value, (unsigned)strlen(value));
	bool abandon = !lower || !ok;
	if (!xs_transaction_end(hv->xs, t, abandon))
		return errno == EAGAIN ? 1 : -1;
	return offered && ok ? 0 : -1;
}

void rings_shrink(struct hv *hv, uint32_t domid, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r;
		_cleanup_free_ char *path = xasprintf(
			"/local/domain/0/backend/9pfs/%u/%zu/max-ring-page-order", domid, i);
		while ((r = lower_once(hv, path)) > 0)
			;
		if (r < 0)
			log_warning("tree %zu keeps large rings: %s: %s", i, path, strerror(errno));
	}
}
