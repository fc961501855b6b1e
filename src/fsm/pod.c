/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod machine's table and its step. One line is one transition; a row that would need a
 * condition is two events, told apart by pod_guard(). Unlisted cells answer "not possible in this
 * state".
 */
#include "fsm/pod.h"

#include "fsm/table.h"

#define RETRY_MS 2000 /* doubles with each try, up to a minute */
/*
 * A guest that ends by itself bounds its own steps, but waits for a slow reader of the last output:
 * this is only for one that hangs. Our own stop is bounded by the grace.
 */
#define ENDING_MS 600000

#define DO(...)                                                                                    \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define ON(st, ev, to, ...) [POD_##st][EV_##ev] = {true, POD_##to, __VA_ARGS__}
#define STAY(st, ev)        [POD_##st][EV_##ev] = {true, POD_##st, {FX_NONE}}

/* While a domain may run: what ends it, whatever the state. */
#define ENDS(st)                                                                                   \
	ON(st, GUEST_DONE, DESTROYING, DO(FX_DESTROY)),                                            \
		ON(st, GUEST_FAILED, DESTROYING, DO(FX_DESTROY)),                                  \
		ON(st, DOMAIN_STOPPED, DESTROYING, DO(FX_DESTROY)),                                \
		ON(st, DOMAIN_CRASHED, DESTROYING, DO(FX_DESTROY)),                                \
		ON(st, DOMAIN_DEAD, DYING, DO(FX_UNMAP)),                                          \
		ON(st, QEMU_GONE, DESTROYING, DO(FX_DESTROY)),                                     \
		ON(st, KILL, DESTROYING, DO(FX_DESTROY)),                                          \
		ON(st, HOST_REBOOT, COLLECTING, DO(FX_COLLECT))

