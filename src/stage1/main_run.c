/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage1's `run` entrypoint (contract 1.2, 1.3): reads what stage0 prepared in the working
 * directory, refuses what cannot be honoured, hands the pod over and is its proxy until it ends.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "stage1/again.h"
#include "stage1/files.h"
#include "stage1/flags.h"
#include "stage1/handover.h"
#include "stage1/hook.h"
#include "stage1/network.h"
#include "stage1/options.h"
#include "stage1/poddir.h"
#include "stage1/proxy.h"
#include "stage1/request.h"
#include "stage1/stdio.h"
#include "stage1/volumes.h"

static void say_notes(void)
{
	const char *listen_pid = getenv("LISTEN_PID");
	if (listen_pid && strtol(listen_pid, NULL, 10) == getpid())
		log_warning("socket activation is not supported yet: the sockets passed in "
			    "LISTEN_FDS are not used");
}

/* The request must pass the supervisor's own rules, so that nothing is sent in vain. */
static int check(json_t *request, const struct handover *h, struct err *err)
{
	int fds[HANDOVER_MAX];
	json_t *names;
	handover_list(h, fds, &names);
	json_object_set_new(request, "fds", names);
	return spec_check_request(request, err);
}

/* Nothing is made yet: what cannot be honoured must not leave anything behind. */
static int plan(const struct run_options *o, struct poddir *d, struct volumes *v,
	json_t **ret_request, struct err *err)
{
	char dir[PATH_MAX];
	if (!getcwd(dir, sizeof dir))
		return err_sys(err, "working directory");
	_cleanup_json_ json_t *text = json_string(dir);
	if (!text)
		return err_set(err, ERR_UNSUPPORTED, "the pod directory's path is not UTF-8");
	if (poddir_read(d, err) < 0 || poddir_judge(d, err) < 0 || again_judge(d, o, err) < 0 ||
		stdio_judge(d, o, err) < 0 || volumes_plan(d, v, err) < 0 ||
		request_make(d, o, dir, ret_request, err) < 0)
		return -1;
	again_set(d, *ret_request);
	json_t *guest = json_object_get(*ret_request, "guest");
	volumes_describe(v, *ret_request);
	if (network_plan(d, o, dir, *ret_request, err) < 0)
		return -1;
	request_size(d, *ret_request);
	if (files_describe(&o->dns, guest, err) < 0)
		return -1;
	return spec_check_guest(guest, err);
}

static int prepare(const struct run_options *o, struct handover *h, struct poddir *d,
	json_t **ret_request, struct err *err)
{
	_cleanup_(volumes_done) struct volumes v = {0};
	if (handover_take_lock(h, err) < 0)
		return -1;
	fd_close_above(3, &h->lock, 1); /* stage0 leaks descriptors (contract 1.0) */
	if (plan(o, d, &v, ret_request, err) < 0 || handover_open(h, d, err) < 0)
		return -1;
	if (volumes_hand_over(&v, d, h->lock, h, err) < 0 || check(*ret_request, h, err) < 0)
		return -1;
	volumes_warn(&v, d);
	return 0;
}

static int run(const struct run_options *o, int *ret_status, struct err *err)
{
	struct handover h = HANDOVER_NONE;
	struct poddir d = {0};
	_cleanup_json_ json_t *request = NULL;
	int r = prepare(o, &h, &d, &request, err);
	if (r < 0) {
		handover_undo(&h);
	} else {
		say_notes();
		r = proxy_run(request, &h, &d, ret_status, err);
	}
	handover_done(&h);
	poddir_done(&d);
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct run_options o;
	int status = 0;
	hook_begin();
	int r = options_parse(argc, argv, &o, &err);
	if (r == FLAGS_HELP)
		return 0;
	if (r == 0 && o.debug)
		hook_debug();
	if (r < 0 || run(&o, &status, &err) < 0)
		return hook_fail(&err);
	return status;
}
