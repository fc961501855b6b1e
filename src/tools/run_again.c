/* SPDX-License-Identifier: Apache-2.0 */
/* The first start of a pod that comes back: see run_again.h. */
#include "tools/run_again.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "appc/restart.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "proto/api.h"
#include "tools/pod_info.h"
#include "tools/supervisor.h"

#define LOOK_MS 100

static volatile sig_atomic_t asked;

static void on_signal(int sig)
{
	(void)sig;
	asked++;
}

bool run_again_wanted(const struct pod *p)
{
	struct appc_pod m = {0};
	struct appc_restart r = {0};
	if (pod_manifest_read(p, &m, NULL) < 0)
		return false;
	const char *text = appc_pod_annotation(&m, APPC_ANNOTATION_RESTART);
	bool wanted = text && appc_restart_parse(text, &r, NULL) == 0 && appc_restart_wanted(&r);
	appc_pod_done(&m);
	return wanted;
}

/*
 * Away from our terminal and session. Its faults are told on our stderr until the pod runs, when it
 * leaves that by itself (stage1/again.h); what apps print goes to the journal.
 */
static _Noreturn void begin(
	const struct pod *p, const char *path, const struct run_argv *argv, int err_fd)
{
	_cleanup_err_ struct err err = {0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (setsid() < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
		dup2(null, STDOUT_FILENO) < 0 || (err_fd >= 0 && dup2(err_fd, STDERR_FILENO) < 0))
		err_sys(&err, "leave the terminal");
	else
		run_become(p, path, argv, &err);
	log_err("%s", err_msg(&err));
	_exit(XENPOD_EXIT_FAILURE);
}

/* Whoever types ^C stops the pod; twice: by force. */
static void pass_signals(pid_t child)
{
	static int passed;
	for (; passed < asked; passed++)
		kill(child, SIGTERM);
}

static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction sa = {.sa_handler = on_signal};
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);
}

/* -1: it lives. */
static int ended(pid_t child, int flags)
{
	int status;
	pid_t r = waitpid(child, &status, flags);
	if (r != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The pod's object, NULL when the supervisor does not know it, or is away. */
static json_t *look(const char *uuid)
{
	json_t *reply = NULL;
	if (supervisor_call(API_SHOW, json_make("{s:s}", "uuid", uuid), &reply, NULL) < 0)
		return NULL;
	json_t *pod = json_incref(json_object_get(reply, "pod"));
	json_decref(reply);
	return pod;
}

static bool has_run(const json_t *pod)
{
	return json_int_opt(json_object_get(pod, "restart"), "lives", 0) > 0;
}

static int wait_for(pid_t child, const char *uuid)
{
	static const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	int status = -1;
	for (;;) {
		pass_signals(child);
		if (status < 0)
			status = ended(child, WNOHANG);
		_cleanup_json_ json_t *pod = look(uuid);
		progress_part("%s", json_str_opt(pod, "state", "handing it over"));
		progress_turn();
		if (has_run(pod))
			return 0;
		/* Refused, or told that the pod has failed. */
		if (status >= 0)
			return status ? status : XENPOD_EXIT_FAILURE;
		nanosleep(&pause, NULL);
	}
}

int run_again(const struct pod *p, const char *path, const struct run_argv *argv, struct err *err)
{
	if (run_argv_save(argv, p, err) < 0)
		return -1;
	catch_signals();
	(void)fflush(NULL);
	progress_begin("starting pod %.8s", p->uuid);
	_cleanup_fd_ int err_fd = progress_child_stderr();
	pid_t child = fork();
	if (child < 0)
		return err_sys(err, "fork");
	if (child == 0)
		begin(p, path, argv, err_fd);
	fd_close(&err_fd);
	int status = wait_for(child, p->uuid);
	progress_end();
	if (status == 0)
		puts(p->uuid);
	return status;
}
