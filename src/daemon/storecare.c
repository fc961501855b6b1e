/* SPDX-License-Identifier: Apache-2.0 */
/* Care of the store: see storecare.h. */
#include "daemon/storecare.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/messages.h"

#define HISTORY_ROWS 100000 /* enough for every question about a year of ordinary pods */

void storecare_prune(struct store *s)
{
	_cleanup_err_ struct err err = {0};
	if (store_begin(s, &err) == 0 && store_history_prune(s, HISTORY_ROWS, &err) == 0 &&
		store_commit(s, &err) == 0)
		return;
	store_rollback(s);
	log_warning("old history cannot be removed, trying again in an hour: %s", err_msg(&err));
}

bool storecare_damaged(struct store *s)
{
	if (!store_damaged(s))
		return false;
	log_about(LOG_LVL_ERR, MSG_STORE_DAMAGED, NULL,
		"the database is damaged: xenpodd ends to be started anew, which puts it aside and "
		"finds the pods again; pods go on meanwhile");
	store_suspect(s);
	return true;
}

json_t *storecare_loss(const struct store *s)
{
	const struct store_loss *l = store_loss(s);
	if (!l->why)
		return json_null();
	return json_make("{s:I, s:s, s:s, s:b}", "at", (json_int_t)l->at, "why", l->why, "kept",
		l->kept ? l->kept : "", "pending", (int)l->pending);
}
