/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and numbers of capabilities(7), as manifests write them and the kernel counts them. Our own
 * list, because static programs use it that need nothing else of libcap.
 */
#ifndef PROTO_CAPS_H
#define PROTO_CAPS_H

#include <stdint.h>

#define CAPS_ALL  ((UINT64_C(1) << CAPS_MAX_) - 1)
#define CAPS_LAST (CAPS_MAX_ - 1)

/* In the order of <linux/capability.h>. */
#define CAPS(X)                                                                                    \
	X(CHOWN)                                                                                   \
	X(DAC_OVERRIDE)                                                                            \
	X(DAC_READ_SEARCH)                                                                         \
	X(FOWNER)                                                                                  \
	X(FSETID)                                                                                  \
	X(KILL)                                                                                    \
	X(SETGID)                                                                                  \
	X(SETUID)                                                                                  \
	X(SETPCAP)                                                                                 \
	X(LINUX_IMMUTABLE)                                                                         \
	X(NET_BIND_SERVICE)                                                                        \
	X(NET_BROADCAST)                                                                           \
	X(NET_ADMIN)                                                                               \
	X(NET_RAW)                                                                                 \
	X(IPC_LOCK)                                                                                \
	X(IPC_OWNER)                                                                               \
	X(SYS_MODULE)                                                                              \
	X(SYS_RAWIO)                                                                               \
	X(SYS_CHROOT)                                                                              \
	X(SYS_PTRACE)                                                                              \
	X(SYS_PACCT)                                                                               \
	X(SYS_ADMIN)                                                                               \
	X(SYS_BOOT)                                                                                \
	X(SYS_NICE)                                                                                \
	X(SYS_RESOURCE)                                                                            \
	X(SYS_TIME)                                                                                \
	X(SYS_TTY_CONFIG)                                                                          \
	X(MKNOD)                                                                                   \
	X(LEASE)                                                                                   \
	X(AUDIT_WRITE)                                                                             \
	X(AUDIT_CONTROL)                                                                           \
	X(SETFCAP)                                                                                 \
	X(MAC_OVERRIDE)                                                                            \
	X(MAC_ADMIN)                                                                               \
	X(SYSLOG)                                                                                  \
	X(WAKE_ALARM)                                                                              \
	X(BLOCK_SUSPEND)                                                                           \
	X(AUDIT_READ)                                                                              \
	X(PERFMON)                                                                                 \
	X(BPF)                                                                                     \
	X(CHECKPOINT_RESTORE)

enum caps_number {
#define X(name) CAPS_##name,
	CAPS(X)
#undef X
		CAPS_MAX_
};

#define CAPS_BIT(name) (UINT64_C(1) << CAPS_##name)
/* What rkt leaves an app when nobody says otherwise (contract 3.4), the same fourteen as docker. */
#define CAPS_RKT                                                                                   \
	(CAPS_BIT(AUDIT_WRITE) | CAPS_BIT(CHOWN) | CAPS_BIT(DAC_OVERRIDE) | CAPS_BIT(FSETID) |     \
		CAPS_BIT(FOWNER) | CAPS_BIT(KILL) | CAPS_BIT(MKNOD) | CAPS_BIT(NET_RAW) |          \
		CAPS_BIT(NET_BIND_SERVICE) | CAPS_BIT(SETUID) | CAPS_BIT(SETGID) |                 \
		CAPS_BIT(SETPCAP) | CAPS_BIT(SETFCAP) | CAPS_BIT(SYS_CHROOT))

/* "CAP_CHOWN" in any case -> its number; -1: there is no such capability. */
int caps_from_name(const char *name);
/* "CAP_..."; NULL beyond CAPS_LAST. */
const char *caps_name(int number);

#endif
