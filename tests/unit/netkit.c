/* SPDX-License-Identifier: Apache-2.0 */
/* See netkit.h. */
#include "unit.h"

#include "netkit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "fdcount.h"
#include "net/netns.h"
#include "proto/ifconf.h"

#define TEXT_MAX     65536
#define DATAGRAM_MAX 65536

int netkit_setup(void **state)
{
	static int private_mounts;
	if (!private_mounts++ && (unshare(CLONE_NEWNS) < 0 ||
					 mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0))
		return -1;
	if (unshare(CLONE_NEWNET) < 0 || mount("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0)
		return -1;
	netkit_sh("ip link set lo up");
	return fd_count_setup(state);
}

int netkit_teardown(void **state)
{
	int r = fd_count_teardown(state);
	return umount2("/run", MNT_DETACH) < 0 ? -1 : r;
}

void netkit_sh(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	_cleanup_free_ char *cmd = xvasprintf(fmt, ap);
	va_end(ap);
	int r = system(cmd);
	if (r != 0)
		fail_msg("status %d of: %s", r, cmd);
}

char *netkit_read(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	_cleanup_free_ char *cmd = xvasprintf(fmt, ap);
	va_end(ap);
	char *text = xcalloc(1, TEXT_MAX);
	FILE *f = popen(cmd, "re");
	assert_non_null(f);
	size_t n = fread(text, 1, TEXT_MAX - 1, f);
	text[n] = '\0';
	assert_int_equal(pclose(f), 0);
	return text;
}

int netkit_ns(const char *name)
{
	struct err err = {0};
	int fd = -1;
	assert_ok(netns_make(name, &err), &err);
	assert_ok(netns_open(name, &fd, &err), &err);
	return fd;
}

/* ---- sockets ----------------------------------------------------------------------------------- */

struct want {
	int domain;
	int type;
	int protocol;
	int fd;
};

static int open_here(void *arg, struct err *err)
{
	struct want *w = arg;
	w->fd = socket(w->domain, w->type | SOCK_CLOEXEC, w->protocol);
	return w->fd < 0 ? err_sys(err, "socket") : 0;
}

int netkit_socket(int netns, int domain, int type, int protocol)
{
	struct err err = {0};
	struct want w = {domain, type, protocol, -1};
	const struct timeval limit = {.tv_sec = NETKIT_MS / 1000};
	assert_ok(netns_run(netns, open_here, &w, &err), &err);
	assert_int_equal(setsockopt(w.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
	return w.fd;
}

static socklen_t address(const char *ip, int port, struct sockaddr_storage *ret)
{
	struct ipaddr a;
	assert_int_equal(ifconf_parse_addr(ip, &a), 0);
	memset(ret, 0, sizeof *ret);
	if (a.family == AF_INET) {
		struct sockaddr_in *in = (void *)ret;
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		memcpy(&in->sin_addr, a.bytes, 4);
		return sizeof *in;
	}
	struct sockaddr_in6 *in6 = (void *)ret;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	memcpy(&in6->sin6_addr, a.bytes, 16);
	return sizeof *in6;
}

int netkit_udp(int netns, const char *ip, int port)
{
	struct sockaddr_storage at;
	socklen_t len = address(ip, port, &at);
	int fd = netkit_socket(netns, at.ss_family, SOCK_DGRAM, 0);
	if (bind(fd, (void *)&at, len) < 0)
		fail_msg("bind %s: %s", ip, strerror(errno));
	return fd;
}

void netkit_send(int fd, const char *ip, int port, const void *data, size_t len)
{
	struct sockaddr_storage to;
	socklen_t to_len = address(ip, port, &to);
	if (sendto(fd, data, len, 0, (void *)&to, to_len) != (ssize_t)len)
		fail_msg("send to %s: %s", ip, strerror(errno));
}

void netkit_recv(int fd, size_t len)
{
	_cleanup_free_ char *data = xmalloc(DATAGRAM_MAX);
	assert_int_equal(recv(fd, data, DATAGRAM_MAX, 0), len);
}

void netkit_echo(int fd, size_t len)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof from;
	_cleanup_free_ char *data = xmalloc(DATAGRAM_MAX);
	assert_int_equal(recvfrom(fd, data, DATAGRAM_MAX, 0, (void *)&from, &from_len), len);
	assert_int_equal(sendto(fd, data, len, 0, (void *)&from, from_len), len);
}

struct index {
	const char *name;
	int index;
};

static int index_here(void *arg, struct err *err)
{
	struct index *i = arg;
	i->index = (int)if_nametoindex(i->name);
	return i->index ? 0 : err_sys(err, "%s", i->name);
}

int netkit_packet(int netns, const char *ifname, int type, int protocol)
{
	struct err err = {0};
	struct index i = {ifname, 0};
	assert_ok(netns_run(netns, index_here, &i, &err), &err);
	int fd = netkit_socket(netns, AF_PACKET, type, 0);
	const struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons((uint16_t)protocol),
		.sll_ifindex = i.index,
	};
	assert_int_equal(bind(fd, (const void *)&at, sizeof at), 0);
	return fd;
}
