/* SPDX-License-Identifier: Apache-2.0 */
/* Care of the store: see storecare.h. */
#include "daemon/storecare.h"

#include <stdlib.h>

#include "base/alloc.h"
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

/* ---- the log -------------------------------------------------------------------------------------- */

/* Half of what is kept free on the disk for it; then one commit in a hundred or so has it done. */
#define FOLD_PAGES (STORE_LOG_MAX_PAGES / 2)

struct fold_job {
	struct worker_job job;
	struct storecare_fold *of;
	struct store *store;
	int pages;
	bool failed;
};

static void fold_work(struct worker_job *job)
{
	struct fold_job *j = (struct fold_job *)job;
	j->failed = store_fold(j->store, NULL) < 0;
}

static void fold_done(struct worker_job *job)
{
	struct fold_job *j = (struct fold_job *)job;
	j->of->busy = false;
	j->of->failed_at = j->failed ? j->pages : 0;
	free(j);
}

/* What fails is tried again when the log has grown by as much again: commits tell of a bad disk. */
void storecare_fold(struct storecare_fold *f, struct store *s, struct worker *w)
{
	int pages = store_log_pages(s);
	if (pages < f->failed_at)
		f->failed_at = 0;
	if (f->busy || pages < f->failed_at + FOLD_PAGES)
		return;
	struct fold_job *j = xcalloc(1, sizeof *j);
	*j = (struct fold_job){
		.job = {.work = fold_work, .done = fold_done}, .of = f, .store = s, .pages = pages};
	f->busy = true;
	worker_submit(w, &j->job);
}

json_t *storecare_loss(const struct store *s)
{
	const struct store_loss *l = store_loss(s);
	if (!l->why)
		return json_null();
	return json_make("{s:I, s:s, s:s, s:b}", "at", (json_int_t)l->at, "why", l->why, "kept",
		l->kept ? l->kept : "", "pending", (int)l->pending);
}

json_t *storecare_history(struct store *s)
{
	_cleanup_err_ struct err err = {0};
	int64_t oldest;
	int64_t newest;
	if (store_history_bounds(s, &oldest, &newest, &err) < 0)
		return json_null();
	return json_make("{s:I, s:I}", "oldest", (json_int_t)oldest, "newest", (json_int_t)newest);
}
