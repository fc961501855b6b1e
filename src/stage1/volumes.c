/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes as trees and mounts: see volumes.h. */
#include "stage1/volumes.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "stage1/shared.h"

#define SHARED_TAG "shared"

void volumes_done(struct volumes *v)
{
	for (size_t i = 0; i < v->nhost; i++)
		source_done(&v->host[i].source);
	for (size_t i = 0; i < v->napps; i++)
		mountlist_done(&v->lists[i]);
	free(v->host);
	free(v->lists);
	*v = (struct volumes){0};
}

size_t volumes_count(const struct volumes *v)
{
	return v->ntrees + (v->shared ? 1 : 0);
}

/* ---- the plan ---------------------------------------------------------------------------------- */

static int make_lists(const struct poddir *d, struct volumes *v, struct err *err)
{
	v->lists = xcalloc(d->napps + 1, sizeof *v->lists);
	for (; v->napps < d->napps; v->napps++)
		if (mountlist_make(&d->pod.volumes, &d->apps[v->napps], &v->lists[v->napps], err) <
			0)
			return -1;
	return 0;
}

/*
 * Its index; nhost: not there. Whether a use is read-only is not asked: two exports of one source
 * are two file systems of the guest, between which no lock holds (QEMU's 9p server grants every
 * one, and leaves them to the client) and no mapped page is shared.
 */
static size_t host_find(const struct volumes *v, const struct appc_volume *volume)
{
	size_t i = 0;
	while (i < v->nhost && (strcmp(v->host[i].volume->source, volume->source) ||
				       v->host[i].volume->recursive != volume->recursive))
		i++;
	return i;
}

/* The spec is JSON, which cannot say other names. */
static int check_names(const struct source *s, struct err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		_cleanup_json_ json_t *text = json_string(s->part[i].rel);
		if (!text)
			return err_set(err, ERR_UNSUPPORTED,
				"below its source a file system is mounted in a place whose name "
				"is not UTF-8; give the volume recursive=false");
	}
	return 0;
}

static int add_host(struct volumes *v, const struct appc_volume *volume, struct err *err)
{
	struct source s;
	if (source_open(volume, &s, err) < 0)
		return -1;
	v->host = xreallocarray(v->host, v->nhost + 1, sizeof *v->host);
	v->host[v->nhost++] = (struct volumes_host){
		.volume = volume,
		.source = s,
		.first = v->ntrees,
		.read_only = true,
	};
	v->ntrees += s.n;
	return check_names(&s, err);
}

/* That of the volume, opened if nobody has mounted it yet; NULL with err set. */
static struct volumes_host *host_of(
	struct volumes *v, const struct appc_volume *volume, struct err *err)
{
	size_t i = host_find(v, volume);
	if (i == v->nhost && add_host(v, volume, err) < 0)
		return NULL;
	return v->host + i;
}

static int plan_entry(struct volumes *v, const struct mount_entry *e, struct err *err)
{
	if (!e->volume->host) {
		v->shared_read_only = e->read_only && (!v->shared || v->shared_read_only);
		v->shared = true;
		return 0;
	}
	struct volumes_host *host = host_of(v, e->volume, err);
	if (!host)
		return -1;
	host->read_only &= e->read_only;
	return 0;
}

static int plan_entries(struct volumes *v, const struct poddir *d, struct err *err)
{
	for (size_t i = 0; i < v->napps; i++)
		for (size_t k = 0; k < v->lists[i].n; k++)
			if (plan_entry(v, &v->lists[i].v[k], err) < 0)
				return err_wrap(err, "app %s: volume %s", d->apps[i].pod->name,
					v->lists[i].v[k].volume->name);
	return 0;
}

/* Who has most is told how to have less. */
static int check_count(const struct volumes *v, struct err *err)
{
	const struct volumes_host *most = NULL;
	size_t n = v->napps + volumes_count(v);
	if (n <= SPEC_MAX_TREES)
		return 0;
	for (size_t i = 0; i < v->nhost; i++)
		if (!most || v->host[i].source.n > most->source.n)
			most = &v->host[i];
	if (most && most->source.n > 1)
		return err_set(err, ERR_UNSUPPORTED,
			"apps and volumes are %zu file systems, at most %d can be given to a "
			"domain; %zu of them are mounted below the source %s of volume %s: give it "
			"recursive=false",
			n, SPEC_MAX_TREES, most->source.n - 1, most->volume->source,
			most->volume->name);
	return err_set(err, ERR_UNSUPPORTED,
		"apps and volumes are %zu trees, at most %d can be given to a domain; put "
		"sources into one directory and make that the volume",
		n, SPEC_MAX_TREES);
}