/* clang-format off */
const struct pod_row_def pod_table[POD_STATE_MAX_][EV_MAX_] = {
/*     in state    on event         go to        and do, in this order                           */
    ON(ACCEPTED,   ADMIT,           EXPORTING,   DO(FX_EXPORT)),
    ON(ACCEPTED,   UNWANTED,        COLLECTING,  DO(FX_COLLECT)),
    ON(ACCEPTED,   STOP,            COLLECTING,  DO(FX_COLLECT)),
    ON(ACCEPTED,   KILL,            COLLECTING,  DO(FX_COLLECT)),
    ON(ACCEPTED,   DEADLINE,        COLLECTING,  DO(FX_COLLECT)),
    ON(ACCEPTED,   HOST_REBOOT,     COLLECTING,  DO(FX_COLLECT)),

    ON(EXPORTING,  EXPORTED,        NETWORKING,  DO(FX_NETWORK)),
    ON(EXPORTING,  EXPORT_FAILED,   CLEARING,    DO(FX_CLEAR)),
    ON(EXPORTING,  UNWANTED,        CLEARING,    DO(FX_CLEAR)),
    STAY(EXPORTING, STOP),
    ON(EXPORTING,  KILL,            CLEARING,    DO(FX_CLEAR)),
    ON(EXPORTING,  DEADLINE,        CLEARING,    DO(FX_CLEAR)),
    ON(EXPORTING,  HOST_REBOOT,     COLLECTING,  DO(FX_COLLECT)),

    ON(NETWORKING, NETWORKED,       CREATING,    DO(FX_CREATE)),
    ON(NETWORKING, NETWORK_FAILED,  CLEARING,    DO(FX_CLEAR)),
    ON(NETWORKING, UNWANTED,        CLEARING,    DO(FX_CLEAR)),
    STAY(NETWORKING, STOP),
    ON(NETWORKING, KILL,            CLEARING,    DO(FX_CLEAR)),
    ON(NETWORKING, DEADLINE,        CLEARING,    DO(FX_CLEAR)),
    ON(NETWORKING, HOST_REBOOT,     COLLECTING,  DO(FX_COLLECT)),

    /* The death event is enabled and the domain looked at before its first instruction. */
    ON(CREATING,   CREATED,         UNPAUSING,   DO(FX_WATCH, FX_GO)),
    ON(CREATING,   CREATE_FAILED,   DESTROYING,  DO(FX_DESTROY)),
    ON(CREATING,   UNWANTED,        DESTROYING,  DO(FX_DESTROY)),
    STAY(CREATING, STOP),
    ON(CREATING,   KILL,            DESTROYING,  DO(FX_DESTROY)),
    STAY(CREATING, DOMAIN_DEAD), /* somebody destroyed what is half built: create will fail */
    ON(CREATING,   DEADLINE,        DESTROYING,  DO(FX_DESTROY)),
    ON(CREATING,   HOST_REBOOT,     COLLECTING,  DO(FX_COLLECT)),

    ON(UNPAUSING,  UNPAUSED,        BOOTING,     DO(FX_NONE)),
    ON(UNPAUSING,  UNPAUSE_FAILED,  DESTROYING,  DO(FX_DESTROY)),
    STAY(UNPAUSING, DOMAIN_PAUSED),
    ON(UNPAUSING,  DOMAIN_RUNS,     BOOTING,     DO(FX_NONE)),
    STAY(UNPAUSING, GUEST_APP),
    ON(UNPAUSING,  GUEST_RUNNING,   RUNNING,     DO(FX_READY)),
    ON(UNPAUSING,  GUEST_STOPPING,  STOPPING,    DO(FX_NONE)),
    ON(UNPAUSING,  STOP,            DESTROYING,  DO(FX_DESTROY)), /* no app runs yet */
    ON(UNPAUSING,  DEADLINE,        DESTROYING,  DO(FX_DESTROY)),
    ENDS(UNPAUSING),

    ON(BOOTING,    GUEST_RUNNING,   RUNNING,     DO(FX_READY)),
    STAY(BOOTING,  GUEST_APP),
    STAY(BOOTING,  UNPAUSED),
    STAY(BOOTING,  UNPAUSE_FAILED), /* it was seen to run: judged by the world, not by the answer */
    STAY(BOOTING,  DOMAIN_RUNS),
    ON(BOOTING,    DOMAIN_PAUSED,   PAUSED,      DO(FX_NONE)),
    ON(BOOTING,    GUEST_STOPPING,  STOPPING,    DO(FX_NONE)),
    ON(BOOTING,    STOP,            STOPPING,    DO(FX_SHUTDOWN)),
    ON(BOOTING,    DEADLINE,        DESTROYING,  DO(FX_DESTROY)),
    ENDS(BOOTING),

    STAY(RUNNING,  GUEST_APP),
    STAY(RUNNING,  GUEST_RUNNING),
    STAY(RUNNING,  UNPAUSED),
    STAY(RUNNING,  UNPAUSE_FAILED),
    STAY(RUNNING,  DOMAIN_RUNS),
    ON(RUNNING,    PAUSE,           PAUSING,     DO(FX_PAUSE)),
    ON(RUNNING,    DOMAIN_PAUSED,   PAUSED,      DO(FX_NONE)),
    ON(RUNNING,    GUEST_STOPPING,  STOPPING,    DO(FX_NONE)),
    ON(RUNNING,    STOP,            STOPPING,    DO(FX_SHUTDOWN)),
    ENDS(RUNNING),

    ON(PAUSING,    PAUSE_DONE,      PAUSED,      DO(FX_NONE)),
    ON(PAUSING,    PAUSE_FAILED,    RUNNING,     DO(FX_NONE)),
    ON(PAUSING,    DOMAIN_PAUSED,   PAUSED,      DO(FX_NONE)),
    STAY(PAUSING,  DOMAIN_RUNS),
    STAY(PAUSING,  GUEST_APP),
    STAY(PAUSING,  GUEST_RUNNING),
    STAY(PAUSING,  GUEST_STOPPING),
    ON(PAUSING,    STOP,            RESUMING,    DO(FX_RESUME)),
    ON(PAUSING,    DEADLINE,        RUNNING,     DO(FX_NONE)),
    ENDS(PAUSING),

    ON(PAUSED,     RESUME,          RESUMING,    DO(FX_RESUME)),
    ON(PAUSED,     DOMAIN_RUNS,     RUNNING,     DO(FX_READY)),
    ON(PAUSED,     BOOTS_ON,        BOOTING,     DO(FX_NONE)),
    STAY(PAUSED,   DOMAIN_PAUSED),
    STAY(PAUSED,   PAUSE_DONE),
    STAY(PAUSED,   PAUSE_FAILED),
    STAY(PAUSED,   UNPAUSED),
    STAY(PAUSED,   GUEST_APP),
    ON(PAUSED,     GUEST_RUNNING,   RUNNING,     DO(FX_READY)),
    ON(PAUSED,     GUEST_STOPPING,  STOPPING,    DO(FX_NONE)),
    ON(PAUSED,     STOP,            RESUMING,    DO(FX_RESUME)), /* a paused guest cannot stop */
    ENDS(PAUSED),

    ON(RESUMING,   RESUME_DONE,     RUNNING,     DO(FX_READY)),
    ON(RESUMING,   RESUME_FAILED,   PAUSED,      DO(FX_NONE)),
    ON(RESUMING,   DOMAIN_RUNS,     RUNNING,     DO(FX_READY)),
    ON(RESUMING,   BOOTS_ON,        BOOTING,     DO(FX_NONE)),
    STAY(RESUMING, DOMAIN_PAUSED),
    STAY(RESUMING, PAUSE_DONE),
    STAY(RESUMING, PAUSE_FAILED),
    STAY(RESUMING, GUEST_APP),
    STAY(RESUMING, GUEST_RUNNING),
    ON(RESUMING,   GUEST_STOPPING,  STOPPING,    DO(FX_NONE)),
    STAY(RESUMING, STOP),
    ON(RESUMING,   UNWANTED,        STOPPING,    DO(FX_SHUTDOWN)),
    ON(RESUMING,   DEADLINE,        PAUSED,      DO(FX_NONE)),
    ENDS(RESUMING),

    STAY(STOPPING, GUEST_APP),
    STAY(STOPPING, GUEST_RUNNING),
    STAY(STOPPING, GUEST_STOPPING),
    ON(STOPPING,   STOP,            STOPPING,    DO(FX_SHUTDOWN)), /* now it has our deadline */
    STAY(STOPPING, UNPAUSED),
    STAY(STOPPING, UNPAUSE_FAILED),
    STAY(STOPPING, RESUME_DONE),
    STAY(STOPPING, RESUME_FAILED),
    STAY(STOPPING, DOMAIN_RUNS),
    STAY(STOPPING, DOMAIN_PAUSED),
    STAY(STOPPING, SHUTDOWN_SENT),
    ON(STOPPING,   SHUTDOWN_FAILED, DESTROYING,  DO(FX_DESTROY)),
    ON(STOPPING,   DEADLINE,        DESTROYING,  DO(FX_DESTROY)),
    ENDS(STOPPING),

    STAY(DESTROYING, STOP),
    STAY(DESTROYING, KILL),
    STAY(DESTROYING, GUEST_APP),
    STAY(DESTROYING, GUEST_DONE),
    STAY(DESTROYING, DOMAIN_STOPPED),
    STAY(DESTROYING, DOMAIN_CRASHED),
    STAY(DESTROYING, DOMAIN_DEAD), /* libxl is not through yet: its answer decides */
    STAY(DESTROYING, SHUTDOWN_SENT),
    STAY(DESTROYING, SHUTDOWN_FAILED),
    STAY(DESTROYING, CREATE_FAILED),
    STAY(DESTROYING, UNPAUSE_FAILED),
    STAY(DESTROYING, QEMU_GONE),
    ON(DESTROYING, DESTROYED,       DYING,       DO(FX_UNMAP)),
    ON(DESTROYING, DESTROY_FAILED,  DESTROYING,  DO(FX_NONE)), /* the deadline tries again */
    ON(DESTROYING, DEADLINE,        DESTROYING,  DO(FX_DESTROY)),
    ON(DESTROYING, HOST_REBOOT,     COLLECTING,  DO(FX_COLLECT)),

    STAY(DYING,    STOP),
    STAY(DYING,    KILL),
    STAY(DYING,    GUEST_APP),
    STAY(DYING,    DOMAIN_DEAD),
    STAY(DYING,    QEMU_GONE),
    STAY(DYING,    GUEST_DONE),
    STAY(DYING,    SHUTDOWN_SENT),
    STAY(DYING,    SHUTDOWN_FAILED),
    ON(DYING,      QUIET,           CLEARING,    DO(FX_CLEAR)),
    ON(DYING,      DEADLINE,        DYING,       DO(FX_EVICT)),
    ON(DYING,      HOST_REBOOT,     COLLECTING,  DO(FX_COLLECT)),

    STAY(CLEARING, STOP),
    STAY(CLEARING, KILL),
    STAY(CLEARING, DOMAIN_DEAD),
    ON(CLEARING,   CLEARED,         COLLECTING,  DO(FX_COLLECT)),
    ON(CLEARING,   CLEAR_FAILED,    COLLECTING,  DO(FX_COLLECT)), /* the ledger keeps what is left */
    ON(CLEARING,   DEADLINE,        COLLECTING,  DO(FX_COLLECT)),
    ON(CLEARING,   HOST_REBOOT,     COLLECTING,  DO(FX_COLLECT)),

    STAY(COLLECTING, STOP),
    STAY(COLLECTING, KILL),
    STAY(COLLECTING, DOMAIN_DEAD),
    ON(COLLECTING, COLLECTED,        EXITED,     DO(FX_UNLOCK, FX_TELL)),
    ON(COLLECTING, COLLECTED_FAILED, FAILED,     DO(FX_UNLOCK, FX_TELL)),
    ON(COLLECTING, COLLECTED_AGAIN,  BACKOFF,    DO(FX_TELL)),
    ON(COLLECTING, COLLECT_FAILED,  COLLECTING,  DO(FX_NONE)), /* the deadline tries again */
    ON(COLLECTING, DEADLINE,        COLLECTING,  DO(FX_COLLECT)),
    ON(COLLECTING, HOST_REBOOT,     COLLECTING,  DO(FX_COLLECT)),

    /* Between two lives: nothing is there of the pod but its directory and the lock on that. */
    ON(BACKOFF,    DEADLINE,        RESTARTING,  DO(FX_SPAWN)),
    ON(BACKOFF,    START,           RESTARTING,  DO(FX_SPAWN)),
    ON(BACKOFF,    HOST_REBOOT,     RESTARTING,  DO(FX_SPAWN)), /* no clock tells how long it was */
    STAY(BACKOFF,  HELD_BACK),
    ON(BACKOFF,    STOP,            COLLECTING,  DO(FX_COLLECT)),
    ON(BACKOFF,    KILL,            COLLECTING,  DO(FX_COLLECT)),

    ON(RESTARTING, HANDED_OVER,     ACCEPTED,    DO(FX_NONE)),
    ON(RESTARTING, SPAWN_FAILED,    COLLECTING,  DO(FX_DISMISS, FX_COLLECT)),
    ON(RESTARTING, DEADLINE,        COLLECTING,  DO(FX_DISMISS, FX_COLLECT)),
    ON(RESTARTING, STOP,            COLLECTING,  DO(FX_DISMISS, FX_COLLECT)),
    ON(RESTARTING, KILL,            COLLECTING,  DO(FX_DISMISS, FX_COLLECT)),
    ON(RESTARTING, HOST_REBOOT,     RESTARTING,  DO(FX_SPAWN)),
    STAY(RESTARTING, START),

    STAY(EXITED,   STOP),
    STAY(EXITED,   KILL),
    STAY(EXITED,   HOST_REBOOT),
    ON(EXITED,     GC,              RELEASING,   DO(FX_CLEAR)), /* what a clear may have left */
    STAY(FAILED,   STOP),
    STAY(FAILED,   KILL),
    STAY(FAILED,   HOST_REBOOT),
    ON(FAILED,     GC,              RELEASING,   DO(FX_CLEAR)),

    STAY(RELEASING, STOP),
    STAY(RELEASING, KILL),
    STAY(RELEASING, GC),
    STAY(RELEASING, HOST_REBOOT),
    ON(RELEASING,  CLEARED,         RELEASING,   DO(FX_RELEASE)),
    ON(RELEASING,  CLEAR_FAILED,    RELEASING,   DO(FX_NONE)), /* the deadline tries again */
    ON(RELEASING,  RELEASED,        GONE,        DO(FX_FORGET, FX_TELL)),
    ON(RELEASING,  RELEASE_FAILED,  RELEASING,   DO(FX_NONE)), /* the deadline tries again */
    ON(RELEASING,  DEADLINE,        RELEASING,   DO(FX_CLEAR)),
};
/* clang-format on */

