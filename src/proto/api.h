/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the supervisor's API (docs/API.md has the parameters): varlink over two unix sockets,
 * `admin` 0600 for changes, `status` 0660 root:xenpod for the read verbs.
 *
 * Read verbs, both sockets:
 *   List     {}                      -> {pods:[POD...], supervisor:{...}}
 *   Show     {uuid}                  -> {pod:POD, history:[EVENT...], ledger:[...]}
 *   History  {uuid}                  -> {history:[EVENT...]}
 *   Watch    {since?}  more          -> {event:EVENT} ... (continues), from sequence number since+1
 *   Health   {}                      -> {state, world, pods, queue, ...}
 *   Metrics  {}                      -> {families:[FAMILY...]}
 *   Wait     {uuid, state?}          -> {pod:POD} when exited, failed or gone (or in that state)
 *   Orphans  {}                      -> {domains:[ORPHAN...], leftovers:[LEFTOVER...]}
 * Change verbs, admin only:
 *   Accept   spec.h's request, more, with fds -> {event:"accepted"|"networked"|"state"|"running"|"unmap"} ...,
 *            last {event:"ended", state:"exited"|"failed", code, cause, text, message, forced}.
 *            A second Accept for a pod that is there is the re-connection of its `run`: it brings
 *            the descriptors that it still has. Another directory's lock: ERR_EXISTS.
 *   Session  {uuid} more             -> {domid, generation, state} ... {event:"unmap"}
 *            registers a vchan client (pidfd from SO_PEERCRED), also the streams ring of `run`: one
 *            connection per mapped ring. On unmap it has 2 s to unmap and then close the connection:
 *            closing says "unmapped". A late one is killed with SIGKILL.
 *   Stop     {uuid, force?}          -> {}       returns when the intent is committed
 *   Gc       {uuid}                  -> {pod?}   returns when nothing of the pod is left
 *   Collect  {}                      -> as Orphans; those are collected at the next look but one
 *   Pause, Resume {uuid}             -> {}
 *   Start    {uuid}                  -> {}       of a pod that waits for its next try: now
 *   Shutdown {cancel?}       (more)  -> {left, uuid?, state?} ... {left:0}: all pods are stopped, none
 *            is started any more; cancel -> {}: that is over
 * POD:   {uuid, state, word, want, generation, domid|null, created, started, ended (ns since 1970),
 *         cause, message, code|null, forced, apps:[{name,state,code|null,signal|null,started,ended}],
 *         dir, memory_kib, vcpus, net, networks (netinfo.h), restart|null}
 * EVENT: {seq, uuid, at (ns since 1970), event, from, to, cause, domid|null, generation}
 */
#ifndef PROTO_API_H
#define PROTO_API_H

#define API_RUN_DIR       "/run/xenpod"
#define API_SOCKET_ADMIN  "/run/xenpod/admin"
#define API_SOCKET_STATUS "/run/xenpod/status"
#define API_STATE_DIR     "/var/lib/xenpod" /* store.db; 0700 root */
#define API_STORE_PATH    "/var/lib/xenpod/store.db"
/* Where hooks and tools look when set (tests, several supervisors): */
#define API_ENV_RUN_DIR   "XENPOD_RUN_DIR"
#define API_ENV_STATE_DIR "XENPOD_STATE_DIR"
/* For a `run` that begins another life of a pod: which one, see spec.h, "restart". */
#define API_ENV_START "XENPOD_START"

#define API_INTERFACE "io.xenpod."
#define API_LIST      API_INTERFACE "List"
#define API_SHOW      API_INTERFACE "Show"
#define API_HISTORY   API_INTERFACE "History"
#define API_WATCH     API_INTERFACE "Watch"
#define API_HEALTH    API_INTERFACE "Health"
#define API_METRICS   API_INTERFACE "Metrics"
#define API_ACCEPT    API_INTERFACE "Accept"
#define API_SESSION   API_INTERFACE "Session"
#define API_STOP      API_INTERFACE "Stop"
#define API_WAIT      API_INTERFACE "Wait"
#define API_GC        API_INTERFACE "Gc"
#define API_ORPHANS   API_INTERFACE "Orphans"
#define API_COLLECT   API_INTERFACE "Collect"
#define API_PAUSE     API_INTERFACE "Pause"
#define API_RESUME    API_INTERFACE "Resume"
#define API_START     API_INTERFACE "Start"
#define API_SHUTDOWN  API_INTERFACE "Shutdown"

/* Names in Accept's "fds", in this order; then "tree/0", "tree/1", ... */
#define API_FD_LOCK    "lock"    /* the pod directory, flock'ed by stage0 */
#define API_FD_STATUS  "status"  /* directory S1/rkt: holds status/ and supervisor-status */
#define API_FD_KERNEL  "kernel"  /* uncompressed ELF */
#define API_FD_RAMDISK "ramdisk" /* uncompressed cpio */

#endif
