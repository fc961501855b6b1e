/* SPDX-License-Identifier: Apache-2.0 */
/* Pods of a test: their directories and locks as rkt makes them, their `run`, their users. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit_int.h"
#include "unit.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "proto/spec.h"

/* "exit 3 after 2s" as the simulated guest reads it: ["sim", "exit", "3", "after", "2s"]. */
static json_t *make_exec(const char *text)
{
	_cleanup_free_ char *words = xstrdup(text);
	json_t *exec = json_array();
	char *save = NULL;
	json_array_append_new(exec, json_string("sim"));
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		json_array_append_new(exec, json_string(w));
	return exec;
}

static json_t *make_app(size_t i, const char *text)
{
	char name[16];
	snprintf(name, sizeof name, "app%zu", i);
	return json_make("{s:s, s:s, s:o, s:s, s:s, s:[], s:[], s:s}", "name", name, "tag", "app0",
		"exec", make_exec(text), "user", "0", "group", "0", "gids", "env", "cwd", "/");
}

static json_t *make_request(const struct kit_pod *kp, json_t *apps)
{
	json_t *trees = json_array();
	json_array_append_new(
		trees, json_make("{s:s, s:b, s:b}", "tag", "app0", "read_only", 0, "recursive", 1));
	json_t *guest = json_make("{s:i, s:s, s:s, s:s, s:i, s:o}", "version", SPEC_VERSION, "uuid",
		kp->uuid, "hostname", kp->name, "machine_id", "6ba7b8109dad11d180b400c04fd430c8",
		"grace_ms", SPEC_GRACE_MS, "apps", apps);
	return json_make("{s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:o, s:o}", "uuid", kp->uuid, "dir",
		kp->dir, "owner", "xenpod", "type", "auto", "memory_kib", SPEC_MEMORY_KIB, "vcpus",
		SPEC_VCPUS, "net", "none", "trees", trees, "guest", guest);
}

/* custody.c looks for the lock in the process that `pid` names; here everybody is this one. */
static void make_dir(struct kit_pod *kp)
{
	struct err err = {0};
	_cleanup_free_ char *status = xasprintf("%s/stage1/rootfs/rkt/status", kp->dir);
	assert_ok(dir_make_all(status, 0700, &err), &err);
	kp->lock_fd = open(kp->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(kp->lock_fd >= 0);
	assert_int_equal(flock(kp->lock_fd, LOCK_EX | LOCK_NB), 0);
	char pid[16];
	int n = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	assert_ok(file_write_atomic_at(kp->lock_fd, "pid", pid, (size_t)n, 0644, &err), &err);
}

struct kit_pod *kit_accept(struct kit *k, ...)
{
	assert_true(k->npods < KIT_PODS);
	size_t n = k->npods++;
	struct kit_pod *kp = &k->pod[n];
	*kp = (struct kit_pod){.kit = k, .run_alive = true, .stored_fd = -1};
	if (n < 26)
		snprintf(kp->name, sizeof kp->name, "%c", (int)('a' + n));
	else
		snprintf(kp->name, sizeof kp->name, "p%u", (unsigned)n % 1000);
	snprintf(kp->uuid, sizeof kp->uuid, "%08zx-0000-4000-8000-0000000000ff", n + 1);
	kp->dir = xasprintf("%s/pods/%s", k->dir, kp->uuid);
	kp->accept.kit = kp->change.kit = kp->gc.kit = k;
	kp->accept.wanted = true;
	json_t *apps = json_array();
	va_list ap;
	va_start(ap, k);
	const char *text;
	while ((text = va_arg(ap, const char *)))
		json_array_append_new(apps, make_app(json_array_size(apps), text));
	va_end(ap);
	kp->request = make_request(kp, apps);
	make_dir(kp);
	return kp;
}

void kit_network(struct kit_pod *kp, int host_port)
{
	json_t *network = json_make("{s:[{s:s, s:s, s:s, s:[{s:s}]}], s:[s]}", "nets", "name",
		"default", "file", "99-default.conf", "ifname", "eth0", "plugins", "type", "sim",
		"path", "/usr/lib/cni");
	if (host_port)
		json_object_set_new(network, "ports",
			json_make("[{s:s, s:s, s:i, s:i}]", "protocol", "tcp", "host_ip", "0.0.0.0",
				"host_port", host_port, "port", 80));
	json_object_set_new(kp->request, "net", json_string("default"));
	json_object_set_new(kp->request, "network", network);
}

void kit_restart(struct kit_pod *kp, enum pod_policy policy, int limit)
{
	json_object_set_new(kp->request, "restart",
		json_make("{s:s, s:i}", "policy", restart_policy_name(policy), "limit", limit));
}

static int empty_file(void)
{
	int fd = memfd_create("kit", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

struct pod *kit_run_sends(struct kit_pod *kp)
{
	struct stat st;
	struct pod *p = pod_new(kp->uuid);
	if (kp->lock_fd >= 0)
		p->lock_fd = fcntl(kp->lock_fd, F_DUPFD_CLOEXEC, 3);
	assert_int_equal(stat(kp->dir, &st), 0);
	p->lock_dev = (int64_t)st.st_dev;
	p->lock_ino = (int64_t)st.st_ino;
	_cleanup_free_ char *rkt = xasprintf("%s/stage1/rootfs/rkt", kp->dir);
	p->status_fd = open(rkt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->kernel_fd = empty_file();
	p->ramdisk_fd = empty_file();
	p->trees.fd[0] = empty_file();
	p->trees.n = 1;
	p->created_at = engine_cfg(kp->kit->engine)->wall_ns(kp->kit);
	pod_set_request(p, kp->request);
	return p;
}

struct pod *kit_find(const struct kit_pod *kp)
{
	return kp->kit->engine ? pods_find(engine_pods(kp->kit->engine), kp->uuid) : NULL;
}

void kit_ask(struct kit_pod *kp, enum pod_event event)
{
	struct kit_request *r = event == EV_GC ? &kp->gc : &kp->change;
	r->wanted = true;
	r->sent = r->acked = false;
	r->event = event;
}

void kit_post(struct kit_pod *kp, enum pod_event event, enum pod_cause cause)
{
	struct event_args args = {.domid = -1, .cause = cause};
	struct pod *p = kit_find(kp);
	assert_non_null(p);
	engine_post(kp->kit->engine, p, event, &args);
}

void kit_operator(struct kit_pod *kp, enum sim_verb verb)
{
	struct err err = {0};
	assert_ok(sim_operator(kp->kit->sim, verb, kp->uuid, &err), &err);
}

/* The daemon watches it by a pidfd (api_run.c, on_run_exit). */
void kit_kill_run(struct kit_pod *kp)
{
	kp->run_alive = false;
	fd_close(&kp->lock_fd);
	const struct pod *p = kit_find(kp);
	if (p && p->core.state < POD_BACKOFF)
		kit_post(kp, EV_STOP, CAUSE_RUN_LOST);
}
