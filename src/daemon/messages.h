/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Journal entries that somebody may look for: each kind has an identifier (systemd.journal-fields(7),
 * MESSAGE_ID), which never changes, and an entry in dist/systemd/xenpod.catalog that says what has
 * happened and what to do (`journalctl -x`). An end of a pod has that of its cause.
 */
#ifndef DAEMON_MESSAGES_H
#define DAEMON_MESSAGES_H

#include "base/log.h"
#include "fsm/cause.h"

#define MESSAGES(X)                                                                                \
	X(TRANSITION, "5a0c6c0ab10f4f0c9d7f3c7be3a1d6f2")                                          \
	X(APP, "8b6f0a1de3d44c0e8a0f6f5c2d9e4b17")                                                 \
	X(COUNTERS, "c1d0f6b27a5e4b0d9e3e61f0a4b7c852")                                            \
	X(RUNNING, "c4a8df244e654feb8f7eb7f8ca74d40c")                                             \
	X(GIVEN_UP, "d92672fa891048fa972af04196b82bda")                                            \
	X(WORLD_LOST, "ea56b198fd364750a1d698adc28c8a3e")                                          \
	X(WORLD_SEEN, "3c7a4426a2e14ff198c0bbfb404602bb")                                          \
	X(RECOVERED, "be0a0b20808e4b4f97979f1b5ebfcc23")                                           \
	X(STORE_FULL, "cd41ed6ab2e9409bb510569c73091530")                                          \
	X(STORE_WRITABLE, "99200f3eada445068cb6a27db265e221")                                      \
	X(STORE_DAMAGED, "edb1f89ca84a4cb2b52d055d6c3eadb1")                                       \
	X(STORE_LOST, "4e8bead7eb724383a116d57bcf74ba82")                                          \
	X(POD_ASIDE, "6e7351bacd474c778656911d3cc4b7ac")                                           \
	X(ORPHAN_SEEN, "06856c3e18234dc681eec74f5b83a146")                                         \
	X(ORPHAN_COLLECTED, "b5a976dc107048e3b2c039ac8e94a5a0")                                    \
	X(ORPHAN_STUCK, "0946e905e3534e80b0add612e2376a5c")                                        \
	X(EXTERNAL, "d1b959d506be439e8584ea57c1b13641")                                            \
	X(GUEST_FLOODS, "3034b6bc891f44bf9ee1c60e1eb8ac27")                                        \
	X(RUN_GONE, "11f5f63dec844fd3a4681064655af6b3")                                            \
	X(CODES_UNWRITTEN, "86a5a3d4f19246d693e33f1cb61ac5c8")                                     \
	X(MISSED_EVENT, "82e0feecd67442088dba2cb8584cfcae")                                        \
	X(HOST_SHUTDOWN, "ada5ebe43ab1465ea2c672549e92b837")                                       \
	X(LOG_TRIMMED, "186d0e6a999440da9442090e4b6bb781")

/* Of the end with that cause (cause.h). */
#define END_MESSAGES(X)                                                                            \
	X(FINISHED, "282e7533a9fc41eb8df5267fba061880")                                            \
	X(STOPPED, "dff070ce1a2344139ec5bd14a3db6b0f")                                             \
	X(KILLED, "78d789102b8d436698e56b86e0f73182")                                              \
	X(RUN_LOST, "ff2e5da5793f43169e8a35d182c12feb")                                            \
	X(SHUTDOWN, "e16450f9f8294f2389c990b55a3a3ef6")                                            \
	X(DESTROYED, "def5446d7ce24125babd04c42c344d97")                                           \
	X(GUEST_REBOOT, "a92ee1ecd84641b8ae2b57c7079b56d9")                                        \
	X(CRASHED, "931afca7f72c493b8800209164a36f8a")                                             \
	X(OOM, "c9932743a2c5471e8e4de7873d9e293d")                                                 \
	X(HOST_REBOOT, "0ad62da5e6b04ad59547559db5068c11")                                         \
	X(HOST_SHUTDOWN, "5bc364b118c2457c8f90c66845dd52b2")                                       \
	X(QEMU_LOST, "c5281edff213406a96d7a3b42cef1617")                                           \
	X(RECORD_LOST, "1734d2b1d4844ab28bb356030b20be30")                                         \
	X(EXPORT_FAILED, "43771e74267943fb94cb9c467fd1e255")                                       \
	X(NETWORK_FAILED, "3f60047eab904c969344ba4d9beca44b")                                      \
	X(CREATE_FAILED, "08c97df7656748528b97b11807641848")                                       \
	X(START_FAILED, "4265836eb0c74ceeb07b0568d4257d99")                                        \
	X(BOOT_TIMEOUT, "7c6ab15c018245a0b4edc3aa7bb7e7ec")                                        \
	X(GUEST_FAILED, "61561d9a3494492c9fc2167d429d08a2")                                        \
	X(RESTART_FAILED, "684c5b61eb904d27b517ae4dbf23b3dd")                                      \
	X(STORE, "58f6bbb294624b4a844dabee95876d32")

enum message {
#define X(name, id) MSG_##name,
	MESSAGES(X)
#undef X
		MSG_MAX_
};

/* 32 lower case hexadecimal digits. */
const char *message_id(enum message m);
const char *message_id_of_end(enum pod_cause cause);

/* A line about a pod. */
#define log_pod(level, uuid, ...)                                                                  \
	log_fields((level), (const struct log_field[]){{"XENPOD_UUID", (uuid)}}, 1, __VA_ARGS__)
/* A line of that kind; `uuid` is the pod's (XENPOD_UUID), NULL: of none. */
#define log_about(level, message, uuid, ...)                                                       \
	log_fields((level),                                                                        \
		(const struct log_field[]){                                                        \
			{"MESSAGE_ID", message_id(message)}, {"XENPOD_UUID", (uuid)}},             \
		2, __VA_ARGS__)

#endif
