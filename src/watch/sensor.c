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

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/frame.h"
#include "base/json.h"
#include "base/xenhost.h"
#include "proto/world.h"
#include "watch/sensor_int.h"

#define TURN_EVENTS   1000 /* watch events taken before frames get their chance */
#define TOKEN_RELEASE "release"
#define TOKEN_INTRO   "introduce"

/*
 * The first failure counts; the loop ends at its next turn. Once Xen is open, only frame_send() says
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

/* Before the loop blocks: all that this turn has marked. */
static void turn_end(struct ev_loop *loop, ev_prepare *w, int revents)
{
	(void)loop;
	(void)revents;
	struct sensor *s = container_of(w, struct sensor, turn);
	_cleanup_err_ struct err err = {0};
	if (look_turn(s, &err) < 0)
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
		look_soon(s);
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
			look_soon(s);
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
	} else if (r < 0 || (r == 1 && frames_handle(s, frame, &err) < 0)) {
		sensor_break(s, &err);
	}
}

/* ---- begin and end ---- */

/*
 * Enables a death event once, of Dom-0, and lets it go: what libxl opens for the first one it
 * keeps, so from here on the number of descriptors says whether pods leak any. Also tells at the
 * start, not at the first pod, when events do not work here.
 */
static int death_events_try(struct sensor *s, struct err *err)
{
	libxl_evgen_domain_death *evgen = NULL;
	int r = libxl_evenable_domain_death(s->env.ctx, 0, 0, &evgen);
	if (r)
		return err_set(err, ERR_UNAVAILABLE, "libxl has no domain events (%d)", r);
	libxl_evdisable_domain_death(s->env.ctx, evgen);
	return 0;
}

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
	if (death_events_try(s, err) < 0)
		return -1;
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
		return err_set(err, ERR_SYSTEM, "Xen does not tell what it can do");
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
	look_init(s);
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
			look_drop(s, domid);
	xs_close(s->env.xs);
	libxl_ctx_free(s->env.ctx);
	xtl_logger_destroy(s->log);
	ev_loop_destroy(s->env.loop);
	free(s);
}

static bool greet(struct sensor *s)
{
	_cleanup_err_ struct err err = {0};
	if (send_hello(s, &err) == 0 && frames_send_host(s, true, &err) == 0)
		return s->broken.code == ERR_OK;
	sensor_break(s, &err);
	return false;
}

int sensor_run(int sock, struct err *err)
{
	struct sensor *s = xcalloc(1, sizeof *s);
	s->env.sock = sock;
	s->env.failed = env_failed;
	s->env.loop = ev_loop_new(EVFLAG_AUTO);
	if (!s->env.loop)
		return err_set(err, ERR_SYSTEM, "libev cannot make an event loop");
	if (xen_open(s, &s->broken) == 0 && greet(s)) {
		loop_start(s);
		ev_run(s->env.loop, 0);
	}
	if (s->over && s->broken.code == ERR_OK) {
		sensor_close(s);
		return 0;
	}
	frames_send_fault(s, err_msg(&s->broken), NULL);
	err_move(err, &s->broken);
	return -1;
}
