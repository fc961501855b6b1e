/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State out of the guest: small nodes below /local/domain/<domid>/data/xenpod/, each replaced by
 * one write, hostile until parsed here (design, "Talking to the guest").
 *
 *   pod      "<seq> booting" | "<seq> running" | "<seq> stopping" | "<seq> ending" | "<seq> done
 * <code>" |
 *            "<seq> failed <text>"        text: at most GSTATE_TEXT_MAX printable ASCII
 *   app/<i>  "<seq> starting" | "<seq> running" | "<seq> exited <code>" | "<seq> killed <signo>" |
 *            "<seq> oom <signo>" |        killed because its memory, or the domain's, was used up
 *            "<seq> failed <code>[ <text>]"  code 203: exec failed (contract 1.4); text: why
 *   next     "<n>"                        the free vchan rendezvous ring is s/<n>
 *
 * <seq> counts up from 1 per node; a reader ignores a value whose seq is not larger than the last.
 */
#ifndef PROTO_GSTATE_H
#define PROTO_GSTATE_H

#include <stddef.h>
#include <stdint.h>

#define GSTATE_DIR       "data/xenpod" /* below the domain's path; guest-writable */
#define GSTATE_RING_FMT  "data/xenpod/s/%u"
#define GSTATE_VALUE_MAX 256
#define GSTATE_TEXT_MAX  200
#define GSTATE_EXEC_FAIL 203

#define GSTATE_KINDS(X)                                                                            \
	X(BOOTING, "booting")                                                                      \
	X(STARTING, "starting")                                                                    \
	X(RUNNING, "running")                                                                      \
	X(STOPPING, "stopping") /* pod: asked to, from outside */                                  \
	X(ENDING, "ending")     /* pod: because its apps ended or one failed */                    \
	X(EXITED, "exited")                                                                        \
	X(KILLED, "killed")                                                                        \
	X(OOM, "oom") /* app: killed, for want of memory */                                        \
	X(DONE, "done")                                                                            \
	X(FAILED, "failed")

enum gstate_kind {
#define X(id, name) GSTATE_##id,
	GSTATE_KINDS(X)
#undef X
		GSTATE_MAX_
};

struct gstate {
	uint32_t seq;
	enum gstate_kind kind;
	int code;                       /* exit code or signal number, 0..255, else 0 */
	char text[GSTATE_TEXT_MAX + 1]; /* "failed" only, else "" */
};

/* Which node a value is for decides which kinds are allowed. */
enum gstate_node { GSTATE_POD, GSTATE_APP };

/* 0, or -1: the value is not of the grammar (anything a guest could write). Never reads past len.
 */
int gstate_parse(enum gstate_node node, const char *value, size_t len, struct gstate *ret);
/* The value's text; returns its length. `buf` has GSTATE_VALUE_MAX bytes. */
size_t gstate_format(const struct gstate *s, char *buf);
/* Parses `next`: 0 and *ret, or -1. */
int gstate_parse_next(const char *value, size_t len, uint32_t *ret);
const char *gstate_kind_name(enum gstate_kind kind);

#endif
