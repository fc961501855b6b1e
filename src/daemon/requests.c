/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that wait for a store that cannot be written. They have changed nothing, and whoever sent
 * them can do so again: so they are refused after a while, for a hook that hangs blocks its caller.
 */
#include "daemon/engine_int.h"

#include "base/cleanup.h"

void qevent_free(struct qevent *q)
{
	free(q->console);
	json_decref(q->args.nets);
	json_decref(q->args.request);
	free(q);
}

static void refuse(struct engine *e, struct qevent *q, const struct err *err)
{
	_cleanup_err_ struct err why = {0};
	err_set(&why, err->code == ERR_FULL ? ERR_FULL : ERR_STORE,
		"the supervisor cannot write its store, nothing was changed, try again later: %s",
		err_msg(err));
	e->stats.queue--;
	q->args.done(q->args.done_ctx, &why);
	if (q->accept)
		pod_free(q->pod);
	qevent_free(q);
}

void requests_refuse_late(struct engine *e, const struct err *err)
{
	int64_t before = engine_now(e) - REQUEST_WAIT_NS;
	struct qevent **at = &e->queue;
	while (*at) {
		struct qevent *q = *at;
		if (!q->args.done || q->since > before) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		if (!q->next)
			e->queue_tail = at;
		refuse(e, q, err);
	}
}
