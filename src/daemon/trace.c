/* SPDX-License-Identifier: Apache-2.0 */
/* Turns in the journal: one entry each, with the fields that `journalctl XENPOD_UUID=...` shows. */
#include "daemon/trace.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/messages.h"

/* The end of a life, whether another one follows or not. */
static bool is_end(const struct turn_record *t)
{
	return t->from != t->to && (t->to == POD_EXITED || t->to == POD_FAILED ||
					   (t->to == POD_BACKOFF && t->from != POD_RESTARTING));
}

/* What nobody has wanted deserves a look. */
static bool is_fault(const struct turn_record *t)
{
	return t->to == POD_FAILED || pod_cause_again(t->cause) == AGAIN_FAULT;
}

/* Ends are news, and so is a pod that runs; steps on the way are information. */
static enum log_level level_of(const struct turn_record *t)
{
	if (t->from == t->to)
		return LOG_LVL_DEBUG;
	if (is_end(t))
		return is_fault(t) ? LOG_LVL_WARNING : LOG_LVL_NOTICE;
	switch (t->to) {
	case POD_RUNNING:
	case POD_PAUSED:
	case POD_GONE:
		return LOG_LVL_NOTICE;
	default:
		return LOG_LVL_INFO;
	}
}

static const char *id_of(const struct turn_record *t)
{
	if (t->event == EV_GUEST_APP)
		return message_id(MSG_APP);
	if (is_end(t) && t->pod->core.given_up)
		return message_id(MSG_GIVEN_UP);
	if (is_end(t) && t->cause != CAUSE_NONE)
		return message_id_of_end(t->cause);
	if (t->to == POD_RUNNING && t->from == POD_BOOTING)
		return message_id(MSG_RUNNING);
	return message_id(MSG_TRANSITION);
}

/* What follows the pod's UUID. */
static void words_of(const struct turn_record *t, char ret[512])
{
	const struct pod_core *c = &t->pod->core;
	const char *cause = pod_cause_name(t->cause);
	char code[32] = "";
	if (c->code >= 0)
		snprintf(code, sizeof code, ", code %lld", (long long)c->code);
	if (is_end(t))
		snprintf(ret, 512, "has %s: %s%s%s%s%s", t->to == POD_FAILED ? "failed" : "ended",
			pod_cause_text(t->cause), code, c->message[0] ? ": " : "", c->message,
			t->to == POD_BACKOFF    ? "; it is started again"
			: t->pod->core.given_up ? "; given up"
						: "");
	else if (t->to == POD_RUNNING && t->from == POD_BOOTING)
		snprintf(ret, 512, "runs, domain %lld", (long long)c->domid);
	else
		snprintf(ret, 512, "%s --%s--> %s%s%s%s", pod_state_name(t->from), t->event_name,
			pod_state_name(t->to), cause[0] ? " (" : "", cause, cause[0] ? ")" : "");
}

void trace_turn(const struct turn_record *t)
{
	char domid[16];
	char seq[24];
	char words[512];
	const struct pod_core *c = &t->pod->core;
	snprintf(domid, sizeof domid, "%lld", (long long)c->domid);
	snprintf(seq, sizeof seq, "%lld", (long long)t->history_seq);
	words_of(t, words);
	const char *cause = pod_cause_name(t->cause);
	const struct log_field fields[] = {
		{"MESSAGE_ID", id_of(t)},
		{"XENPOD_UUID", t->pod->uuid},
		{"XENPOD_FROM", pod_state_name(t->from)},
		{"XENPOD_EVENT", t->event_name},
		{"XENPOD_TO", pod_state_name(t->to)},
		{"XENPOD_CAUSE", cause[0] ? cause : NULL},
		{"XENPOD_DETAIL", t->detail[0] ? t->detail : NULL},
		{"XENPOD_DOMID", c->domid >= 0 ? domid : NULL},
		{"XENPOD_SEQ", seq},
	};
	log_fields(level_of(t), fields, ARRAY_SIZE(fields), "pod %.8s %s", t->pod->uuid, words);
}
