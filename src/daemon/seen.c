/* SPDX-License-Identifier: Apache-2.0 */
/* A pod's domain as the hypervisor tells of it: see seen.h. */
#include "daemon/seen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/messages.h"
#include "daemon/pod.h"

static int64_t own_kib(const struct pod *p)
{
	return p->request ? p->request->memory_kib : 0;
}

static bool has_other_memory(const struct pod *p)
{
	return p->seen.target_kib > 0 && p->seen.target_kib != own_kib(p);
}

static bool same_name(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void note_name(struct pod *p, const char *name)
{
	struct pod_seen *s = &p->seen;
	const char *other = strcmp(name, p->uuid) != 0 ? name : NULL;
	if (same_name(s->name, other))
		return;
	free(s->name);
	s->name = other ? xstrdup(other) : NULL;
	if (other)
		log_about(LOG_LVL_NOTICE, MSG_EXTERNAL, p->uuid,
			"pod %s: another toolstack has renamed its domain %lld to \"%s\"; the "
			"pod is found by its UUID as before",
			p->uuid, (long long)s->domid, other);
	else
		log_about(LOG_LVL_NOTICE, MSG_EXTERNAL, p->uuid,
			"pod %s: its domain %lld has its name again", p->uuid, (long long)s->domid);
}

static void note_memory(struct pod *p, int64_t kib)
{
	struct pod_seen *s = &p->seen;
	int64_t before = s->target_kib > 0 ? s->target_kib : own_kib(p);
	s->target_kib = kib;
	if (kib != before)
		log_about(LOG_LVL_NOTICE, MSG_EXTERNAL, p->uuid,
			"pod %s: another toolstack has set the memory of its domain %lld to "
			"%lld KiB, it was %lld",
			p->uuid, (long long)s->domid, (long long)kib, (long long)before);
}

/* A domain that is on its way out loses its nodes first: what they said stays. */
void seen_note(struct pod *p, const json_t *frame, int64_t at)
{
	struct pod_seen *s = &p->seen;
	int64_t domid = json_int_opt(frame, "domid", 0);
	const char *name = json_str_opt(frame, "name", NULL);
	int64_t kib = json_int_opt(frame, "target_kib", 0);
	if (s->domid != domid)
		seen_done(s);
	s->domid = domid;
	s->at = at;
	s->cpu_time_ns = json_int_opt(frame, "cpu_time_ns", 0);
	snprintf(s->state, sizeof s->state, "%s", json_str_opt(frame, "state", ""));
	if (name)
		note_name(p, name);
	if (kib > 0)
		note_memory(p, kib);
}

void seen_acted(struct pod *p, enum pod_effect fx)
{
	struct pod_seen *s = &p->seen;
	if (s->domid != p->core.domid)
		return; /* it is still to be seen for the first time */
	if (fx == FX_GO || fx == FX_RESUME)
		snprintf(s->state, sizeof s->state, "running");
	else if (fx == FX_PAUSE)
		snprintf(s->state, sizeof s->state, "paused");
}

void seen_done(struct pod_seen *s)
{
	free(s->name);
	*s = (struct pod_seen){0};
}

json_t *seen_json(const struct pod *p)
{
	const struct pod_seen *s = &p->seen;
	if (p->core.domid < 0 || s->domid != p->core.domid)
		return json_null();
	json_t *external = json_array();
	if (s->name)
		json_array_append_new(external, json_string("name"));
	if (has_other_memory(p))
		json_array_append_new(external, json_string("memory"));
	int64_t kib = s->target_kib > 0 ? s->target_kib : own_kib(p);
	return json_make("{s:s, s:s, s:I, s:I, s:I, s:o}", "state", s->state, "name",
		s->name ? s->name : p->uuid, "memory_kib", (json_int_t)kib, "cpu_time_ns",
		(json_int_t)s->cpu_time_ns, "seen", (json_int_t)s->at, "external", external);
}
