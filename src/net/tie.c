/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving and tying: see tie.h. One classifier, cls_bpf, does all of it: a program says which frames go
 * over, its action sends them, and a second program drops what the first left. (A guard of cls_flower
 * would be a rule an address, and could not say what an IPv6 neighbour may claim.)
 */
#include "net/tie.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#include "net/filter.h"
#include "net/link.h"
#include "net/netns.h"

enum {
	PREF_PASS = 1,
	PREF_DROP = 2,
};

/* ---- moving ------------------------------------------------------------------------------------ */

/* Inside, under its old name, or under the new one when all was done before. */
static int find_inside(
	int netns, const char *name, const char *as, struct link *ret, struct err *err)
{
	_cleanup_err_ struct err why = {0};
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(netns, err);
	if (!s)
		return -1;
	if (link_get(s, name, ret, err) == 0)
		return 0;
	if (link_get(s, as, ret, &why) < 0)
		return -1;
	err_done(err);
	return 0;
}

static int rename_inside(int netns, const struct link *l, const char *as, struct err *err)
{
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(netns, err);
	if (!s || link_set_up(s, l, false, err) < 0)
		return -1;
	return link_set_name(s, l, as, err);
}

int tie_move(const char *name, int netns, const char *as, struct err *err)
{
	struct link l;
	_cleanup_err_ struct err why = {0};
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(NETNS_OWN, err);
	if (!s)
		return -1;
	if (link_get(s, name, &l, &why) == 0) {
		if (link_set_netns(s, &l, netns, err) < 0)
			return -1;
	} else if (why.code != ERR_NOTFOUND) {
		err_move(err, &why);
		return -1;
	}
	if (find_inside(netns, name, as, &l, err) < 0)
		return -1;
	return strcmp(l.name, as) == 0 ? 0 : rename_inside(netns, &l, as, err);
}

/* ---- tc ---------------------------------------------------------------------------------------- */

/* One that is there is as good, also the older "ingress": its filters hang at the same place. */
static int add_qdisc(struct nl_sock *s, const struct link *l, struct err *err)
{
	const struct tcmsg head = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = l->index,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
		.tcm_parent = TC_H_CLSACT,
	};
	struct nl_msg *msg =
		nlsock_msg(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
	nlsock_put_text(msg, TCA_KIND, "clsact");
	if (nlsock_do(s, msg, err) < 0) {
		if (errno != EEXIST)
			return err_wrap(err, "put a clsact qdisc on the interface %s", l->name);
		err_done(err);
	}
	return 0;
}

static struct nl_msg *filter_msg(const struct link *l, uint32_t pref)
{
	const struct tcmsg head = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = l->index,
		.tcm_handle = 1, /* the one of its pref: there is one, or it is replaced */
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		.tcm_info = TC_H_MAKE(pref << 16, htons(ETH_P_ALL)),
	};
	struct nl_msg *msg = nlsock_msg(RTM_NEWTFILTER, NLM_F_CREATE, &head, sizeof head);
	nlsock_put_text(msg, TCA_KIND, "bpf");
	return msg;
}

static void put_program(struct nl_msg *msg, const struct filter *f)
{
	uint16_t n = (uint16_t)f->n;
	nlsock_put(msg, TCA_BPF_OPS_LEN, &n, sizeof n);
	nlsock_put(msg, TCA_BPF_OPS, f->op, f->n * sizeof f->op[0]);
}

static void put_redirect(struct nl_msg *msg, const struct link *to)
{
	const struct tc_mirred mirred = {
		.action = TC_ACT_STOLEN,
		.eaction = TCA_EGRESS_REDIR,
		.ifindex = (uint32_t)to->index,
	};
	struct nlattr *actions = nlsock_nest(msg, TCA_BPF_ACT);
	struct nlattr *first = nlsock_nest(msg, 1);
	nlsock_put_text(msg, TCA_ACT_KIND, "mirred");
	struct nlattr *options = nlsock_nest(msg, TCA_ACT_OPTIONS);
	nlsock_put(msg, TCA_MIRRED_PARMS, &mirred, sizeof mirred);
	nla_nest_end(msg, options);
	nla_nest_end(msg, first);
	nla_nest_end(msg, actions);
}

/* What the program passes goes out at `to`. */
static int pass_to(struct nl_sock *s, const struct link *l, const struct filter *f,
	const struct link *to, struct err *err)
{
	struct nl_msg *msg = filter_msg(l, PREF_PASS);
	struct nlattr *options = nlsock_nest(msg, TCA_OPTIONS);
	put_program(msg, f);
	put_redirect(msg, to);
	nla_nest_end(msg, options);
	if (nlsock_do(s, msg, err) < 0)
		return err_wrap(err, "redirect frames from %s to %s", l->name, to->name);
	return 0;
}

/* What no program passed. Here the program's answer is the action itself. */
static int drop_rest(struct nl_sock *s, const struct link *l, struct err *err)
{
	struct filter f = {.op = {{.code = BPF_RET | BPF_K, .k = TC_ACT_SHOT}}, .n = 1};
	struct nl_msg *msg = filter_msg(l, PREF_DROP);
	struct nlattr *options = nlsock_nest(msg, TCA_OPTIONS);
	put_program(msg, &f);
	nlsock_put_u32(msg, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	nla_nest_end(msg, options);
	if (nlsock_do(s, msg, err) < 0)
		return err_wrap(err, "drop the other frames of %s", l->name);
	return 0;
}

/* ---- tying ------------------------------------------------------------------------------------- */

static int tie_frames(struct nl_sock *s, const struct tie *t, const struct link *vif,
	const struct link *cni, struct err *err)
{
	struct filter out;
	struct filter in;
	if (t->guard)
		filter_guard(&out, t->guard, t->dhcp);
	else
		filter_all(&out);
	if (t->dhcp)
		filter_no_dhcp(&in);
	else
		filter_all(&in);
	/* The drop first: no frame of the guest's ever meets this namespace's own network stack. */
	if (add_qdisc(s, vif, err) < 0 || add_qdisc(s, cni, err) < 0 ||
		drop_rest(s, vif, err) < 0 || pass_to(s, vif, &out, cni, err) < 0)
		return -1;
	return pass_to(s, cni, &in, vif, err);
}

static int tie_links(struct nl_sock *s, const struct tie *t, struct err *err)
{
	struct link vif;
	struct link cni;
	if (link_get(s, t->vif, &vif, err) < 0 || link_get(s, t->cni, &cni, err) < 0)
		return -1;
	if (link_set_no_ipv6(s, &vif, err) < 0 || tie_frames(s, t, &vif, &cni, err) < 0)
		return -1;
	if (vif.mtu != cni.mtu && link_set_mtu(s, &vif, cni.mtu, err) < 0)
		return -1;
	return link_set_up(s, &cni, true, err) < 0 ? -1 : link_set_up(s, &vif, true, err);
}

int tie_make(int netns, const struct tie *t, struct err *err)
{
	if (t->guard && ifconf_check(t->guard, err) < 0)
		return -1;
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(netns, err);
	if (!s)
		return -1;
	if (tie_links(s, t, err) < 0)
		return err_wrap(err, "tie %s to %s", t->vif, t->cni);
	return 0;
}
