/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod spec: what `run` makes of rkt's manifests, what the supervisor stores, and (its "guest"
 * part) what xenpod-init finds as /xenpod/spec.json in its ramdisk. docs/GUEST-PROTOCOL.md shows
 * one. It is plain JSON made with jansson; this header names the members and checks a whole one.
 * Nothing of it is decided again later: what a manifest leaves open, `run` has filled in.
 *
 * accept request, sent by `run` with descriptors in the order of "fds":
 *   uuid         text
 *   dir          pod directory's path when accepted (for people; never opened again)
 *   owner        "rkt" or "xenpod": who prepared the pod directory
 *   type         "auto" | "pv" | "pvh"
 *   memory_kib   integer, size of the domain; whole MiB
 *   vcpus        integer
 *   net          names of its networks for people, "none" when there are none
 *   network?     absent: none are made
 *     nets       [network...] in the order of eth0, eth1 ... (src/cni/conf.h), SPEC_MAX_NETS
 *     path       [directory...] where plugins are looked for
 *     ports?     [{protocol "tcp"|"udp", host_ip, host_port, port}] of the host that lead to the pod
 *     target?    index of the network whose address they lead to
 *     guard?     bool (false)   the domain can use no addresses but its own
 *     resolv?    bool (false)   DNS of the first network that tells some becomes the file
 *                               /etc/resolv.conf of each app
 *   restart?     {policy "never"|"on-failure"|"always", limit?, start?}: the pod comes back, for owner
 *                "xenpod" only. limit: so many short lives one after the other, 0 any number (10);
 *                start: number of the life, 0 the first (API_ENV_START)
 *   trees        [{tag, read_only, recursive, file?, host?}]  one 9p export each, in the order of the tree
 *                fds. file: the descriptor is the mount of a file (9p exports directories only);
 *                the exported directory holds it under this name and nothing else. host: it is
 *                the host's own, where others find it: no setuid file or device is made in it
 *   fds          ["lock","status","kernel","ramdisk","tree/0",...] names of the passed descriptors
 *   guest        the guest's part:
 *     version      1
 *     uuid, hostname, machine_id
 *     generation   set by the supervisor
 *     debug        bool: xenpod-init tells each step on the console
 *     streams      bool: a client will come for the apps' output, the end waits for it
 *     grace_ms     TERM to KILL at a stop
 *     net?         [ifconf (ifconf.h)...] its interfaces beside lo; set when they are made (none)
 *     filters      ["base64"...] seccomp(2) programs: arrays of struct sock_filter, for "seccomp"
 *     apps         what follows, one each
 *
 *   Of an app; what is optional is marked with ? and what its absence means stands behind it:
 *     name, tag, exec[], user, group, gids[], cwd, env["K=V"]
 *     read_only?   bool (false)    the root is read-only; volumes have their own word
 *     default_path? bool (false)   env's PATH is the default, none of the app's own: a bare exec[0] is
 *                                  looked for in cwd, /bin and /usr/bin (contract 3.2)
 *     docker?      bool (false)    the image comes from docker: its rule for groups
 *     tty?         bool (false)    one pseudo-terminal for all three streams; stdin is "stream"
 *     rows?, cols? 0..65535 (0)    with "tty": its size before the app starts; WINCH frames change
 *                                  it later. 0: not known
 *     stdin?       "null" (null) | "stream"
 *     stdout?, stderr?  "stream" (stream) | "null"
 *     notify?      bool (false)    it says READY=1 itself, see sd_notify(3), before it counts as
 *                                  running
 *     pre_start?, post_stop?  [exec]  run as root in its root before and after it (none)
 *     mounts?      [{path, tag, sub, read_only}] in the order in which they are mounted (none).
 *                  path: in the app's root, its links resolved there; tag: of a tree; sub: what of
 *                  the tree, a relative path without "..", "" for all of it
 *     files?       [{path, text, if_absent}] mounted after the volumes over what is there;
 *                  if_absent: only when nothing is there (none)
 *     protect?     bool (true)     the paths of contract 3.4 are read-only or hidden
 *     caps?        ["CAP_CHOWN"...] the bounding set (all)
 *     no_new_privileges?  bool (false)
 *     seccomp?     index into "filters" (no filter)
 *     oom_score_adj?  -1000..1000 (0)
 *     cpu_shares?  2..262144       weight among the pod's apps (1024)
 *     memory_bytes?  limit of the app's cgroup (none)
 *     cpu_milli?   thousandths of a core (none)
 */
#ifndef PROTO_SPEC_H
#define PROTO_SPEC_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

#define SPEC_VERSION        1
#define SPEC_PATH_IN_GUEST  "/xenpod/spec.json"
#define SPEC_MAX_APPS       32 /* one xenstore node each; quota of a guest is 1000 nodes */
#define SPEC_MAX_TREES      48 /* one 9p device each; also bounds the fds of one request */
#define SPEC_NAME_MAX       64
#define SPEC_TAG_MAX        31 /* what libxl and QEMU carry without cutting it off */
#define SPEC_MAX_NETS       16 /* one vif each */
#define SPEC_MAX_PORTS      64
#define SPEC_MAX_DIRS       16          /* where plugins are */
#define SPEC_NET_SIZE_MAX   (64 * 1024) /* "network" as text: it travels beside the guest's part */
#define SPEC_MAX_GIDS       64          /* supplementary groups of one app */
#define SPEC_MAX_GIDS_TEXT  "64"
#define SPEC_GRACE_MS       8000    /* inside the 15 s that rkt's own test allows a stop */
#define SPEC_MEMORY_KIB     1048576 /* 1 GiB */
#define SPEC_MEMORY_MIN_KIB (64 * 1024)
/* libxl counts a PVH domain's memory in whole MiB in one place and in KiB in another, and fails with
 * "can't allocate low memory" where the two differ. */
#define SPEC_MEMORY_STEP_KIB 1024
#define SPEC_MEMORY_MAX_KIB  (16LL * 1024 * 1024 * 1024) /* 16 TiB: more is a slip of the pen */
#define SPEC_GRACE_MAX_MS    (24 * 3600 * 1000)
#define SPEC_TTY_SIZE_MAX    65535 /* struct winsize, and the WINCH frame, have 16 bits */
#define SPEC_RESTARTS_MAX    1000000
#define SPEC_VCPUS           2
#define SPEC_VCPUS_MAX       128
/* The guest's part as text. It travels in one frame beside a few other members (base/frame.h). */
#define SPEC_SIZE_MAX       (480 * 1024)
#define SPEC_MAX_MOUNTS     64    /* of one app */
#define SPEC_MAX_FILES      16    /* of one app */
#define SPEC_FILE_MAX       65536 /* a hosts file is the largest that is meant */
#define SPEC_FILTER_MAX     4096  /* instructions: BPF_MAXINSNS of the kernel */
#define SPEC_OOM_ADJ_MAX    1000
#define SPEC_CPU_SHARES     1024
#define SPEC_CPU_SHARES_MIN 2
#define SPEC_CPU_SHARES_MAX 262144

/* Checks an accept request as the supervisor needs it; ERR_INVALID names the member. */
int spec_check_request(const json_t *request, struct err *err);
/* Would sethostname(2) and a hosts file take it? At most 64 of letters, digits, "-", "." and "_". */
bool spec_hostname_valid(const char *name);
/* Checks the guest's part (also used by xenpod-init on what it reads). */
int spec_check_guest(const json_t *guest, struct err *err);

#endif
