/* SPDX-License-Identifier: Apache-2.0 */
/* See framekit.h. */
#include "unit.h"

#include "framekit.h"

#include <net/ethernet.h>
#include <netinet/in.h>

#include "proto/ifconf.h"

#define IP6_HOPS  255
#define UDP_BYTES 12

void frame_add(struct frame *f, const void *data, size_t n)
{
	assert_true(f->n + n <= FRAME_MAX);
	memcpy(f->b + f->n, data, n);
	f->n += n;
}

static void add_u16(struct frame *f, int v)
{
	const uint8_t b[] = {(uint8_t)(v >> 8), (uint8_t)v};
	frame_add(f, b, sizeof b);
}

static void add_mac(struct frame *f, const char *text)
{
	uint8_t mac[IFCONF_MAC_LEN];
	assert_int_equal(ifconf_parse_mac(text, mac), 0);
	frame_add(f, mac, sizeof mac);
}

static void add_ip(struct frame *f, const char *text)
{
	struct ipaddr a;
	assert_int_equal(ifconf_parse_addr(text, &a), 0);
	frame_add(f, a.bytes, a.len);
}

struct frame frame_eth(const char *mac, int type)
{
	struct frame f = {.n = 0};
	add_mac(&f, "ff:ff:ff:ff:ff:ff");
	add_mac(&f, mac);
	add_u16(&f, type);
	return f;
}

/* RFC 1071. */
static uint16_t checksum(const uint8_t *b, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)b[i] << 8 | b[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

struct frame frame_ip4(const char *mac, const char *src, const char *dst, int proto)
{
	struct frame f = frame_eth(mac, ETHERTYPE_IP);
	const uint8_t head[] = {0x45, 0, 0, 20 + UDP_BYTES, 0, 1, 0, 0, 64, (uint8_t)proto, 0, 0};
	frame_add(&f, head, sizeof head);
	add_ip(&f, src);
	add_ip(&f, dst);
	uint16_t sum = checksum(f.b + ETHER_HDR_LEN, 20);
	f.b[ETHER_HDR_LEN + 10] = (uint8_t)(sum >> 8);
	f.b[ETHER_HDR_LEN + 11] = (uint8_t)sum;
	return f;
}

struct frame frame_udp4(const char *mac, const char *src, const char *dst, int sport, int dport)
{
	struct frame f = frame_ip4(mac, src, dst, IPPROTO_UDP);
	add_u16(&f, sport);
	add_u16(&f, dport);
	add_u16(&f, UDP_BYTES);
	add_u16(&f, 0); /* no checksum */
	frame_add(&f, "word", 4);
	return f;
}

struct frame frame_arp(const char *mac, const char *sha, const char *sip)
{
	struct frame f = frame_eth(mac, ETHERTYPE_ARP);
	const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0, 1};
	frame_add(&f, head, sizeof head);
	add_mac(&f, sha);
	add_ip(&f, sip);
	add_mac(&f, "00:00:00:00:00:00");
	add_ip(&f, "10.1.0.1");
	return f;
}

struct frame frame_ip6(const char *mac, const char *src, int next)
{
	struct frame f = frame_eth(mac, ETHERTYPE_IPV6);
	const uint8_t head[] = {0x60, 0, 0, 0, 0, 24, (uint8_t)next, IP6_HOPS};
	frame_add(&f, head, sizeof head);
	add_ip(&f, src);
	add_ip(&f, "ff02::1");
	return f;
}

struct frame frame_nd(const char *mac, const char *src, int type, const char *target)
{
	struct frame f = frame_ip6(mac, src, IPPROTO_ICMPV6);
	const uint8_t head[] = {(uint8_t)type, 0, 0, 0, 0, 0, 0, 0};
	frame_add(&f, head, sizeof head);
	add_ip(&f, target);
	return f;
}
