/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of xenpod-watch: see sensor.h. In order of a life: open, hello, frames in, events in,
 * the turn's look at what was marked, close.
 */
#include "watch/sensor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>
#include <xentoollog.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/frame.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xenhost.h"
#include "proto/world.h"
#include "watch/domain.h"
#include "watch/osevent.h"

#define DOMIDS        0x7ff0 /* DOMID_FIRST_RESERVED, xen/xen.h */
#define TURN_EVENTS   1000   /* watch events taken before frames get their chance */
#define DYING_FIRST   0.2    /* seconds between looks at dying domains: doubled each time */
#define DYING_MAX     5.0
#define TOKEN_RELEASE "release"
#define TOKEN_INTRO   "introduce"

struct sensor {
	struct domain_env env; /* loop, libxl, libxenstore, socket */
	struct osevent osevent;
	xentoollog_logger *log;
	ev_io frames;
	ev_io watches;
	ev_prepare turn;
	ev_timer dying;
	double dying_wait;
	bool rescan; /* a domain may have changed */
	bool dirty;  /* a guest node may have changed */
	bool over;   /* xenpodd has closed the socket */
	struct err broken;
	uint64_t last_tag;
	uint32_t top; /* no domain is watched from here up */
	struct domain *domain[DOMIDS];
};

/*
 * The first failure counts; the loop ends at its next turn. In the loop only frame_send() says
 * ERR_UNAVAILABLE: xenpodd has gone.
 */
static void sensor_break(struct sensor *s, struct err *err)
{
	if (err->code == ERR_UNAVAILABLE)
		s->over = true;
	else if (s->broken.code == ERR_OK)
		err_move(&s->broken, err);
	ev_break(s->env.loop, EVBREAK_ALL);
}

static void env_failed(struct domain_env *env, struct err *err)
{
	sensor_break(container_of(env, struct sensor, env), err);
}

static int send_fault(int sock, const char *message, struct err *err)
{
	_cleanup_json_ json_t *frame = json_make("{s:s, s:s}", "t", "fault", "message", message);
	return frame_send(sock, frame, NULL, 0, err);
}

/* ---- looking: what the marks lead to ---- */

static void domain_drop(struct sensor *s, uint32_t domid)
{
	domain_free(s->domain[domid]);
	s->domain[domid] = NULL;
}

static bool same_uuid(const struct domain *d, const libxl_dominfo *info)
{
	char uuid[UUID_TEXT_SIZE];
	uuid_from_bytes(libxl_uuid_bytearray_const(&info->uuid), uuid);
	return strcmp(uuid, d->uuid) == 0;
}

/*
 * Reads one watched domain and reports it. Only ERROR_DOMAIN_NOTFOUND, or another UUID under the
 * same domid, means gone: any other failure is Xen's and must not look like a death.
 */
static int domain_look(struct sensor *s, uint32_t domid, bool force, struct err *err)
{
	struct domain *d = s->domain[domid];
	libxl_dominfo info;
	libxl_dominfo_init(&info);
	int r = libxl_domain_info(s->env.ctx, &info, domid);
	if (r && r != ERROR_DOMAIN_NOTFOUND) {
		libxl_dominfo_dispose(&info);
		return err_set(err, ERR_SYSTEM, "domain %u: no information from Xen (libxl: %d)",
			domid, r);
	}
	bool here = r == 0 && same_uuid(d, &info);
	int ret = here ? domain_update(d, &info, force, err)
		       : domain_report_gone(&s->env, domid, d->uuid, err);
	libxl_dominfo_dispose(&info);
	if (!here)
		domain_drop(s, domid);
	return ret;
}

/* One list for all that live; a domain that is not in it is asked for by itself. */
static int rescan(struct sensor *s, struct err *err)
{
	int n = 0;
	static bool seen[DOMIDS];
	libxl_dominfo *list = libxl_list_domain(s->env.ctx, &n);
	if (!list)
		return err_set(err, ERR_SYSTEM, "cannot list the domains");
	memset(seen, 0, sizeof seen);
	int r = 0;
	for (int i = 0; i < n && r == 0; i++) {
		struct domain *d = list[i].domid < DOMIDS ? s->domain[list[i].domid] : NULL;
		if (!d || !same_uuid(d, &list[i]))
			continue;
		seen[list[i].domid] = true;
		r = domain_update(d, &list[i], false, err);
	}
	libxl_dominfo_list_free(list, n);
	for (uint32_t domid = 0; domid < s->top && r == 0; domid++)
		if (s->domain[domid] && !seen[domid])
			r = domain_look(s, domid, false, err);
	return r;
}

/*
 * Xenstored tells of a domain that is dying, and libxl too; that it is gone at last, when its
 * memory is given back, nobody need tell (xen-pitfalls 3). So as long as one is dying, look again.
 */
