/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for interfaces and waiting for them: see links.h. */
#include "net/links.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/link.h"

/* ---- looking ----------------------------------------------------------------------------------- */

int links_exists(int netns, const char *name, bool *ret, struct err *err)
{
	struct link l;
	_cleanup_err_ struct err why = {0};
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(netns, err);
	if (!s)
		return -1;
	int r = link_get(s, name, &l, &why);
	if (r < 0 && why.code != ERR_NOTFOUND) {
		err_move(err, &why);
		return -1;
	}
	*ret = r == 0;
	return 0;
}

int links_find(int netns, const char *prefix, char ret_name[IF_NAMESIZE], struct err *err)
{
	_cleanup_free_ struct link *list = NULL;
	size_t n = 0;
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(netns, err);
	if (!s || link_list(s, &list, &n, err) < 0)
		return -1;
	ret_name[0] = '\0';
	for (size_t i = 0; i < n && !ret_name[0]; i++)
		if (strncmp(list[i].name, prefix, strlen(prefix)) == 0)
			memcpy(ret_name, list[i].name, IF_NAMESIZE);
	return 0;
}

/* ---- waiting ----------------------------------------------------------------------------------- */

/* What came is thrown away: it only says that looking again is worth while, as does a lost message. */
static void drain(int fd)
{
	char bytes[8192];
	ssize_t n = 0;
	do
		n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
	while (n > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR)));
}

/* 1: it is there; 0: not yet, and what is missing is told in `err`. */
typedef int (*look_fn)(struct nl_sock *s, void *arg, struct err *err);

static int wait_until(int netns, int timeout_ms, look_fn look, void *arg, struct err *err)
{
	int64_t end = clock_ms() + timeout_ms;
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(netns, err);
	_cleanup_nlsock_ struct nl_sock *news = s ? nlsock_open(netns, err) : NULL;
	if (!news)
		return -1;
	/* Before the first look: what comes after it is not missed. */
	if (nl_socket_add_membership(news, RTNLGRP_LINK) < 0)
		return err_set(err, ERR_SYSTEM, "listen for interfaces");
	struct pollfd p = {.fd = nl_socket_get_fd(news), .events = POLLIN};
	for (;;) {
		int64_t left = end - clock_ms();
		int r = look(s, arg, err);
		if (r != 0 || left <= 0)
			return r < 0 ? -1 : r - 1;
		err_done(err);
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return err_sys(err, "wait for interfaces");
		drain(p.fd);
	}
}

struct wanted {
	const char *const *names;
	size_t n;
};

static int look_for_names(struct nl_sock *s, void *arg, struct err *err)
{
	const struct wanted *w = arg;
	for (size_t i = 0; i < w->n; i++) {
		struct link l;
		_cleanup_err_ struct err why = {0};
		if (link_get(s, w->names[i], &l, &why) == 0)
			continue;
		if (why.code != ERR_NOTFOUND) {
			err_move(err, &why);
			return -1;
		}
		err_set(err, ERR_TIMEOUT, "the interface %s does not appear", w->names[i]);
		return 0;
	}
	return 1;
}

int links_wait(int netns, const char *const *names, size_t n, int timeout_ms, struct err *err)
{
	struct wanted w = {names, n};
	return wait_until(netns, timeout_ms, look_for_names, &w, err);
}

struct wanted_mac {
	const uint8_t *mac;
	char name[IF_NAMESIZE];
};

static int look_for_mac(struct nl_sock *s, void *arg, struct err *err)
{
	struct wanted_mac *w = arg;
	_cleanup_free_ struct link *list = NULL;
	size_t n = 0;
	char text[IFCONF_MAC_TEXT];
	const struct link *found = NULL;
	ifconf_mac_text(w->mac, text);
	if (link_list(s, &list, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!list[i].ethernet || memcmp(list[i].mac, w->mac, IFCONF_MAC_LEN) != 0)
			continue;
		if (found)
			return err_set(err, ERR_EXISTS, "%s and %s both have the MAC %s",
				found->name, list[i].name, text);
		found = &list[i];
	}
	if (found)
		memcpy(w->name, found->name, IF_NAMESIZE);
	else
		err_set(err, ERR_TIMEOUT, "no interface with the MAC %s appears", text);
	return found != NULL;
}

int links_wait_mac(int netns, const uint8_t mac[IFCONF_MAC_LEN], int timeout_ms,
	char ret_name[IF_NAMESIZE], struct err *err)
{
	struct wanted_mac w = {.mac = mac};
	if (wait_until(netns, timeout_ms, look_for_mac, &w, err) < 0)
		return -1;
	memcpy(ret_name, w.name, IF_NAMESIZE);
	return 0;
}
