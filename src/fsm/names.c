/* SPDX-License-Identifier: Apache-2.0 */
/* Names and attributes of states, events and effects: arrays made from the lists in pod.h. */
#include <string.h>

#include "fsm/pod.h"

static const struct {
	const char *name;
	const char *word;
	unsigned owns;
	int64_t deadline_ms;
} states[POD_STATE_MAX_] = {
#define X(id, name, word, owns, ms) [POD_##id] = {name, word, owns, ms},
	POD_STATES(X)
#undef X
};

static const struct {
	const char *name;
	char who;
} events[EV_MAX_] = {[EV_NONE] = {"none", '-'},
#define X(id, name, who) [EV_##id] = {name, who},
	POD_EVENTS(X)
#undef X
};

static const struct {
	const char *name;
	enum pod_event done;
	enum pod_event failed;
} effects[FX_MAX_] = {[FX_NONE] = {"none", EV_NONE, EV_NONE},
#define X(id, name, done, failed) [FX_##id] = {name, EV_##done, EV_##failed},
	POD_EFFECTS(X)
#undef X
};

static const char *const wants[WANT_MAX_] = {
	[WANT_UP] = "up", [WANT_DOWN] = "down", [WANT_AGAIN] = "again"};

const char *pod_state_name(enum pod_state s)
{
	return states[s].name;
}

const char *pod_state_word(enum pod_state s)
{
	return states[s].word;
}

unsigned pod_state_owns(enum pod_state s)
{
	return states[s].owns;
}

int64_t pod_state_deadline_ms(enum pod_state s)
{
	return states[s].deadline_ms;
}

bool pod_state_final(enum pod_state s)
{
	return s == POD_GONE;
}

bool pod_state_ended(enum pod_state s)
{
	return s >= POD_EXITED;
}

const char *pod_event_name(enum pod_event e)
{
	return events[e].name;
}

char pod_event_who(enum pod_event e)
{
	return events[e].who;
}

const char *pod_effect_name(enum pod_effect f)
{
	return effects[f].name;
}

enum pod_event pod_effect_done(enum pod_effect f)
{
	return effects[f].done;
}

enum pod_event pod_effect_failed(enum pod_effect f)
{
	return effects[f].failed;
}

const char *pod_want_name(enum pod_want w)
{
	return wants[w];
}

int pod_state_from_name(const char *name)
{
	for (int i = 0; i < POD_STATE_MAX_; i++)
		if (!strcmp(states[i].name, name))
			return i;
	return -1;
}

int pod_event_from_name(const char *name)
{
	for (int i = 0; i < EV_MAX_; i++)
		if (!strcmp(events[i].name, name))
			return i;
	return -1;
}

int pod_effect_from_name(const char *name)
{
	for (int i = 0; i < FX_MAX_; i++)
		if (!strcmp(effects[i].name, name))
			return i;
	return -1;
}

int pod_want_from_name(const char *name)
{
	for (int i = 0; i < WANT_MAX_; i++)
		if (!strcmp(wants[i], name))
			return i;
	return -1;
}
