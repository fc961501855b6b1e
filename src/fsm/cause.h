/* SPDX-License-Identifier: Apache-2.0 */
/* Why a pod ended: one list, stored and shown by name. Pure. */
#ifndef FSM_CAUSE_H
#define FSM_CAUSE_H

#include <stdbool.h>

#include "fsm/pod.h"

/*
 * What an end means to a restart policy (restart.h):
 *   ASKED  somebody has asked for it, or may have, and that is forgotten: never again
 *   CODE   by itself: always; on-failure when the code is not 0
 *   FAULT  nobody wanted it: both
 *   HOST   the host went down under it: both, and it is no fault of the pod's
 */
enum pod_again { AGAIN_ASKED, AGAIN_CODE, AGAIN_FAULT, AGAIN_HOST };

/*  id             name            is the start a failure?  again?   what people read */
#define POD_CAUSES(X)                                                                              \
	X(NONE, "", false, ASKED, "")                                                              \
	X(FINISHED, "finished", false, CODE, "its apps ended")                                     \
	X(STOPPED, "stopped", false, ASKED, "stopped on request")                                  \
	X(KILLED, "killed", false, ASKED, "stopped by force on request")                           \
	X(RUN_LOST, "run-lost", false, FAULT, "its run process died")                              \
	X(SHUTDOWN, "shutdown", false, ASKED, "shut down from outside or from inside the domain")  \
	X(DESTROYED, "destroyed", false, ASKED, "the domain was destroyed from outside")           \
	X(GUEST_REBOOT, "guest-reboot", false, FAULT, "the guest rebooted itself")                 \
	X(CRASHED, "crashed", false, FAULT, "the guest kernel crashed")                            \
	X(OOM, "oom", false, FAULT, "an app used up its memory")                                   \
	X(HOST_REBOOT, "host-reboot", false, HOST, "the host was rebooted")                        \
	X(HOST_SHUTDOWN, "host-shutdown", false, HOST, "stopped because the host was shut down")   \
	X(QEMU_LOST, "qemu-lost", false, FAULT, "the device model (QEMU) died")                    \
	X(RECORD_LOST, "record-lost", false, ASKED, "how it ended was lost with the database")     \
	X(EXPORT_FAILED, "export-failed", true, FAULT, "its file trees could not be exported")     \
	X(NETWORK_FAILED, "network-failed", true, FAULT, "its network could not be made")          \
	X(CREATE_FAILED, "create-failed", true, FAULT, "the domain could not be created")          \
	X(START_FAILED, "start-failed", true, FAULT, "the domain could not be started")            \
	X(BOOT_TIMEOUT, "boot-timeout", true, FAULT, "the guest did not report in time")           \
	X(GUEST_FAILED, "guest-failed", true, FAULT, "the guest's init failed")                    \
	X(RESTART_FAILED, "restart-failed", true, FAULT, "its next start was not prepared")        \
	X(STORE, "store", true, ASKED, "its record could not be stored")

enum pod_cause {
#define X(id, name, failed, again, text) CAUSE_##id,
	POD_CAUSES(X)
#undef X
		CAUSE_MAX_
};

const char *pod_cause_name(enum pod_cause c);
const char *pod_cause_text(enum pod_cause c);
int pod_cause_from_name(const char *name); /* -1 */
bool pod_cause_failed(enum pod_cause c);
/* It ended as it should: by itself with code 0, or because somebody asked. Nobody will ask why. */
bool pod_cause_in_order(enum pod_cause c, int64_t code);

enum pod_again pod_cause_again(enum pod_cause c);

/* What an event in a state says about the end; CAUSE_NONE when it says nothing. */
enum pod_cause pod_cause_of(enum pod_state state, enum pod_event event);
/*
 * The cause that stands when something says `said`: the first one stays, but a kill overrides a stop
 * under way. Between two lives `old` is that of the life before, and what ends the pod is said.
 */
enum pod_cause pod_cause_now(enum pod_state state, enum pod_cause old, enum pod_cause said);

#endif
