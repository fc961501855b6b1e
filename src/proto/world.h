/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames between xenpodd and the world: xenpod-watch (sensors) and xenpod-act (effectors), or
 * src/sim in their place. Each frame is one JSON object (base/frame.h) with "t" naming it.
 *
 * ---- xenpodd -> xenpod-watch (fd 3) ------------------------------------------------------------
 *   ping     {n}
 *   list     {n}                     re-read every domain but Dom-0; answers list-begin, domain...,
 *                                    list-end
 *   watch    {uuid, domid, apps}     enable the death event, watch guest nodes, THEN read and report
 *                                    the domain and each guest node once (enable-then-read)
 *   unwatch  {domid}
 * ---- xenpod-watch -> xenpodd -------------------------------------------------------------------
 *   hello    {version, xen, pv, hvm} Xen's version text; can it run PV, HVM (so PVH) domains
 *   host     {free_kib, dying_kib, total_kib, cpus}  the machine's memory and CPUs. free: not
 *                                    claimed either; dying: what dying domains still have. Sent
 *                                    after hello, in each list before its end, after what a watch
 *                                    has to say, and when the domains have changed and it has too
 *   pong     {n}                     xenstored answered too: a ping is answered through it
 *   list-begin {n} / list-end {n}
 *   domain   {domid, uuid, state, reason?, store?, generation?, built?, name?, cpu_time_ns,
 *             memory_kib, target_kib?, n?}   n: part of that list. state: WORLD_DOMAIN_STATES
 *                                    target_kib: what memory it is to have, memory_kib: has
 *                                    built: QEMU's pid from WORLD_MARK_BUILT: create had succeeded
 *   gone     {domid, uuid}           a watched domain is no longer in the hypervisor's list
 *   guest    {domid, uuid, key, value}  key "pod", "app/<i>"; value: raw text, at most
 *                                    GSTATE_VALUE_MAX bytes, non-ASCII bytes as "?"
 *   noisy    {domid, uuid, on}       the guest floods its nodes: it is polled once a second
 *   fault    {message}               something is wrong; when Xen itself is, watch exits 254 next
 *            What a guest wrote before it stopped is sent before the stop; "gone" ends a watch.
 * ---- xenpodd -> xenpod-act (fd 3; the first frame carries the request's descriptors) ------------
 *   exports  {uuid, dir, trees:[{tag, read_only, recursive, file?}], cgroup}   fds: one per tree
 *   network  {uuid, network (spec.h), cgroup}   the pod's network namespace and in it an interface
 *                                    for each network; what an earlier one has left goes first
 *   create   {uuid, generation, store, type, memory_kib, vcpus, spec (guest part),
 *             trees:[{tag, file?}], nets?, guard?, resolv?,
 *             dir, cgroup}           fds: lock, kernel, ramdisk. nets: what `network` answered,
 *                                    {name, ifname, dns?, ifconf, dhcp?} of each; one vif each,
 *                                    tied to its interface before the answer. guard, resolv: spec.h
 *   go       {}                      second frame to a create that waits
 *   unpause  {uuid, generation, domid}   when the waiting create is no more
 *   pause    {uuid, generation, domid}
 *   shutdown {uuid, generation, domid}   writes control/shutdown = poweroff
 *   destroy  {uuid, generation, domid, marked?}   domid -1: whatever carries uuid and generation;
 *                                    then what is in the pod's cgroup ends, too.
 *                                    marked: one without any marker is left alone, too
 *   clear    {uuid, dir, cgroup, network?, nets?, undo?}  end port forwarding, kill and remove the
 *                                    cgroup, unmount exports, remove dir; undo: no domain was made
 *                                    for the network, which is given back at once
 *   release  {uuid, logs:[path], network?, nets?}  what outlives the pod until gc: network, log
 *                                    files (below /var/log/xen, with their rotated .1 .2 ...),
 *                                    last the helper lock's file
 *   common:  every request has op (integer, echoed), store (id), lock (helper lock's path); may
 *            have log: what libxl tells on stderr: debug verbose info warn (default) error
 *   paths:   absolute, without "..", "//" or a last slash; cgroup (of v2) may be null or absent
 * ---- xenpod-act -> xenpodd ---------------------------------------------------------------------
 *   created  {op, domid, qemu_pid}   create only; waits for go (EOF: leaves it paused, exits)
 *   done     {op, dying?, lazy?, nets?}  the request's post-condition holds. dying (destroy): it is
 *                                    still listed, but can never run again. lazy (clear): how
 *                                    many mounts were busy and had to be detached. nets
 *                                    (network): [{name, ifname, file, plugin, args?, ip?, mask?,
 *                                    dns?, ifconf (ifconf.h), dhcp?, result?}] in the request's order.
 *                                    plugin: its path; ip, mask: the first IPv4 address, dotted;
 *                                    result: what the last plugin said, for their DEL
 *   failed   {op, code (err.h name), message}
 *            TimedOut: another helper of the pod holds the lock. NotPossibleNow: the domain is
 *            dying or a stranger's (never touched). NotFound: pause, unpause, shutdown of no
 *            domain. Exists: create while one with that UUID is listed. Full: no memory.
 *            Unavailable: no Xen or no xenstored
 * The process exits 0 after done, 1 after failed; no done/failed before exit means it died. Who
 * takes the helper lock compares what was locked with what the path names: release unlinks it.
 */
#ifndef PROTO_WORLD_H
#define PROTO_WORLD_H

#define WORLD_VERSION 1
#define WORLD_FD      3 /* where both programs find their socket */

/* Domain states as reported. "stopped": shut down, still listed (reason says how). */
#define WORLD_DOMAIN_STATES(X)                                                                     \
	X(RUNNING, "running")                                                                      \
	X(PAUSED, "paused")                                                                        \
	X(STOPPED, "stopped")                                                                      \
	X(DYING, "dying")

/* Shutdown reasons: libxl_types.idl, libxl_shutdown_reason. */
#define WORLD_REASONS(X)                                                                           \
	X(POWEROFF, "poweroff")                                                                    \
	X(REBOOT, "reboot")                                                                        \
	X(SUSPEND, "suspend")                                                                      \
	X(CRASH, "crash")                                                                          \
	X(WATCHDOG, "watchdog")                                                                    \
	X(SOFT_RESET, "soft-reset")

/* Xenstore marker of our domains, below /local/domain/<domid>; Dom-0's, born with the domain. */
#define WORLD_MARK_STORE      "xenpod/store"
#define WORLD_MARK_GENERATION "xenpod/generation"
/* QEMU's pid, written by xenpod-act when create has succeeded, before it answers `created`: tells a
 * domain that only waits for `go` from a half-built one after a crash. */
#define WORLD_MARK_BUILT "xenpod/built"

/* One export per tree: <dir>/tree/<index>, dir = /run/xenpod/pods/<uuid>. */
#define WORLD_TREE_FMT "%s/tree/%zu"

#endif
