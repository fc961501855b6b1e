/* SPDX-License-Identifier: Apache-2.0 */
/* One app: see app.h. */
#include "guest/app.h"

#include <signal.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "guest/appio.h"
#include "guest/cgroup.h"
#include "guest/pod.h"
#include "guest/programs.h"
#include "proto/caps.h"

void app_init(struct app *app, struct pod *pod, size_t index)
{
	const struct podspec_app *spec = &pod->spec->apps[index];
	*app = (struct app){
		.pod = pod,
		.spec = spec,
		.index = index,
		.root = -1,
		.cgroup = -1,
		.kind = GSTATE_STARTING,
		.stdio = APP_STDIO_NONE,
		.confine =
			{
				.caps = spec->caps,
				.no_new_privileges = spec->no_new_privileges,
				.filter = spec->filter,
				.oom_score_adj = spec->oom_score_adj,
			},
		.handlers =
			{
				.caps = spec->caps | CAPS_RKT,
				.oom_score_adj = spec->oom_score_adj,
			},
	};
}

bool app_ended(const struct app *app)
{
	return app->stage == APP_ENDED;
}

int app_exit_code(const struct app *app)
{
	if (app->kind == GSTATE_OOM)
		return 128 + app->code;
	if (app->kind == GSTATE_KILLED)
		/* Ended by the TERM that we sent is a clean stop: systemd's rule, and so rkt's. */
		return app->termed && app->code == SIGTERM ? 0 : 128 + app->code;
	return app->code;
}

void app_term(struct app *app)
{
	if (app->stage >= APP_POST_STOP)
		return;
	app->termed = true;
	child_signal(&app->child, SIGTERM);
	/* A stopped process does not see TERM. */
	child_signal(&app->child, SIGCONT);
}

void app_kill(struct app *app)
{
	app->killed = true;
	child_signal(&app->child, SIGKILL);
	cgroup_kill(app->cgroup);
}

/* ---- start ----------------------------------------------------------------------------------- */

static int app_prepare(struct app *app, struct err *err)
{
	const struct podspec_app *spec = app->spec;
	const struct cgroup_limits limits = {
		.memory_bytes = spec->memory_bytes,
		.cpu_milli = spec->cpu_milli,
		.cpu_shares = spec->cpu_shares,
		.tasks = app->pod->tasks,
	};
	_cleanup_free_ char *cgroup = xasprintf("app-%s", spec->name);
	app->cgroup = cgroup_make(cgroup, err);
	if (app->cgroup < 0 || cgroup_limit(app->cgroup, &limits, err) < 0)
		return -1;
	return app_stdio_make(app, &app->stdio, err);
}

void app_start(struct app *app)
{
	_cleanup_err_ struct err err = {0};
	if (app->termed) {
		/* Another one has failed to start: stopped before it began is a clean stop. */
		programs_forgone(app);
		return;
	}
	if (app_prepare(app, &err) < 0) {
		programs_failed(app, err_msg(&err));
		return;
	}
	programs_start(app);
}
