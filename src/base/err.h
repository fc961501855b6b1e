/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One error object for the whole of xenpod: set where a fault is met, wrapped once per level on the
 * way up, printed once by whoever decides what happens next. It knows nothing of logs or exits.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

/*
 * The kinds that callers tell apart. Names go over the wire as "io.xenpod.<name>" and into
 * history rows; err_exit_status() maps them to exit codes.
 */
#define ERR_CODES(X)                                                                               \
	X(OK, "Ok")                                                                                \
	X(INVALID, "Invalid")         /* input that cannot be accepted; names the thing */         \
	X(NOTFOUND, "NotFound")       /* no such pod, app, file, domain */                         \
	X(EXISTS, "Exists")           /* it is already there */                                    \
	X(DENIED, "Denied")           /* not permitted, not root */                                \
	X(STATE, "NotPossibleNow")    /* the pod's state does not allow it */                      \
	X(UNAVAILABLE, "Unavailable") /* supervisor, Xen or xenstore not there */                  \
	X(TIMEOUT, "TimedOut")                                                                     \
	X(FULL, "Full")               /* disk, memory, a limit of ours */                          \
	X(UNSUPPORTED, "Unsupported") /* known, and refused with the reason */                     \
	X(STORE, "Store")             /* the database is wrong, newer or corrupt */                \
	X(SYSTEM, "System")           /* anything else the kernel or a library said */

enum err_code {
#define X(id, name) ERR_##id,
	ERR_CODES(X)
#undef X
		ERR_MAX_
};

/*
 * The message is UTF-8 whatever went into it: it goes out as JSON, and names that are cut short, or
 * come from a disk, may not be. What is none becomes "?".
 */
struct err {
	enum err_code code;
	char *msg; /* owned; NULL iff nothing was set */
};

/* {0} is a valid, empty error. err_done() empties one again; harmless when empty. */
void err_done(struct err *err);

/* Sets (replacing what was there). `err` may be NULL: then nothing is kept. Always returns -1. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set with ": strerror(errno)" appended; ENOSPC, EACCES ... choose the code. Returns -1. */
int err_sys(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "text: " before the message, keeping the code. Returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__
/* The analyzer sees one file at a time: without this it follows paths where these answer 0. */
#define err_set(...)  ((err_set)(__VA_ARGS__), -1)
#define err_sys(...)  ((err_sys)(__VA_ARGS__), -1)
#define err_wrap(...) ((err_wrap)(__VA_ARGS__), -1)
#endif

/* The message, never NULL. Lives as long as `err` is not changed. */
const char *err_msg(const struct err *err);

/* Moves `from` into `to`; `from` is empty afterwards. `to` may be NULL. */
void err_move(struct err *to, struct err *from);

const char *err_code_name(enum err_code code);
/* ERR_SYSTEM for a name that is not in the list. */
enum err_code err_code_from_name(const char *name);

/* The exit code of a fault of ours in a hook: always 254 (contract 1.4). */
#define XENPOD_EXIT_FAILURE 254

#define _cleanup_err_ __attribute__((cleanup(err_done)))

#endif
