/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xenpod-init: PID 1 of a pod's domain, and /sbin/poweroff and /sbin/reboot under those names.
 * Prepares the guest, starts the pod (pod.c) and turns the loop. A fault before that ends in the
 * pod state "failed <text>" and a power-off: nobody could repair anything in here.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "guest/child.h"
#include "guest/confine.h"
#include "guest/console.h"
#include "guest/control.h"
#include "guest/modules.h"
#include "guest/mounts.h"
#include "guest/net.h"
#include "guest/pod.h"
#include "guest/podspec.h"
#include "guest/session.h"
#include "guest/state.h"

struct init {
	struct loop loop;
	struct podspec spec;
	struct state state;
	struct pod pod;
	struct control control;
	struct loop_watch signals;
};

static const char usage[] =
	"usage: xenpod-init\n"
	"The first process of a pod's domain: started by the guest's kernel as /init, never by "
	"hand.\n"
	"As /sbin/poweroff or /sbin/reboot it asks that process for an orderly stop.\n";

/* ---- signals --------------------------------------------------------------------------------- */

static void signal_readable(struct loop_watch *w, uint32_t events)
{
	(void)events;
	struct init *init = container_of(w, struct init, signals);
	struct signalfd_siginfo info;
	if (read(w->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		child_reap();
	else
		pod_stop(&init->pod, info.ssi_signo == SIGINT);
}

static int signals_init(struct init *init, struct err *err)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGPWR);
	sigaddset(&set, SIGINT); /* Ctrl-Alt-Del, see reboot(2) */
	signal(SIGPIPE, SIG_IGN);
	reboot(RB_DISABLE_CAD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(err, "block signals");
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_sys(err, "make a signal descriptor");
	init->signals.fn = signal_readable;
	loop_watch_init(&init->loop, &init->signals, fd);
	loop_watch_set(&init->signals, EPOLLIN);
	return 0;
}

static void stop_asked(struct control *control, bool to_reboot)
{
	pod_stop(&container_of(control, struct init, control)->pod, to_reboot);
}

/* ---- start ----------------------------------------------------------------------------------- */

/* Descriptors 0 to 2 on /dev/null: what children get in their place is then always another one. */
static void stdio_to_null(void)
{
	int fd = open("/dev/null", O_RDWR);
	for (int i = 0; fd >= 0 && i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

/* Without its first process the guest is dead: an app shall be killed before that. */
static void oom_protect(void)
{
	_cleanup_err_ struct err err = {0};
	if (confine_oom(CONFINE_OOM_NEVER, &err) < 0)
		log_warning("%s", err_msg(&err));
}

static int prepare_guest(struct init *init, struct err *err)
{
	umask(022);
	if (mounts_base(err) < 0)
		return -1;
	console_init();
	stdio_to_null();
	oom_protect();
	if (loop_init(&init->loop, err) < 0 || signals_init(init, err) < 0)
		return -1;
	/* Early: a stop that comes while the roots are mounted waits in the socket. */
	init->control.stop = stop_asked;
	if (control_listen(&init->control, &init->loop, err) < 0)
		return -1;
	if (modules_load(MODULES_LIST, err) < 0)
		return -1;
	/* The kernel's own file; libxenstore's choice depends on what else it finds. */
	setenv("XENSTORED_PATH", "/dev/xen/xenbus", 1);
	return state_open(&init->state, err);
}

static int prepare_pod(struct init *init, struct err *err)
{
	state_pod(&init->state, GSTATE_BOOTING, 0, NULL);
	if (podspec_read(SPEC_PATH_IN_GUEST, &init->spec, err) < 0)
		return -1;
	if (init->spec.debug)
		log_set_max(LOG_LVL_DEBUG);
	if (sethostname(init->spec.hostname, strlen(init->spec.hostname)) < 0)
		return err_sys(err, "set the hostname");
	if (net_up(init->spec.net, err) < 0)
		return -1;
	return pod_prepare(&init->pod, &init->loop, &init->spec, &init->state, err);
}

/* Long enough for the supervisor to read the state; it destroys the domain at once. */
__attribute__((noreturn)) static void give_up(struct init *init, const struct err *err)
{
	log_err("the pod cannot start: %s", err_msg(err));
	state_pod(&init->state, GSTATE_FAILED, 0, err_msg(err));
	usleep(POD_POWEROFF_MS * 1000);
	pod_power_off(/*reboot*/ false);
}

__attribute__((noreturn)) static void run_as_init(void)
{
	static struct init init;
	struct err err = {0};
	if (prepare_guest(&init, &err) < 0 || prepare_pod(&init, &err) < 0)
		give_up(&init, &err);
	log_info("pod %s, %zu apps", init.spec.uuid, init.spec.n_apps);
	sessions_start(&init.pod);
	pod_start(&init.pod);
	loop_run(&init.loop);
	abort(); /* the loop of PID 1 has no end */
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
	if (getpid() == 1)
		run_as_init();
	if (!help && (strcmp(name, "poweroff") == 0 || strcmp(name, "reboot") == 0))
		return control_poke(name[0] == 'r');
	if (!help) {
		fputs("xenpod-init: it is started by the guest's kernel as /init (see --help)\n",
			stderr);
		return XENPOD_EXIT_FAILURE;
	}
	fputs(usage, stdout);
	return 0;
}
