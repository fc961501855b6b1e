/* SPDX-License-Identifier: Apache-2.0 */
/* Turns in the journal: one entry each, with the fields that `journalctl XENPOD_UUID=...` shows. */
#include "daemon/trace.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/log.h"

/* The end of a pod is news; steps on the way are information. */
static enum log_level level_of(const struct turn_record *t)
{
	if (t->from == t->to)
		return LOG_LVL_DEBUG;
	switch (t->to) {
	case POD_RUNNING:
	case POD_PAUSED:
	case POD_EXITED:
	case POD_GONE:
		return LOG_LVL_NOTICE;
	case POD_FAILED:
		return LOG_LVL_WARNING;
	default:
		return LOG_LVL_INFO;
	}
}

void trace_turn(const struct turn_record *t)
{
	char domid[16];
	char seq[24];
	const struct pod_core *c = &t->pod->core;
	snprintf(domid, sizeof domid, "%lld", (long long)c->domid);
	snprintf(seq, sizeof seq, "%lld", (long long)t->history_seq);
	const char *cause = pod_cause_name(t->cause);
	const struct log_field fields[] = {
		{"MESSAGE_ID", t->event == EV_GUEST_APP ? MESSAGE_ID_APP : MESSAGE_ID_TRANSITION},
		{"XENPOD_UUID", t->pod->uuid},
		{"XENPOD_FROM", pod_state_name(t->from)},
		{"XENPOD_EVENT", t->event_name},
		{"XENPOD_TO", pod_state_name(t->to)},
		{"XENPOD_CAUSE", cause[0] ? cause : NULL},
		{"XENPOD_DETAIL", t->detail[0] ? t->detail : NULL},
		{"XENPOD_DOMID", c->domid >= 0 ? domid : NULL},
		{"XENPOD_SEQ", seq},
	};
	log_fields(level_of(t), fields, ARRAY_SIZE(fields), "pod %.8s: %s --%s--> %s%s%s%s",
		t->pod->uuid, pod_state_name(t->from), t->event_name, pod_state_name(t->to),
		cause[0] ? " (" : "", cause, cause[0] ? ")" : "");
}
