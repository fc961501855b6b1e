/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes docs/STATES.md (`states md`) and the drawing (`states dot`) from the tables of src/fsm.
 * The texts about states stand here, because the machine does not need them; a state without one
 * ends the generator.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fsm/cause.h"
#include "fsm/pod.h"
#include "fsm/table.h"

/* What is going on, and what somebody who looks at the host then sees. */
struct state_text {
	const char *what;
	const char *sees;
};

static const struct state_text texts[POD_STATE_MAX_] = {
	[POD_ACCEPTED] = {"On disk; waits for a place among the starts under way.",
		"The lock is held; no domain."},
	[POD_EXPORTING] = {"Its file trees are being attached for QEMU's 9p.",
		"Mounts below `/run/xenpod/pods/UUID/tree`, the pod's cgroup; no domain."},
	[POD_NETWORKING] = {"Its network is being made (with `none`: nothing).",
		"As in exporting."},
	[POD_CREATING] = {"xenpod-act builds the domain; it stays paused.",
		"`xl list` shows the UUID, paused, as soon as libxl has it; a helper in "
		"the "
		"pod's cgroup."},
	[POD_UNPAUSING] =
		{"Built and watched; the first unpause is under way. A pod that is stopped "
		 "here is destroyed: no app runs yet.",
			"A paused domain with its QEMU."},
	[POD_BOOTING] = {"The guest's kernel boots, xenpod-init starts the apps.",
		"A running domain; its console in `/var/log/xen/console`."},
	[POD_RUNNING] = {"All apps have been started.",
		"A running domain; `rkt/supervisor-status` is `ready`."},
	[POD_PAUSING] = {"A pause was asked for.", "A domain about to be paused."},
	[POD_PAUSED] = {"Paused, by request or by somebody else.",
		"A paused domain (`p` in `xl list`)."},
	[POD_RESUMING] = {"Being unpaused, by request or because it shall stop.",
		"A paused domain about to run."},
	[POD_STOPPING] = {"The guest was told to stop, or ends by itself: TERM to the apps, the "
			  "grace, "
			  "KILL, exit codes. The deadline is the pod's grace and 7 s more.",
		"A running domain whose apps end."},
	[POD_DESTROYING] = {"libxl destroys the domain; tried again until it is done.",
		"A domain that is paused or dying (`d`)."},
	[POD_DYING] = {"The domain can never run again; sessions unmap their "
		       "rings, QEMU exits. Who "
		       "is late gets SIGKILL.",
		"Perhaps a domain `(null)` in `xl list`, its QEMU for a moment."},
	[POD_CLEARING] = {"Cgroup and exports are being removed.",
		"No domain; the last mounts go."},
	[POD_COLLECTING] = {"Exit codes go to disk, readiness is taken back; the "
			    "lock is closed, unless "
			    "the pod may come back.",
		"Files in `rkt/status`; `rkt list` still says running."},
	[POD_BACKOFF] = {"Its policy has it back: waits for its next try, or for "
			 "the host's next boot.",
		"The lock is held by xenpodd alone; `rkt/status` has the codes of the life "
		"before."},
	[POD_RESTARTING] = {"A `run` process for the next life mounts, reads and "
			    "judges, and hands over.",
		"`xenpod start`, then the stage1's `run`."},
	[POD_EXITED] = {"Ended. The record stays until gc.",
		"No lock, no domain, no mounts; log files and the record."},
	[POD_FAILED] = {"Its start failed; the message says why. As exited.", "As in exited."},
	[POD_RELEASING] = {"gc removes what outlived the pod.", "Log files go."},
	[POD_GONE] = {"Removed with its record; the history stays.", "Nothing."},
};

static struct state_text text_of(enum pod_state s)
{
	if (!texts[s].what) {
		fprintf(stderr, "state %s has no text in states.c\n", pod_state_name(s));
		exit(1);
	}
	return texts[s];
}

#define FOR_STATES(s) for (enum pod_state s = 0; s < POD_STATE_MAX_; s++)
#define FOR_EVENTS(e) for (enum pod_event e = EV_NONE + 1; e < EV_MAX_; e++)

/* ---- markdown -------------------------------------------------------------------------------- */

static const char *who_text(char who)
{
	switch (who) {
	case 'R':
		return "a request";
	case 'W':
		return "the world";
	case 'C':
		return "the end of an effect";
	case 'T':
		return "time";
	default:
		return "the guard";
	}
}

static void write_owned(enum pod_state s)
{
	static const struct {
		unsigned flag;
		const char *text;
	} flags[] = {
		{POD_OWNS_LOCK, "the lock"},
		{POD_OWNS_EXPORTS, "exports and cgroup"},
		{POD_OWNS_DOMAIN, "a domain"},
	};
	bool any = false;
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		if (!(pod_state_owns(s) & flags[i].flag))
			continue;
		printf("%s%s", any ? ", " : "", flags[i].text);
		any = true;
	}
	printf("%s", any ? "" : "nothing");
}