static void dying_arm(struct sensor *s)
{
	bool dying = false;
	for (uint32_t domid = 0; domid < s->top && !dying; domid++)
		dying = s->domain[domid] && domain_is_dying(s->domain[domid]);
	ev_timer_stop(s->env.loop, &s->dying);
	if (!dying)
		return;
	ev_timer_set(&s->dying, s->dying_wait, 0);
	ev_timer_start(s->env.loop, &s->dying);
}

static void dying_again(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop;
	(void)revents;
	struct sensor *s = container_of(timer, struct sensor, dying);
	s->dying_wait = s->dying_wait * 2 < DYING_MAX ? s->dying_wait * 2 : DYING_MAX;
	s->rescan = true;
}

/* Something was told: what is dying may be gone soon. */
static void rescan_soon(struct sensor *s)
{
	s->rescan = true;
	s->dying_wait = DYING_FIRST;
}

static int look(struct sensor *s, struct err *err)
{
	if (s->dirty) {
		s->dirty = false;
		for (uint32_t domid = 0; domid < s->top; domid++)
			if (s->domain[domid] && domain_read_nodes(s->domain[domid], err) < 0)
				return -1;
	}
	if (!s->rescan)
		return 0;
	s->rescan = false;
	if (rescan(s, err) < 0)
		return -1;
	dying_arm(s);
	return 0;
}

/* Before the loop blocks: all that this turn has marked. */
static void turn_end(struct ev_loop *loop, ev_prepare *w, int revents)
{
	(void)loop;
	(void)revents;
	struct sensor *s = container_of(w, struct sensor, turn);
	_cleanup_err_ struct err err = {0};
	if (look(s, &err) < 0)
		sensor_break(s, &err);
}

/* ---- events in ---- */

static void event_occurs(void *user, libxl_event *event)
{
	struct sensor *s = user;
	uint32_t domid = event->domid;
	struct domain *d = domid < DOMIDS ? s->domain[domid] : NULL;
	/* An event that was queued before its evgen was disabled carries an old tag. */
	if (d && d->tag == event->for_user)
		rescan_soon(s);
	libxl_event_free(s->env.ctx, event);
}

/* libxl may not be called from here; the loop ends, the process too. */
static void disaster(void *user, libxl_event_type type, const char *msg, int errnoval)
{
	struct sensor *s = user;
	_cleanup_err_ struct err err = {0};
	err_set(&err, ERR_SYSTEM, "libxl cannot deliver events any more (type %d): %s: %s",
		(int)type, msg, strerror(errnoval));
	sensor_break(s, &err);
}

static const libxl_event_hooks event_hooks = {
	.event_occurs_mask =
		1ULL << LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN | 1ULL << LIBXL_EVENT_TYPE_DOMAIN_DEATH,
	.event_occurs = event_occurs,
	.disaster = disaster,
};

static int guest_event(struct sensor *s, const char *path, const char *token, struct err *err)
{
	char *colon;
	unsigned long domid = strtoul(token, &colon, 10); /* "domid:tag", domain.c */
	struct domain *d = *colon == ':' && domid < DOMIDS ? s->domain[domid] : NULL;
	if (!d || strtoull(colon + 1, NULL, 10) != d->tag)
		return 0;
	s->dirty = true;
	return domain_watch_event(d, path, err);
}

static int take_watches(struct sensor *s, struct err *err)
{
	for (int i = 0; i < TURN_EVENTS; i++) {
		_cleanup_free_ char **w = xs_check_watch(s->env.xs);
		if (!w)
			return errno == EAGAIN ? 0 : err_sys(err, "xenstored's watch events");
		const char *token = w[XS_WATCH_TOKEN];
		if (strcmp(token, TOKEN_RELEASE) == 0 || strcmp(token, TOKEN_INTRO) == 0)
			rescan_soon(s);
		else if (guest_event(s, w[XS_WATCH_PATH], token, err) < 0)
			return -1;
	}
	return 0;
}

static void watches_ready(struct ev_loop *loop, ev_io *io, int revents)
{
	(void)loop;
	(void)revents;
	struct sensor *s = container_of(io, struct sensor, watches);
	_cleanup_err_ struct err err = {0};
	if (take_watches(s, &err) < 0)
		sensor_break(s, &err);
}

/* ---- frames in ---- */

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
	return r < 0 ? -1 : send_mark(s, "list-end", n, err);
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
		return send_fault(s->env.sock, err_msg(&bad), err);
	if (s->domain[domid])
		domain_drop(s, domid);
	s->domain[domid] = domain_new(&s->env, domid, uuid, apps, ++s->last_tag, &weak);
	if (weak.code != ERR_OK && send_fault(s->env.sock, err_msg(&weak), err) < 0)
		return -1;
	s->top = domid >= s->top ? domid + 1 : s->top;
	s->dirty = true;
	if (domain_look(s, domid, true, err) < 0)
		return -1;
	if (s->domain[domid] && domain_is_dying(s->domain[domid]))
		rescan_soon(s);
	return 0;
}