static size_t count_mounts(const struct volumes *v, const struct mountlist *l)
{
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++)
		n += l->v[i].volume->host ? v->host[host_find(v, l->v[i].volume)].source.n : 1;
	return n;
}

static int check_mounts(const struct volumes *v, const struct poddir *d, struct err *err)
{
	for (size_t i = 0; i < v->napps; i++) {
		size_t n = count_mounts(v, &v->lists[i]);
		if (n > SPEC_MAX_MOUNTS)
			return err_set(err, ERR_UNSUPPORTED,
				"app %s: %zu mounts, at most %d are possible; give its volumes "
				"recursive=false, or one directory that has them all",
				d->apps[i].pod->name, n, SPEC_MAX_MOUNTS);
	}
	return 0;
}

static bool is_same_name(const struct mount_entry *a, const struct mount_entry *b)
{
	return a != b && !b->volume->host && a->volume != b->volume &&
	       !strcmp(a->volume->name, b->volume->name);
}

/* Names of implicit volumes are put together from two, so two can be one: app a-b with the mount
 * point c, and app a with b-c. */
static int check_implicit(const struct volumes *v, const struct mount_entry *e, struct err *err)
{
	for (size_t i = 0; i < v->napps; i++)
		for (size_t k = 0; k < v->lists[i].n; k++)
			if (is_same_name(e, &v->lists[i].v[k]))
				return err_set(err, ERR_INVALID,
					"the empty volume for mount point %s would be named %s, as "
					"another is already; give it a volume",
					e->path, e->volume->name);
	return 0;
}

static int check_names_of(const struct volumes *v, const struct poddir *d, struct err *err)
{
	for (size_t i = 0; i < v->napps; i++)
		for (size_t k = 0; k < v->lists[i].n; k++)
			if (v->lists[i].v[k].implicit &&
				check_implicit(v, &v->lists[i].v[k], err) < 0)
				return err_wrap(err, "app %s", d->apps[i].pod->name);
	return 0;
}

/* The directory that is so many levels above `path`. */
static char *parent_of(const char *path, int levels)
{
	char *dir = xstrdup(path);
	while (levels-- > 0 && strrchr(dir, '/'))
		*strrchr(dir, '/') = '\0';
	return dir;
}

/*
 * The host runs programs from the pods' directories and from the tree store (contract 1.0), which is
 * three levels up beside "pods": a guest that could write there would run on the host.
 */
static int check_own(const struct volumes *v, struct err *err)
{
	char pod[PATH_MAX];
	if (v->nhost && !getcwd(pod, sizeof pod))
		return err_sys(err, "working directory");
	for (size_t i = 0; i < v->nhost; i++) {
		const struct volumes_host *h = &v->host[i];
		_cleanup_free_ char *data = parent_of(pod, 3);
		_cleanup_free_ char *pods = xasprintf("%s/pods", data);
		_cleanup_free_ char *store = xasprintf("%s/cas", data);
		if (h->read_only ||
			(!source_overlaps(&h->source, pod) && !source_overlaps(&h->source, pods) &&
				!source_overlaps(&h->source, store)))
			continue;
		return err_set(err, ERR_UNSUPPORTED,
			"volume %s: its source %s holds what the host itself runs for its pods "
			"(%s); "
			"it can be given with readOnly=true only",
			h->volume->name, h->volume->source, data);
	}
	return 0;
}

int volumes_plan(const struct poddir *d, struct volumes *ret, struct err *err)
{
	struct volumes v = {0};
	if (make_lists(d, &v, err) < 0 || plan_entries(&v, d, err) < 0 ||
		check_count(&v, err) < 0 || check_mounts(&v, d, err) < 0 ||
		check_names_of(&v, d, err) < 0 || check_own(&v, err) < 0) {
		volumes_done(&v);
		return -1;
	}
	*ret = v;
	return 0;
}

void volumes_warn(const struct volumes *v, const struct poddir *d)
{
	for (size_t i = 0; i < v->napps; i++)
		for (size_t k = 0; k < v->lists[i].n; k++)
			if (v->lists[i].v[k].implicit)
				log_warning("app %s: no volume is given for its mount point %s: an "
					    "empty one is made, which goes with the pod",
					d->apps[i].pod->name, v->lists[i].v[k].path);
}

/* ---- the request ------------------------------------------------------------------------------- */

/* The name of a file among the one entry of its export. The path was opened as a file's. */
static const char *file_name(const struct volumes_host *h)
{
	return h->source.is_file ? strrchr(h->volume->source, '/') + 1 : "";
}