static void write_deadline(enum pod_state s)
{
	long long seconds = (long long)pod_state_deadline_ms(s) / 1000;
	if (!seconds)
		printf("none");
	else if (seconds % 60 || seconds < 120)
		printf("%lld s", seconds);
	else
		printf("%lld min", seconds / 60);
	if (s == POD_STOPPING)
		printf(" + the grace");
	if (s == POD_BACKOFF)
		printf(" at most: its back-off");
}

static void write_effects(const struct pod_row_def *row)
{
	for (int i = 0; i < POD_EFFECTS_MAX && row->effects[i] != FX_NONE; i++)
		printf("%s%s", i ? ", " : "", pod_effect_name(row->effects[i]));
}

/* Asynchronous effects of the rows that lead here: what may be under way in this state. */
static void write_under_way(enum pod_state to)
{
	bool has[FX_MAX_] = {false};
	bool any = false;
	FOR_STATES (s)
		FOR_EVENTS (e)
			for (int i = 0; i < POD_EFFECTS_MAX; i++)
				if (pod_table[s][e].listed && pod_table[s][e].next == to)
					has[pod_table[s][e].effects[i]] = true;
	for (enum pod_effect f = FX_NONE + 1; f < FX_MAX_; f++) {
		if (!has[f] || pod_effect_done(f) == EV_NONE)
			continue;
		printf("%s%s", any ? ", " : "", pod_effect_name(f));
		any = true;
	}
	printf("%s", any ? "" : "nothing");
}

static void write_rows(enum pod_state s)
{
	bool stays = false;
	printf("| on | goes to | and does |\n| --- | --- | --- |\n");
	FOR_EVENTS (e) {
		const struct pod_row_def *row = &pod_table[s][e];
		bool idle = row->next == s && row->effects[0] == FX_NONE;
		stays = stays || (row->listed && idle);
		if (!row->listed || idle)
			continue;
		printf("| %s | %s | ", pod_event_name(e), pod_state_name(row->next));
		write_effects(row);
		printf(" |\n");
	}
	printf("\n");
	if (!stays)
		return;
	printf("Takes note and stays:");
	const char *comma = " ";
	FOR_EVENTS (e) {
		const struct pod_row_def *row = &pod_table[s][e];
		if (!row->listed || row->next != s || row->effects[0] != FX_NONE)
			continue;
		printf("%s%s", comma, pod_event_name(e));
		comma = ", ";
	}
	printf(".\n\n");
}

static void write_state(enum pod_state s)
{
	struct state_text text = text_of(s);
	printf("### %s\n\n%s\n\n", pod_state_name(s), text.what);
	printf("- people read: **%s**\n- owns: ", pod_state_word(s));
	write_owned(s);
	printf("\n- deadline: ");
	write_deadline(s);
	printf("\n- under way: ");
	write_under_way(s);
	printf("\n- on the host: %s\n\n", text.sees);
	if (!pod_state_final(s))
		write_rows(s);
}

static void write_overview(void)
{
	printf("| state | people read | owns | deadline |\n| --- | --- | --- | --- |\n");
	FOR_STATES (s) {
		printf("| [%s](#%s) | %s | ", pod_state_name(s), pod_state_name(s),
			pod_state_word(s));
		write_owned(s);
		printf(" | ");
		write_deadline(s);
		printf(" |\n");
	}
	printf("\n");
}

static void write_events(void)
{
	printf("## Events\n\n| event | said by |\n| --- | --- |\n");
	FOR_EVENTS (e)
		printf("| %s | %s |\n", pod_event_name(e), who_text(pod_event_who(e)));
	printf("\n");
}

static void write_effect_list(void)
{
	printf("## Effects\n\nOne with two ends takes its time and has a row in the outbox until "
	       "it "
	       "is answered; the others are\ndone on the spot, and follow from the state after a "
	       "crash. [RECOVERY.md](RECOVERY.md) says how each\nis repeated.\n\n"
	       "| effect | succeeds as | fails as |\n| --- | --- | --- |\n");
	for (enum pod_effect f = FX_NONE + 1; f < FX_MAX_; f++) {
		bool async = pod_effect_done(f) != EV_NONE;
		printf("| %s | %s | %s |\n", pod_effect_name(f),
			async ? pod_event_name(pod_effect_done(f)) : "",
			async ? pod_event_name(pod_effect_failed(f)) : "");
	}
	printf("\n");
}