static int on_unwatch(struct sensor *s, const json_t *frame, struct err *err)
{
	uint32_t domid = 0;
	_cleanup_err_ struct err bad = {0};
	if (get_domid(frame, &domid, &bad) < 0)
		return send_fault(s->env.sock, err_msg(&bad), err);
	if (s->domain[domid])
		domain_drop(s, domid);
	return 0;
}

static int dispatch(struct sensor *s, const json_t *frame, struct err *err)
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
	return send_fault(s->env.sock, text, err);
}

static void frames_ready(struct ev_loop *loop, ev_io *io, int revents)
{
	(void)revents;
	struct sensor *s = container_of(io, struct sensor, frames);
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *frame = NULL;
	int r = frame_recv(s->env.sock, &frame, NULL, &err);
	if (r == 0) {
		s->over = true;
		ev_break(loop, EVBREAK_ALL);
	} else if (r < 0 || (r == 1 && dispatch(s, frame, &err) < 0)) {
		sensor_break(s, &err);
	}
}

/* ---- begin and end ---- */

static int xen_open(struct sensor *s, struct err *err)
{
	if (xenhost_check(err) < 0)
		return -1;
	s->log = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_WARN, 0);
	if (!s->log || libxl_ctx_alloc(&s->env.ctx, LIBXL_VERSION, 0, s->log))
		return err_set(err, ERR_UNAVAILABLE,
			"libxl cannot be opened: is this Dom-0's Xen the one it was built for?");
	osevent_init(&s->osevent, s->env.loop, s->env.ctx);
	libxl_event_register_callbacks(s->env.ctx, &event_hooks, s);
	s->env.xs = xs_open(XS_UNWATCH_FILTER);
	if (!s->env.xs)
		return err_sys(err, "connect to xenstored");
	if (!xs_watch(s->env.xs, "@releaseDomain", TOKEN_RELEASE) ||
		!xs_watch(s->env.xs, "@introduceDomain", TOKEN_INTRO))
		return err_sys(err, "watch @releaseDomain");
	return fd_set_cloexec(xs_fileno(s->env.xs), 1, err);
}

static int send_hello(struct sensor *s, struct err *err)
{
	const libxl_version_info *v = libxl_get_version_info(s->env.ctx);
	libxl_physinfo info;
	libxl_physinfo_init(&info);
	int r = v ? libxl_get_physinfo(s->env.ctx, &info) : -1;
	bool pv = info.cap_pv;
	bool hvm = info.cap_hvm && info.cap_hap;
	libxl_physinfo_dispose(&info);
	if (r)
		return err_set(err, ERR_UNAVAILABLE, "Xen does not tell what it can do");
	_cleanup_free_ char *xen = xasprintf(
		"%d.%d%s", v->xen_version_major, v->xen_version_minor, v->xen_version_extra);
	_cleanup_json_ json_t *hello = json_make("{s:s, s:i, s:s, s:b, s:b}", "t", "hello",
		"version", WORLD_VERSION, "xen", xen, "pv", (int)pv, "hvm", (int)hvm);
	return frame_send(s->env.sock, hello, NULL, 0, err);
}

static void loop_start(struct sensor *s)
{
	ev_io_init(&s->frames, frames_ready, s->env.sock, EV_READ);
	ev_io_init(&s->watches, watches_ready, xs_fileno(s->env.xs), EV_READ);
	ev_prepare_init(&s->turn, turn_end);
	ev_init(&s->dying, dying_again);
	ev_io_start(s->env.loop, &s->frames);
	ev_io_start(s->env.loop, &s->watches);
	ev_prepare_start(s->env.loop, &s->turn);
}

/*
 * Nothing of libxl is taken down when it is broken: it may hang or exit, and the process ends
 * anyway.
 */
static void sensor_close(struct sensor *s)
{
	for (uint32_t domid = 0; domid < s->top; domid++)
		if (s->domain[domid])
			domain_drop(s, domid);
	xs_close(s->env.xs);
	libxl_ctx_free(s->env.ctx);
	xtl_logger_destroy(s->log);
	ev_loop_destroy(s->env.loop);
	free(s);
}

int sensor_run(int sock, struct err *err)
{
	struct sensor *s = xcalloc(1, sizeof *s);
	s->env.sock = sock;
	s->env.failed = env_failed;
	s->env.loop = ev_loop_new(EVFLAG_AUTO);
	if (!s->env.loop)
		return err_set(err, ERR_SYSTEM, "libev cannot make an event loop");
	if (xen_open(s, &s->broken) == 0 && send_hello(s, &s->broken) == 0) {
		loop_start(s);
		ev_run(s->env.loop, 0);
	}
	if (s->over && s->broken.code == ERR_OK) {
		sensor_close(s);
		return 0;
	}
	send_fault(sock, err_msg(&s->broken), NULL);
	err_move(err, &s->broken);
	return -1;
}
