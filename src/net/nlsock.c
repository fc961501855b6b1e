/* SPDX-License-Identifier: Apache-2.0 */
/* libnl's sockets and messages: see nlsock.h. */
#include "net/nlsock.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/handlers.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "net/netns.h"

#define MSG_SIZE   32768 /* more than a filter program of BPF_MAXINSNS needs */
#define DUMP_TRIES 8
#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/* ---- sockets ----------------------------------------------------------------------------------- */

static int connect_here(void *arg, struct err *err)
{
	struct nl_sock *s = arg;
	int on = 1;
	int r = nl_connect(s, NETLINK_ROUTE);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, "open rtnetlink: %s", nl_geterror(r));
	/* The kernel's own sentence about a refusal; without it an errno has to do. */
	(void)setsockopt(nl_socket_get_fd(s), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
	/* Kernels that know it refuse what they would otherwise grumble about in their log. */
	(void)setsockopt(nl_socket_get_fd(s), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
	return 0;
}

struct nl_sock *nlsock_open(int netns, struct err *err)
{
	struct nl_sock *s = nl_socket_alloc();
	if (!s)
		abort();
	if (netns_run(netns, connect_here, s, err) < 0)
		nlsock_close(&s);
	return s;
}

void nlsock_close(struct nl_sock **s)
{
	if (*s)
		nl_socket_free(*s);
	*s = NULL;
}

/* ---- messages ---------------------------------------------------------------------------------- */

struct nl_msg *nlsock_msg(int type, int flags, const void *head, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_size(MSG_SIZE);
	if (!msg ||
		!nlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, type, (int)len, NLM_F_REQUEST | flags))
		abort();
	memcpy(nlmsg_data(nlmsg_hdr(msg)), head, len);
	return msg;
}

void nlsock_put(struct nl_msg *msg, int attr, const void *data, size_t len)
{
	if (nla_put(msg, attr, (int)len, data) < 0)
		abort();
}

void nlsock_put_u32(struct nl_msg *msg, int attr, uint32_t v)
{
	nlsock_put(msg, attr, &v, sizeof v);
}

void nlsock_put_text(struct nl_msg *msg, int attr, const char *text)
{
	nlsock_put(msg, attr, text, strlen(text) + 1);
}

struct nlattr *nlsock_nest(struct nl_msg *msg, int attr)
{
	struct nlattr *nest = nla_nest_start(msg, attr);
	if (!nest)
		abort();
	return nest;
}

int nlsock_parse(struct nlmsghdr *h, size_t len, struct nlattr **a, int max, struct err *err)
{
	int r = nlmsg_parse(h, (int)len, a, max, NULL);
	return r < 0 ? err_set(err, ERR_SYSTEM, "rtnetlink's answer: %s", nl_geterror(r)) : 0;
}

uint32_t nlsock_u32(const struct nlattr *a, uint32_t dflt)
{
	return a && nla_len(a) >= (int)sizeof(uint32_t) ? nla_get_u32(a) : dflt;
}

/* ---- conversations ----------------------------------------------------------------------------- */

struct talk {
	nlsock_fn fn;
	void *arg;
	struct err *err;
	int error; /* the kernel's errno, or -1: fn's own error */
	bool interrupted;
	bool over;
};

/* What follows the refused request, see struct nlmsgerr: only its head comes back if it was capped. */
static const char *kernel_text(struct nlmsgerr *e)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)((char *)e - NLMSG_HDRLEN);
	size_t skip = sizeof *e;
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += e->msg.nlmsg_len - NLMSG_HDRLEN;
	if (h->nlmsg_len < NLMSG_HDRLEN + NLMSG_ALIGN(skip))
		return NULL;
	struct nlattr *first = (struct nlattr *)(void *)((char *)e + NLMSG_ALIGN(skip));
	int len = (int)(h->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(skip));
	const struct nlattr *text = nla_find(first, len, NLMSGERR_ATTR_MSG);
	if (!text || nla_len(text) < 1 || ((char *)nla_data(text))[nla_len(text) - 1] != '\0')
		return NULL;
	return nla_data(text);
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	struct talk *t = arg;
	const char *text = kernel_text(e);
	(void)from;
	t->error = -e->error;
	t->over = true;
	errno = t->error;
	err_sys(t->err, "%s", text && text[0] ? text : "the kernel says");
	return NL_STOP;
}

static int on_object(struct nl_msg *msg, void *arg)
{
	struct talk *t = arg;
	struct nlmsghdr *h = nlmsg_hdr(msg);
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		t->interrupted = true;
	if (!t->fn || t->error || t->fn(h, t->arg, t->err) == 0)
		return NL_OK;
	t->error = -1;
	return NL_OK; /* the rest is read, and dropped: the next request must not find it */
}

static int on_end(struct nl_msg *msg, void *arg)
{
	struct talk *t = arg;
	if (nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP_INTR)
		t->interrupted = true;
	t->over = true;
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct talk *t = arg;
	(void)msg;
	t->over = true;
	return NL_STOP;
}

static struct nl_cb *callbacks(struct talk *t)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!cb || nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_object, t) < 0 ||
		nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, t) < 0 ||
		nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, t) < 0 ||
		nl_cb_err(cb, NL_CB_CUSTOM, on_error, t) < 0)
		abort();
	return cb;
}

/* Sends and reads until the acknowledgement, the table's end or a refusal. */
static int converse(struct nl_sock *s, struct nl_msg *msg, struct talk *t)
{
	struct nl_cb *cb = callbacks(t);
	int r = nl_send_auto(s, msg);
	nlmsg_free(msg);
	while (r >= 0 && !t->over)
		r = nl_recvmsgs(s, cb);
	nl_cb_put(cb);
	if (t->error) {
		errno = t->error > 0 ? t->error : EIO;
		return -1;
	}
	if (r < 0 && r != -NLE_DUMP_INTR) {
		err_set(t->err, ERR_SYSTEM, "rtnetlink: %s", nl_geterror(r));
		errno = EIO;
		return -1;
	}
	t->interrupted = t->interrupted || r == -NLE_DUMP_INTR;
	return 0;
}

int nlsock_do(struct nl_sock *s, struct nl_msg *msg, struct err *err)
{
	return nlsock_get(s, msg, NULL, NULL, err);
}

int nlsock_get(struct nl_sock *s, struct nl_msg *msg, nlsock_fn fn, void *arg, struct err *err)
{
	struct talk t = {.fn = fn, .arg = arg, .err = err};
	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_ACK;
	return converse(s, msg, &t);
}

/* Each table's header begins with the family, AF_UNSPEC (0) for all; the kernel minds its length. */
static size_t head_size(int type)
{
	switch (type) {
	case RTM_GETADDR:
		return sizeof(struct ifaddrmsg);
	case RTM_GETROUTE:
		return sizeof(struct rtmsg);
	case RTM_GETNEIGH:
		return sizeof(struct ndmsg);
	default:
		return sizeof(struct ifinfomsg);
	}
}

int nlsock_dump(struct nl_sock *s, int type, nlsock_fn fn, void *arg, struct err *err)
{
	const struct ifinfomsg head = {.ifi_family = AF_UNSPEC}; /* none is longer */
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct talk t = {.fn = fn, .arg = arg, .err = err};
		if (fn(NULL, arg, err) < 0 ||
			converse(s, nlsock_msg(type, NLM_F_DUMP, &head, head_size(type)), &t) < 0)
			return -1;
		if (!t.interrupted)
			return 0;
	}
	return err_set(
		err, ERR_UNAVAILABLE, "the kernel's table changes faster than it can be read");
}
