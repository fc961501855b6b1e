/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create: a paused domain with its QEMU, reported, then unpaused at `go`. In order: check that no
 * domain has the UUID, end what an earlier creation has left, build ramdisk and configuration, create, tie
 * its vifs, mark it built, answer, wait, go.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_event.h>

#include "act/act.h"
#include "act/cgroup.h"
#include "act/config.h"
#include "act/ramdisk.h"
#include "act/rings.h"
#include "act/vifs.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/crash.h"
#include "base/json.h"
#include "proto/world.h"

enum { FD_LOCK, FD_KERNEL, FD_RAMDISK, FD_COUNT };

/* ---- libxl's children ---- */

/*
 * Called by libxl instead of fork(). The child, and so QEMU, keeps one descriptor of ours: the
 * pod's lock, which must live as long as the device model (design, "The lock"). The helper lock and
 * the socket are closed at once, because not every child execs: the one that waits for QEMU to
 * start would otherwise hold both when this process has been killed.
 */
static pid_t fork_child(void *user)
{
	const struct act *a = user;
	crash_point("fork"); /* in the midst of libxl's create */
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	close(a->sock);
	close(a->helper_lock);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	int lock = a->fds.fd[FD_LOCK];
	fcntl(lock, F_SETFD, fcntl(lock, F_GETFD) & ~FD_CLOEXEC);
	if (guard_apply(&a->guard) < 0)
		_exit(1); /* better no device model than one without its bounds */
	return 0;
}

static const libxl_childproc_hooks child_hooks = {
	.chldowner = libxl_sigchld_owner_libxl,
	.fork_replacement = fork_child,
};

/* ---- before ---- */

static int check_absent(struct hv *hv, const struct hv_id *id, struct err *err)
{
	struct hv_domain d[HV_DOMAINS_MAX];
	int n = hv_find(hv, id, d, err);
	if (n <= 0)
		return n;
	return err_set(err, ERR_EXISTS, "domain %u with the UUID %s is %s", d[0].domid, id->uuid,
		d[0].dying ? "still dying" : "there already");
}

/*
 * libxl leaves the QEMU that it has started when the domain is destroyed meanwhile (`xl destroy`), and whoever
 * would be told of the failed creation may be gone. There is no domain, so what lives in the cgroup is of one
 * that was, and would hold the pod's lock for ever.
 */
static int end_earlier(struct act *a, struct hv *hv, struct err *err)
{
	bool left = false;
	bool dying;
	if (!a->cgroup)
		return 0;
	if (cgroup_populated(a->cgroup, &left, err) < 0)
		return -1;
	if (left &&
		(cgroup_clear(a->cgroup, err) < 0 || hv_destroy(hv, &a->id, -1, &dying, err) < 0))
		return err_wrap(err, "end what an earlier creation has left");
	if (left)
		hv_sweep_models(hv);
	return cgroup_join(a->cgroup, err);
}

static int make_ramdisk(const struct act *a, struct err *err)
{
	json_t *spec;
	if (json_get_obj(a->request, "spec", &spec, err) < 0)
		return -1;
	json_object_set_new(spec, "generation", json_integer(a->id.generation));
	if (vifs_describe(a->request, spec, err) < 0)
		return -1;
	_cleanup_free_ char *text = json_text(spec);
	return ramdisk_make(a->fds.fd[FD_RAMDISK], text, strlen(text), err);
}

/* ---- create ---- */

/* What libxl leaves of a failed creation is not certain (xen-pitfalls 25): look, and remove it. */
static int create_failed(struct act *a, struct hv *hv, struct err *err)
{
	bool dying;
	_cleanup_err_ struct err left = {0};
	_cleanup_free_ char *why = xstrdup(hv_why(hv));
	if (hv_destroy(hv, &a->id, -1, &dying, &left) < 0)
		return err_set(err, ERR_SYSTEM,
			"cannot create the domain: %s; what was begun could not be removed: %s",
			why, err_msg(&left));
	return err_set(err, ERR_SYSTEM, "cannot create the domain: %s", why);
}

static int build(struct act *a, struct hv *hv, uint32_t *ret_domid, struct err *err)
{
	libxl_domain_config config;
	_cleanup_fd_ int ramdisk = make_ramdisk(a, err);
	if (ramdisk < 0)
		return -1;
	libxl_domain_config_init(&config);
	int r = config_make(a, hv, a->fds.fd[FD_KERNEL], ramdisk, &config, err);
	if (r == 0)
		r = config_check_memory(hv, &config, err);
	hv_forget(hv);
	if (r == 0 && libxl_domain_create_new(hv->ctx, &config, ret_domid, NULL, NULL))
		r = create_failed(a, hv, err);
	crash_point("domain-made");
	libxl_domain_config_dispose(&config);
	return r;
}

static int64_t qemu_pid(struct hv *hv, uint32_t domid)
{
	_cleanup_free_ char *pid = hv_read(hv, domid, "image/device-model-pid");
	return pid ? strtoll(pid, NULL, 10) : 0;
}

static int report(struct act *a, struct hv *hv, uint32_t domid, struct err *err)
{
	int64_t pid = qemu_pid(hv, domid);
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)pid);
	crash_point("vifs-tied");
	if (hv_write(hv, &a->id, domid, WORLD_MARK_BUILT, text, err) < 0)
		return -1;
	crash_point("built");
	_cleanup_json_ json_t *created = json_make("{s:s, s:I, s:I, s:I}", "t", "created", "op",
		(json_int_t)a->op, "domid", (json_int_t)domid, "qemu_pid", (json_int_t)pid);
	return frame_send(a->sock, created, NULL, 0, err);
}

/* End of file: xenpodd has gone. The domain stays paused; its successor finds it by its marker. */
static int wait_for_go(struct act *a, struct err *err)
{
	_cleanup_json_ json_t *frame = NULL;
	crash_point("created-sent");
	int r = frame_recv(a->sock, &frame, NULL, err);
	crash_point("go-received");
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(err, ERR_UNAVAILABLE,
			"xenpodd has gone before \"go\": the domain is left paused");
	if (strcmp(json_str_opt(frame, "t", ""), "go") != 0)
		return err_set(err, ERR_INVALID, "expected \"go\"");
	return 0;
}

static int create(struct act *a, struct hv *hv, struct err *err)
{
	uint32_t domid = (uint32_t)INVALID_DOMID;
	const json_t *trees = json_object_get(a->request, "trees");
	if (guard_needed(trees) && guard_make(&a->guard, err) < 0)
		return -1;
	libxl_childproc_setmode(hv->ctx, &child_hooks, a);
	if (check_absent(hv, &a->id, err) < 0 || end_earlier(a, hv, err) < 0 ||
		build(a, hv, &domid, err) < 0)
		return -1;
	fd_close(&a->fds.fd[FD_KERNEL]);
	fd_close(&a->fds.fd[FD_RAMDISK]);
	rings_shrink(hv, domid, json_array_size(trees));
	crash_point("rings-shrunk");
	if (vifs_tie(a, domid, err) < 0 || report(a, hv, domid, err) < 0 || wait_for_go(a, err) < 0)
		return -1;
	return hv_unpause(hv, &a->id, domid, err);
}

int act_create(struct act *a, struct err *err)
{
	struct hv hv;
	if (a->fds.n != FD_COUNT)
		return err_set(err, ERR_INVALID,
			"create takes 3 descriptors (lock, kernel, ramdisk), not %zu", a->fds.n);
	int r = act_open_hv(a, &hv, err) < 0 ? -1 : create(a, &hv, err);
	hv_close(&hv);
	guard_done(&a->guard);
	return r;
}
