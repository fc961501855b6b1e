/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and directories of the benchmarks' pods: see pods.h. */
#include "pods.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"

#define WALL INT64_C(1790000000000000000)

void bench_uuid(uint64_t n, char ret[UUID_TEXT_SIZE])
{
	/* Random by look, so that they lie in the index as real ones do. */
	uint64_t mixed = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
	snprintf(ret, UUID_TEXT_SIZE, "%08llx-%04llx-4000-8000-%012llx",
		(unsigned long long)(mixed >> 32), (unsigned long long)(mixed >> 16 & 0xffff),
		(unsigned long long)n);
}

char *bench_pod_dir(const char *dir, const char *uuid)
{
	return xasprintf("%s/pods/run/%s", dir, uuid);
}

/* As src/stage1 makes it of `rkt run --net=none` of one ordinary image. */
static char *make_request(const char *dir, const char *uuid)
{
	_cleanup_free_ char *path = bench_pod_dir(dir, uuid);
	return xasprintf(
		"{\"uuid\":\"%s\",\"dir\":\"%s\",\"owner\":\"rkt\",\"type\":\"auto\","
		"\"memory_kib\":262144,\"vcpus\":1,\"net\":\"none\","
		"\"trees\":[{\"tag\":\"app0\",\"read_only\":false,\"recursive\":true}],"
		"\"guest\":{\"version\":1,\"uuid\":\"%s\",\"hostname\":\"rkt-%.8s\","
		"\"apps\":[{\"name\":\"web\",\"tag\":\"app0\",\"exec\":[\"/usr/sbin/nginx\",\"-g\","
		"\"daemon off;\"],\"user\":\"0\",\"group\":\"0\",\"cwd\":\"/\",\"env\":["
		"\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\","
		"\"AC_APP_NAME=web\",\"AC_METADATA_URL=\",\"NGINX_VERSION=1.22.1\"]}]}}",
		uuid, path, uuid, uuid);
}

static char *text(const char *s)
{
	char *p;
	memcpy(&p, &s, sizeof p); /* borrowed: the store only reads */
	return p;
}

static int put_pod(
	struct store *s, const char *dir, uint64_t n, const struct pod_row *like, struct err *err)
{
	struct pod_row r = *like;
	bool ended = !strcmp(r.state, "exited");
	bench_uuid(n, r.uuid);
	_cleanup_free_ char *request = make_request(dir, r.uuid);
	r.request = request;
	r.domid = ended ? -1 : (int64_t)n + 1;
	r.qemu_pid = ended ? 0 : r.domid + BENCH_QEMU;
	r.qemu_start = ended ? 0 : 1;
	r.code = ended ? 0 : -1;
	r.cause = text(ended ? "finished" : "");
	r.ended_at = ended ? WALL + 60 : 0;
	return store_pod_insert(s, &r, err);
}

static int put_app(struct store *s, const char *uuid, bool ended, struct err *err)
{
	struct app_row a = {
		.name = text("web"),
		.state = text(ended ? "exited" : "running"),
		.code = ended ? 0 : -1,
		.signal = -1,
		.seq = ended ? 3 : 2,
		.started_at = WALL + 20,
		.ended_at = ended ? WALL + 40 : 0,
		.message = text(""),
	};
	return store_app_put(s, uuid, &a, err);
}

static int put_history(struct store *s, const char *uuid, struct err *err)
{
	static const char *const way[][3] = {
		{"accept", "accepted", "accepted"},
		{"admit", "accepted", "exporting"},
		{"exported", "exporting", "networking"},
		{"networked", "networking", "creating"},
		{"created", "creating", "unpausing"},
		{"unpaused", "unpausing", "booting"},
		{"guest-app", "booting", "booting"},
		{"guest-running", "booting", "running"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(way); i++) {
		struct history_row h = {
			.at = WALL + (int64_t)i,
			.event = text(way[i][0]),
			.from = text(way[i][1]),
			.to = text(way[i][2]),
			.domid = i < 4 ? -1 : 1,
			.generation = i < 3 ? 0 : 1,
		};
		int64_t seq;
		memcpy(h.uuid, uuid, sizeof h.uuid);
		if (store_history_add(s, &h, &seq, err) < 0)
			return -1;
	}
	return 0;
}

static int put_ledger(struct store *s, const char *uuid, bool ended, struct err *err)
{
	static const struct {
		const char *kind;
		int64_t generation;
	} held[] = {{"exports", 0}, {"cgroup", 0}, {"domain", 1}, {"qemu", 1}, {"log", 0}};
	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		bool released = ended && strcmp(held[i].kind, "log") != 0;
		if (store_ledger_put(s, uuid, held[i].generation, held[i].kind, uuid,
			    released ? "released" : "held", err) < 0)
			return -1;
	}
	return 0;
}

int bench_rows(struct store *s, const char *dir, uint64_t n, const char *state, const char *boot_id,
	struct err *err)
{
	struct pod_row like = {
		.state = text(state),
		.want = text("up"),
		.seq = 8,
		.generation = 1,
		.boot_id = text(boot_id),
		.message = text(""),
		.lock_dev = 1,
		.lock_ino = (int64_t)n + 1,
		.created_at = WALL,
		.started_at = WALL + 30,
	};
	char uuid[UUID_TEXT_SIZE];
	if (!strcmp(state, "mixed"))
		like.state = text(n % 10 ? "exited" : "running");
	bool ended = !strcmp(like.state, "exited");
	bench_uuid(n, uuid);
	if (put_pod(s, dir, n, &like, err) < 0 || put_app(s, uuid, ended, err) < 0 ||
		put_history(s, uuid, err) < 0)
		return -1;
	return put_ledger(s, uuid, ended, err);
}

int bench_dir(const char *dir, const char *uuid, struct err *err)
{
	_cleanup_free_ char *path = bench_pod_dir(dir, uuid);
	_cleanup_free_ char *status = xasprintf("%s/stage1/rootfs/rkt/status", path);
	if (dir_make_all(status, 0700, err) < 0)
		return -1;
	_cleanup_free_ char *rkt = xasprintf("%s/stage1/rootfs/rkt", path);
	_cleanup_fd_ int fd = open(rkt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || symlinkat("ready", fd, "supervisor-status") < 0)
		return err_sys(err, "%s", rkt);
	return file_reserve_at(fd, "status/web", err);
}
