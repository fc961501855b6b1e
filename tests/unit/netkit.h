/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network and mount namespaces of a test's own, with its own /run: what is made is seen by nobody else
 * and gone with the process. Interfaces are made by ip(8), so that two different programs agree on
 * what is there. Needs root.
 */
#ifndef UNIT_NETKIT_H
#define UNIT_NETKIT_H

#include <stddef.h>

#define NETKIT_MS 10000 /* what must come, comes at once; a busy machine may take its time */

/* Of each test: an empty namespace; fails the test when it leaves descriptors open. */
int netkit_setup(void **state);
int netkit_teardown(void **state);
#define net_test(test) cmocka_unit_test_setup_teardown(test, netkit_setup, netkit_teardown)

/* A command of the shell, which must succeed. */
void netkit_sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What it prints; caller frees. */
char *netkit_read(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Makes a named namespace and opens it. */
int netkit_ns(const char *name);

/* A socket in a namespace, as socket(2), with a time limit for reading. */
int netkit_socket(int netns, int domain, int type, int protocol);
/* A UDP socket at this address and port. */
int netkit_udp(int netns, const char *ip, int port);
/* Sends a datagram. */
void netkit_send(int fd, const char *ip, int port, const void *data, size_t len);
/* Receives one of this length and answers it to its sender. */
void netkit_echo(int fd, size_t len);
/* Receives one of this length. */
void netkit_recv(int fd, size_t len);

/* Packets of an interface, raw: everything (ETH_P_ALL) or one protocol. */
int netkit_packet(int netns, const char *ifname, int type, int protocol);

#endif