static void write_causes(void)
{
	static const char *const again[] = {[AGAIN_ASKED] = "",
		[AGAIN_CODE] = "always; on-failure when the code is not 0",
		[AGAIN_FAULT] = "always, on-failure",
		[AGAIN_HOST] = "always, on-failure; not counted"};
	printf("## Causes\n\nWhy a pod ended: the first cause stays, but force overrides a stop. A "
	       "failure that comes before\nthe apps ran makes the pod `failed` instead of "
	       "`exited`. The last column says which restart policies\nhave the pod back, unless "
	       "a user has asked for its end, or its first start has failed.\n\n"
	       "| cause | means | fails the start | comes back by |\n"
	       "| --- | --- | --- | --- |\n");
	for (enum pod_cause c = CAUSE_NONE + 1; c < CAUSE_MAX_; c++)
		printf("| %s | %s | %s | %s |\n", pod_cause_name(c), pod_cause_text(c),
			pod_cause_failed(c) ? "yes" : "", again[pod_cause_again(c)]);
}

static void write_markdown(void)
{
	printf("# States of a pod\n\n"
	       "Written by `make docs` from the tables in `src/fsm`: change those, not this.\n\n"
	       "A pod is one machine. An event meets the pod's state; the table says the next "
	       "state "
	       "and what is to\nbe done; both are on disk before anything is done. What a state "
	       "does "
	       "not list is answered \"not\npossible now\" (a request) or changes nothing (a late "
	       "answer). Entering a state sets its deadline;\nnoise in a state does not prolong "
	       "it. "
	       "A failed step that is repeated waits 2 s at first, 64 s at most.\n\n"
	       "![the machine](states.svg)\n\n");
	write_overview();
	printf("## State by state\n\n");
	FOR_STATES (s)
		write_state(s);
	write_events();
	write_effect_list();
	write_causes();
}

/* ---- drawing --------------------------------------------------------------------------------- */

static const char *color_of(enum pod_state s)
{
	static const struct {
		const char *word;
		const char *color;
	} colors[] = {
		{"starting", "#dbe9f6"},
		{"running", "#d5eed3"},
		{"paused", "#fdf3c7"},
		{"restarting", "#e6dcf2"},
		{"stopping", "#fbe0cc"},
		{"failed", "#f6cfcf"},
	};
	for (size_t i = 0; i < sizeof colors / sizeof colors[0]; i++)
		if (!strcmp(colors[i].word, pod_state_word(s)))
			return colors[i].color;
	return "#e8e8e8";
}

/* True of every state in which the guest may run, all to the same state: told in the caption. */
static bool is_common(enum pod_event e)
{
	const struct pod_row_def *first = &pod_table[POD_UNPAUSING][e];
	for (enum pod_state s = POD_UNPAUSING; s <= POD_STOPPING; s++)
		if (!pod_table[s][e].listed || pod_table[s][e].next != first->next)
			return false;
	return true;
}

static bool is_hidden(enum pod_state from, enum pod_event e)
{
	bool guest_may_run = from >= POD_UNPAUSING && from <= POD_STOPPING;
	return e == EV_HOST_REBOOT || (guest_may_run && is_common(e));
}

static void write_caption(void)
{
	printf("label=\"From unpausing to stopping, not drawn:");
	FOR_STATES (to) {
		const char *comma = "\\n";
		FOR_EVENTS (e) {
			if (!is_common(e) || pod_table[POD_UNPAUSING][e].next != to ||
				e == EV_HOST_REBOOT)
				continue;
			printf("%s%s", comma, pod_event_name(e));
			comma = ", ";
		}
		if (*comma == ',')
			printf(" lead to %s", pod_state_name(to));
	}
	printf("\\nhost-reboot leads from every state with a lock to collecting\"");
}

/* One arrow per pair of states, with all events that follow it. */
static void write_arrow(enum pod_state from, enum pod_state to)
{
	bool any = false;
	FOR_EVENTS (e) {
		const struct pod_row_def *row = &pod_table[from][e];
		if (!row->listed || row->next != to || is_hidden(from, e))
			continue;
		if (!any)
			printf("\t\"%s\" -> \"%s\" [label=\"", pod_state_name(from),
				pod_state_name(to));
		printf("%s%s", any ? "\\n" : "", pod_event_name(e));
		any = true;
	}
	if (any)
		printf("\"];\n");
}

static void write_dot(void)
{
	printf("digraph pod {\n\tgraph [rankdir=TB, fontname=\"Helvetica\", fontsize=12, ");
	write_caption();
	printf("];\n\tnode [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", "
	       "fontsize=12];\n"
	       "\tedge [fontname=\"Helvetica\", fontsize=9, color=\"#555555\"];\n");
	FOR_STATES (s)
		printf("\t\"%s\" [fillcolor=\"%s\"];\n", pod_state_name(s), color_of(s));
	FOR_STATES (from)
		FOR_STATES (to)
			if (from != to)
				write_arrow(from, to);
	printf("}\n");
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "md"))
		write_markdown();
	else if (argc == 2 && !strcmp(argv[1], "dot"))
		write_dot();
	else {
		fprintf(stderr, "usage: states md|dot\n");
		return 2;
	}
	return 0;
}
