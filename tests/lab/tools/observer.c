/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches that pods' locks tell the truth, as rkt would see it: samples (domain state, lock, domain
 * state) of every pod directory again and again. A lock found free between two looks that both saw
 * the domain able to run is a lie; so is one that stays held long after the domain has gone.
 *
 * usage: observer DATADIR FILE [HELD-SECONDS]
 * Runs until SIGTERM; then, and after each lie, writes FILE: samples, pods, lies. It links libxl
 * and nothing of ours: what it believes is the hypervisor and flock(2).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <xentoollog.h>

#define PODS_MAX   256
#define UUID_SIZE  37
#define PAUSE_MS   20 /* at least, between two rounds */
#define SHARE      6  /* a round may take one part in so many of the time: Dom-0 is slow */
#define HELD_DFLT  60 /* a generous ceiling: files, helpers and a slow machine */
#define LIES_SHOWN 20

struct watched {
	char uuid[UUID_SIZE];
	bool had_domain;
	int held;          /* in this round; -1: there is no directory any more */
	time_t held_since; /* domain gone, lock held; 0: not so */
	bool told;
};

static struct watched pods[PODS_MAX];
static size_t n_pods;
static unsigned long samples, lies;
static char lie_text[LIES_SHOWN][160];
static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

/* Begins to watch the pod, unless it does already. */
static void watch(const char *uuid)
{
	for (size_t i = 0; i < n_pods; i++)
		if (!strcmp(pods[i].uuid, uuid))
			return;
	if (n_pods < PODS_MAX)
		memcpy(pods[n_pods++].uuid, uuid, UUID_SIZE);
}

/*
 * All domains at one moment: one hypercall, nothing of xenstore. A look at each pod by itself cost
 * a slow Dom-0 half its time once there were many of them.
 */
struct domains {
	libxl_dominfo *list;
	int n;
};

static struct domains domains_now(libxl_ctx *ctx)
{
	struct domains d = {0};
	d.list = libxl_list_domain(ctx, &d.n);
	return d;
}

/* Able to run or to be resumed: listed, not shut down, not dying. */
static bool domain_alive(const struct domains *d, const char *uuid)
{
	libxl_uuid id;
	if (libxl_uuid_from_string(&id, uuid))
		return false;
	for (int i = 0; i < d->n; i++)
		if (!libxl_uuid_compare(&id, &d->list[i].uuid))
			return !d->list[i].dying && !d->list[i].shutdown;
	return false;
}

/* As rkt asks: a shared lock, not waiting, on a fresh open of the directory (contract 2.3). */
static int lock_held(const char *datadir, const char *uuid)
{
	static const char *const places[] = {"run", "exited-garbage"};
	for (size_t i = 0; i < 2; i++) {
		char path[512];
		snprintf(path, sizeof path, "%s/pods/%s/%.36s", datadir, places[i], uuid);
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		int held = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
		close(fd);
		return held;
	}
	return -1;
}

static void lie(const char *uuid, const char *what)
{
	if (lies < LIES_SHOWN)
		snprintf(lie_text[lies], sizeof lie_text[0], "%.36s: %s", uuid, what);
	lies++;
}

static void report(const char *file)
{
	char tmp[512];
	snprintf(tmp, sizeof tmp, "%s.new", file);
	FILE *f = fopen(tmp, "we");
	if (!f)
		return;
	fprintf(f, "samples %lu\npods %zu\nlies %lu\n", samples, n_pods, lies);
	for (unsigned long i = 0; i < lies && i < LIES_SHOWN; i++)
		fprintf(f, "%s\n", lie_text[i]);
	if (fclose(f) == 0)
		rename(tmp, file);
}

static void judge(struct watched *w, bool before, bool after, int held_max)
{
	samples++;
	w->had_domain = w->had_domain || before;
	if (before && after && w->held == 0)
		lie(w->uuid, "its lock was free while its domain could run");
	if (before || after || w->held != 1 || !w->had_domain) {
		w->held_since = 0;
		return;
	}
	time_t now = time(NULL);
	if (!w->held_since)
		w->held_since = now;
	if (now - w->held_since > held_max && !w->told) {
		w->told = true;
		lie(w->uuid, "its lock is still held long after its domain has gone");
	}
}

static void find_pods(const char *datadir)
{
	char path[512];
	snprintf(path, sizeof path, "%s/pods/run", datadir);
	DIR *d = opendir(path);
	const struct dirent *e;
	while (d && (e = readdir(d)))
		if (strlen(e->d_name) == UUID_SIZE - 1)
			watch(e->d_name);
	if (d)
		closedir(d);
}

/* What both looks at the domains have in common was so while the locks between them were asked. */
static void round_of(libxl_ctx *ctx, const char *datadir, int held_max)
{
	find_pods(datadir);
	struct domains before = domains_now(ctx);
	for (size_t i = 0; i < n_pods; i++)
		/* One that has ended, its lock free, is asked again only when it has a domain. */
		if (!pods[i].had_domain || pods[i].held || domain_alive(&before, pods[i].uuid))
			pods[i].held = lock_held(datadir, pods[i].uuid);
	struct domains after = domains_now(ctx);
	for (size_t i = 0; i < n_pods && before.list && after.list; i++)
		judge(&pods[i], domain_alive(&before, pods[i].uuid),
			domain_alive(&after, pods[i].uuid), held_max);
	libxl_dominfo_list_free(before.list, before.n);
	libxl_dominfo_list_free(after.list, after.n);
}

static long now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void pause_after(long round_ms)
{
	long ms = round_ms * (SHARE - 1);
	if (ms < PAUSE_MS)
		ms = PAUSE_MS;
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: observer DATADIR FILE [HELD-SECONDS]\n", stderr);
		return 254;
	}
	int held_max = argc > 3 ? atoi(argv[3]) : HELD_DFLT;
	struct sigaction sa = {.sa_handler = on_term};
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	xentoollog_logger *log =
		(xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
	libxl_ctx *ctx = NULL;
	if (libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, log)) {
		fputs("observer: no Xen here\n", stderr);
		return 254;
	}
	unsigned long rounds = 0;
	while (!stop) {
		long began = now_ms();
		unsigned long before = lies;
		round_of(ctx, argv[1], held_max);
		if (lies != before || rounds++ % 64 == 0)
			report(argv[2]);
		pause_after(now_ms() - began);
	}
	report(argv[2]);
	libxl_ctx_free(ctx);
	xtl_logger_destroy(log);
	return lies ? 1 : 0;
}
