/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet frames as tests of filters and ties send them: addresses as text, the rest as it must be. */
#ifndef UNIT_FRAMEKIT_H
#define UNIT_FRAMEKIT_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 256

struct frame {
	uint8_t b[FRAME_MAX];
	size_t n;
};

/* To everybody. */
struct frame frame_eth(const char *mac, int type);
struct frame frame_ip4(const char *mac, const char *src, const char *dst, int proto);
/* With a payload of one word, by which a test knows it again. */
struct frame frame_udp4(const char *mac, const char *src, const char *dst, int sport, int dport);
struct frame frame_arp(const char *mac, const char *sha, const char *sip);
/* `next`: the header behind IPv6's, whose bytes come by frame_add(). */
struct frame frame_ip6(const char *mac, const char *src, int next);
void frame_add(struct frame *f, const void *data, size_t n);
/* ICMPv6 of this type, with the target of neighbour discovery. */
struct frame frame_nd(const char *mac, const char *src, int type, const char *target);

#endif
