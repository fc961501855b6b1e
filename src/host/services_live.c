/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the services in order, and stops them in the other one. See services.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/files.h"
#include "host/exec.h"
#include "host/services.h"
#include "host/systemctl.h"

#define STOP_MS  60000
#define START_MS 180000
/* runsvdir looks every 5 seconds; then runsv ends its service. */
#define FORGET_MS 60000

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
}

/* ---- start ------------------------------------------------------------------------------------------- */

static bool up(const struct host *h, const struct services *s, enum sv sv, struct sv_state *ret)
{
	services_look(h, s, sv, ret);
	return ret->run && ret->answers;
}

static int await_one(
	const struct host *h, const struct services *s, enum sv sv, int seconds, struct err *err)
{
	int64_t end = clock_ms() + (int64_t)seconds * 1000;
	struct sv_state st;
	int r = 0;
	while (!up(h, s, sv, &st) && clock_ms() < end) {
		sv_state_done(&st);
		nap();
	}
	if (st.run && st.answers)
		printf("%-10s  %s (%s)\n", "up", sv_name(sv), st.what);
	else
		r = err_set(err, ERR_TIMEOUT, "%s is not up within %d s: %s; %s", sv_name(sv),
			seconds, st.says ? st.says : "", st.what ? st.what : "");
	(void)fflush(stdout);
	sv_state_done(&st);
	return r;
}

int services_await(const struct host *h, const struct services *s, int seconds, struct err *err)
{
	for (enum sv sv = SV_STORE; sv < SV_COUNT; sv++)
		if (sv_wanted(s, sv) && await_one(h, s, sv, seconds, err) < 0)
			return -1;
	return 0;
}

int services_start_units(const struct services *s, struct err *err)
{
	static const char *const ours[] = {"xenpod-admin.socket", "xenpod-status.socket",
		"xenpodd.service", "xenpod-pods.service"};
	if (systemctl("daemon-reload", NULL, START_MS, err) < 0)
		return -1;
	for (enum sv sv = SV_STORE; sv <= SV_DISK; sv++)
		if (sv_wanted(s, sv) && systemctl("start", sv_unit(sv), START_MS, err) < 0)
			return -1;
	if (!s->xenpodd)
		return 0;
	const char *const users[] = {"systemd-sysusers", NULL};
	if (exec_run(&(struct exec){.argv = users}, NULL, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (systemctl("start", ours[i], START_MS, err) < 0)
			return -1;
	return 0;
}

/* ---- stop -------------------------------------------------------------------------------------------- */

/* Is there a runsv for it? It holds the other end of that pipe (runsv(8)). */
static bool looked_after(const struct host *h, const char *kept)
{
	_cleanup_free_ char *rel = xasprintf("%s/ok", kept);
	_cleanup_free_ char *at = host_path(h, rel);
	_cleanup_fd_ int fd = open(at, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0;
}

static int stop_runit(const struct host *h, const struct services *s, enum sv sv, struct err *err)
{
	_cleanup_free_ char *kept = xasprintf(SV_RUN "%s", sv_name(sv));
	_cleanup_free_ char *dir = xasprintf("%s/%s", s->scan, sv_name(sv));
	const char *const argv[] = {"sv", "-w", "50", "-v", "down", dir, NULL};
	if (!looked_after(h, kept))
		return 0;
	return exec_run(&(struct exec){.argv = argv, .timeout_ms = STOP_MS}, NULL, NULL, err);
}

/* Pods may go on in it, which its stop would end. */
static int stop_slice(struct err *err)
{
	_cleanup_free_ char *events = NULL;
	if (file_read_at(AT_FDCWD, "/sys/fs/cgroup/xenpod.slice/cgroup.events", 4096, &events, NULL,
		    NULL) < 0 ||
		!strstr(events, "populated 0"))
		return 0;
	return systemctl_stop("xenpod.slice", STOP_MS, err);
}

static int stop_units(enum sv sv, struct err *err)
{
	static const char *const ours[] = {"xenpod-pods.service", "xenpod-status.socket",
		"xenpod-admin.socket", "xenpodd.service"};
	if (sv != SV_XENPODD)
		return systemctl_stop(sv_unit(sv), STOP_MS, err);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (systemctl_stop(ours[i], START_MS, err) < 0)
			return -1;
	return stop_slice(err);
}

int services_stop(const struct host *h, const struct services *s, struct err *err)
{
	for (int i = SV_COUNT; i-- > 0;) {
		enum sv sv = (enum sv)i;
		if (!sv_wanted(s, sv))
			continue;
		int r = s->by == SV_BY_RUNIT ? stop_runit(h, s, sv, err) : stop_units(sv, err);
		if (r < 0)
			return err_wrap(err, "stop %s", sv_name(sv));
		printf("%-10s  %s\n", "stopped", sv_name(sv));
		(void)fflush(stdout);
	}
	return 0;
}

static void remove_kept(const struct host *h, const char *kept)
{
	_cleanup_free_ char *at = host_path(h, kept);
	_cleanup_dir_ DIR *d = opendir(at);
	struct dirent *e;
	while (d && (e = readdir(d)))
		if (*e->d_name != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	rmdir(at);
}

int services_forget(const struct host *h, const struct services *s, struct err *err)
{
	int64_t end = clock_ms() + FORGET_MS;
	for (enum sv sv = SV_STORE; sv < SV_COUNT; sv++) {
		_cleanup_free_ char *kept = xasprintf(SV_RUN "%s", sv_name(sv));
		_cleanup_free_ char *log = xasprintf("%s.log", kept);
		if (!sv_wanted(s, sv))
			continue;
		while (looked_after(h, kept) && clock_ms() < end)
			nap();
		if (looked_after(h, kept))
			return err_set(err, ERR_TIMEOUT,
				"runsv still looks after %s, which is not in %s any more: end it",
				sv_name(sv), s->scan);
		remove_kept(h, kept);
		remove_kept(h, log);
	}
	return 0;
}
