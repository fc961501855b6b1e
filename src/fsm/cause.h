/* SPDX-License-Identifier: Apache-2.0 */
/* Why a pod ended: one list, stored and shown by name. Pure. */
#ifndef FSM_CAUSE_H
#define FSM_CAUSE_H

#include <stdbool.h>

#include "fsm/pod.h"

/*  id             name            is the start a failure?  what people read */
#define POD_CAUSES(X)                                                                              \
	X(NONE, "", false, "")                                                                     \
	X(FINISHED, "finished", false, "its apps ended")                                           \
	X(STOPPED, "stopped", false, "stopped on request")                                         \
	X(KILLED, "killed", false, "stopped by force on request")                                  \
	X(RUN_LOST, "run-lost", false, "its run process died")                                     \
	X(SHUTDOWN, "shutdown", false, "shut down from outside or from inside the domain")         \
	X(DESTROYED, "destroyed", false, "the domain was destroyed from outside")                  \
	X(GUEST_REBOOT, "guest-reboot", false, "the guest rebooted itself")                        \
	X(CRASHED, "crashed", false, "the guest kernel crashed")                                   \
	X(OOM, "oom", false, "an app used up its memory")                                          \
	X(HOST_REBOOT, "host-reboot", false, "the host was rebooted")                              \
	X(QEMU_LOST, "qemu-lost", false, "the device model (QEMU) died")                           \
	X(RECORD_LOST, "record-lost", false, "how it ended was lost with the database")            \
	X(EXPORT_FAILED, "export-failed", true, "its file trees could not be exported")            \
	X(NETWORK_FAILED, "network-failed", true, "its network could not be made")                 \
	X(CREATE_FAILED, "create-failed", true, "the domain could not be created")                 \
	X(START_FAILED, "start-failed", true, "the domain could not be started")                   \
	X(BOOT_TIMEOUT, "boot-timeout", true, "the guest did not report in time")                  \
	X(GUEST_FAILED, "guest-failed", true, "the guest's init failed")                           \
	X(STORE, "store", true, "its record could not be stored")

enum pod_cause {
#define X(id, name, failed, text) CAUSE_##id,
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

/*
 * What an event in a state says about the end; CAUSE_NONE when it says nothing. The first cause
 * stays, but a kill overrides a stop under way.
 */
enum pod_cause pod_cause_of(enum pod_state state, enum pod_event event);

#endif
