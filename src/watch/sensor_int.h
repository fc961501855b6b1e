/* SPDX-License-Identifier: Apache-2.0 */
/* What the three files of the sensors share: loop (sensor.c), frames (frames.c), looks (look.c). */
#ifndef WATCH_SENSOR_INT_H
#define WATCH_SENSOR_INT_H

#include <ev.h>
#include <jansson.h>
#include <xentoollog.h>

#include "watch/domain.h"
#include "watch/osevent.h"
#include "watch/sensor.h"

#define DOMIDS 0x7ff0 /* DOMID_FIRST_RESERVED, xen/xen.h */

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
	uint64_t told_free_kib, told_dying_kib;
	uint32_t top; /* no domain is watched from here up */
	struct domain *domain[DOMIDS];
};

/* One frame of xenpodd's. A bad one is answered by a fault; fails when Xen or the socket does. */
int frames_handle(struct sensor *s, const json_t *frame, struct err *err);
int frames_send_fault(struct sensor *s, const char *message, struct err *err);

/* The host's memory and CPUs; `force`: also when the memory is as it was told last. */
int frames_send_host(struct sensor *s, bool force, struct err *err);

/* Before the loop blocks: looks at all that is marked, `dirty` and `rescan`. */
int look_turn(struct sensor *s, struct err *err);
/* Something was told of domains: all are looked at in this turn. */
void look_soon(struct sensor *s);
/* Reads one watched domain and reports it; it is no longer watched when it is gone. */
int look_at(struct sensor *s, uint32_t domid, bool force, struct err *err);
void look_init(struct sensor *s);
/* Stops watching it. */
void look_drop(struct sensor *s, uint32_t domid);

#endif