static void describe_host(const struct volumes_host *h, json_t *trees)
{
	for (size_t i = 0; i < h->source.n; i++) {
		char tag[32];
		snprintf(tag, sizeof tag, "vol%zu", h->first + i);
		json_t *tree = json_make("{s:s, s:b, s:b}", "tag", tag, "read_only",
			(int)h->read_only, "recursive", 0);
		json_object_set_new(tree, "host", json_true());
		if (h->source.is_file)
			json_object_set_new(tree, "file", json_string(file_name(h)));
		json_array_append_new(trees, tree);
	}
}

static void describe_trees(const struct volumes *v, json_t *trees)
{
	for (size_t i = 0; i < v->nhost; i++)
		describe_host(&v->host[i], trees);
	if (v->shared)
		json_array_append_new(
			trees, json_make("{s:s, s:b, s:b}", "tag", SHARED_TAG, "read_only",
				       (int)v->shared_read_only, "recursive", 0));
}

/* One mount of an app, with what decides when its turn is. */
struct place {
	json_t *mount;
	size_t depth;
	bool mounted; /* came with the volume of another */
	size_t seq;
};

/*
 * What is nearer to the root first, else it would hide what is below. At one place: what a volume
 * brought along, and then what the manifest puts there, in the manifest's order.
 */
static int place_compare(const void *one, const void *other)
{
	const struct place *a = one;
	const struct place *b = other;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	if (a->mounted != b->mounted)
		return a->mounted ? -1 : 1;
	return a->seq < b->seq ? -1 : 1;
}

static size_t depth_of(const char *path)
{
	size_t n = 0;
	for (; *path; path++)
		n += *path == '/';
	return n;
}

static struct place place_make(
	const struct mount_entry *e, const char *rel, const char *tag, const char *sub)
{
	_cleanup_free_ char *path = xasprintf("%s%s%s", e->path, *rel ? "/" : "", rel);
	return (struct place){
		.mount = json_make("{s:s, s:s, s:s, s:b}", "path", path, "tag", tag, "sub", sub,
			"read_only", (int)e->read_only),
		.depth = depth_of(path),
		.mounted = *rel != '\0',
	};
}

static size_t places_of(const struct volumes *v, const struct mount_entry *e, struct place *ret)
{
	if (!e->volume->host) {
		ret[0] = place_make(e, "", SHARED_TAG, e->volume->name);
		return 1;
	}
	const struct volumes_host *h = &v->host[host_find(v, e->volume)];
	for (size_t i = 0; i < h->source.n; i++) {
		char tag[32];
		snprintf(tag, sizeof tag, "vol%zu", h->first + i);
		ret[i] = place_make(e, h->source.part[i].rel, tag, file_name(h));
	}
	return h->source.n;
}

static json_t *describe_mounts(const struct volumes *v, const struct mountlist *l)
{
	size_t n = 0;
	json_t *mounts = json_array();
	_cleanup_free_ struct place *place = xcalloc(count_mounts(v, l) + 1, sizeof *place);
	for (size_t i = 0; i < l->n; i++)
		n += places_of(v, &l->v[i], place + n);
	for (size_t i = 0; i < n; i++)
		place[i].seq = i;
	qsort(place, n, sizeof *place, place_compare);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(mounts, place[i].mount);
	return mounts;
}

void volumes_describe(const struct volumes *v, json_t *request)
{
	json_t *apps = json_object_get(json_object_get(request, "guest"), "apps");
	describe_trees(v, json_object_get(request, "trees"));
	for (size_t i = 0; i < v->napps; i++)
		if (v->lists[i].n)
			json_object_set_new(json_array_get(apps, i), "mounts",
				describe_mounts(v, &v->lists[i]));
}

/* ---- the descriptors --------------------------------------------------------------------------- */

static int hand_over_host(const struct volumes_host *h, struct handover *to, struct err *err)
{
	for (size_t i = 0; i < h->source.n; i++)
		if (handover_clone(to, h->source.part[i].fd, err) < 0)
			return err_wrap(err, "volume %s: %s/%s", h->volume->name, h->volume->source,
				h->source.part[i].rel);
	return 0;
}

int volumes_hand_over(const struct volumes *v, const struct poddir *d, int pod, struct handover *h,
	struct err *err)
{
	_cleanup_fd_ int shared = -1;
	for (size_t i = 0; i < v->nhost; i++)
		if (hand_over_host(&v->host[i], h, err) < 0)
			return -1;
	if (!v->shared)
		return 0;
	if (shared_make(pod, d, v->lists, &h->made, &shared, err) < 0)
		return -1;
	return handover_clone(h, shared, err) < 0 ? err_wrap(err, SHARED_DIR) : 0;
}
