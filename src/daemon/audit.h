/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lists of domains had to put right. An event tells of a change when it happens; a list only
 * shows how things are. Where a list changes a pod, nothing had told of it: after a start or a loss
 * of the sensors that is their purpose; in an audit, while the sensors were there all the time, an
 * event was missed.
 *
 * An event can be on its way while the list is read. So an audit's find counts as missed only when
 * the sensors have answered a ping sent after that list, and still nothing was told: they serve what
 * happened in its order.
 */
#ifndef DAEMON_AUDIT_H
#define DAEMON_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/pod.h"

/* {0} is valid. */
struct audit {
	int64_t corrections;     /* changes of pods by what was found and not told */
	int64_t events_missed;   /* those of audits, of which nothing was told */
	int64_t catch_up;        /* the list that follows a start of the sensors */
	bool catching_up;        /* until it is complete: what they say is how they find things */
	int64_t list_now;        /* what is being served is of that list; 0: of none */
	int64_t unheard_in_ping; /* the ping whose answer decides about what is unheard; 0: none */
	bool unheard;            /* there are pods that are */
};

/* The sensors have (re)started; list `n` is their first. What is unheard will not be told any more. */
void audit_catch_up(struct audit *a, struct pods *pods, int64_t n);
/* A frame about the pod's domain has come that is of no list. */
void audit_heard(const struct audit *a, struct pod *p);
/* A list is complete. */
void audit_listed(struct audit *a, int64_t n);
/* This event is about to be posted because of what was told, or of what a list shows. */
void audit_event(struct audit *a, struct pod *p, enum pod_event event);
/* A ping was sent; one was answered. */
void audit_ping(struct audit *a, int64_t n);
void audit_pong(struct audit *a, struct pods *pods, int64_t n);

#endif