/* A start that nobody wants any more turns into its own undoing at the next completed step. */
static bool is_step_of_start(enum pod_state state, enum pod_event event)
{
	switch (state) {
	case POD_ACCEPTED:
		return event == EV_ADMIT;
	case POD_EXPORTING:
		return event == EV_EXPORTED;
	case POD_NETWORKING:
		return event == EV_NETWORKED;
	case POD_CREATING:
		return event == EV_CREATED;
	case POD_RESUMING:
		/* Cannot be woken: its stop must not rest with it; STOPPING has a deadline. */
		return event == EV_RESUME_DONE || event == EV_DOMAIN_RUNS ||
		       event == EV_RESUME_FAILED || event == EV_DEADLINE;
	default:
		return false;
	}
}

/* A pod that was paused while it booted is ready only when its guest says so. */
static bool is_waking(enum pod_state state, enum pod_event event)
{
	return (state == POD_PAUSED && event == EV_DOMAIN_RUNS) ||
	       (state == POD_RESUMING && (event == EV_RESUME_DONE || event == EV_DOMAIN_RUNS));
}

enum pod_event pod_guard(enum pod_state state, enum pod_event event, const struct pod_facts *facts)
{
	if (facts->want != WANT_UP && is_step_of_start(state, event))
		return EV_UNWANTED;
	if (!facts->started && is_waking(state, event))
		return EV_BOOTS_ON;
	if (state == POD_BACKOFF && event == EV_DEADLINE && facts->closing)
		return EV_HELD_BACK;
	if (event == EV_COLLECTED && facts->again)
		return EV_COLLECTED_AGAIN;
	if (event == EV_COLLECTED && facts->failed)
		return EV_COLLECTED_FAILED;
	return event;
}

