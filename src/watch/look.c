/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at what the turn has marked, and deciding what is true of a domain: see sensor_int.h.
 * Nothing here believes an event; events only lead here.
 */
#include <string.h>

#include "base/cleanup.h"
#include "watch/sensor_int.h"

#define DYING_FIRST 0.2 /* seconds between looks at dying domains: doubled each time */
#define DYING_MAX   5.0

void look_drop(struct sensor *s, uint32_t domid)
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
int look_at(struct sensor *s, uint32_t domid, bool force, struct err *err)
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
		look_drop(s, domid);
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
			r = look_at(s, domid, false, err);
	return r;
}

/*
 * Xenstored tells of a domain that is dying, and libxl too; that it is gone at last, when its
 * memory is given back, nobody need tell (xen-pitfalls 3). So as long as one is dying, look again.
 */
static void dying_arm(struct sensor *s)
{
	/* Also of those that nobody watches any more: their memory is waited for. */
	bool dying = s->told_dying_kib > 0;
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
void look_soon(struct sensor *s)
{
	s->rescan = true;
	s->dying_wait = DYING_FIRST;
}

int look_turn(struct sensor *s, struct err *err)
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
	if (rescan(s, err) < 0 || frames_send_host(s, false, err) < 0)
		return -1;
	dying_arm(s);
	return 0;
}

void look_init(struct sensor *s)
{
	s->dying_wait = DYING_FIRST;
	ev_init(&s->dying, dying_again);
}
