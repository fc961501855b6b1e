/* SPDX-License-Identifier: Apache-2.0 */
/* The frames that xenpodd sends, one function each: see sensor_int.h and proto/world.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/frame.h"
#include "base/json.h"
#include "watch/sensor_int.h"

#define PAGE_KIB 4 /* XC_PAGE_SIZE: of every x86 */

int frames_send_fault(struct sensor *s, const char *message, struct err *err)
{
	_cleanup_json_ json_t *frame = json_make("{s:s, s:s}", "t", "fault", "message", message);
	return frame_send(s->env.sock, frame, NULL, 0, err);
}

/* What the domains still have that are on their way out. */
static int dying_memory(struct sensor *s, uint64_t *ret_kib, struct err *err)
{
	int count = 0;
	libxl_dominfo *list = libxl_list_domain(s->env.ctx, &count);
	if (!list)
		return err_set(err, ERR_SYSTEM, "cannot list the domains");
	*ret_kib = 0;
	for (int i = 0; i < count; i++)
		if (list[i].dying)
			*ret_kib += list[i].current_memkb + list[i].outstanding_memkb;
	libxl_dominfo_list_free(list, count);
	return 0;
}

static int send_numbers(struct sensor *s, uint64_t total_kib, uint32_t cpus, struct err *err)
{
	_cleanup_json_ json_t *frame =
		json_make("{s:s, s:I, s:I, s:I, s:I}", "t", "host", "free_kib",
			(json_int_t)s->told_free_kib, "dying_kib", (json_int_t)s->told_dying_kib,
			"total_kib", (json_int_t)total_kib, "cpus", (json_int_t)cpus);
	return frame_send(s->env.sock, frame, NULL, 0, err);
}

/* First the dying: what they give back meanwhile counts twice then, and not as lost. */
int frames_send_host(struct sensor *s, bool force, struct err *err)
{
	uint64_t dying_kib = 0;
	if (dying_memory(s, &dying_kib, err) < 0)
		return -1;
	libxl_physinfo info;
	libxl_physinfo_init(&info);
	int r = libxl_get_physinfo(s->env.ctx, &info);
	/* as `xl info` counts free_memory: what is claimed is not free */
	uint64_t free_kib = (info.free_pages - info.outstanding_pages) * PAGE_KIB;
	uint64_t total_kib = info.total_pages * PAGE_KIB;
	uint32_t cpus = info.nr_cpus;
	libxl_physinfo_dispose(&info);
	if (r)
		return err_set(err, ERR_SYSTEM, "Xen does not tell how much memory is free");
	if (!force && free_kib == s->told_free_kib && dying_kib == s->told_dying_kib)
		return 0;
	s->told_free_kib = free_kib;
	s->told_dying_kib = dying_kib;
	return send_numbers(s, total_kib, cpus, err);
}

/*
 * A pong proves that xenstored answers: libxenstore does not tell when the connection is lost, its
 * descriptor then simply stays silent (xen-pitfalls 20).
 */
static int on_ping(struct sensor *s, const json_t *frame, struct err *err)
{
	unsigned len;
	_cleanup_free_ char *id = xs_read(s->env.xs, XBT_NULL, "/local/domain/0/domid", &len);
	if (!id && errno != ENOENT)
		return err_sys(err, "xenstored does not answer");
	_cleanup_json_ json_t *pong =
		json_make("{s:s, s:I}", "t", "pong", "n", (json_int_t)json_int_opt(frame, "n", 0));
	return frame_send(s->env.sock, pong, NULL, 0, err);
}

static int send_mark(struct sensor *s, const char *t, int64_t n, struct err *err)
{
	_cleanup_json_ json_t *frame = json_make("{s:s, s:I}", "t", t, "n", (json_int_t)n);
	return frame_send(s->env.sock, frame, NULL, 0, err);
}

/* Dom-0 is left out: it is never a pod. */
static int on_list(struct sensor *s, const json_t *frame, struct err *err)
{
	int count = 0;
	int64_t n = json_int_opt(frame, "n", 0);
	libxl_dominfo *list = libxl_list_domain(s->env.ctx, &count);
	if (!list)
		return err_set(err, ERR_SYSTEM, "cannot list the domains");
	int r = send_mark(s, "list-begin", n, err);
	for (int i = 0; i < count && r == 0; i++)
		if (list[i].domid != 0)
			r = domain_report(&s->env, &list[i], n, err);
	libxl_dominfo_list_free(list, count);
	if (r < 0 || frames_send_host(s, true, err) < 0)
		return -1;
	return send_mark(s, "list-end", n, err);
}

static int get_domid(const json_t *frame, uint32_t *ret, struct err *err)
{
	int64_t domid;
	if (json_get_int(frame, "domid", &domid, err) < 0)
		return -1;
	if (domid < 1 || domid >= DOMIDS)
		return err_set(err, ERR_INVALID, "\"domid\" is out of range");
	*ret = (uint32_t)domid;
	return 0;
}

static int get_watch(
	const json_t *frame, uint32_t *domid, char *uuid, unsigned *apps, struct err *err)
{
	const char *text;
	int64_t n;
	if (get_domid(frame, domid, err) < 0 || json_get_str(frame, "uuid", &text, err) < 0 ||
		uuid_parse(text, uuid, err) < 0 || json_get_int(frame, "apps", &n, err) < 0)
		return -1;
	if (n < 0 || n > SPEC_MAX_APPS)
		return err_set(err, ERR_INVALID, "\"apps\" is out of range");
	*apps = (unsigned)n;
	return 0;
}

/* Enable, then read: what happened before the first reading is in it (xen-pitfalls 1). */
static int on_watch(struct sensor *s, const json_t *frame, struct err *err)
{
	uint32_t domid = 0;
	char uuid[UUID_TEXT_SIZE];
	unsigned apps = 0;
	_cleanup_err_ struct err weak = {0};
	_cleanup_err_ struct err bad = {0};
	if (get_watch(frame, &domid, uuid, &apps, &bad) < 0)
		return frames_send_fault(s, err_msg(&bad), err);
	if (s->domain[domid])
		look_drop(s, domid);
	s->domain[domid] = domain_new(&s->env, domid, uuid, apps, ++s->last_tag, &weak);
	if (weak.code != ERR_OK && frames_send_fault(s, err_msg(&weak), err) < 0)
		return -1;
	s->top = domid >= s->top ? domid + 1 : s->top;
	s->dirty = true;
	if (look_at(s, domid, true, err) < 0)
		return -1;
	if (s->domain[domid] && domain_is_dying(s->domain[domid]))
		look_soon(s);
	return frames_send_host(s, true, err);
}

static int on_unwatch(struct sensor *s, const json_t *frame, struct err *err)
{
	uint32_t domid = 0;
	_cleanup_err_ struct err bad = {0};
	if (get_domid(frame, &domid, &bad) < 0)
		return frames_send_fault(s, err_msg(&bad), err);
	if (s->domain[domid])
		look_drop(s, domid);
	return 0;
}

int frames_handle(struct sensor *s, const json_t *frame, struct err *err)
{
	static const struct {
		const char *t;
		int (*handle)(struct sensor *s, const json_t *frame, struct err *err);
	} handlers[] = {
		{"ping", on_ping},
		{"list", on_list},
		{"watch", on_watch},
		{"unwatch", on_unwatch},
	};
	const char *t = json_str_opt(frame, "t", "");
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		if (strcmp(t, handlers[i].t) == 0)
			return handlers[i].handle(s, frame, err);
	_cleanup_free_ char *text = xasprintf("unknown frame \"%s\"", t);
	return frames_send_fault(s, text, err);
}