/* A failed step that the state itself repeats: soon at first, then more and more rarely. */
static bool is_retried(enum pod_event event)
{
	return event == EV_DESTROY_FAILED || event == EV_COLLECT_FAILED ||
	       event == EV_CLEAR_FAILED || event == EV_RELEASE_FAILED;
}

static int64_t retry_ms(int deadlines)
{
	int shift = deadlines < 5 ? deadlines : 5;
	return (int64_t)RETRY_MS << shift;
}

static int64_t deadline_of(enum pod_state from, enum pod_event event, const struct pod_row_def *row,
	const struct pod_facts *facts)
{
	if (event == EV_COLLECTED_AGAIN)
		return facts->backoff_ms;
	if (event == EV_HELD_BACK)
		return 0;
	if (is_retried(event) && row->next == from)
		return retry_ms(facts->deadlines);
	if (row->next == from && row->effects[0] == FX_NONE)
		return -1;
	if (event == EV_GUEST_STOPPING)
		return ENDING_MS;
	int64_t ms = pod_state_deadline_ms(row->next);
	return row->next == POD_STOPPING ? ms + facts->grace_ms : ms;
}

void pod_step(enum pod_state state, enum pod_event event, const struct pod_facts *facts,
	struct pod_update *ret)
{
	enum pod_event really = pod_guard(state, event, facts);
	const struct pod_row_def *row = &pod_table[state][really];
	*ret = (struct pod_update){
		.listed = row->listed,
		.event = really,
		.next = row->listed ? row->next : state,
		.deadline_ms = -1,
	};
	if (!row->listed)
		return;
	for (int i = 0; i < POD_EFFECTS_MAX; i++)
		ret->effects[i] = row->effects[i];
	ret->deadline_ms = deadline_of(state, really, row, facts);
}
