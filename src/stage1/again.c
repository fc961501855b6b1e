/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies at `run`: see again.h. */
#include "stage1/again.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appc/restart.h"
#include "base/cleanup.h"
#include "base/journal.h"
#include "base/json.h"
#include "proto/api.h"

static const char *annotation(const struct poddir *d)
{
	return appc_pod_annotation(&d->pod, APPC_ANNOTATION_RESTART);
}

int again_judge(const struct poddir *d, const struct run_options *o, struct err *err)
{
	const char *text = annotation(d);
	const char *owner = appc_pod_annotation(&d->pod, APPC_ANNOTATION_OWNER);
	struct appc_restart r;
	if (!text)
		return 0;
	if (appc_restart_parse(text, &r, err) < 0)
		return err_wrap(err, "annotation " APPC_ANNOTATION_RESTART);
	if (!appc_restart_wanted(&r))
		return 0;
	if (!owner || strcmp(owner, "xenpod") != 0)
		return err_set(err, ERR_UNSUPPORTED,
			"annotation " APPC_ANNOTATION_RESTART
			": only pods of `xenpod run` are started again; use xenpod run --restart, "
			"or "
			"Restart= of the systemd unit that runs rkt");
	if (o->interactive)
		return err_set(err, ERR_UNSUPPORTED,
			"annotation " APPC_ANNOTATION_RESTART
			": a pod that is started again has no terminal; run it without "
			"--interactive");
	return 0;
}

void again_set(const struct poddir *d, json_t *request)
{
	struct appc_restart r;
	const char *start = getenv(API_ENV_START);
	if (!annotation(d) || appc_restart_parse(annotation(d), &r, NULL) < 0 ||
		!appc_restart_wanted(&r))
		return;
	json_object_set_new(request, "restart",
		json_make("{s:s, s:i, s:I}", "policy", r.policy, "limit", r.limit, "start",
			(json_int_t)(start ? strtoll(start, NULL, 10) : 0)));
}

bool again_wanted(const json_t *request)
{
	return json_object_get(request, "restart") != NULL;
}

void again_leave_outputs(void)
{
	_cleanup_fd_ int fd = journal_stream(JOURNAL_STREAM_SOCKET, "xenpod-run");
	if (fd < 0)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return;
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
}
