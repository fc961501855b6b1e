/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a simulated app does, from its exec: ["sim", WHAT, [VALUE], ["after", TIME]]. Any other exec
 * runs for ever and ends with 0 when it is stopped.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/sim_int.h"

static const struct {
	const char *name;
	enum behaviour behaviour;
	bool has_value;
} behaviours[] = {
	{"forever", BE_FOREVER, false},         /* ends with 0 at TERM */
	{"stubborn", BE_STUBBORN, false},       /* ends by KILL only */
	{"exit", BE_EXIT, true},                /* with that code */
	{"killed", BE_KILLED, true},            /* by that signal */
	{"oom", BE_OOM, false},                 /* killed for want of memory */
	{"panic", BE_PANIC, false},             /* takes the guest's kernel with it */
	{"reboot", BE_REBOOT, false},           /* the guest reboots itself */
	{"never-boots", BE_NEVER_BOOTS, false}, /* xenpod-init says nothing, ever */
	{"garbage", BE_GARBAGE, false},         /* nonsense in its node and the pod's */
	{"flood", BE_FLOOD, false},             /* writes its node without end */
	{"init-fails", BE_INIT_FAILS, false},   /* xenpod-init gives up */
	{"exec-fails", BE_EXEC_FAILS, false},
};

static const char *word(const json_t *exec, size_t i)
{
	const char *s = json_string_value(json_array_get(exec, i));
	return s ? s : "";
}

void behaviour_parse(struct sim_app *a, const json_t *exec)
{
	size_t next = 2;
	*a = (struct sim_app){.behaviour = BE_FOREVER, .kind = GSTATE_BOOTING};
	if (strcmp(word(exec, 0), "sim") != 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(behaviours); i++) {
		if (strcmp(word(exec, 1), behaviours[i].name) != 0)
			continue;
		a->behaviour = behaviours[i].behaviour;
		if (behaviours[i].has_value)
			a->value = (int)strtol(word(exec, next++), NULL, 10) & 0xff;
		break;
	}
	if (strcmp(word(exec, next), "after") == 0)
		a->after_ns = time_parse(word(exec, next + 1));
	if (a->after_ns < 0)
		a->after_ns = 0;
}
