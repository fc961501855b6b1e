/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Xen and xenstore say of a domain, and one watched domain with what was last reported of it,
 * so that only changes are reported. It sends frames; it decides nothing about pods.
 */
#ifndef WATCH_DOMAIN_H
#define WATCH_DOMAIN_H

#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define LIBXL_API_VERSION 0x041400
#include <libxl.h>
#include <libxl_event.h>
#include <xenstore.h>

#include "base/err.h"
#include "base/uuid.h"
#include "watch/flood.h"
#include "watch/guestnode.h"

/* What all domains share. */
struct domain_env {
	struct ev_loop *loop;
	libxl_ctx *ctx;
	struct xs_handle *xs;
	int sock;
	/* The socket or xenstored failed inside a timer: there is no caller to tell. */
	void (*failed)(struct domain_env *env, struct err *err);
};

struct domain {
	struct domain_env *env;
	uint32_t domid;
	char uuid[UUID_TEXT_SIZE];
	unsigned apps;
	uint64_t tag; /* ev_user of the death event and token of the watch: never re-used */
	libxl_evgen_domain_death *evgen;
	const char *state; /* as last reported; NULL: not yet. Points into a constant table */
	const char *reason;
	char *value[GUESTNODE_MAX]; /* as last reported, cleaned */
	uint64_t dirty;             /* nodes to be read again */
	bool watching;              /* its nodes are watched (else polled, when noisy) */
	bool noisy;
	struct flood flood;
	ev_timer poll;
	unsigned polls_left; /* until watching is tried again */
};

/* The state and shutdown reason (or NULL) of `info` in the words of world.h. */
void domain_state(const libxl_dominfo *info, const char **ret_state, const char **ret_reason);

/* Sends a "domain" frame; `n` < 0: not part of a list. */
int domain_report(struct domain_env *env, const libxl_dominfo *info, int64_t n, struct err *err);

/*
 * Enables the death event and the watch on the guest's nodes; reads nothing yet. What could not be
 * enabled is in err, the domain is returned all the same: audits still see it.
 */
struct domain *domain_new(struct domain_env *env, uint32_t domid, const char *uuid, unsigned apps,
	uint64_t tag, struct err *err);
void domain_free(struct domain *d);

/* Reports `info` when it differs from the last report, or always when `force`. */
int domain_update(struct domain *d, const libxl_dominfo *info, bool force, struct err *err);
/* Last reported as dying. */
bool domain_is_dying(const struct domain *d);
/* Reads the dirty nodes, reports those that changed. Fails only with the socket or xenstored. */
int domain_read_nodes(struct domain *d, struct err *err);
/* A watch event for `path`: marks nodes dirty, or turns to polling when there are too many. */
int domain_watch_event(struct domain *d, const char *path, struct err *err);
/* "gone": the caller frees it. */
int domain_report_gone(struct domain_env *env, uint32_t domid, const char *uuid, struct err *err);

#endif
