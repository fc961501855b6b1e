/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conversation with rtnetlink(7), over libnl-3: one request and its answer, or a whole table, with
 * what the kernel says about a refusal. The only header of this room that shows the library.
 */
#ifndef NET_NLSOCK_H
#define NET_NLSOCK_H

#include <stddef.h>
#include <stdint.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "base/err.h"

struct nl_sock;

/* Opened in a namespace (a descriptor or NETNS_OWN), it stays there. NULL on error. */
struct nl_sock *nlsock_open(int netns, struct err *err);
void nlsock_close(struct nl_sock **s);
#define _cleanup_nlsock_ __attribute__((cleanup(nlsock_close)))

/* A request: its type, flags (NLM_F_...) and the family's header. */
struct nl_msg *nlsock_msg(int type, int flags, const void *head, size_t len);
/* Attributes: there is always room. */
void nlsock_put(struct nl_msg *msg, int attr, const void *data, size_t len);
void nlsock_put_u32(struct nl_msg *msg, int attr, uint32_t v);
void nlsock_put_text(struct nl_msg *msg, int attr, const char *text);
struct nlattr *nlsock_nest(struct nl_msg *msg, int attr);

/*
 * Sends `msg`, which is freed, and waits for the kernel's word. Refused: -1, errno is the kernel's and
 * the error has its text.
 */
int nlsock_do(struct nl_sock *s, struct nl_msg *msg, struct err *err);

/* Is told of one object; a -1 of it ends the conversation. */
typedef int (*nlsock_fn)(struct nlmsghdr *h, void *arg, struct err *err);

/* As nlsock_do(), for a request that is answered by an object. */
int nlsock_get(struct nl_sock *s, struct nl_msg *msg, nlsock_fn fn, void *arg, struct err *err);

/*
 * All objects of a table (RTM_GETADDR ...). A table that changes meanwhile is told again from its
 * beginning: `fn` is called with NULL first, each time.
 */
int nlsock_dump(struct nl_sock *s, int type, nlsock_fn fn, void *arg, struct err *err);

/* The attributes behind a family's header of `len` bytes: a[0..max]. -1: it is no such message. */
int nlsock_parse(struct nlmsghdr *h, size_t len, struct nlattr **a, int max, struct err *err);
/* Of an attribute: its number, or `dflt` when it is not there or too short. */
uint32_t nlsock_u32(const struct nlattr *a, uint32_t dflt);

#endif
